//! The stored form of every event, kept as files: what was written once must stay readable.
//!
//! A golden file is never edited: a new shape gets a new schema version and a file beside it.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::endpoints::{endpoints, other_endpoints};
use super::events::{
    buyers, carts, drills, inventories, jobs, orders, other_drills, other_forms, returns, reviews,
};
use super::feeds::{imports, other_partners, partners, toggles};
use super::products::{other_products, products};
use super::promos::{other_promos, promos};
use crate::aggregate::EventName;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

fn matches_its_file<E>(stem: &str, event: &E)
where
    E: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let written = serde_json::to_string(event).unwrap();
    let path = folder().join(format!("{stem}.v1.json"));
    let golden = fs::read_to_string(&path)
        .unwrap_or_else(|_| panic!("golden/{stem}.v1.json is missing; its content is\n{written}"));
    assert_eq!(written, golden.trim_end(), "{stem} is not written as it was");
    assert_eq!(serde_json::from_str::<E>(&golden).unwrap(), *event, "{stem} reads back different");
}

fn each_matches_its_file<E>(events: &[E]) -> BTreeSet<String>
where
    E: EventName + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let names: BTreeSet<String> = events.iter().map(|event| event.name().to_owned()).collect();
    assert_eq!(names.len(), events.len(), "two events share a name");
    for event in events {
        matches_its_file(event.name(), event);
    }
    names
}

/// The stems of other forms, each compared with its file.
fn forms_match_their_files<E>(forms: &[(&str, E)]) -> BTreeSet<String>
where
    E: EventName + Serialize + DeserializeOwned + PartialEq + Debug,
{
    for (stem, event) in forms {
        assert!(stem.starts_with(event.name()), "{stem} is filed under another event");
        matches_its_file(stem, event);
    }
    forms.iter().map(|(stem, _)| (*stem).to_owned()).collect()
}

/// The name of every event, each compared with its file.
pub(super) fn every_name() -> BTreeSet<String> {
    let mut names = each_matches_its_file(&products());
    names.append(&mut each_matches_its_file(&inventories()));
    names.append(&mut each_matches_its_file(&carts()));
    names.append(&mut each_matches_its_file(&orders()));
    names.append(&mut each_matches_its_file(&buyers()));
    names.append(&mut each_matches_its_file(&reviews()));
    names.append(&mut each_matches_its_file(&returns()));
    names.append(&mut each_matches_its_file(&drills()));
    names.append(&mut each_matches_its_file(&endpoints()));
    names.append(&mut each_matches_its_file(&imports()));
    names.append(&mut each_matches_its_file(&partners()));
    names.append(&mut each_matches_its_file(&toggles()));
    names.append(&mut each_matches_its_file(&jobs()));
    names.append(&mut each_matches_its_file(&promos()));
    names
}

#[test]
fn every_event_is_written_and_read_exactly_as_its_golden_file() {
    let mut stems = every_name();
    stems.append(&mut forms_match_their_files(&other_forms()));
    stems.append(&mut forms_match_their_files(&other_drills()));
    stems.append(&mut forms_match_their_files(&other_endpoints()));
    stems.append(&mut forms_match_their_files(&other_partners()));
    stems.append(&mut forms_match_their_files(&other_products()));
    stems.append(&mut forms_match_their_files(&other_promos()));
    let expected: BTreeSet<String> = stems.iter().map(|stem| format!("{stem}.v1.json")).collect();
    let found: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(found, expected, "each golden file belongs to one sample");
}
