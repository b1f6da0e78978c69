//! Supervision: every entity's death is booked; its stream is rebuilt by the next command, unless
//! it keeps dying by its own fault.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::time::Instant;
use tracing::warn;

use crate::directory::Hosted;
use crate::entity::Death;
use crate::kinds::WithKind;
use crate::system::World;

/// Streams whose deaths are remembered at once; beyond that the oldest are forgotten.
const REMEMBERED_MAX: usize = 10_000;

/// The restart budget: who died how often within the window.
#[derive(Debug)]
pub(crate) struct Deaths {
    window: Duration,
    budget: u32,
    by_key: BTreeMap<String, VecDeque<Instant>>,
}

impl Deaths {
    /// A budget of that many deaths within `window`.
    pub(crate) const fn new(budget: u32, window: Duration) -> Self {
        Self { window, budget, by_key: BTreeMap::new() }
    }

    /// Books a death; answers until when the stream is to be left alone if the budget is spent.
    pub(crate) fn book(&mut self, key: &str, now: Instant) -> Option<Instant> {
        if REMEMBERED_MAX <= self.by_key.len() {
            let window = self.window;
            self.by_key.retain(|_, deaths| {
                deaths.back().is_some_and(|last| now.duration_since(*last) < window)
            });
            if REMEMBERED_MAX <= self.by_key.len() {
                self.by_key.pop_first();
            }
        }
        let deaths = self.by_key.entry(key.to_owned()).or_default();
        while deaths.front().is_some_and(|first| self.window <= now.duration_since(*first)) {
            deaths.pop_front();
        }
        deaths.push_back(now);
        let spent = usize::try_from(self.budget).is_ok_and(|max| max <= deaths.len());
        spent.then(|| {
            self.by_key.remove(key);
            now + self.window
        })
    }
}

/// The supervisor of all entities of one group of slots.
pub(crate) struct Supervisor;

impl Actor for Supervisor {
    type Msg = ();
    type State = Weak<World>;
    type Arguments = Weak<World>;

    async fn pre_start(
        &self,
        _myself: ActorRef<()>,
        world: Weak<World>,
    ) -> Result<Weak<World>, ActorProcessingErr> {
        Ok(world)
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<()>,
        event: SupervisionEvent,
        world: &mut Weak<World>,
    ) -> Result<(), ActorProcessingErr> {
        // A death is an event here, never the supervisor's own end.
        if let SupervisionEvent::ActorFailed(actor, cause) = event
            && let Some(world) = world.upgrade()
        {
            if let Some(death) = cause.downcast_ref::<Death>() {
                book(&world, death, actor.get_id());
            } else {
                warn!(error = %cause, "an actor died outside of its entity");
                world.forget_actor(actor.get_id());
            }
        }
        Ok(())
    }
}

fn book(world: &Arc<World>, death: &Death, actor: ractor::ActorId) {
    if death.own_fault {
        warn!(stream = death.stream.as_str(), error = %death.cause, "entity {} failed", death.stream);
    }
    let (kind, key) = (death.stream.kind(), death.stream.key());
    world.with_kind(kind, Died { key, actor, own_fault: death.own_fault });
}

struct Died<'a> {
    key: &'a str,
    actor: ractor::ActorId,
    own_fault: bool,
}

impl WithKind for Died<'_> {
    type Output = ();

    fn call<A: Hosted>(self, world: &World) {
        A::directory(world).died(self.key, self.actor, self.own_fault);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_third_death_within_the_window_spends_the_budget() {
        let mut deaths = Deaths::new(3, Duration::from_mins(1));
        let now = Instant::now();
        assert_eq!(deaths.book("a", now), None);
        assert_eq!(deaths.book("b", now), None);
        assert_eq!(deaths.book("a", now + Duration::from_secs(1)), None);
        let third = now + Duration::from_secs(2);
        assert_eq!(deaths.book("a", third), Some(third + Duration::from_mins(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn deaths_outside_of_the_window_do_not_count() {
        let mut deaths = Deaths::new(2, Duration::from_mins(1));
        let now = Instant::now();
        assert_eq!(deaths.book("a", now), None);
        assert_eq!(deaths.book("a", now + Duration::from_mins(1)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_memory_of_deaths_is_bounded() {
        let mut deaths = Deaths::new(3, Duration::from_mins(1));
        let now = Instant::now();
        for key in 0..(REMEMBERED_MAX * 2) {
            deaths.book(&key.to_string(), now);
        }
        assert!(deaths.by_key.len() <= REMEMBERED_MAX);
    }
}
