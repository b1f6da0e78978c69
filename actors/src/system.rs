//! The whole tree: everything that runs between the edge and the stores, started and stopped here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use engine::values::Moment;
use persistence::crash_points::{CrashPoint, crash_point};
use persistence::journal::{Slot, StreamId};
use persistence::snapshots::Snapshot;
use persistence::{StoreError, Stores};
use ractor::{Actor, ActorCell, ActorId};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use crate::admission::ServiceHealth;
use crate::background::Background;
use crate::clock::{Clock, SteadyClock};
use crate::config::EngineConfig;
use crate::directory::{Bounds, Hosted};
use crate::eviction::{self, Evictions, Leaving};
use crate::histories::Histories;
use crate::kinds::{Kinds, WithKind};
use crate::loader::Loader;
use crate::newcomers::Newcomers;
use crate::outcome::{Accepted, Asking, NotDone, Position};
use crate::payments::{PaymentProvider, Payments, PaymentsConfig};
use crate::projector::{Progress, Projector};
use crate::registers::Registers;
use crate::supervisor::{Deaths, Supervisor};
use crate::upkeep;
use crate::writer::Writer;

/// Supervisors over the entities; each has its own share of the slots.
const SUPERVISORS: usize = 16;

/// Snapshots that may wait to be stored; further ones are dropped, for they are only a cache.
const SNAPSHOT_QUEUE_MAX: usize = 64;

/// What the engine needs from outside.
pub struct Ports {
    /// Who takes the money.
    pub provider: Arc<dyn PaymentProvider>,
    /// How it is called.
    pub payments: PaymentsConfig,
    /// Told when the store fails and when it works again.
    pub health: Arc<ServiceHealth>,
}

/// Why the engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A store did not answer or cannot be trusted.
    #[error("stores are not usable")]
    Store(#[from] StoreError),
    /// An actor could not be started.
    #[error("an actor could not be started: {0}")]
    Actor(String),
}

/// A snapshot that is still to be put into words.
pub(crate) type Encoding = Box<dyn FnOnce() -> Result<Snapshot, StoreError> + Send>;

/// Everything that entities share.
pub struct World {
    pub(crate) config: EngineConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stores: Stores,
    pub(crate) kinds: Kinds,
    pub(crate) registers: Registers,
    /// Told when somebody finds no room for one more entity.
    pub(crate) crowded: Arc<Notify>,
    pub(crate) evictions: Evictions,
    pub(crate) newcomers: Arc<Newcomers>,
    payments: Arc<Payments>,
    writer: Writer,
    loader: Loader,
    supervisors: OnceLock<Vec<ActorCell>>,
    snapshots: mpsc::Sender<Encoding>,
    draining: AtomicBool,
}

impl World {
    pub(crate) const fn writer(&self) -> &Writer {
        &self.writer
    }

    pub(crate) const fn loader(&self) -> &Loader {
        &self.loader
    }

    pub(crate) const fn payments(&self) -> &Arc<Payments> {
        &self.payments
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    pub(crate) fn supervisor(&self, slot: Slot) -> Option<ActorCell> {
        let supervisors = self.supervisors.get()?;
        supervisors.get(usize::from(slot.0) % SUPERVISORS).cloned()
    }

    pub(crate) fn keep_snapshot(&self, snapshot: Encoding) {
        // Nothing depends on a snapshot; a full queue drops it and the next one is due soon.
        let _ = self.snapshots.try_send(snapshot);
    }

    /// A view stays until the read models have passed it, so that a read never misses.
    pub(crate) fn evict_later(&self, stream: &StreamId, published: (u64, Option<Position>)) {
        let (version, position) = published;
        // Refused before anything was written: there is no view.
        if 0 < version {
            let leaving = Leaving { stream: stream.clone(), version, position };
            if let Some(early) = self.evictions.leave(leaving) {
                eviction::evict(self, &early);
            }
        }
    }

    /// Does something with the directory of a kind that is known by name only.
    pub(crate) fn with_kind<W: WithKind>(&self, kind: &str, with: W) -> Option<W::Output> {
        Kinds::with(self, kind, with)
    }

    pub(crate) fn forget_actor(&self, actor: ActorId) {
        Kinds::with_each(self, ForgetActor(actor));
    }

    fn abandon_all(&self, generation: u64) {
        Kinds::with_each(self, Abandon(generation));
    }

    /// How many entities are live.
    fn live(&self) -> usize {
        Kinds::with_each(self, Live).into_iter().sum()
    }

    fn quarantined(&self) -> usize {
        Kinds::with_each(self, Quarantined).into_iter().sum()
    }
}

/// Declares what is done with every directory: a name, what it carries, what it does.
macro_rules! with_each {
    ($name:ident $(($carried:ty))?, $output:ty, |$with:pat_param, $directory:ident| $does:expr) => {
        #[derive(Clone, Copy)]
        struct $name $(($carried))?;

        impl WithKind for $name {
            type Output = $output;

            fn call<A: Hosted>(self, world: &World) -> $output {
                let ($with, $directory) = (self, A::directory(world));
                $does
            }
        }
    };
}

with_each!(ForgetActor(ActorId), (), |Self(actor), directory| directory.forget_actor(actor));
with_each!(Abandon(u64), (), |Self(generation), directory| directory.abandon(generation));
with_each!(Live, usize, |Self, directory| directory.live());
with_each!(Quarantined, usize, |Self, directory| directory.quarantined());
with_each!(SendIdleToSleep, (), |Self, directory| directory.put_idle_to_sleep(0));

/// The engine, as the edge sees it.
pub struct OrderSystem {
    pub(crate) world: Arc<World>,
    pub(crate) histories: Histories,
    pub(crate) progress: Progress,
    background: Arc<Background>,
}

impl OrderSystem {
    /// Takes the journal, brings the read models up to date and starts the tree. What the engine
    /// calls now is `wall` without its leaps.
    ///
    /// # Errors
    ///
    /// [`StartError`] when a store cannot be used or an actor cannot be started.
    pub async fn start(
        config: EngineConfig,
        stores: Stores,
        ports: Ports,
        wall: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, StartError> {
        let shared: Arc<OnceLock<Weak<World>>> = Arc::default();
        let for_writer = Arc::clone(&shared);
        let on_abandon = Box::new(move |generation| {
            if let Some(world) = for_writer.get().and_then(Weak::upgrade) {
                world.abandon_all(generation);
            }
        });
        let background = Background::new(Arc::clone(&ports.health));
        // A name that nobody else has ever had, so that an owner knows itself again.
        let owner = format!("pid {} {:016x}", std::process::id(), rand::random::<u64>());
        let (writer, newest) = Writer::start(
            Arc::clone(&stores.journal),
            &config,
            owner,
            ports.health,
            Arc::clone(&background),
            on_abandon,
        )
        .await?;
        let clock: Arc<dyn Clock> = Arc::new(SteadyClock::over(wall, newest));
        let payments = Payments::start(ports.provider, ports.payments, Arc::clone(&clock))
            .await
            .map_err(|error| StartError::Actor(error.to_string()))?;
        let (projector, progress) =
            Projector::open(stores.clone(), writer.clone(), config.projection_interval).await?;
        let histories = Histories::new(&stores, progress.cursors());
        let loader = Loader::start(&stores, &histories, &background);
        let (snapshots, snapshot_queue) = mpsc::channel(SNAPSHOT_QUEUE_MAX);
        let slots = u32::try_from(config.mailbox_slots).unwrap_or(u32::MAX);
        let bounds = || Bounds {
            slots,
            live_max: config.live_max,
            deaths: Deaths::new(config.deaths_max, config.death_window),
        };
        let world = Arc::new(World {
            kinds: Kinds::new(bounds),
            registers: Registers::default(),
            crowded: Arc::default(),
            evictions: Evictions::default(),
            newcomers: Arc::default(),
            supervisors: OnceLock::new(),
            draining: AtomicBool::new(false),
            config,
            clock,
            payments,
            writer,
            loader,
            snapshots,
            stores,
        });
        // Set once, just here.
        let _ = shared.set(Arc::downgrade(&world));
        start_supervisors(&world).await?;
        upkeep::start(&world, &background, projector, &progress, snapshot_queue);
        info!("engine started");
        Ok(Arc::new(Self { world, histories, progress, background }))
    }

    /// The moment by which the rules judge now: it never goes back (ADR 0023).
    pub fn now(&self) -> Moment {
        self.world.clock.now()
    }

    /// Asks an entity of any kind, and waits for the durable answer.
    ///
    /// # Errors
    ///
    /// See [`NotDone`].
    pub async fn ask<A: Hosted>(
        &self,
        key: &str,
        command: A::Command,
        asking: Asking,
    ) -> Result<Accepted<A>, NotDone<A::Refusal>> {
        A::directory(&self.world).ask(&self.world, key, Some(command), asking).await
    }

    /// Calls, breaker state and bulkhead of the payment provider.
    pub fn payments(&self) -> &Arc<Payments> {
        self.world.payments()
    }

    pub(crate) const fn background(&self) -> &Arc<Background> {
        &self.background
    }

    /// Whether commands are taken and the journal is ours.
    pub fn readiness(&self) -> Readiness {
        Readiness {
            journal: self.world.writer.generation().is_some() && !self.world.writer.is_stopped(),
            draining: self.world.is_draining(),
            background: self.background.is_whole(),
            projection_lag: self.progress.lag(),
            quarantined: self.world.quarantined(),
        }
    }

    /// Whether another writer has taken the journal over for good.
    pub fn is_fenced(&self) -> bool {
        self.world.writer.is_stopped()
    }

    /// Refuses new commands and lets those under way come to their end; whether all did in time.
    pub async fn drain(&self, within: Duration) -> bool {
        self.world.draining.store(true, Ordering::Release);
        crash_point(CrashPoint::EngineDraining);
        let give_up_at = Instant::now() + within;
        loop {
            Kinds::with_each(&self.world, SendIdleToSleep);
            sleep(Duration::from_millis(20)).await;
            let live = self.live();
            if live == 0 {
                return true;
            }
            if give_up_at <= Instant::now() {
                warn!(live, "entities still had work when the time to drain ran out");
                return false;
            }
        }
    }

    /// How many entities are live.
    pub fn live(&self) -> usize {
        self.world.live()
    }
}

/// Whether the engine can do its work, for load balancers and people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// The journal is ours and takes events.
    pub journal: bool,
    /// The engine is going down.
    pub draining: bool,
    /// No task in the background was given up.
    pub background: bool,
    /// Events that the read models are behind.
    pub projection_lag: u64,
    /// Streams that are left alone for a while, because their actors kept failing.
    pub quarantined: usize,
}

impl Readiness {
    /// Whether commands can be taken.
    pub const fn is_ready(&self) -> bool {
        self.journal && self.background && !self.draining
    }
}

async fn start_supervisors(world: &Arc<World>) -> Result<(), StartError> {
    let mut supervisors = Vec::with_capacity(SUPERVISORS);
    for _ in 0..SUPERVISORS {
        let (supervisor, _) = Actor::spawn(None, Supervisor, Arc::downgrade(world))
            .await
            .map_err(|error| StartError::Actor(error.to_string()))?;
        supervisors.push(supervisor.get_cell());
    }
    let _ = world.supervisors.set(supervisors);
    Ok(())
}
