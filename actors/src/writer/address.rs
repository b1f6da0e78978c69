//! The address of the writer, and what everybody may know about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use persistence::journal::Shard;
use tokio::sync::{mpsc, watch};

use super::effect::{Notify, Submission};
use crate::feed::{Feed, Feeds};
use crate::outcome::Position;

/// The writer takes no more events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the writer has stopped")]
pub struct WriterStopped;

/// What everybody may know about the writer.
pub(super) struct Shared {
    pub(super) generation: AtomicU64,
    pub(super) serving: AtomicBool,
    pub(super) stopped: AtomicBool,
    /// The last durable position of each shard.
    pub(super) heads: Vec<AtomicU64>,
    /// Who is handed what has become durable.
    pub(super) feeds: Feeds,
}

impl Shared {
    pub(super) fn reach(&self, shard: Shard, next_position: u64) {
        if let Some(head) = self.heads.get(usize::from(shard.0)) {
            head.store(next_position.saturating_sub(1), Ordering::Release);
        }
    }
}

/// The address of the writer.
#[derive(Clone)]
pub struct Writer {
    pub(super) submissions: mpsc::Sender<Submission>,
    pub(super) shared: Arc<Shared>,
    pub(super) commits: watch::Receiver<u64>,
}

impl Writer {
    /// Hands events over; waits while the queue is full.
    ///
    /// # Errors
    ///
    /// [`WriterStopped`] when nothing will ever be written again.
    pub async fn submit(&self, submission: Submission) -> Result<(), WriterStopped> {
        self.submissions.send(submission).await.map_err(|_| WriterStopped)
    }

    /// Waits until everything that was submitted so far under a generation is settled.
    pub(crate) async fn settle(&self, generation: u64) {
        struct Barrier(tokio::sync::watch::Sender<bool>);
        impl Notify for Barrier {
            fn written(&self, _version: u64, _position: Position) {}
            fn settled(&self) {
                self.0.send_replace(true);
            }
            fn failed(&self, _unknown: bool) {
                self.0.send_replace(true);
            }
        }
        let (settled, mut wait) = watch::channel(false);
        let (publish, notify) = (Box::new(|_, _| {}), Arc::new(Barrier(settled)));
        let barrier = Submission { generation, events: Vec::new(), publish, notify };
        if self.submit(barrier).await.is_ok() {
            // A writer that is gone has settled everything, one way or the other.
            let _ = wait.wait_for(|settled| *settled).await;
        }
    }

    /// The generation under which a history read from now on may be continued; `None` while the
    /// journal is not ours.
    pub fn generation(&self) -> Option<u64> {
        let serving = self.shared.serving.load(Ordering::Acquire);
        serving.then(|| self.shared.generation.load(Ordering::Acquire))
    }

    /// Whether another writer has taken over for good.
    pub fn is_stopped(&self) -> bool {
        self.shared.stopped.load(Ordering::Acquire)
    }

    /// Whether anything durable can lie at this place: nobody was ever told of a later one.
    pub(crate) fn has_reached(&self, place: Position) -> bool {
        let head = self.shared.heads.get(usize::from(place.shard.0));
        head.is_some_and(|head| place.position <= head.load(Ordering::Acquire))
    }

    /// The last place of a shard that anybody was told of.
    pub(crate) fn head(&self, shard: Shard) -> u64 {
        let head = self.shared.heads.get(usize::from(shard.0));
        head.map_or(0, |head| head.load(Ordering::Acquire))
    }

    /// A way on which every batch comes that is durable from now on.
    pub(crate) fn feed(&self) -> Arc<Feed> {
        self.shared.feeds.join()
    }

    /// Changes with every commit.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.clone()
    }
}
