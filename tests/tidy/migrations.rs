//! Migrations come as twins: what one store learns, the other learns under the same name.

use std::collections::BTreeSet;

use crate::sources::{self, Source};
use crate::{assert_none, workspace};

/// The names of a store's migrations; it may keep them in several folders, `sqlite` and `sqlite_…`.
fn names(sources: &[Source], store: &str) -> BTreeSet<String> {
    let is_of_store = |folder: &str| folder == store || folder.starts_with(&format!("{store}_"));
    let of_store = sources.iter().filter(|source| source.path.split('/').any(is_of_store));
    of_store.filter_map(|source| source.path.rsplit('/').next()).map(str::to_owned).collect()
}

fn without_twin(sources: &[Source]) -> Vec<String> {
    let (sqlite, postgres) = (names(sources, "sqlite"), names(sources, "postgres"));
    let lonely = sqlite.symmetric_difference(&postgres);
    lonely.map(|name| format!("{name} exists for one store only")).collect()
}

fn repeated_numbers(sources: &[Source]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let names = names(sources, "sqlite");
    let numbers = names.iter().filter_map(|name| name.split('_').next());
    let again = numbers.filter(|number| !seen.insert((*number).to_owned()));
    again.map(|number| format!("two migrations have the number {number}")).collect()
}

#[test]
fn migrations_come_as_twins() {
    let folder = ["persistence"];
    let sources = sources::under(&workspace(), &folder, &|name| sources::has_ending(name, "sql"));
    assert!(!sources.is_empty(), "no migrations under persistence");
    assert_none(&without_twin(&sources));
    assert_none(&repeated_numbers(&sources));
}

#[test]
fn a_migration_without_a_twin_is_found() {
    let one = Source::of("persistence/migrations/sqlite/0001_create_journal.sql", "");
    let twin = Source::of("persistence/migrations/postgres/0001_create_journal.sql", "");
    let apart = Source::of("persistence/migrations/sqlite_views/0003_create_lists.sql", "");
    let its_twin = Source::of("persistence/migrations/postgres/0003_create_lists.sql", "");
    let lonely = Source::of("persistence/migrations/postgres/0002_add_index.sql", "");
    assert_eq!(
        without_twin(&[one, twin, apart, its_twin, lonely]),
        ["0002_add_index.sql exists for one store only"]
    );
}

#[test]
fn a_number_used_twice_is_found() {
    let one = Source::of("persistence/migrations/sqlite/0001_a.sql", "");
    let other = Source::of("persistence/migrations/sqlite/0001_b.sql", "");
    assert_eq!(repeated_numbers(&[one, other]).len(), 1);
}
