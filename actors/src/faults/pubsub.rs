//! Announcements that can be made to stay within the process, as if Redis were out of reach.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use engine::drill::{Fault, FaultName};
use persistence::journal::Shard;
use persistence::pubsub::{Announcement, MemoryPubSub, PubSub};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use super::Faults;
use crate::runtime::spawn_named;

/// The decorator. Listeners hear what it has heard, so that a cut reaches them as well.
pub(super) struct FaultyPubSub {
    inner: Arc<dyn PubSub>,
    faults: Arc<Faults>,
    heard: MemoryPubSub,
    /// The last position of each shard that a cut holds back.
    missed: Mutex<BTreeMap<Shard, u64>>,
}

impl FaultyPubSub {
    /// Decorates, for as long as the process lives.
    pub(super) async fn over(inner: Arc<dyn PubSub>, faults: Arc<Faults>) -> Arc<Self> {
        let (source, changes) = (inner.listen().await, faults.now.subscribe());
        let (heard, missed) = (MemoryPubSub::default(), Mutex::default());
        let here = Arc::new(Self { inner, faults, heard, missed });
        spawn_named("redis-cut listener", Arc::clone(&here).relay(source));
        spawn_named("redis-cut publisher", Arc::clone(&here).make_up(changes));
        here
    }

    fn is_cut(&self) -> bool {
        self.faults.find(FaultName::RedisCut).is_some()
    }

    fn missed(&self) -> MutexGuard<'_, BTreeMap<Shard, u64>> {
        self.missed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what a cut holds back; whether there is one.
    fn hold_back(&self, announcements: &[Announcement]) -> bool {
        // Looked at under the lock: what is held back is there when the end of a cut is heard of.
        let mut missed = self.missed();
        let is_cut = self.is_cut();
        if is_cut {
            for Announcement { shard, position } in announcements {
                let last = missed.entry(*shard).or_default();
                *last = (*last).max(*position);
            }
        }
        is_cut
    }

    async fn relay(self: Arc<Self>, mut source: broadcast::Receiver<Announcement>) {
        loop {
            match source.recv().await {
                Ok(announcement) if !self.is_cut() => self.heard.announce(&[announcement]).await,
                // Lost, as hints may be.
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Announces what was held back as soon as a cut is over.
    async fn make_up(self: Arc<Self>, mut changes: watch::Receiver<BTreeMap<FaultName, Fault>>) {
        while changes.changed().await.is_ok() {
            if self.is_cut() {
                continue;
            }
            let missed = std::mem::take(&mut *self.missed());
            let announcement = |(shard, position)| Announcement { shard, position };
            let missed: Vec<Announcement> = missed.into_iter().map(announcement).collect();
            if !missed.is_empty() {
                self.inner.announce(&missed).await;
            }
        }
    }
}

#[async_trait]
impl PubSub for FaultyPubSub {
    async fn announce(&self, announcements: &[Announcement]) {
        if self.hold_back(announcements) {
            // Who listens in this process needs no Redis.
            self.heard.announce(announcements).await;
        } else {
            self.inner.announce(announcements).await;
        }
    }

    async fn listen(&self) -> broadcast::Receiver<Announcement> {
        self.heard.listen().await
    }
}
