//! Files are short, say what they are, and are named after what is in them.

use crate::sources::{self, Source};
use crate::{assert_none, over_all, workspace};

const LINES_MAX: usize = 400;

/// Names that say nothing, and collect what has no place.
const NAMELESS: &[&str] = &["util", "utils", "common", "helpers", "misc"];

fn unintroduced(source: &Source) -> Vec<String> {
    let opened = source.text.starts_with("//! ");
    if opened { Vec::new() } else { vec![source.says(1, "does not open with a //! sentence")] }
}

fn too_long(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    let rule = format!("{lines} lines, at most {LINES_MAX} are read");
    if lines <= LINES_MAX { Vec::new() } else { vec![source.says(LINES_MAX, &rule)] }
}

fn nameless(source: &Source) -> Vec<String> {
    let parts = source.path.split('/').map(|part| part.split('.').next().unwrap_or(part));
    parts
        .filter(|part| NAMELESS.contains(part))
        .map(|part| source.says(1, &format!("{part} names nothing: say what is in it")))
        .collect()
}

/// `foo.rs` beside `foo/`: the folder's file is `foo/mod.rs`.
fn doubled(sources: &[Source]) -> Vec<String> {
    let folder_of =
        |source: &Source| source.path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let folders: Vec<String> = sources.iter().filter_map(folder_of).collect();
    sources
        .iter()
        .filter(|source| {
            source.path.strip_suffix(".rs").is_some_and(|stem| folders.iter().any(|f| f == stem))
        })
        .map(|source| source.says(1, "stands beside a folder of its name; use mod.rs"))
        .collect()
}

#[test]
fn files_open_with_a_sentence() {
    assert_none(&over_all(unintroduced));
}

#[test]
fn files_are_short() {
    assert_none(&over_all(too_long));
}

#[test]
fn nothing_is_called_by_a_name_that_says_nothing() {
    let everything = sources::under(&workspace(), sources::CRATES, &|_| true);
    assert_none(&everything.iter().flat_map(nameless).collect::<Vec<_>>());
}

#[test]
fn a_folder_and_its_file_do_not_stand_side_by_side() {
    assert_none(&doubled(&sources::rust(&workspace())));
}

#[test]
fn a_file_without_a_sentence_is_found() {
    assert_eq!(unintroduced(&Source::of("a.rs", "use std::fs;")).len(), 1);
    assert_eq!(unintroduced(&Source::of("a.rs", "//! A file.\n")).len(), 0);
}

#[test]
fn a_long_file_is_found() {
    assert_eq!(too_long(&Source::of("a.rs", &"x\n".repeat(401))).len(), 1);
    assert_eq!(too_long(&Source::of("a.rs", &"x\n".repeat(400))).len(), 0);
}

#[test]
fn a_name_that_says_nothing_is_found() {
    assert_eq!(nameless(&Source::of("engine/src/utils.rs", "")).len(), 1);
    assert_eq!(nameless(&Source::of("engine/src/common/mod.rs", "")).len(), 1);
    assert_eq!(nameless(&Source::of("engine/src/commonwealth.rs", "")).len(), 0);
}

#[test]
fn a_file_beside_its_folder_is_found() {
    let sources = [Source::of("a/src/order.rs", ""), Source::of("a/src/order/model.rs", "")];
    assert_eq!(doubled(&sources).len(), 1);
}
