//! The contract of the snapshots, kept by every adapter.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed step is a failed test")]

mod support {
    #[cfg(feature = "postgres")]
    pub(crate) mod database;
    pub(crate) mod fixture;
    pub(crate) mod rows;
    pub(crate) mod writer;
}

use persistence::Stores;
use persistence::journal::StreamId;
use persistence::snapshots::Snapshot;
use support::fixture::{Fixture, SHARDS};
use support::rows::everything;
use support::writer::Writer;

fn stream(key: &str) -> StreamId {
    StreamId::new("thing", key)
}

fn snapshot(key: &str, version: u64) -> Snapshot {
    let body = format!(r#"{{"key":"{key}","größe":{version}}}"#);
    let stream = stream(key);
    // "a" and "b" lie in different shards, as `with_events` asserts.
    Snapshot { place: (stream.slot().shard(SHARDS), version), stream, version, body }
}

/// Events for the streams "a" and "b", so that there is something to take snapshots of.
async fn with_events(stores: &Stores) {
    let mut writer = Writer::of(&*stores.journal).await;
    for version in 1..=3 {
        stores.journal.append(&writer.batch(&[("a", version), ("b", version)])).await.unwrap();
    }
    let events = everything(&*stores.journal).await;
    assert_eq!(events.len(), 6);
    assert!(events.iter().all(|record| record.position == record.version));
    assert_eq!(writer.tenure().holdings.len(), 4);
}

async fn a_snapshot_is_read_back_as_it_was(stores: &Stores) {
    with_events(stores).await;
    stores.snapshots.save(&snapshot("a", 3)).await.unwrap();
    stores.snapshots.save(&snapshot("b", 2)).await.unwrap();

    let wanted = [stream("b"), stream("a"), stream("absent")];
    let mut found = stores.snapshots.load(&wanted).await.unwrap();

    found.sort_by(|x, y| x.stream.cmp(&y.stream));
    assert_eq!(found, [snapshot("a", 3), snapshot("b", 2)]);
    assert!(stores.snapshots.load(&[]).await.unwrap().is_empty());
    let mut listed = stores.snapshots.list().await.unwrap();
    listed.sort();
    assert_eq!(listed, [("thing/a".to_owned(), 3), ("thing/b".to_owned(), 2)]);
}

async fn a_newer_snapshot_takes_the_place_of_an_older_one(stores: &Stores) {
    with_events(stores).await;
    stores.snapshots.save(&snapshot("a", 2)).await.unwrap();
    stores.snapshots.save(&snapshot("a", 3)).await.unwrap();

    assert_eq!(stores.snapshots.load(&[stream("a")]).await.unwrap(), [snapshot("a", 3)]);
}

async fn an_older_snapshot_does_not_take_the_place_of_a_newer_one(stores: &Stores) {
    with_events(stores).await;
    stores.snapshots.save(&snapshot("a", 3)).await.unwrap();
    stores.snapshots.save(&snapshot("a", 2)).await.unwrap();

    assert_eq!(stores.snapshots.load(&[stream("a")]).await.unwrap(), [snapshot("a", 3)]);
}

async fn all_can_be_forgotten(stores: &Stores) {
    with_events(stores).await;
    stores.snapshots.save(&snapshot("a", 3)).await.unwrap();
    stores.snapshots.clear().await.unwrap();

    assert!(stores.snapshots.load(&[stream("a")]).await.unwrap().is_empty());
}

macro_rules! conformance_suite {
    ($backend:ident, $fixture:expr, [$($clause:ident),+ $(,)?]) => {
        mod $backend {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $clause() {
                    let fixture = $fixture.await;
                    super::$clause(&fixture.stores).await;
                    fixture.close().await;
                }
            )+
        }
    };
    ($backend:ident, $fixture:expr) => {
        conformance_suite!($backend, $fixture, [
            a_snapshot_is_read_back_as_it_was,
            a_newer_snapshot_takes_the_place_of_an_older_one,
            an_older_snapshot_does_not_take_the_place_of_a_newer_one,
            all_can_be_forgotten,
        ]);
    };
}

conformance_suite!(memory, Fixture::memory());
#[cfg(feature = "sqlite")]
conformance_suite!(sqlite, Fixture::sqlite());
#[cfg(feature = "postgres")]
conformance_suite!(postgres, Fixture::postgres());
