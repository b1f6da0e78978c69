//! Dependencies point downwards, and the engine has none that could do anything but compute.

use std::collections::BTreeSet;
use std::fs;

use crate::{assert_none, workspace};

/// Each crate and the workspace crates that it may depend on.
const ALLOWED_ARROWS: &[(&str, &[&str])] = &[
    ("engine", &[]),
    ("persistence", &["engine"]),
    ("actors", &["engine", "persistence"]),
    ("http-edge", &["engine", "persistence", "actors"]),
    // Its drills stand on the rig of the suites.
    ("simulator", &["engine", "persistence", "actors", "acceptance-tests"]),
    // Black boxes: the suites know binaries and protocols, never our code.
    ("acceptance-tests", &[]),
];

/// Anything that can do I/O, read a clock or draw lots is absent.
const ENGINE_MAY_USE: &[&str] = &["serde", "thiserror", "uuid", "iso_currency", "email_address"];

/// Dependencies of a manifest; tests of a crate may use what they like from outside.
fn dependencies(manifest: &str, tables: &[&str]) -> BTreeSet<String> {
    let manifest: toml::Table = manifest.parse().expect("a manifest is TOML");
    let mut found = BTreeSet::new();
    for table in tables {
        let names = manifest.get(*table).and_then(toml::Value::as_table);
        found.extend(names.into_iter().flat_map(toml::Table::keys).cloned());
    }
    found
}

/// Arrows that do not exist on the map.
fn wrong_arrows(krate: &str, manifest: &str) -> Vec<String> {
    let ours: BTreeSet<&str> = ALLOWED_ARROWS.iter().map(|(name, _)| *name).collect();
    let allowed =
        ALLOWED_ARROWS.iter().find(|(name, _)| *name == krate).map(|(_, allowed)| *allowed);
    dependencies(manifest, &["dependencies", "dev-dependencies", "build-dependencies"])
        .into_iter()
        .filter(|name| ours.contains(name.as_str()) && name != krate)
        .filter(|name| !allowed.unwrap_or_default().contains(&name.as_str()))
        .map(|name| format!("{krate} must not depend on {name}: see docs/ARCHITECTURE.md"))
        .collect()
}

/// What the engine uses and may not.
fn forbidden_in_engine(manifest: &str) -> Vec<String> {
    dependencies(manifest, &["dependencies", "build-dependencies"])
        .into_iter()
        .filter(|name| !ENGINE_MAY_USE.contains(&name.as_str()))
        .map(|name| format!("engine must not use {name}"))
        .collect()
}

fn manifest_of(krate: &str) -> String {
    let folder = if krate == "acceptance-tests" { "tests" } else { krate };
    let path = workspace().join(folder).join("Cargo.toml");
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

#[test]
fn dependencies_point_downwards() {
    let crates = ALLOWED_ARROWS.iter();
    let wrong = crates.flat_map(|(krate, _)| wrong_arrows(krate, &manifest_of(krate)));
    assert_none(&wrong.collect::<Vec<_>>());
}

#[test]
fn the_engine_cannot_do_io() {
    assert_none(&forbidden_in_engine(&manifest_of("engine")));
}

#[test]
fn every_member_of_the_workspace_is_on_the_map() {
    let root = fs::read_to_string(workspace().join("Cargo.toml")).expect("a workspace");
    let root: toml::Table = root.parse().expect("a manifest is TOML");
    let members = root.get("workspace").and_then(|workspace| workspace.get("members"));
    let members = members.and_then(toml::Value::as_array).expect("members");
    let unknown = members.iter().filter_map(toml::Value::as_str).filter(|member| {
        let name = if *member == "tests" { "acceptance-tests" } else { member };
        !ALLOWED_ARROWS.iter().any(|(krate, _)| *krate == name)
    });
    assert_none(&unknown.map(str::to_owned).collect::<Vec<_>>());
}

#[test]
fn an_arrow_that_points_upwards_is_found() {
    let manifest = "[dependencies]\nactors.workspace = true\nserde = '1'";
    assert_eq!(wrong_arrows("persistence", manifest).len(), 1);
    assert_eq!(wrong_arrows("http-edge", manifest).len(), 0);
    let hidden = "[dev-dependencies]\nsimulator = { path = '../simulator' }";
    assert_eq!(wrong_arrows("actors", hidden).len(), 1);
}

#[test]
fn a_runtime_in_the_engine_is_found() {
    let manifest = "[dependencies]\nserde = '1'\ntokio = '1'\n[dev-dependencies]\nproptest = '1'";
    assert_eq!(forbidden_in_engine(manifest), ["engine must not use tokio"]);
}
