//! Rules about the code itself that no compiler knows: each is a function, seen to find a violation.

#![expect(clippy::expect_used, clippy::panic, reason = "a rule that cannot be read is broken")]

mod arrows;
mod crash_points;
mod files;
mod metrics;
mod migrations;
mod planted;
mod sources;
mod text;

use std::path::PathBuf;

use crate::sources::Source;

/// The folder of the workspace.
fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(PathBuf::from)
        .expect("the suite lies in a folder of the workspace")
}

/// Fails with every violation at once, so that one run shows all that is to be done.
#[track_caller]
fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

/// Everything a rule says about all Rust files.
fn over_all(rule: impl Fn(&Source) -> Vec<String>) -> Vec<String> {
    let sources = sources::rust(&workspace());
    assert!(
        sources.len() > 20,
        "only {} Rust files found: a rule would see nothing",
        sources.len()
    );
    sources.iter().flat_map(rule).collect()
}
