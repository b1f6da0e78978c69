//! The pages about events and invariants, compared with what they are about.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::golden::every_name;
use crate::public::PublicName;

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn page(name: &str) -> String {
    fs::read_to_string(workspace().join("docs").join(name)).unwrap()
}

/// Every word of a page that stands between backticks.
fn quoted(page: &str) -> impl Iterator<Item = &str> {
    page.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_event_stands_in_its_catalogue_and_nothing_else_does() {
    let catalogue = page("events.md");
    let listed: BTreeSet<String> = catalogue
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(listed, every_name());
}

#[test]
fn every_test_that_guards_an_invariant_exists() {
    let mut engine = String::new();
    for folder in ["src", "tests"] {
        sources(&workspace().join("engine").join(folder), &mut engine);
    }
    let page = page("invariants.md");
    let mut guards = 0_u32;
    for word in quoted(&page) {
        let path = word.starts_with("tests/") || word.starts_with("engine/");
        if path {
            assert!(workspace().join(word).exists(), "{word} does not exist");
        }
        // Names of tests are sentences; other words have fewer underscores.
        if !path && 3 <= word.matches('_').count() {
            assert!(
                engine.contains(&format!("fn {word}()"))
                    || engine.contains(&format!("fn {word}(\n")),
                "no test is called {word}"
            );
            guards = guards.saturating_add(1);
        }
    }
    assert!(40 < guards, "only {guards} guards were found; has the page another form?");
}

#[test]
fn every_invariant_of_an_aggregate_stands_on_its_page() {
    let mut engine = String::new();
    sources(&workspace().join("engine/src"), &mut engine);
    let page = page("invariants.md");
    let promised = engine.lines().filter_map(|line| line.strip_prefix("//! - ")?.split_once(": "));
    let ids: BTreeSet<&str> = promised
        .map(|(id, _)| id)
        .filter(|id| id.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-'))
        .collect();
    assert!(ids.contains("ORDER-5") && ids.contains("R13"), "{ids:?}");
    for id in ids {
        assert!(page.contains(&format!("| {id} |")), "{id} is not on the page");
    }
}

#[test]
fn every_public_event_stands_in_the_catalogue_and_nothing_else_does() {
    let catalogue = page("events.md");
    let items = catalogue.lines().filter(|line| line.starts_with("- `"));
    let listed: BTreeSet<&str> =
        items.flat_map(quoted).filter(|word| word.rsplit('.').next() == Some("v1")).collect();
    let known: BTreeSet<&str> = PublicName::ALL.iter().map(|name| name.as_str()).collect();
    assert_eq!(listed, known);
}
