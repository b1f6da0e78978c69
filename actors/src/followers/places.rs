//! Where followers begin: at a moment, at the end, or where they stood.

use std::time::Duration;

use engine::values::Moment;
use persistence::StoreError;
use persistence::journal::{Journal, Shard};

/// How much earlier an event of a shard may have been decided than the one before it: what waits
/// together for the writer is not sorted by time. Events further apart are.
const DISORDER_MAX: Duration = Duration::from_mins(1);

/// A place in a shard before which every event was decided before `moment`.
///
/// Looks at as many events as a shard of that length has bits.
pub(super) async fn before(
    journal: &dyn Journal,
    shard: Shard,
    head: u64,
    moment: Moment,
) -> Result<u64, StoreError> {
    let margin = i64::try_from(DISORDER_MAX.as_micros()).unwrap_or(i64::MAX);
    let from = Moment::from_unix_micros(moment.as_unix_micros().saturating_sub(margin));
    let (mut low, mut high) = (0, head);
    while low < high {
        let middle = low.midpoint(high);
        let next = journal.read_shard(shard, middle, 1).await?;
        if next.first().is_some_and(|record| record.at < from) {
            low = middle.saturating_add(1);
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// What a journal that is shorter than a follower remembers makes of its place: it was put back from
/// an older copy, and what comes next is new.
pub(super) fn within(cursor: u64, head: u64) -> u64 {
    cursor.min(head)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use persistence::journal::{Batch, MemoryJournal, Record, ShardMove, StreamId, event_id, seal};

    use super::*;

    fn minutes(count: u64) -> Moment {
        Moment::default().saturating_add(Duration::from_mins(count))
    }

    /// A journal of one shard with an event every ten minutes, the first at ten.
    async fn journal(events: u64) -> MemoryJournal {
        let journal = MemoryJournal::new(1);
        let tenure = journal.acquire("test").await.unwrap();
        let mut hash = tenure.holdings[0].last_hash;
        let stream = StreamId::new("cart", "a");
        let records = (1..=events).map(|position| {
            let mut record = Record {
                shard: Shard(0),
                position,
                epoch: tenure.epoch,
                slot: stream.slot(),
                stream: stream.clone(),
                version: position,
                event_id: event_id(tenure.epoch, Shard(0), position),
                name: Cow::Borrowed("cart.cleared"),
                schema: 1,
                at: minutes(position * 10),
                meta: String::new(),
                payload: "\"cleared\"".to_owned(),
                checksum: 0,
                hash,
            };
            seal(&hash, &mut record);
            hash = record.hash;
            record
        });
        let batch = Batch {
            epoch: tenure.epoch,
            moves: vec![ShardMove { shard: Shard(0), expected: 1, next: events + 1 }],
            records: records.collect(),
        };
        journal.append(&batch).await.unwrap();
        journal
    }

    #[tokio::test]
    async fn nothing_that_was_decided_since_the_moment_lies_before_the_place() {
        let journal = journal(100).await;
        for (moment, place) in
            [(0, 0), (10, 0), (11, 0), (12, 1), (500, 49), (1_000, 99), (2_000, 100)]
        {
            let found = before(&journal, Shard(0), 100, minutes(moment)).await.unwrap();
            assert_eq!(found, place, "{moment} minutes");
        }
    }

    #[tokio::test]
    async fn an_empty_shard_begins_at_its_beginning() {
        let journal = MemoryJournal::new(1);
        assert_eq!(before(&journal, Shard(0), 0, minutes(5)).await.unwrap(), 0);
    }

    #[test]
    fn a_place_beyond_the_end_becomes_the_end() {
        assert_eq!(within(7, 9), 7);
        assert_eq!(within(9, 7), 7);
    }
}
