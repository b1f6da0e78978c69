//! What a journal holds.

use persistence::journal::{Journal, Record, Shard};

/// Everything in the journal, shard by shard.
pub(crate) async fn everything(journal: &dyn Journal) -> Vec<Record> {
    let mut all = Vec::new();
    for shard in 0..journal.shards() {
        all.extend(journal.read_shard(Shard(shard), 0, 100_000).await.unwrap());
    }
    all
}
