//! What may stand where: SQL, clocks, spawned tasks, sleeps, ignored tests, paths of one machine.

use std::collections::BTreeSet;

use crate::sources::{self, Source};
use crate::{assert_none, over_all, workspace};

/// Where SQL may be written. The suites and the benchmark's gauges talk to the database server as
/// outsiders, and never to our tables.
const SQL_LIVES_IN: &[&str] = &["persistence/", "tests/", "simulator/src/bench/postgres.rs"];
/// The one place of a layer that starts a task, and so gives it a name and an owner. The storage
/// layer cannot reach up to the one of the actors.
const SPAWN_LIVES_IN: &[&str] = &["actors/src/runtime.rs", "persistence/src/tasks.rs"];
/// The one place that sleeps in the suites: between two questions, with a deadline.
const SLEEP_LIVES_IN: &str = "tests/src/wait.rs";
/// The files of this suite name what they look for.
const RULES_LIVE_IN: &str = "tests/tidy/";

/// A string that begins like a statement: `"SELECT …"`, `"WITH x AS (INSERT …"`, `r#"CREATE …"#`.
fn sql(source: &Source) -> Vec<String> {
    if SQL_LIVES_IN.iter().any(|folder| source.path.starts_with(folder)) {
        return Vec::new();
    }
    let statement = |text: &str| {
        let text = text.trim_start();
        [
            "SELECT ",
            "INSERT INTO ",
            "UPDATE ",
            "DELETE FROM ",
            "CREATE TABLE ",
            "CREATE INDEX ",
            "WITH ",
        ]
        .iter()
        .any(|start| text.starts_with(start))
    };
    let quoted = |line: &str| line.split('"').skip(1).step_by(2).any(statement);
    let lines = source.code().filter(|(_, line)| quoted(line));
    lines.map(|(at, _)| source.says(at, "SQL belongs under persistence/src")).collect()
}

/// Calls that only one file may make, tests included: paused time cannot reach around them.
fn stray_calls(source: &Source, call: &str, home: &[&str]) -> Vec<String> {
    if home.contains(&source.path.as_str()) || source.path.starts_with(RULES_LIVE_IN) {
        return Vec::new();
    }
    let lines = source.code().filter(|(_, line)| line.contains(call));
    lines
        .map(|(at, _)| source.says(at, &format!("{call} belongs in {}", home.join(" or "))))
        .collect()
}

/// Every file that reads the wall clock; one may.
fn wall_clocks(sources: &[Source]) -> Vec<String> {
    let reads = |source: &&Source| {
        !source.path.starts_with(RULES_LIVE_IN)
            && source.code().any(|(_, line)| line.contains("SystemTime::now"))
    };
    let readers: Vec<&Source> = sources.iter().filter(reads).collect();
    if readers.len() <= 1 {
        return Vec::new();
    }
    readers.iter().map(|reader| reader.says(1, "only one file reads the wall clock")).collect()
}

fn ignored(source: &Source) -> Vec<String> {
    if source.path.starts_with(RULES_LIVE_IN) {
        return Vec::new();
    }
    let marks = ["#[ignore", "todo!(", "unimplemented!(", "FIXME", "XXX:"];
    let found = |line: &str| marks.iter().any(|mark| line.contains(mark));
    let lines = source.text.lines().enumerate().filter(|(_, line)| found(line));
    lines
        .map(|(at, _)| source.says(at + 1, "what is not built is absent, and a test runs"))
        .collect()
}

/// A test that sleeps in order to be right is wrong on a slower machine. On paused time
/// (`start_paused`, in any file of the same folder) nothing sleeps.
fn sleeping_tests(sources: &[Source]) -> Vec<String> {
    let folder =
        |source: &Source| source.path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let stops_time = |source: &&Source| {
        source.text.contains("start_paused") || source.text.contains("time::pause()")
    };
    let paused: BTreeSet<String> = sources.iter().filter(stops_time).filter_map(folder).collect();
    let real = |source: &Source| {
        let on_paused_time = folder(source).is_some_and(|folder| paused.contains(&folder));
        source.path.starts_with("tests/") || source.is_test() && !on_paused_time
    };
    let sleeps = |source: &Source, line: &str| {
        let awaits = line.contains("time::sleep(") || line.contains(" sleep(");
        line.contains("thread::sleep") || real(source) && awaits
    };
    let exempt =
        |source: &Source| source.path == SLEEP_LIVES_IN || source.path.starts_with(RULES_LIVE_IN);
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| !exempt(source)) {
        let lines = source.code().filter(|(_, line)| sleeps(source, line));
        let says = |at| source.says(at, "wait for a condition, not for a length of time");
        found.extend(lines.map(|(at, _)| says(at)));
    }
    found
}

/// Paths, names and hosts that mean something on one machine only.
fn machine_paths(source: &Source) -> Vec<String> {
    if source.path.starts_with(RULES_LIVE_IN) {
        return Vec::new();
    }
    let marks = ["/work/", "/root/", "/home/", "/Users/", "jfrog", "artifactory", "pypi."];
    let found = |line: &str| marks.iter().any(|mark| line.contains(mark));
    let lines = source.text.lines().enumerate().filter(|(_, line)| found(line));
    lines.map(|(at, _)| source.says(at + 1, "names something of one machine")).collect()
}

fn allowed_lints(source: &Source) -> Vec<String> {
    if source.path.starts_with(RULES_LIVE_IN) {
        return Vec::new();
    }
    let marks = ["#[allow(", "#![allow("];
    let lines = source.code().filter(|(_, line)| marks.iter().any(|mark| line.contains(mark)));
    lines.map(|(at, _)| source.says(at, "use #[expect(.., reason = \"..\")]")).collect()
}

#[test]
fn sql_stays_in_persistence() {
    assert_none(&over_all(sql));
}

#[test]
fn tasks_are_spawned_in_one_place() {
    assert_none(&over_all(|source| stray_calls(source, "tokio::spawn(", SPAWN_LIVES_IN)));
}

#[test]
fn the_wall_clock_is_read_in_one_place() {
    assert_none(&wall_clocks(&sources::rust(&workspace())));
}

#[test]
fn nothing_is_ignored_or_left_for_later() {
    assert_none(&over_all(ignored));
}

#[test]
fn no_test_sleeps_in_order_to_be_right() {
    assert_none(&sleeping_tests(&sources::rust(&workspace())));
}

#[test]
fn nothing_names_a_machine() {
    let folders = [sources::CRATES, &["docs", "deploy", ".ci", ".config"]].concat();
    let text = |name: &str| {
        ["rs", "md", "toml", "sql", "yml", "yaml", "json", "sh"]
            .iter()
            .any(|ending| sources::has_ending(name, ending))
            || matches!(name, "run" | "Containerfile" | "Dockerfile")
    };
    let all = sources::under(&workspace(), &folders, &text);
    assert_none(&all.iter().flat_map(machine_paths).collect::<Vec<_>>());
}

#[test]
fn lints_are_expected_with_a_reason_and_never_allowed() {
    assert_none(&over_all(allowed_lints));
}

#[test]
fn sql_outside_persistence_is_found() {
    let text = "let q = \"SELECT 1\";\n// \"SELECT in a comment\"\nlet s = \"Selected SELECT\";";
    assert_eq!(sql(&Source::of("http-edge/src/a.rs", text)).len(), 1);
    assert_eq!(sql(&Source::of("persistence/src/a.rs", text)).len(), 0);
}

#[test]
fn a_task_spawned_elsewhere_is_found() {
    let source = Source::of("http-edge/src/a.rs", "    tokio::spawn(async {});");
    assert_eq!(stray_calls(&source, "tokio::spawn(", SPAWN_LIVES_IN).len(), 1);
    let home = Source::of("actors/src/runtime.rs", "    tokio::spawn(async {});");
    assert_eq!(stray_calls(&home, "tokio::spawn(", SPAWN_LIVES_IN).len(), 0);
}

#[test]
fn a_second_reader_of_the_wall_clock_is_found() {
    let read = "let now = std::time::SystemTime::now();";
    let one = Source::of("actors/src/clock.rs", read);
    assert_eq!(wall_clocks(std::slice::from_ref(&one)).len(), 0);
    assert_eq!(wall_clocks(&[one, Source::of("engine/src/a.rs", read)]).len(), 2);
}

#[test]
fn an_ignored_test_is_found() {
    assert_eq!(ignored(&Source::of("a/src/a.rs", "#[ignore = \"slow\"]\nfn a() {}")).len(), 1);
}

#[test]
fn a_sleeping_test_is_found() {
    let found = |sources: &[(&str, &str)]| {
        let sources: Vec<Source> =
            sources.iter().map(|(path, text)| Source::of(path, text)).collect();
        sleeping_tests(&sources).len()
    };
    let real = "tokio::time::sleep(a).await;";
    assert_eq!(found(&[("actors/src/a.rs", "std::thread::sleep(a);")]), 1);
    assert_eq!(found(&[("tests/crash/main.rs", real)]), 1);
    assert_eq!(found(&[("actors/src/x/tests.rs", real)]), 1);
    assert_eq!(found(&[("actors/src/retry.rs", real)]), 0);
    let paused = ("actors/tests/x/main.rs", "#[tokio::test(start_paused = true)]");
    assert_eq!(found(&[paused, ("actors/tests/x/shop.rs", real)]), 0);
}

#[test]
fn a_path_of_one_machine_is_found() {
    let source = Source::of("docs/a.md", "See /home/me/notes.\nSee docs/b.md.");
    assert_eq!(machine_paths(&source).len(), 1);
}

#[test]
fn an_allowed_lint_is_found() {
    assert_eq!(allowed_lints(&Source::of("a/src/a.rs", "#[allow(dead_code)]")).len(), 1);
}
