//! Every crash point has a line in docs/crash-points.md, and every line has a crash point.

use std::collections::BTreeSet;
use std::fs;

use crate::{assert_none, workspace};

/// The names in the list of points: `Point = "a.name",`.
fn in_code(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter_map(|line| line.trim().strip_suffix("\","));
    let names = lines.filter_map(|line| line.split_once(" = \"")).map(|(_, name)| name);
    names.map(str::to_owned).collect()
}

/// The names that begin the rows of the page's table.
fn on_the_page(text: &str) -> BTreeSet<String> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next()).map(str::to_owned).collect()
}

fn differences(code: &str, page: &str) -> Vec<String> {
    let (code, page) = (in_code(code), on_the_page(page));
    let differ = code.symmetric_difference(&page);
    differ.map(|name| format!("{name} is only in one of code and docs/crash-points.md")).collect()
}

#[test]
fn every_crash_point_is_on_its_page() {
    let read = |path: &str| fs::read_to_string(workspace().join(path)).expect("a readable file");
    let code = read("persistence/src/crash_points.rs");
    assert!(10 < in_code(&code).len(), "the list of crash points was not found");
    assert_none(&differences(&code, &read("docs/crash-points.md")));
}

#[test]
fn a_crash_point_without_a_line_is_found() {
    let code = "    /// Why.\n    One = \"part.one\",\n    Two = \"part.two\",\n";
    assert_eq!(differences(code, "| `part.one` | what |\n| `part.three` | what |").len(), 2);
}
