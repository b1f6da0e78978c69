//! The actor that owns the breaker, and the front through which calls pass it.
//!
//! While the breaker is closed a call touches atomics only. What ended is counted there and judged
//! by the actor; a probe is granted by asking it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use engine::values::Moment;
use metrics::{gauge, histogram};
use ractor::{Actor, ActorProcessingErr, ActorRef, SpawnErr};
use serde::Serialize;
use tokio::sync::{Semaphore, oneshot};
use tracing::{info, warn};

use super::breaker::{
    Breaker, BreakerPolicy, BreakerState, Effects, Input, ProbeId, Recoveries, Standing,
};
use crate::admission::health::{Dependency, Report, ServiceHealth};
use crate::admission::keeper::{Kept, keep};
use crate::admission::uptime::Uptime;
use crate::clock::Clock;
use crate::metrics::{BREAKER_MTTR_SECONDS, BREAKER_STATE, PAYMENT_CIRCUIT_MTTR_SECONDS};

/// How often ended calls are counted when none of them failed.
const TICK: Duration = Duration::from_millis(500);

/// What people are told about the breaker.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct BreakerReport {
    /// Whether calls go through.
    pub state: BreakerState,
    /// Since when.
    pub since: Moment,
    /// Outages that ended.
    pub recoveries: Recoveries,
    #[serde(skip)]
    standing: Standing,
}

/// What calls and the actor share; outlives the actor's incarnations.
struct Shared {
    /// What it guards.
    part: Dependency,
    policy: BreakerPolicy,
    clock: Arc<dyn Clock>,
    uptime: Uptime,
    health: Option<Arc<ServiceHealth>>,
    published: ArcSwap<BreakerReport>,
    worked: AtomicU32,
    failed: AtomicU32,
    /// Whether the actor has been told of a failure and has not yet looked.
    told: AtomicBool,
    /// Longest call of this tick and of the one before, in microseconds.
    slowest: AtomicU64,
    slowest_before: AtomicU64,
    /// One caller at a time asks for a probe; the others are refused at once.
    asking: Semaphore,
}

/// The breaker as callers see it.
pub(super) struct BreakerFront {
    shared: Arc<Shared>,
    actor: Kept<Message>,
}

/// What the breaker says to a call.
pub(super) enum Permission<'a> {
    /// Go on.
    Ordinary(&'a BreakerFront),
    /// Go on; much depends on how it ends.
    Probe(Probe),
    /// Do not call.
    Refused,
}

impl Permission<'_> {
    /// Reports how the call ended. A permission that is dropped counts neither way.
    pub(super) fn end(self, worked: bool) {
        match self {
            Self::Ordinary(front) => front.count(worked),
            Self::Probe(probe) => probe.end(worked),
            Self::Refused => {}
        }
    }
}

impl BreakerFront {
    pub(super) async fn start(
        part: Dependency,
        policy: BreakerPolicy,
        clock: Arc<dyn Clock>,
        health: Option<Arc<ServiceHealth>>,
    ) -> Result<Self, SpawnErr> {
        let report = BreakerReport {
            state: BreakerState::Closed,
            since: clock.now(),
            recoveries: Recoveries::default(),
            standing: Standing::default(),
        };
        let shared = Arc::new(Shared {
            part,
            policy,
            clock,
            uptime: Uptime::starting_now(),
            health,
            published: ArcSwap::from_pointee(report),
            worked: AtomicU32::new(0),
            failed: AtomicU32::new(0),
            told: AtomicBool::new(false),
            slowest: AtomicU64::new(0),
            slowest_before: AtomicU64::new(0),
            asking: Semaphore::new(1),
        });
        let actor = keep("breaker", BreakerActor(Arc::clone(&shared))).await?;
        Ok(Self { shared, actor })
    }

    /// Asks to make a call. Does not wait while the breaker is closed, or open before its time.
    pub(super) async fn ask(&self) -> Permission<'_> {
        let published = **self.shared.published.load();
        let Some(outage) = published.standing.outage else { return Permission::Ordinary(self) };
        if self.shared.uptime.now() < outage.probe_at {
            return Permission::Refused;
        }
        let Ok(_turn) = self.shared.asking.try_acquire() else { return Permission::Refused };
        let (reply, granted) = oneshot::channel();
        if !self.actor.address().send(Message::ProbeAsked(reply)) {
            return Permission::Refused;
        }
        granted.await.map_or(Permission::Refused, Permission::Probe)
    }

    /// Notes how long a call took.
    pub(super) fn took(&self, span: Duration) {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        self.shared.slowest.fetch_max(micros, Ordering::Relaxed);
    }

    /// The longest call of about the last second.
    pub(super) fn slowest(&self) -> Duration {
        let (now, before) = (&self.shared.slowest, &self.shared.slowest_before);
        Duration::from_micros(now.load(Ordering::Relaxed).max(before.load(Ordering::Relaxed)))
    }

    pub(super) fn report(&self) -> BreakerReport {
        **self.shared.published.load()
    }

    fn count(&self, worked: bool) {
        if worked {
            self.shared.worked.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.shared.failed.fetch_add(1, Ordering::Relaxed);
        let told = self.shared.told.swap(true, Ordering::AcqRel);
        if !told && !self.actor.address().send(Message::Judge) {
            self.shared.told.store(false, Ordering::Release);
        }
    }

    #[cfg(test)]
    pub(super) fn kill(&self) {
        self.actor.kill();
    }
}

/// A call that the breaker let through to learn how the provider does.
pub(super) struct Probe {
    id: ProbeId,
    actor: ActorRef<Message>,
    worked: Option<bool>,
}

impl Probe {
    fn end(mut self, worked: bool) {
        self.worked = Some(worked);
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let ended = Message::ProbeEnded { probe: self.id, worked: self.worked };
        // A dead actor's successor waits until this probe counts as lost.
        let _ = self.actor.send_message(ended);
    }
}

// At most one `Judge`, one `ProbeAsked`, one `ProbeEnded` per grant and a slow tick: the mailbox
// is bounded by what may be sent.
enum Message {
    Judge,
    Tick,
    ProbeAsked(oneshot::Sender<Probe>),
    ProbeEnded { probe: ProbeId, worked: Option<bool> },
}

#[derive(Clone)]
struct BreakerActor(Arc<Shared>);

/// The names under which logs tell of an outage.
struct Events {
    opened: &'static str,
    recovered: &'static str,
}

const fn events(part: Dependency) -> Events {
    match part {
        Dependency::Refunds => {
            Events { opened: "refund_circuit_opened", recovered: "refund_service_recovered" }
        }
        Dependency::Provider | Dependency::Store | Dependency::Task(_) => {
            Events { opened: "payment_circuit_opened", recovered: "payment_service_recovered" }
        }
    }
}

impl BreakerActor {
    fn apply(&self, breaker: &mut Breaker, input: Input) -> Effects {
        let before = breaker.standing();
        let effects = breaker.on(input, self.0.uptime.now());
        if effects.changed.is_some() || breaker.standing() != before {
            self.publish(breaker, effects.changed);
        }
        if let Some(outage) = effects.recovered_after {
            let seconds = outage.as_secs_f64();
            let part = self.0.part;
            info!(event = events(part).recovered, %part, seconds, "{part} recovered");
            histogram!(BREAKER_MTTR_SECONDS, "dependency" => part.label()).record(seconds);
            if part == Dependency::Provider {
                histogram!(PAYMENT_CIRCUIT_MTTR_SECONDS).record(seconds);
            }
        }
        effects
    }

    fn publish(&self, breaker: &Breaker, changed: Option<BreakerState>) {
        let (state, standing) = (breaker.state(), breaker.standing());
        let since = match changed {
            Some(_) => self.0.clock.now(),
            None => self.0.published.load().since,
        };
        let recoveries = standing.recoveries;
        self.0.published.store(Arc::new(BreakerReport { state, since, recoveries, standing }));
        if let Some(state) = changed {
            self.announce(state);
        }
    }

    fn announce(&self, state: BreakerState) {
        let (level, report) = match state {
            BreakerState::Closed => (0.0, Report::Working),
            BreakerState::HalfOpen => (1.0, Report::Failing("circuit breaker is half-open")),
            BreakerState::Open => (2.0, Report::Failing("circuit breaker is open")),
        };
        let part = self.0.part;
        gauge!(BREAKER_STATE, "dependency" => part.label()).set(level);
        if let Some(health) = &self.0.health {
            health.report(part, report);
        }
        match state {
            BreakerState::Open => {
                warn!(event = events(part).opened, %part, "circuit breaker of {part} is open");
            }
            BreakerState::Closed | BreakerState::HalfOpen => {
                info!(%state, %part, "circuit breaker of {part} is {state}");
            }
        }
    }

    fn judge(&self, breaker: &mut Breaker) {
        // Cleared first: a failure that comes now sends the next message.
        self.0.told.store(false, Ordering::Release);
        let worked = self.0.worked.swap(0, Ordering::Relaxed);
        let failed = self.0.failed.swap(0, Ordering::Relaxed);
        self.apply(breaker, Input::Calls { worked, failed });
    }
}

impl Actor for BreakerActor {
    type Msg = Message;
    type State = Breaker;
    type Arguments = ();

    async fn pre_start(
        &self,
        myself: ActorRef<Message>,
        (): (),
    ) -> Result<Breaker, ActorProcessingErr> {
        let published = **self.0.published.load();
        self.announce(published.state);
        // Whatever the last incarnation had been told is still in the counters.
        self.0.told.store(false, Ordering::Release);
        myself.send_interval(TICK, || Message::Tick);
        Ok(Breaker::new(self.0.policy, published.standing))
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        breaker: &mut Breaker,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Judge => self.judge(breaker),
            Message::Tick => {
                let slowest = self.0.slowest.swap(0, Ordering::Relaxed);
                self.0.slowest_before.store(slowest, Ordering::Relaxed);
                self.judge(breaker);
            }
            Message::ProbeAsked(reply) => {
                if let Some(id) = self.apply(breaker, Input::ProbeAsked).granted {
                    // An asker that is gone drops the probe, which reports itself.
                    let _ = reply.send(Probe { id, actor: myself, worked: None });
                }
            }
            Message::ProbeEnded { probe, worked } => {
                self.apply(breaker, Input::ProbeEnded { probe, worked });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_tell_an_outage_of_refunds_from_one_of_payments() {
        let (payments, refunds) = (events(Dependency::Provider), events(Dependency::Refunds));
        assert_eq!(payments.opened, "payment_circuit_opened");
        assert_eq!(payments.recovered, "payment_service_recovered");
        assert_eq!(refunds.opened, "refund_circuit_opened");
        assert_eq!(refunds.recovered, "refund_service_recovered");
    }
}
