//! Engines of a world: how one starts, and how its process dies.

use std::sync::Arc;
use std::time::Duration;

use actors::admission::ServiceHealth;
use actors::faults::{Drills, Faults};
use actors::payments::PaymentsConfig;
use actors::runtime::spawn_light;
use actors::{EngineConfig, OrderSystem, Ports};
use persistence::Stores;
use persistence::followers::MemoryFollowers;
use persistence::pubsub::MemoryPubSub;
use persistence::read_models::MemoryReadModels;

use super::super::clients;
use super::super::options::Options;
use super::super::outside::Event;
use super::super::sights::Sight;
use super::ground::{Ground, Inside, Wall};
use super::journal::Connection;
use super::provider::Line;
use super::shelf::Shelf;
use super::views::Views;

/// How long somebody waits before a process is started that could not be.
const AGAIN: u64 = 100_000;

/// How long whoever takes an engine down lets it come to its end.
const DRAIN: Duration = Duration::from_secs(1);

/// One that serves.
#[derive(Clone)]
pub(super) struct Engine {
    pub(super) process: u32,
    pub(super) system: Arc<OrderSystem>,
    /// How its actors are killed.
    pub(super) drills: Arc<Drills>,
    /// Whether it was noticed that it has lost the journal.
    pub(super) is_leaving: bool,
}

/// What outlives every engine beside the journal.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) views: Arc<MemoryReadModels>,
    pub(super) shelf: Arc<Shelf>,
}

/// A process starts, unless one runs already and this is no take-over.
pub(super) fn start(ground: &Arc<Ground>, kept: &Kept, takes_over: bool) {
    let process = ground.with(|Inside { outside, alive, started, .. }| {
        if !alive.is_empty() && !takes_over {
            return None;
        }
        if !alive.is_empty() {
            outside.see(Sight::TwoProcesses);
        }
        *started = started.saturating_add(1);
        alive.insert(*started);
        Some(*started)
    });
    if let Some(process) = process {
        let (ground, kept) = (Arc::clone(ground), kept.clone());
        spawn_light(async move { bring_up(process, &ground, kept).await });
    }
}

async fn bring_up(process: u32, ground: &Arc<Ground>, kept: Kept) {
    let engine = assemble(process, ground, kept).await;
    ground.with(|Inside { outside, engines, alive, .. }| match engine {
        // It may have been killed meanwhile.
        Some(engine) if alive.contains(&process) => {
            engines.push(engine);
            engines.sort_by_key(|engine| engine.process);
        }
        Some(_) => {}
        None => {
            alive.remove(&process);
            outside.agenda.after(AGAIN, Event::Start);
        }
    });
}

async fn assemble(process: u32, ground: &Arc<Ground>, kept: Kept) -> Option<Engine> {
    let wall = Arc::new(Wall(Arc::clone(ground)));
    let health = Arc::new(ServiceHealth::new(wall.clone()));
    let draws = Arc::clone(ground);
    let draw = move || draws.with(|inside| inside.outside.luck.below(u64::MAX));
    let ports = Ports {
        provider: Arc::new(Line::of(process, ground)),
        payments: PaymentsConfig {
            draw: Arc::new(draw),
            health: Some(Arc::clone(&health)),
            ..PaymentsConfig::default()
        },
        health,
    };
    let stores = Stores {
        journal: Arc::new(Connection::of(process, ground)),
        snapshots: kept.shelf,
        read_models: Arc::new(Views { process, ground: Arc::clone(ground), kept: kept.views }),
        followers: Arc::new(MemoryFollowers::default()),
        pubsub: Arc::new(MemoryPubSub::default()),
    };
    let config = ground.with(|inside| config(&inside.outside.options));
    let system = OrderSystem::start(config, stores, ports, wall).await.ok()?;
    let drills = system.start_drills(Faults::none(false)).await.ok()?;
    Some(Engine { process, system, drills, is_leaving: false })
}

/// Entities of one kind that find room where there is little.
const FEW: usize = 24;

fn config(options: &Options) -> EngineConfig {
    let usual = EngineConfig::default();
    // Who has few places for mail has few for entities, too.
    let live_max = if options.slots < FEW { FEW } else { usual.live_max };
    // Who is to be put to sleep often is idle at once.
    let idle_after = if 0 < options.faults.sleeps { Duration::ZERO } else { usual.idle_after };
    EngineConfig {
        mailbox_slots: options.slots,
        batch_events_max: options.batch_events_max,
        snapshot_every: options.snapshot_every,
        idle_after,
        live_max,
        ..usual
    }
}

/// A process dies at once: nothing that it does from here on reaches the world, and its connections
/// break.
pub(super) fn kill(process: u32, ground: &Ground) {
    let gone = ground.with(|inside| {
        let Inside { outside, engines, alive, flights, calls, .. } = inside;
        if !alive.remove(&process) {
            return None;
        }
        outside.see(Sight::Crashed);
        let under_way = flights.len();
        flights.retain(|(of, _), _| *of != process);
        if flights.len() < under_way {
            outside.see(Sight::CrashedWithAppendUnderWay);
        }
        calls.retain(|(of, _), _| *of != process);
        clients::cut(process, outside);
        let index = engines.iter().position(|engine| engine.process == process)?;
        Some(engines.remove(index))
    });
    if let Some(Engine { system, .. }) = gone {
        // What is left of it knows nothing of its death. It is told to go, for it would go on for as
        // long as the seed lasts.
        spawn_light(async move { system.drain(Duration::ZERO).await });
    }
}

/// A process is told to end, and does so when everything under way has come to its end, or too late.
pub(super) fn take_down(process: u32, ground: &Arc<Ground>) {
    let found = ground
        .with(|inside| inside.engines.iter().find(|engine| engine.process == process).cloned());
    let ground = Arc::clone(ground);
    spawn_light(async move {
        if let Some(engine) = found {
            engine.system.drain(DRAIN).await;
        }
        kill(process, &ground);
    });
}

/// A process that has lost the journal ends; somebody starts another if it was the last.
pub(super) fn exit(process: u32, ground: &Ground) {
    kill(process, ground);
    ground.with(|Inside { outside, alive, .. }| {
        if alive.is_empty() {
            outside.agenda.after(200_000, Event::Start);
        }
    });
}
