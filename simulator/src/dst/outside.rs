//! Everything around a process of the engine, which outlives it: time, store, provider, clients,
//! and the books.

use std::sync::Arc;

use engine::values::Moment;
use persistence::journal::Batch;
use persistence::snapshots::Snapshot;

use super::agenda::Agenda;
use super::books::{Books, Violation};
use super::calls::CallEvent;
use super::chance::{Chance, Purpose};
use super::clients::{Clients, Outcome};
use super::names::{Names, Who};
use super::options::{Faults, Options};
use super::plan::Act;
use super::provider::Provider;
use super::rows::Rows;
use super::sights::{Sight, Sights};
use super::store::Store;

/// When the wall clock of a world begins.
const BEGINNING: i64 = 1_800_000_000_000_000;

/// What came of an append, as the writer is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Appended {
    Done,
    Fenced,
    Unavailable,
    Unknown,
}

/// What can happen.
pub(super) enum Event {
    /// What the plan wants.
    Act(usize),
    /// A process starts.
    Start,
    /// From now on nothing goes wrong.
    Heal,
    /// A process ends.
    Exit { process: u32 },
    /// An entity gets its turn.
    Turn { process: u32, who: Who, life: u64 },
    /// An entity's history was read.
    Loaded { process: u32, who: Who, life: u64 },
    /// A pause of an entity is over.
    Pursue { process: u32, who: Who, life: u64 },
    /// The writer looks into its queue.
    Write { process: u32 },
    /// A batch reaches the store; whether the writer hears of it.
    Land { process: u32, flight: u64, batch: Arc<Batch>, reports: bool },
    /// The writer hears what came of its append.
    Appended { process: u32, flight: u64, outcome: Appended },
    /// The writer fences and looks for a batch, until that time.
    Resolve { process: u32, until: u64 },
    /// The writer wants the journal back.
    Reacquire { process: u32 },
    /// A snapshot reaches the store.
    Keep(Snapshot),
    /// The read models follow.
    Project,
    /// The scheduler looks for due timers.
    Tick { process: u32 },
    /// A view of a sleeper may go.
    Evict { process: u32, who: Who, version: u64 },
    /// A call to the provider moves on.
    Call(CallEvent),
    /// A request reaches the edge.
    Request { attempt: usize },
    /// An answer reaches its client.
    Heard { attempt: usize, outcome: Outcome },
    /// A client's request has waited for too long at the edge.
    GiveUp { attempt: usize },
}

/// The world around the processes.
pub(super) struct Outside {
    pub(super) options: Options,
    pub(super) plan: Vec<Act>,
    pub(super) names: Names,
    pub(super) agenda: Agenda<Event>,
    pub(super) luck: Chance,
    pub(super) store: Store,
    pub(super) provider: Provider,
    pub(super) clients: Clients,
    pub(super) rows: Rows,
    pub(super) books: Books,
    pub(super) sights: Sights,
    pub(super) violation: Option<Violation>,
    /// How far the wall clock is off.
    pub(super) clock_off: i64,
    /// Nothing goes wrong any more: from here on everything must come to its end.
    pub(super) is_healed: bool,
}

impl Outside {
    pub(super) fn new(seed: u64, options: Options, plan: Vec<Act>) -> Self {
        let mut agenda = Agenda::new(Chance::of(seed, Purpose::Schedule));
        for (index, act) in plan.iter().enumerate() {
            agenda.at(act.at, Event::Act(index));
        }
        let names = Names::of(&options);
        Self {
            store: Store::new(options.shards),
            rows: Rows::of(&names),
            names,
            agenda,
            luck: Chance::of(seed, Purpose::Faults),
            provider: Provider::default(),
            clients: Clients::default(),
            books: Books::default(),
            sights: Sights::default(),
            violation: None,
            clock_off: 0,
            is_healed: false,
            options,
            plan,
        }
    }

    /// Virtual time in microseconds since the beginning; never goes back.
    pub(super) const fn now(&self) -> u64 {
        self.agenda.now()
    }

    /// What the wall clock shows.
    pub(super) fn wall(&self) -> Moment {
        let now = i64::try_from(self.now()).unwrap_or(i64::MAX);
        Moment::from_unix_micros(BEGINNING.saturating_add(now).saturating_add(self.clock_off))
    }

    /// Whether something goes wrong now.
    pub(super) fn strikes(&mut self, share: fn(&Faults) -> u64) -> bool {
        let share = share(&self.options.faults);
        !self.is_healed && self.luck.permille(share)
    }

    /// From here on nothing goes wrong.
    pub(super) const fn heal(&mut self) {
        self.is_healed = true;
        self.store.heal();
        self.provider.heal();
    }

    pub(super) fn see(&mut self, sight: Sight) {
        self.sights.see(sight);
    }

    /// Notes the first promise that is broken.
    pub(super) fn judge(&mut self, verdict: Result<(), Violation>) {
        if let Err(violation) = verdict
            && self.violation.is_none()
        {
            self.violation = Some(violation);
        }
    }
}
