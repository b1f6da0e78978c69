//! Published views of sleeping entities: each stays until the read models have passed it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError, Weak};

use persistence::journal::StreamId;

use crate::directory::Hosted;
use crate::outcome::Position;
use crate::projector::Progress;
use crate::supervisor::WithKind;
use crate::system::World;

/// Views that may wait for the read models; beyond that the oldest go at once. Reads of entities
/// without a view activate them.
const WAITING_MAX: usize = 200_000;

/// A view that may go once the read models are past it.
pub(crate) struct Leaving {
    /// Whose.
    pub(crate) stream: StreamId,
    /// Version of its last event.
    pub(crate) version: u64,
    /// Where that event lies.
    pub(crate) position: Option<Position>,
}

/// The views that wait to go.
#[derive(Default)]
pub(crate) struct Evictions {
    waiting: Mutex<VecDeque<Leaving>>,
}

impl Evictions {
    /// Lets a view wait; returned is the one that goes early for it, if too many do.
    pub(crate) fn leave(&self, leaving: Leaving) -> Option<Leaving> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_back(leaving);
        if WAITING_MAX < waiting.len() { waiting.pop_front() } else { None }
    }

    /// Takes out what may go.
    fn due(&self, progress: &Progress) -> Vec<Leaving> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = |leaving: &Leaving| {
            leaving.position.is_none_or(|place| progress.has_passed(place.shard, place.position))
        };
        let mut due = Vec::new();
        let mut kept = VecDeque::with_capacity(waiting.len());
        for leaving in waiting.drain(..) {
            if passed(&leaving) {
                due.push(leaving);
            } else {
                kept.push_back(leaving);
            }
        }
        *waiting = kept;
        due
    }
}

/// Lets views go after every round of the read models.
pub(crate) async fn run(world: Weak<World>, progress: Progress) {
    let mut moved = progress.moved();
    while moved.changed().await.is_ok() {
        let Some(world) = world.upgrade() else { return };
        for leaving in world.evictions.due(&progress) {
            evict(&world, &leaving);
        }
    }
}

/// Takes a view away, unless its entity has come back to life.
pub(crate) fn evict(world: &World, leaving: &Leaving) {
    let (key, version) = (leaving.stream.key(), leaving.version);
    world.with_kind(leaving.stream.kind(), Evict { key, version });
}

struct Evict<'a> {
    key: &'a str,
    version: u64,
}

impl WithKind for Evict<'_> {
    type Output = ();

    fn call<A: Hosted>(self, world: &World) {
        A::directory(world).evict(self.key, self.version);
    }
}
