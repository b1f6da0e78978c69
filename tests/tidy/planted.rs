//! Every bug that can be planted has one line that it spoils, and no line stands for two.

use std::fs;

use crate::sources::{self, Source};
use crate::{assert_none, workspace};

const CRATES: [&str; 3] = ["engine/src", "persistence/src", "actors/src"];

/// The names in the list of bugs: `Bug = "a-name",`.
fn bugs(text: &str) -> Vec<&str> {
    let lines = text.lines().filter_map(|line| line.trim().strip_suffix("\","));
    lines.filter_map(|line| line.split_once(" = \"")).map(|(bug, _)| bug).collect()
}

/// Bugs without a line, and with more than one.
fn astray(bugs: &[&str], sources: &[Source]) -> Vec<String> {
    let lines = |bug: &str| {
        let hook = format!("planted(Bug::{bug})");
        let code = sources.iter().flat_map(Source::code);
        code.filter(|(_, line)| line.contains(&hook)).count()
    };
    let counted = bugs.iter().map(|bug| (bug, lines(bug)));
    counted
        .filter(|(_, lines)| *lines != 1)
        .map(|(bug, lines)| format!("{bug} is planted in {lines} lines"))
        .collect()
}

#[test]
fn every_planted_bug_spoils_one_line() {
    let catalogue = "engine/src/planted.rs";
    let text = fs::read_to_string(workspace().join(catalogue)).expect("a readable file");
    let known = bugs(&text);
    assert!(40 < known.len(), "the list of bugs was not found");
    let mut code = sources::rust(&workspace());
    code.retain(|source| CRATES.iter().any(|folder| source.path.starts_with(folder)));
    code.retain(|source| source.path != catalogue);
    assert_none(&astray(&known, &code));
}

#[test]
fn a_bug_without_a_line_and_one_with_two_are_found() {
    let list = "    /// What.\n    One = \"one\",\n    Two = \"two\",\n    Three = \"three\",\n";
    let code = Source::of("a.rs", "if planted(Bug::One) {}\nplanted(Bug::Two)\nplanted(Bug::Two)");
    assert_eq!(astray(&bugs(list), &[code]).len(), 2);
}
