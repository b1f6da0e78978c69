//! Faults that both SQL stores meet in the same way.

use std::pin::pin;

use persistence::StoreError;
use persistence::journal::{AppendError, Shard, StreamId};
use persistence::read_models::Changes;
use persistence::snapshots::Snapshot;

use crate::place::{Place, SHARDS};
use crate::support::rows::everything;
use crate::support::writer::Writer;

async fn what_was_appended_is_there_after_reopening(place: &Place) {
    let stores = place.open().await;
    let mut writer = Writer::of(&*stores.journal).await;
    for version in 1..=5 {
        stores.journal.append(&writer.batch(&[("a", version), ("b", version)])).await.unwrap();
    }
    let before = everything(&*stores.journal).await;
    drop(stores);

    let stores = place.open().await;
    assert_eq!(everything(&*stores.journal).await, before);
    let again = Writer::of(&*stores.journal).await;
    assert_eq!(again.tenure().holdings, writer.tenure().holdings);
    assert!(writer.tenure().epoch < again.tenure().epoch);
}

async fn the_stored_number_of_shards_counts(place: &Place) {
    drop(place.open().await);
    let stores = place.try_open(SHARDS * 2).await.unwrap();
    assert_eq!(stores.journal.shards(), SHARDS);
    assert_eq!(Writer::of(&*stores.journal).await.tenure().holdings.len(), usize::from(SHARDS));
}

async fn a_journal_of_another_format_is_refused(place: &Place) {
    drop(place.open().await);
    place.execute("UPDATE journal_info SET format_version = 2").await;
    assert!(matches!(place.try_open(SHARDS).await, Err(StoreError::Unsafe(_))));
}

async fn a_second_process_fences_the_first(place: &Place) {
    let (first, second) = (place.open().await, place.open().await);
    let mut old = Writer::of(&*first.journal).await;
    first.journal.append(&old.batch(&[("a", 1)])).await.unwrap();
    let mut new = Writer::of(&*second.journal).await;

    let error = first.journal.append(&old.batch(&[("a", 2)])).await.unwrap_err();

    assert!(matches!(error, AppendError::Fenced), "{error:?}");
    second.journal.append(&new.batch(&[("a", 2)])).await.unwrap();
    assert_eq!(everything(&*first.journal).await.len(), 2);
}

async fn a_changed_byte_is_noticed_by_every_read(place: &Place) {
    let stores = place.open().await;
    let mut writer = Writer::of(&*stores.journal).await;
    for version in 1..=3 {
        stores.journal.append(&writer.batch(&[("a", version)])).await.unwrap();
    }
    let changed = r#"'"n":2', '"n":3'"#;
    let events = match place {
        Place::Folder(_) => format!("replace(events, {changed})"),
        Place::Server(_) => format!("replace(convert_from(events, 'UTF8'), {changed})::bytea"),
    };
    place.execute(&format!("UPDATE journal SET events = {events} WHERE last_position = 2")).await;

    let stream = StreamId::new("thing", "a");
    let shard = stream.slot().shard(SHARDS);
    let by_shard = stores.journal.read_shard(shard, 0, 10).await;
    assert!(matches!(by_shard, Err(StoreError::Corrupt(_))), "{by_shard:?}");
    let by_place = stores.journal.read_places(&[(shard, 2)]).await;
    assert!(matches!(by_place, Err(StoreError::Corrupt(_))), "{by_place:?}");
    let tail = stores.journal.read_tail(shard, 1, &[stream]).await;
    assert!(matches!(tail, Err(StoreError::Corrupt(_))), "{tail:?}");
}

async fn a_change_to_any_part_of_any_event_is_noticed_by_who_wants_another(place: &Place) {
    let stores = place.open().await;
    let mut writer = Writer::of(&*stores.journal).await;
    let events: Vec<(&str, u64)> = (1..=40).map(|version| ("a", version)).collect();
    stores.journal.append(&writer.batch(&events)).await.unwrap();
    let stream = StreamId::new("thing", "a");
    let shard = stream.slot().shard(SHARDS);
    // The seventh event of the first frame: its position, stream, version and payload, and metas.
    let changes = [
        (r#"[7,"thing/a""#, r#"[0,"thing/a""#),
        (r#"[7,"thing/a""#, r#"[7,"thing/b""#),
        (r#""thing/a",7,"#, r#""thing/a",99,"#),
        (r#""n":7}"#, r#""n":99}"#),
        (r#"{"cause":"#, r#"{"Cause":"#),
    ];
    for (from, to) in changes {
        let swap = |from: &str, to: &str| match place {
            Place::Folder(_) => format!("replace(events, '{from}', '{to}')"),
            Place::Server(_) => {
                format!("replace(convert_from(events, 'UTF8'), '{from}', '{to}')::bytea")
            }
        };
        let first = "WHERE last_position = 32";
        place.execute(&format!("UPDATE journal SET events = {} {first}", swap(from, to))).await;

        let by_place = stores.journal.read_places(&[(shard, 2)]).await;
        assert!(matches!(by_place, Err(StoreError::Corrupt(_))), "{to}: {by_place:?}");
        let tail = stores.journal.read_tail(shard, 30, std::slice::from_ref(&stream)).await;
        assert!(matches!(tail, Err(StoreError::Corrupt(_))), "{to}: {tail:?}");
        place.execute(&format!("UPDATE journal SET events = {} {first}", swap(to, from))).await;
    }
    let mended = stores.journal.read_shard(shard, 0, 100).await.unwrap();
    assert_eq!(mended.len(), 40);
}

async fn a_lost_row_is_noticed_by_who_reads_on(place: &Place) {
    let stores = place.open().await;
    let mut writer = Writer::of(&*stores.journal).await;
    for version in 1..=3 {
        stores.journal.append(&writer.batch(&[("a", version)])).await.unwrap();
    }
    place.execute("DELETE FROM journal WHERE last_position = 2").await;

    let shard = StreamId::new("thing", "a").slot().shard(SHARDS);
    let by_shard = stores.journal.read_shard(shard, 0, 10).await;
    assert!(matches!(by_shard, Err(StoreError::Corrupt(_))), "{by_shard:?}");
    let tail = stores.journal.read_tail(shard, 1, &[StreamId::new("thing", "a")]).await;
    assert!(matches!(tail, Err(StoreError::Corrupt(_))), "{tail:?}");
}

async fn a_lost_last_row_is_noticed_on_taking_over(place: &Place) {
    let stores = place.open().await;
    let mut writer = Writer::of(&*stores.journal).await;
    stores.journal.append(&writer.batch(&[("a", 1)])).await.unwrap();
    place.execute("DELETE FROM journal").await;

    let taken = stores.journal.acquire("test").await;
    assert!(matches!(taken, Err(StoreError::Corrupt(_))), "{taken:?}");
}

async fn a_damaged_last_row_is_noticed_on_taking_over_and_nothing_is_claimed(place: &Place) {
    let stores = place.open().await;
    let mut writer = Writer::of(&*stores.journal).await;
    stores.journal.append(&writer.batch(&[("a", 1)])).await.unwrap();
    place.execute("UPDATE journal SET checksum = checksum + 1").await;

    let taken = stores.journal.acquire("test").await;
    assert!(matches!(taken, Err(StoreError::Corrupt(_))), "{taken:?}");
    stores.journal.append(&writer.batch(&[("b", 1)])).await.unwrap();
}

async fn fences_that_are_not_those_of_the_shards_are_refused_at_start(place: &Place) {
    drop(place.open().await);
    place.execute("DELETE FROM shard_fence WHERE shard = 1").await;

    let opened = place.try_open(SHARDS).await.map(drop);
    assert!(matches!(opened, Err(StoreError::Corrupt(_))), "{opened:?}");
}

async fn a_cancelled_append_leaves_no_transaction_open(place: &Place) {
    let stores = place.open().await;
    for version in 1..=50 {
        // Whoever was dropped may or may not have been written; a new owner finds out.
        let mut writer = Writer::of(&*stores.journal).await;
        let written = everything(&*stores.journal).await.len() as u64;
        let batch = writer.batch(&[("a", written + 1)]);
        {
            let mut append = pin!(stores.journal.append(&batch));
            for _ in 0..version % 5 {
                let polled = futures::poll!(append.as_mut());
                if polled.is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
    }
    let mut writer = Writer::of(&*stores.journal).await;
    let written = everything(&*stores.journal).await.len() as u64;
    stores.journal.append(&writer.batch(&[("a", written + 1)])).await.unwrap();
    assert_eq!(everything(&*stores.journal).await.len() as u64, written + 1);
}

async fn a_cancelled_change_of_read_models_leaves_no_transaction_open(place: &Place) {
    let stores = place.open().await;
    for position in 1..=50 {
        let cursors = vec![(Shard(0), position)];
        let changes = Changes { cursors, ..Changes::default() };
        let mut apply = pin!(stores.read_models.apply(&changes));
        for _ in 0..position % 5 {
            if futures::poll!(apply.as_mut()).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    let changes = Changes { cursors: vec![(Shard(0), 51)], ..Changes::default() };
    stores.read_models.apply(&changes).await.unwrap();
    assert_eq!(stores.read_models.cursors(1).await.unwrap(), [51]);
}

async fn views_that_are_ahead_of_the_journal_are_forgotten(place: &Place) {
    let stores = place.open().await;
    let mut writer = Writer::of(&*stores.journal).await;
    stores.journal.append(&writer.batch(&[("a", 1)])).await.unwrap();
    let stream = StreamId::new("thing", "a");
    let shard = stream.slot().shard(SHARDS);
    let snapshot =
        Snapshot { stream: stream.clone(), version: 1, place: (shard, 1), body: "{}".into() };
    stores.snapshots.save(&snapshot).await.unwrap();
    let changes = Changes { cursors: vec![(shard, 1)], ..Changes::default() };
    stores.read_models.apply(&changes).await.unwrap();
    drop(stores);

    let stores = place.open().await;
    let kept = stores.read_models.cursors(SHARDS).await.unwrap();
    assert_eq!(kept.iter().sum::<u64>(), 1, "views that fit the journal stay");
    drop(stores);

    // What is left when the journal is put back from a copy that had no events yet.
    place.execute("DELETE FROM journal").await;
    place.execute("UPDATE shard_fence SET next_position = 1").await;
    let stores = place.open().await;
    assert_eq!(stores.read_models.cursors(SHARDS).await.unwrap(), [0; SHARDS as usize]);
    assert!(stores.snapshots.load(&[stream]).await.unwrap().is_empty());
}

async fn whoever_only_looks_makes_no_journal_and_leaves_views_that_are_ahead(place: &Place) {
    for _ in 0..2 {
        assert!(place.inspect().await.is_none());
    }
    let stores = place.open().await;
    let ahead = Changes { cursors: vec![(Shard(0), 7)], ..Changes::default() };
    stores.read_models.apply(&ahead).await.unwrap();
    for _ in 0..2 {
        let looked = place.inspect().await.unwrap();
        assert_eq!(looked.read_models.cursors(SHARDS).await.unwrap()[0], 7);
    }
}

async fn a_snapshot_that_the_journal_does_not_reach_counts_as_absent(place: &Place) {
    let stores = place.open().await;
    let mut writer = Writer::of(&*stores.journal).await;
    stores.journal.append(&writer.batch(&[("a", 1), ("b", 1), ("c", 1)])).await.unwrap();
    let snapshot = |key: &str, version, behind: u64| {
        let stream = StreamId::new("thing", key);
        let shard = stream.slot().shard(SHARDS);
        Snapshot { place: (shard, behind + 1), stream, version, body: "{}".into() }
    };
    // Behind the end, at the place of another event, and as it should be.
    stores.snapshots.save(&snapshot("a", 2, 9)).await.unwrap();
    stores.snapshots.save(&snapshot("b", 2, 0)).await.unwrap();
    let events = everything(&*stores.journal).await;
    let c = events.iter().find(|record| record.stream.key() == "c").unwrap();
    let kept = snapshot("c", 1, c.position - 1);
    stores.snapshots.save(&kept).await.unwrap();

    let wanted = ["a", "b", "c"].map(|key| StreamId::new("thing", key));
    assert_eq!(stores.snapshots.load(&wanted).await.unwrap(), [kept]);
}

macro_rules! suite {
    ($backend:ident, $place:expr, [$($fault:ident),+ $(,)?]) => {
        mod $backend {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $fault() {
                    let place = $place;
                    super::$fault(&place).await;
                    place.close().await;
                }
            )+
        }
    };
    ($backend:ident, $place:expr) => {
        suite!($backend, $place, [
            what_was_appended_is_there_after_reopening,
            the_stored_number_of_shards_counts,
            a_journal_of_another_format_is_refused,
            a_second_process_fences_the_first,
            a_changed_byte_is_noticed_by_every_read,
            a_change_to_any_part_of_any_event_is_noticed_by_who_wants_another,
            a_lost_row_is_noticed_by_who_reads_on,
            a_lost_last_row_is_noticed_on_taking_over,
            a_damaged_last_row_is_noticed_on_taking_over_and_nothing_is_claimed,
            fences_that_are_not_those_of_the_shards_are_refused_at_start,
            a_cancelled_append_leaves_no_transaction_open,
            a_cancelled_change_of_read_models_leaves_no_transaction_open,
            views_that_are_ahead_of_the_journal_are_forgotten,
            whoever_only_looks_makes_no_journal_and_leaves_views_that_are_ahead,
            a_snapshot_that_the_journal_does_not_reach_counts_as_absent,
        ]);
    };
}

suite!(sqlite, Place::folder());
suite!(postgres, Place::server().await);
