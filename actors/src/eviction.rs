//! Published views of sleeping entities: each stays until the read models have passed it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use persistence::journal::{Shard, StreamId};

use crate::directory::Hosted;
use crate::kinds::WithKind;
use crate::outcome::Position;
use crate::projector::Progress;
use crate::system::World;

/// Views that may wait for the read models; beyond that some of the oldest go at once. Reads of
/// entities without a view activate them.
const WAITING_MAX: usize = 200_000;

/// A view that may go once the read models are past it.
pub(crate) struct Leaving {
    /// Whose.
    pub(crate) stream: StreamId,
    /// Version of its last event.
    pub(crate) version: u64,
    /// Where that event lies; nothing when it is older than a snapshot, so that the read models have
    /// passed it long ago.
    pub(crate) position: Option<Position>,
}

/// The views that wait to go.
#[derive(Default)]
pub(crate) struct Evictions {
    waiting: Mutex<Waiting>,
}

/// By shard in the order in which their entities went to sleep, which is nearly that of their events.
#[derive(Default)]
struct Waiting {
    by_shard: BTreeMap<Shard, VecDeque<Leaving>>,
    count: usize,
}

impl Evictions {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a view wait; returned is the one that goes now, if it need not wait or too many do.
    pub(crate) fn leave(&self, leaving: Leaving) -> Option<Leaving> {
        let Some(Position { shard, .. }) = leaving.position else { return Some(leaving) };
        let mut waiting = self.waiting();
        let is_full = WAITING_MAX <= waiting.count;
        let queue = waiting.by_shard.entry(shard).or_default();
        queue.push_back(leaving);
        let early = if is_full { queue.pop_front() } else { None };
        waiting.count = waiting.count.saturating_add(usize::from(early.is_none()));
        early
    }

    /// Takes out what may go. Whoever is behind one that must stay waits for it: they are looked at
    /// after every round of the read models, and nobody may be kept from going to sleep meanwhile.
    fn due(&self, has_passed: impl Fn(Shard, u64) -> bool) -> Vec<Leaving> {
        let mut waiting = self.waiting();
        let mut due = Vec::new();
        for (shard, queue) in &mut waiting.by_shard {
            let passed = |leaving: &mut Leaving| {
                leaving.position.is_none_or(|place| has_passed(*shard, place.position))
            };
            while let Some(leaving) = queue.pop_front_if(passed) {
                due.push(leaving);
            }
        }
        waiting.count = waiting.count.saturating_sub(due.len());
        due
    }
}

/// Lets views go after every round of the read models.
pub(crate) async fn run(world: Weak<World>, progress: Progress) {
    let mut moved = progress.moved();
    while moved.changed().await.is_ok() {
        let Some(world) = world.upgrade() else { return };
        for leaving in world.evictions.due(|shard, at| progress.has_passed(shard, at)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn leaving(shard: u16, position: u64) -> Leaving {
        let position = Position { shard: Shard(shard), position };
        let stream = StreamId::new("order", &format!("{shard}-{}", position.position));
        Leaving { stream, version: 1, position: Some(position) }
    }

    fn keys(leaving: &[Leaving]) -> Vec<&str> {
        leaving.iter().map(|leaving| leaving.stream.key()).collect()
    }

    #[test]
    fn views_go_once_the_read_models_have_passed_them_shard_by_shard() {
        let evictions = Evictions::default();
        for (shard, position) in [(1, 3), (2, 1), (1, 4), (1, 9), (2, 7)] {
            assert!(evictions.leave(leaving(shard, position)).is_none());
        }

        let due = evictions.due(|shard, position| shard == Shard(1) && position <= 5);
        assert_eq!(keys(&due), ["1-3", "1-4"]);
        assert_eq!(keys(&evictions.due(|_, _| true)), ["1-9", "2-1", "2-7"]);
        assert_eq!(evictions.waiting().count, 0);
    }

    #[test]
    fn of_too_many_that_wait_one_goes_for_each_that_comes() {
        let evictions = Evictions::default();
        for position in 0..WAITING_MAX as u64 {
            assert!(evictions.leave(leaving(1, position)).is_none());
        }
        let early = evictions.leave(leaving(1, u64::MAX));
        assert_eq!(keys(early.as_slice()), ["1-0"]);
        assert_eq!(evictions.waiting().count, WAITING_MAX);
    }

    #[test]
    fn a_view_that_is_older_than_a_snapshot_waits_for_nobody() {
        let old = Leaving { position: None, ..leaving(1, 1) };
        assert!(Evictions::default().leave(old).is_some());
    }
}
