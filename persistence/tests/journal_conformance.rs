//! The contract of the journal, kept by every adapter.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed step is a failed test")]

mod support {
    #[cfg(feature = "postgres")]
    pub(crate) mod database;
    pub(crate) mod fixture;
    pub(crate) mod rows;
    pub(crate) mod writer;
}

use persistence::journal::{AppendError, Batch, Chain, GENESIS, Journal, Shard, StreamId, seal};
use support::fixture::{Fixture, SHARDS};
use support::rows::everything;
use support::writer::Writer;

async fn positions_are_contiguous_from_one(journal: &dyn Journal) {
    let mut writer = Writer::of(journal).await;
    assert!(
        writer.tenure().holdings.iter().all(|h| (h.next_position, h.last_hash) == (1, GENESIS))
    );
    for version in 1..=20 {
        let batch = writer.batch(&[("a", version), ("b", version), ("c", version)]);
        journal.append(&batch).await.unwrap();
    }
    let mut rows = 0;
    for shard in 0..SHARDS {
        let records = journal.read_shard(Shard(shard), 0, 1_000).await.unwrap();
        assert!(records.iter().zip(1..).all(|(record, position)| record.position == position));
        assert_eq!(journal.heads().await.unwrap()[usize::from(shard)], records.len() as u64);
        rows += records.len();
    }
    assert_eq!(rows, 60);
}

async fn what_was_appended_is_read_back_as_it_was(journal: &dyn Journal) {
    let mut writer = Writer::of(journal).await;
    let keys: Vec<String> = (0..131).map(|n| format!("key-{n}")).collect();
    let events: Vec<(&str, u64)> = keys.iter().map(|key| (key.as_str(), 1)).collect();
    let batch = writer.batch(&events);
    journal.append(&batch).await.unwrap();

    assert_eq!(everything(journal).await, batch.records);
}

async fn a_refused_batch_leaves_nothing_behind(journal: &dyn Journal) {
    let mut writer = Writer::of(journal).await;
    journal.append(&writer.batch(&[("a", 1)])).await.unwrap();
    let before = (everything(journal).await, journal.heads().await.unwrap());

    // The place of the last event is taken; everything else in the batch is in order.
    let mut batch = writer.batch(&[("b", 1), ("c", 1), ("d", 1), ("a", 2), ("e", 1)]);
    let last = batch.moves.last_mut().unwrap();
    (last.expected, last.next) = (last.expected + 1, last.next + 1);
    let error = journal.append(&batch).await.unwrap_err();

    assert!(matches!(error, AppendError::Fenced), "{error:?}");
    assert_eq!((everything(journal).await, journal.heads().await.unwrap()), before);
    let mut writer = Writer::of(journal).await;
    journal.append(&writer.batch(&[("b", 1), ("a", 2)])).await.unwrap();
}

async fn an_older_epoch_is_fenced_and_writes_nothing(journal: &dyn Journal) {
    let mut old = Writer::of(journal).await;
    let mut new = Writer::of(journal).await;
    assert!(old.tenure().epoch < new.tenure().epoch);

    let error = journal.append(&old.batch(&[("a", 1)])).await.unwrap_err();

    assert!(matches!(error, AppendError::Fenced), "{error:?}");
    assert!(everything(journal).await.is_empty());
    journal.append(&new.batch(&[("a", 1)])).await.unwrap();
}

async fn an_epoch_from_the_future_is_fenced(journal: &dyn Journal) {
    let mut writer = Writer::of(journal).await;
    let mut batch = writer.batch(&[("a", 1)]);
    batch.epoch += 1;

    let error = journal.append(&batch).await.unwrap_err();

    assert!(matches!(error, AppendError::Fenced), "{error:?}");
    assert!(everything(journal).await.is_empty());
}

async fn a_wrong_position_is_fenced(journal: &dyn Journal) {
    let mut writer = Writer::of(journal).await;
    journal.append(&writer.batch(&[("a", 1)])).await.unwrap();
    let _skipped = writer.batch(&[("a", 2)]);

    let error = journal.append(&writer.batch(&[("a", 2), ("b", 1)])).await.unwrap_err();

    assert!(matches!(error, AppendError::Fenced), "{error:?}");
    assert_eq!(everything(journal).await.len(), 1);
}

async fn a_shard_that_is_not_there_is_fenced(journal: &dyn Journal) {
    let mut writer = Writer::of(journal).await;
    let mut batch = writer.batch(&[("a", 1)]);
    batch.moves[0].shard = Shard(SHARDS);
    batch.records[0].shard = Shard(SHARDS);

    let error = journal.append(&batch).await.unwrap_err();

    assert!(matches!(error, AppendError::Fenced), "{error:?}");
    assert!(everything(journal).await.is_empty());
}

async fn the_same_batch_twice_is_fenced(journal: &dyn Journal) {
    let mut writer = Writer::of(journal).await;
    let batch = writer.batch(&[("a", 1), ("b", 1)]);
    journal.append(&batch).await.unwrap();

    let error = journal.append(&batch).await.unwrap_err();

    assert!(matches!(error, AppendError::Fenced), "{error:?}");
    assert_eq!(everything(journal).await.len(), 2);
}

async fn who_was_the_owner_takes_again_only_what_nobody_else_has_taken(journal: &dyn Journal) {
    let first = journal.acquire("first").await.unwrap();
    let again = journal.reacquire("first").await.unwrap().unwrap();
    assert!(first.epoch < again.epoch);
    let second = journal.acquire("second").await.unwrap();

    assert_eq!(journal.reacquire("first").await.unwrap(), None);

    let still = journal.reacquire("second").await.unwrap().unwrap();
    assert_eq!(still.epoch, second.epoch + 1, "the refused one has taken nothing");
}

async fn a_new_owner_finds_where_the_old_one_stopped(journal: &dyn Journal) {
    let mut old = Writer::of(journal).await;
    journal.append(&old.batch(&[("a", 1), ("b", 1), ("a", 2)])).await.unwrap();

    let new = Writer::of(journal).await;

    assert_eq!(new.tenure().holdings, old.tenure().holdings);
}

async fn a_present_batch_is_found_and_an_absent_one_is_not(journal: &dyn Journal) {
    let mut writer = Writer::of(journal).await;
    let present = writer.batch(&[("a", 1), ("b", 1), ("c", 1)]);
    journal.append(&present).await.unwrap();
    let absent = writer.batch(&[("a", 2), ("d", 1)]);

    assert!(journal.contains(&present).await.unwrap());
    assert!(!journal.contains(&absent).await.unwrap());
}

async fn a_batch_in_the_place_of_another_is_not_taken_for_it(journal: &dyn Journal) {
    let mut old = Writer::of(journal).await;
    let lost = old.batch(&[("a", 1), ("b", 1)]);
    let mut new = Writer::of(journal).await;
    journal.append(&new.batch(&[("a", 1), ("b", 1)])).await.unwrap();

    assert!(!journal.contains(&lost).await.unwrap());
}

async fn a_lost_batch_is_retried_with_its_ids_under_the_next_epoch(journal: &dyn Journal) {
    let lost = Writer::of(journal).await.batch(&[("a", 1), ("b", 1)]);
    let tenure = Writer::of(journal).await.tenure().clone();
    assert!(!journal.contains(&lost).await.unwrap());
    let mut retry = Batch { epoch: tenure.epoch, ..lost.clone() };
    let mut hashes: Vec<_> = tenure.holdings.iter().map(|holding| holding.last_hash).collect();
    for record in &mut retry.records {
        let hash = &mut hashes[usize::from(record.shard.0)];
        record.epoch = tenure.epoch;
        seal(hash, record);
        *hash = record.hash;
    }

    journal.append(&retry).await.unwrap();

    assert!(journal.contains(&lost).await.unwrap());
    assert_eq!(everything(journal).await, retry.records);
}

async fn events_are_found_at_their_places(journal: &dyn Journal) {
    let mut writer = Writer::of(journal).await;
    for version in 1..=5 {
        journal.append(&writer.batch(&[("a", version), ("b", version)])).await.unwrap();
    }
    let all = everything(journal).await;
    let (first, last) = (&all[0], &all[9]);
    let place = |shard: Shard, position| (shard, position);
    let nowhere = [place(first.shard, 0), place(last.shard, 999), place(Shard(SHARDS), 1)];
    let wanted = [place(last.shard, last.position), place(first.shard, first.position)];

    let mut found = journal.read_places(&[&nowhere[..], &wanted[..]].concat()).await.unwrap();

    found.sort_by_key(|record| (record.shard, record.position));
    assert_eq!(found, [first.clone(), last.clone()]);
    assert!(journal.read_places(&[]).await.unwrap().is_empty());
}

async fn the_tail_of_a_shard_is_read_for_some_streams(journal: &dyn Journal) {
    let mut writer = Writer::of(journal).await;
    // Keys that share a shard, found by trying.
    let stream = |key: &String| StreamId::new("thing", key);
    let shard = stream(&"0".to_owned()).slot().shard(SHARDS);
    let numbers = (0..).map(|number: u32| number.to_string());
    let keys: Vec<String> =
        numbers.filter(|key| stream(key).slot().shard(SHARDS) == shard).take(3).collect();
    for version in 1..=5 {
        let events: Vec<(&str, u64)> = keys.iter().map(|key| (key.as_str(), version)).collect();
        journal.append(&writer.batch(&events)).await.unwrap();
    }
    let wanted = [stream(&keys[0]), stream(&keys[2]), StreamId::new("thing", "absent")];

    // Three events a round: the sixth is the last of the second round.
    let tail = journal.read_tail(shard, 6, &wanted).await.unwrap();

    let found: Vec<(&str, u64)> =
        tail.iter().map(|record| (record.stream.key(), record.version)).collect();
    let (one, other) = (keys[0].as_str(), keys[2].as_str());
    let rounds = 3..=5;
    let expected: Vec<(&str, u64)> =
        rounds.flat_map(|version| [(one, version), (other, version)]).collect();
    assert_eq!(found, expected);
    assert!(journal.read_tail(shard, 15, &wanted).await.unwrap().is_empty());
    assert!(journal.read_tail(shard, 0, &[]).await.unwrap().is_empty());
}

async fn a_shard_is_read_in_pages(journal: &dyn Journal) {
    let mut writer = Writer::of(journal).await;
    let crowd: Vec<(&str, u64)> = (1..=40).map(|version| ("a", version)).collect();
    journal.append(&writer.batch(&crowd)).await.unwrap();
    for version in 41..=50 {
        journal.append(&writer.batch(&[("a", version)])).await.unwrap();
    }
    let shard = StreamId::new("thing", "a").slot().shard(SHARDS);
    let mut seen = Vec::new();
    loop {
        let page = journal.read_shard(shard, seen.len() as u64, 3).await.unwrap();
        assert!(page.len() <= 3);
        assert!(page.len() == 3 || page.last().is_none_or(|last| last.version == 50));
        if page.is_empty() {
            break;
        }
        seen.extend(page.iter().map(|record| record.version));
    }
    assert_eq!(seen, (1..=50).collect::<Vec<_>>());
}

async fn the_hash_chain_holds_over_batches_and_owners(journal: &dyn Journal) {
    for version in 1..=6 {
        let mut writer = Writer::of(journal).await;
        journal.append(&writer.batch(&[("a", version), ("b", version)])).await.unwrap();
    }
    for shard in 0..SHARDS {
        let mut chain = Chain::after(GENESIS);
        for record in journal.read_shard(Shard(shard), 0, 1_000).await.unwrap() {
            chain.follow(&record.as_stored()).unwrap();
        }
    }
}

async fn frames_hold_what_single_reads_give(journal: &dyn Journal) {
    let mut writer = Writer::of(journal).await;
    for version in 1..=40 {
        journal.append(&writer.batch(&[("a", version), ("b", version)])).await.unwrap();
    }
    for shard in (0..SHARDS).map(Shard) {
        let records = journal.read_shard(shard, 0, 1_000).await.unwrap();
        let (mut position, mut found) = (0, Vec::new());
        loop {
            let frames = journal.read_frames(shard, position, 10).await.unwrap();
            let Some(last) = frames.last() else { break };
            position = last.last_position();
            for frame in &frames {
                let events = frame.events().unwrap();
                found.extend(events.iter().map(|e| (e.position, e.epoch, e.hash, e.at)));
            }
        }
        let expected = records.iter().map(|r| (r.position, r.epoch, r.hash, r.at));
        assert_eq!(found, expected.collect::<Vec<_>>());
    }
}

async fn a_fence_names_the_last_owner_and_its_next_place(journal: &dyn Journal) {
    let fresh = journal.fences().await.unwrap();
    assert!(fresh.iter().all(|fence| (fence.epoch, fence.next_position) == (0, 1)));
    let mut writer = Writer::of(journal).await;
    journal.append(&writer.batch(&[("a", 1), ("b", 1), ("a", 2)])).await.unwrap();
    let tenure = journal.acquire("the next one").await.unwrap();
    for (fence, holding) in journal.fences().await.unwrap().iter().zip(&tenure.holdings) {
        assert_eq!((fence.shard, fence.next_position), (holding.shard, holding.next_position));
        assert_eq!((fence.epoch, fence.owner.as_str()), (tenure.epoch, "the next one"));
    }
}

async fn readers_see_whole_batches_while_a_writer_appends(journal: &dyn Journal) {
    let mut writer = Writer::of(journal).await;
    let key = "a";
    let shard = StreamId::new("thing", key).slot().shard(SHARDS);
    let append = async {
        for pair in 0..50 {
            let batch = writer.batch(&[(key, pair * 2 + 1), (key, pair * 2 + 2)]);
            journal.append(&batch).await.unwrap();
        }
    };
    let read = async {
        let mut seen = 0;
        while seen < 100 {
            let records = journal.read_shard(shard, 0, 1_000).await.unwrap();
            assert_eq!(records.len() % 2, 0, "half a batch was visible");
            assert!(seen <= records.len());
            seen = records.len();
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(append, read);
    journal.ping().await.unwrap();
}

async fn the_shard_count_is_the_one_it_was_created_with(journal: &dyn Journal) {
    assert_eq!(journal.shards(), SHARDS);
    assert_eq!(journal.heads().await.unwrap(), [0; SHARDS as usize]);
    assert_eq!(Writer::of(journal).await.tenure().holdings.len(), usize::from(SHARDS));
}

macro_rules! conformance_suite {
    ($backend:ident, $fixture:expr, [$($clause:ident),+ $(,)?]) => {
        mod $backend {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $clause() {
                    let fixture = $fixture.await;
                    super::$clause(&*fixture.stores.journal).await;
                    fixture.close().await;
                }
            )+
        }
    };
    ($backend:ident, $fixture:expr) => {
        conformance_suite!($backend, $fixture, [
            positions_are_contiguous_from_one,
            what_was_appended_is_read_back_as_it_was,
            a_refused_batch_leaves_nothing_behind,
            an_older_epoch_is_fenced_and_writes_nothing,
            an_epoch_from_the_future_is_fenced,
            a_wrong_position_is_fenced,
            a_shard_that_is_not_there_is_fenced,
            the_same_batch_twice_is_fenced,
            who_was_the_owner_takes_again_only_what_nobody_else_has_taken,
            a_new_owner_finds_where_the_old_one_stopped,
            a_present_batch_is_found_and_an_absent_one_is_not,
            a_batch_in_the_place_of_another_is_not_taken_for_it,
            a_lost_batch_is_retried_with_its_ids_under_the_next_epoch,
            events_are_found_at_their_places,
            the_tail_of_a_shard_is_read_for_some_streams,
            a_shard_is_read_in_pages,
            the_hash_chain_holds_over_batches_and_owners,
            frames_hold_what_single_reads_give,
            a_fence_names_the_last_owner_and_its_next_place,
            readers_see_whole_batches_while_a_writer_appends,
            the_shard_count_is_the_one_it_was_created_with,
        ]);
    };
}

conformance_suite!(memory, Fixture::memory());
#[cfg(feature = "sqlite")]
conformance_suite!(sqlite, Fixture::sqlite());
#[cfg(feature = "postgres")]
conformance_suite!(postgres, Fixture::postgres());
