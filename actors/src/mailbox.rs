//! The way to one live incarnation, with a bounded number of places in it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::Aggregate;
use ractor::ActorId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::directory::Hosted;
use crate::entity::{Address, Incarnation, Nudge};

/// Actors that may rest between two lives; one more is stopped. An idle one takes about 7 KB.
const RESTING_MAX: usize = 1_024;

/// The way to one live incarnation.
pub(crate) struct Mailbox<A: Aggregate> {
    pub(crate) address: Address<A>,
    room: Arc<Semaphore>,
    slots: u32,
    used_at: AtomicU64,
    /// Whether a message to go to sleep lies in it unheard.
    nudged: Arc<AtomicBool>,
}

impl<A: Aggregate> Mailbox<A> {
    /// Of an actor that has just begun a life.
    pub(crate) fn new(address: Address<A>, slots: u32, second: u64) -> Self {
        let room = Arc::new(Semaphore::new(slots as usize));
        let nudged = Arc::default();
        Self { address, room, slots, used_at: AtomicU64::new(second), nudged }
    }

    /// A place, where one is free.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).try_acquire_owned().ok()
    }

    /// Whether it leads to this actor, and nobody has a place in it.
    pub(crate) fn is_empty_and_of(&self, actor: ActorId) -> bool {
        self.address.actor() == actor && self.room.available_permits() == self.slots as usize
    }

    /// Notes when it was used.
    pub(crate) fn used(&self, second: u64) {
        self.used_at.store(second, Ordering::Relaxed);
    }

    /// How to ask the entity to sleep, if nobody has used it since `second` and it has heard the
    /// last time that it was asked.
    pub(crate) fn idle_since(&self, second: u64) -> Option<(Address<A>, Nudge)> {
        let is_idle = self.used_at.load(Ordering::Relaxed) < second;
        let nudge = is_idle.then(|| Nudge::unless_pending(&self.nudged)).flatten()?;
        Some((self.address.clone(), nudge))
    }
}

/// Mailboxes of actors between two lives: starting an actor costs more than living in it.
pub(crate) struct Resting<A: Aggregate>(Mutex<Vec<Mailbox<A>>>);

impl<A: Aggregate> Default for Resting<A> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<A: Aggregate> Resting<A> {
    fn all(&self) -> MutexGuard<'_, Vec<Mailbox<A>>> {
        // Nothing is left half-done under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets an actor rest until somebody else's life begins in it.
    pub(crate) fn rest(&self, mailbox: Mailbox<A>) {
        let mut resting = self.all();
        if resting.len() < RESTING_MAX {
            resting.push(mailbox);
        } else {
            mailbox.address.stop();
        }
    }
}

impl<A: Hosted> Resting<A> {
    /// Begins a life in an actor that rests, if one does.
    pub(crate) fn begin(
        &self,
        incarnation: impl Fn() -> Incarnation,
        second: u64,
    ) -> Option<Mailbox<A>> {
        loop {
            let Mailbox { address, room, slots, .. } = self.all().pop()?;
            // One that has died meanwhile begins nothing.
            if let Some(address) = address.begin(incarnation()) {
                let (used_at, nudged) = (AtomicU64::new(second), Arc::default());
                return Some(Mailbox { address, room, slots, used_at, nudged });
            }
        }
    }
}

impl<A: Aggregate> Drop for Resting<A> {
    fn drop(&mut self) {
        // They know their own addresses, so they would wait for ever.
        for mailbox in self.all().drain(..) {
            mailbox.address.stop();
        }
    }
}
