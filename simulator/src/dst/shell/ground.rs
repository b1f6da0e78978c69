//! The ground on which engines stand: a simulated world behind one lock, in step with the paused
//! clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actors::Clock;
use actors::payments::ProviderFailure;
use engine::values::Moment;
use persistence::StoreError;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep, timeout_at};

use super::super::calls::Said;
use super::super::diary::Diary;
use super::super::outside::{Appended, Outside};
use super::engines::Engine;

/// What is behind the lock.
pub(super) struct Inside {
    pub(super) outside: Outside,
    pub(super) diary: Diary,
    /// Those that serve, the oldest first.
    pub(super) engines: Vec<Engine>,
    /// Processes that run: those that serve, and those that start.
    pub(super) alive: BTreeSet<u32>,
    /// How many were started.
    pub(super) started: u32,
    /// Requests that wait for an engine's answer.
    pub(super) asking: u64,
    /// Appends that wait to hear what came of them, by process and number.
    pub(super) flights: BTreeMap<(u32, u64), oneshot::Sender<Appended>>,
    /// Calls to the provider that wait for their end.
    pub(super) calls: BTreeMap<(u32, u64), oneshot::Sender<Result<Said, ProviderFailure>>>,
}

/// The ground of one seed.
pub(super) struct Ground {
    began: Instant,
    inside: Mutex<Inside>,
    /// Something is due earlier than before.
    sooner: Notify,
}

impl Ground {
    /// The ground of a world. Time begins now.
    pub(super) fn of(outside: Outside, diary: Diary) -> Arc<Self> {
        let inside = Inside {
            outside,
            diary,
            engines: Vec::new(),
            alive: BTreeSet::new(),
            started: 0,
            asking: 0,
            flights: BTreeMap::new(),
            calls: BTreeMap::new(),
        };
        let (began, inside) = (Instant::now(), Mutex::new(inside));
        Arc::new(Self { began, inside, sooner: Notify::new() })
    }

    /// Does something to the world, at the present time. It must not call an engine.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Inside) -> T) -> T {
        // There is one thread, and what panics under the lock ends the seed.
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.outside.agenda.move_on(micros(self.began.elapsed()));
        let before = inside.outside.agenda.due();
        let done = act(&mut inside);
        let after = inside.outside.agenda.due();
        if after.is_some_and(|after| before.is_none_or(|before| after < before)) {
            self.sooner.notify_one();
        }
        done
    }

    /// Waits until that time of the world, or until something is due earlier than before.
    pub(super) async fn wait_until(&self, at: u64) {
        let until = self.began + Duration::from_micros(at);
        // Either way it is looked at again.
        let _ = timeout_at(until, self.sooner.notified()).await;
    }

    /// A way to the store and back: takes some time, and fails while nobody reaches it. Who has died
    /// reaches nothing.
    pub(super) async fn reach(&self, process: u32) -> Result<(), StoreError> {
        let span = self.with(|Inside { outside, .. }| {
            let longest = outside.options.commit;
            outside.luck.below(longest)
        });
        self.pause(span).await;
        self.with(|Inside { outside, alive, .. }| {
            let is_up = alive.contains(&process) && outside.store.is_up(outside.now());
            is_up.then_some(()).ok_or_else(|| StoreError::Unavailable("simulated".into()))
        })
    }

    /// Lets others go first for that many microseconds. The timer knows milliseconds; what is shorter
    /// is a turn of everybody who is ready.
    async fn pause(&self, span: u64) {
        if span < 1_000 {
            tokio::task::yield_now().await;
        } else {
            sleep(Duration::from_micros(span)).await;
        }
    }

    /// Whether a process runs still.
    pub(super) fn is_alive(&self, process: u32) -> bool {
        self.with(|inside| inside.alive.contains(&process))
    }
}

/// The wall clock of a world, with its leaps.
pub(super) struct Wall(pub(super) Arc<Ground>);

impl Clock for Wall {
    fn now(&self) -> Moment {
        self.0.with(|inside| inside.outside.wall())
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
