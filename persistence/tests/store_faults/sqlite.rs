//! Faults of files.

use std::process::Command;

use persistence::journal::{Fatal, Journal as _, Shard, SqliteJournal};
use persistence::read_models::Changes;
use persistence::stores::{Database, StorageConfig, migrate};
use persistence::{StoreError, Stores};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Executor as _};

use crate::place::{Place, SHARDS};
use crate::support::rows::everything;
use crate::support::writer::Writer;

/// Set for the child process that is to run out of room.
const CHILD: &str = "MILLRACE_TEST_JOURNAL_FILE";

async fn with_a_cursor(place: &Place) -> Stores {
    let stores = place.open().await;
    let mut writer = Writer::of(&*stores.journal).await;
    for version in 1..=3 {
        stores.journal.append(&writer.batch(&[("a", version)])).await.unwrap();
    }
    let heads = stores.journal.heads().await.unwrap();
    let cursors = (0..SHARDS).map(Shard).zip(heads).collect();
    stores.read_models.apply(&Changes { cursors, ..Changes::default() }).await.unwrap();
    stores
}

async fn starts_over_with_the_journal_whole(place: &Place) {
    let stores = place.open().await;
    assert_eq!(stores.read_models.cursors(SHARDS).await.unwrap(), [0; SHARDS as usize]);
    assert_eq!(everything(&*stores.journal).await.len(), 3);
}

/// What a crash leaves of the journal, without the views.
fn journal_of(place: &Place) -> Place {
    let copy = Place::folder();
    for file in ["shop.db", "shop.db-wal"] {
        std::fs::copy(place.file(file), copy.file(file)).unwrap();
    }
    copy
}

#[tokio::test]
async fn a_missing_views_file_is_made_again() {
    let place = Place::folder();
    let _open = with_a_cursor(&place).await;
    starts_over_with_the_journal_whole(&journal_of(&place)).await;
}

#[tokio::test]
async fn a_views_file_that_is_garbage_is_made_again() {
    let place = Place::folder();
    let _open = with_a_cursor(&place).await;
    let copy = journal_of(&place);
    std::fs::write(copy.file("shop.views.db"), vec![0xa5; 20_000]).unwrap();
    starts_over_with_the_journal_whole(&copy).await;
}

const OF_ANOTHER_BUILD: &str = "UPDATE _sqlx_migrations SET checksum = x'00'";

#[tokio::test]
async fn views_of_another_build_are_made_again() {
    let place = Place::folder();
    let _open = with_a_cursor(&place).await;
    let url = format!("sqlite:{}", place.file("shop.views.db").display());
    let mut views = SqliteConnection::connect(&url).await.unwrap();
    views.execute(OF_ANOTHER_BUILD).await.unwrap();
    starts_over_with_the_journal_whole(&place).await;
}

#[tokio::test]
async fn a_journal_of_another_build_is_refused() {
    let place = Place::folder();
    drop(place.open().await);
    place.execute(OF_ANOTHER_BUILD).await;
    assert!(matches!(place.try_open(SHARDS).await, Err(StoreError::Unsafe(_))));
}

#[tokio::test]
async fn a_journal_file_that_is_garbage_is_refused_and_left_alone() {
    let place = Place::folder();
    let garbage = vec![0xa5; 20_000];
    std::fs::write(place.file("shop.db"), &garbage).unwrap();
    assert!(place.try_open(SHARDS).await.is_err());
    assert_eq!(std::fs::read(place.file("shop.db")).unwrap(), garbage);
}

#[tokio::test]
async fn the_log_is_emptied_before_serving() {
    let place = Place::folder();
    let crashed = place.open().await;
    let mut writer = Writer::of(&*crashed.journal).await;
    crashed.journal.append(&writer.batch(&[("a", 1)])).await.unwrap();
    // Copied while it is open, as a crash leaves it: what was appended is in the log only.
    let copy = journal_of(&place);
    let log = std::fs::metadata(copy.file("shop.db-wal")).unwrap().len();

    let journal =
        SqliteJournal::open(&copy.file("shop.db"), SHARDS, Fatal::default()).await.unwrap();

    assert_eq!(everything(&journal).await.len(), 1);
    assert!(std::fs::metadata(copy.file("shop.db-wal")).unwrap().len() < log);
}

#[tokio::test]
async fn migrating_twice_changes_nothing() {
    let place = Place::folder();
    let database = Database::Sqlite(place.file("deep/down/shop.db"));
    let config = StorageConfig { database, redis_url: None, shards: SHARDS };
    migrate(&config).await.unwrap();
    migrate(&config).await.unwrap();
}

/// Appends until the disk lets it down, and says on standard output what it was promised.
async fn append_until_the_end(path: &str) {
    use std::io::Write as _;

    let journal = SqliteJournal::open(path.as_ref(), SHARDS, Fatal::default()).await.unwrap();
    let mut writer = Writer::of(&journal).await;
    let mut out = std::io::stdout();
    for version in 1.. {
        journal.append(&writer.batch(&[("a", version)])).await.unwrap();
        writeln!(out, "acknowledged {version}").unwrap();
        out.flush().unwrap();
    }
}

#[tokio::test]
async fn a_commit_that_fails_for_io_ends_the_process_and_loses_nothing() {
    if let Ok(path) = std::env::var(CHILD) {
        append_until_the_end(&path).await;
        return;
    }
    let place = Place::folder();
    let path = place.file("shop.db");
    // Files of this child may not grow beyond a limit; further writes fail.
    let script = r#"trap '' XFSZ; ulimit -c 0; ulimit -f 800; exec "$0" "$@""#;
    let child = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .args(["a_commit_that_fails_for_io", "--nocapture"])
        .env(CHILD, &path)
        .output()
        .unwrap();

    let said = String::from_utf8_lossy(&child.stdout);
    let acknowledged = said.lines().filter(|line| line.contains("acknowledged")).count();
    assert!(0 < acknowledged, "{child:?}");
    let signal = std::os::unix::process::ExitStatusExt::signal(&child.status);
    assert_eq!(signal, Some(6), "it was not aborted: {child:?}");
    let journal = SqliteJournal::open(&path, SHARDS, Fatal::default()).await.unwrap();
    let stored = everything(&journal).await.len();
    // The one that was under way may be there or not.
    assert!([acknowledged, acknowledged + 1].contains(&stored), "{acknowledged} {stored}");
}
