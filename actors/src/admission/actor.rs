//! The actor that owns the limits: adapts them to what requests reported and publishes them.

use std::sync::Arc;
use std::time::Duration;

use metrics::{Gauge, gauge};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tracing::debug;

use super::gate::Gate;
use super::policy::{Aimd, LimitPolicy};
use super::uptime::Uptime;
use crate::metrics::{ADMISSION_IN_FLIGHT, ADMISSION_LIMIT, ADMISSION_WAITING};

/// How often the limit is reconsidered.
const EVERY: Duration = Duration::from_millis(100);
/// Ticks between two clearances of rested buckets.
const CLEAR_EVERY: u32 = 100;

/// A slow tick: the mailbox needs no permits.
pub(super) struct Tick;

#[derive(Clone)]
pub(super) struct AdmissionActor {
    pub(super) gate: Arc<Gate>,
    pub(super) policy: LimitPolicy,
    pub(super) uptime: Uptime,
}

pub(super) struct Owned {
    aimd: Aimd,
    ticks: u32,
    limit: Gauge,
    in_flight: Gauge,
    waiting: Gauge,
}

impl AdmissionActor {
    fn tick(&self, owned: &mut Owned) {
        let before = owned.aimd.limit();
        let limit = owned.aimd.on(self.gate.sample(), self.uptime.now());
        self.gate.set_target(owned.aimd.target());
        if limit != before {
            self.gate.set_limit(limit);
            debug!(limit, before, "in-flight limit moved from {before} to {limit}");
        }
        owned.limit.set(level(limit));
        owned.in_flight.set(level(self.gate.in_flight()));
        owned.waiting.set(level(self.gate.waiting()));
        owned.ticks = owned.ticks.wrapping_add(1);
        if owned.ticks.is_multiple_of(CLEAR_EVERY) {
            self.gate.forget_rested();
        }
    }
}

fn level(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

impl Actor for AdmissionActor {
    type Msg = Tick;
    type State = Owned;
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<Tick>, (): ()) -> Result<Owned, ActorProcessingErr> {
        myself.send_interval(EVERY, || Tick);
        Ok(Owned {
            // The published limit is the only thing that an incarnation hands on.
            aimd: Aimd::new(self.policy, self.gate.limit(), self.uptime.now()),
            ticks: 0,
            limit: gauge!(ADMISSION_LIMIT),
            in_flight: gauge!(ADMISSION_IN_FLIGHT),
            waiting: gauge!(ADMISSION_WAITING),
        })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Tick>,
        Tick: Tick,
        owned: &mut Owned,
    ) -> Result<(), ActorProcessingErr> {
        self.tick(owned);
        Ok(())
    }
}
