//! Announcements that something is durable: hints only. Who misses one reads the journal.

mod memory;
#[cfg(feature = "redis")]
mod redis;

use async_trait::async_trait;

pub use memory::MemoryPubSub;
#[cfg(feature = "redis")]
pub(crate) use redis::RedisPubSub;

use crate::journal::Shard;

/// What happened where; the reader fetches the rest from the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Which shard.
    pub shard: Shard,
    /// Up to which position.
    pub position: u64,
}

/// A place to announce and to listen. Never waited for on the path to an answer.
#[async_trait]
pub trait PubSub: Send + Sync + 'static {
    /// Announces; losing it is allowed, failing is not: trouble is counted, not returned.
    async fn announce(&self, announcements: &[Announcement]);

    /// Announcements from now on. A slow listener loses the oldest ones and is told nothing:
    /// positions are contiguous, so it can see the gap and read it from the journal.
    async fn listen(&self) -> tokio::sync::broadcast::Receiver<Announcement>;
}
