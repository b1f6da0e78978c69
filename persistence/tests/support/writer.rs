//! A writer as the engine has one: it numbers and seals what it appends.

use std::borrow::Cow;

use engine::values::Moment;
use persistence::journal::{
    Batch, Journal, Record, Shard, ShardMove, StreamId, Tenure, event_id, seal,
};

/// A writer as the engine has one: it knows its tenure and numbers what it appends.
pub(crate) struct Writer {
    tenure: Tenure,
}

impl Writer {
    /// Takes all shards of a journal.
    pub(crate) async fn of(journal: &dyn Journal) -> Self {
        Self { tenure: journal.acquire("test").await.unwrap() }
    }

    /// What it was told on acquiring.
    pub(crate) fn tenure(&self) -> &Tenure {
        &self.tenure
    }

    /// A batch of one event per (stream, version), numbered and sealed, after the one before.
    pub(crate) fn batch(&mut self, events: &[(&str, u64)]) -> Batch {
        let mut records: Vec<Record> = Vec::new();
        let shards = u16::try_from(self.tenure.holdings.len()).unwrap();
        let mut by_shard: Vec<(Shard, StreamId, u64)> = events
            .iter()
            .map(|(key, version)| {
                let stream = StreamId::new("thing", key);
                (stream.slot().shard(shards), stream, *version)
            })
            .collect();
        by_shard.sort_by_key(|(shard, ..)| *shard);
        let mut moves: Vec<ShardMove> = Vec::new();
        for (shard, stream, version) in by_shard {
            let holding = &mut self.tenure.holdings[usize::from(shard.0)];
            let position = holding.next_position;
            let mut record = Record {
                shard,
                position,
                epoch: self.tenure.epoch,
                slot: stream.slot(),
                version,
                event_id: event_id(self.tenure.epoch, shard, position),
                name: Cow::Borrowed("thing_happened"),
                schema: 1,
                at: Moment::from_unix_micros(1_700_000_000_000_000),
                meta: r#"{"cause":"täst"}"#.into(),
                payload: format!(
                    r#"{{"type":"thing_happened","stream":"{stream}","n":{version}}}"#
                ),
                checksum: 0,
                hash: [0; 32],
                stream,
            };
            seal(&holding.last_hash, &mut record);
            holding.last_hash = record.hash;
            holding.last_at = Some(record.at);
            holding.next_position += 1;
            match moves.last_mut().filter(|last| last.shard == shard) {
                Some(last) => last.next = position + 1,
                None => moves.push(ShardMove { shard, expected: position, next: position + 1 }),
            }
            records.push(record);
        }
        Batch { epoch: self.tenure.epoch, moves, records }
    }
}
