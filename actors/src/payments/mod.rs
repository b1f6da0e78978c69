//! Taking money: the provider port, the sandbox behind it, and the breaker in front of it.

mod backoff;
mod breaker;
mod breaker_actor;
mod meters;
mod port;
mod sandbox;
#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use engine::process::ChargeOutcome;
use engine::values::{ChargeKey, Money, ReturnId};
use persistence::crash_points::{CrashPoint, crash_point};
use ractor::SpawnErr;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use crate::admission::{Dependency, ServiceHealth};
use crate::clock::Clock;
use breaker_actor::{BreakerFront, Permission};
use meters::{CallEnd, Meters};

pub use backoff::{Backoff, Draw, chance};
pub use breaker::{
    Breaker, BreakerPolicy, BreakerState, Effects, Input, Outage, ProbeId, Recoveries, Standing,
};
pub use breaker_actor::BreakerReport;
pub use port::{ChargeRequest, PaymentProvider, ProviderFailure};
pub use sandbox::{ProviderCallback, SandboxConfig, SandboxFaults, SandboxProvider, Tally};

/// How the provider is called.
#[derive(Clone)]
pub struct PaymentsConfig {
    /// Longest wait for one attempt.
    pub timeout: Duration,
    /// Repeats of an attempt without a definite answer. With the default a call ends within 3.5 s:
    /// a failed attempt is repeated at once, one that timed out is left to the order's own retry.
    pub backoff: Backoff,
    /// Calls in flight at once; one more is answered [`ProviderFailure::NoPlace`].
    pub in_flight_max: usize,
    /// The same for refunds, which have places and a breaker of their own: nobody waits for them,
    /// and however they fare, charges go on.
    pub refunds_in_flight_max: usize,
    /// When to stop calling.
    pub breaker: BreakerPolicy,
    /// Told when the provider is taken out of service and when it is back.
    pub health: Option<Arc<ServiceHealth>>,
    /// Spreads retries.
    pub draw: Draw,
}

impl Default for PaymentsConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(2),
            backoff: Backoff {
                retries: 2,
                base: Duration::from_millis(100),
                cap: Duration::from_millis(400),
                budget: Duration::from_millis(1_500),
            },
            in_flight_max: 512,
            refunds_in_flight_max: 64,
            breaker: BreakerPolicy::default(),
            health: None,
            draw: chance(),
        }
    }
}

impl fmt::Debug for PaymentsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaymentsConfig")
            .field("timeout", &self.timeout)
            .field("backoff", &self.backoff)
            .field("in_flight_max", &self.in_flight_max)
            .field("refunds_in_flight_max", &self.refunds_in_flight_max)
            .field("breaker", &self.breaker)
            .finish_non_exhaustive()
    }
}

/// The way to the provider: bounded, timed, repeated under one key, and shut while it fails.
pub struct Payments {
    provider: Arc<dyn PaymentProvider>,
    config: PaymentsConfig,
    charges: Lane,
    refunds: Lane,
    meters: Meters,
}

/// What calls of one sort share.
struct Lane {
    places: Semaphore,
    breaker: BreakerFront,
}

impl fmt::Debug for Payments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payments").field("state", &self.state()).finish_non_exhaustive()
    }
}

type Attempt<'a, T> = Pin<Box<dyn Future<Output = Result<T, ProviderFailure>> + Send + 'a>>;

impl Payments {
    /// Starts the breakers' actors. Install the metrics recorder before.
    ///
    /// # Errors
    ///
    /// When the actor cannot be started.
    pub async fn start(
        provider: Arc<dyn PaymentProvider>,
        config: PaymentsConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, SpawnErr> {
        let lane = async |part, in_flight_max| {
            let (clock, health) = (Arc::clone(&clock), config.health.clone());
            let breaker = BreakerFront::start(part, config.breaker, clock, health).await?;
            Ok::<_, SpawnErr>(Lane { places: Semaphore::new(in_flight_max), breaker })
        };
        let charges = lane(Dependency::Provider, config.in_flight_max).await?;
        let refunds = lane(Dependency::Refunds, config.refunds_in_flight_max).await?;
        Ok(Arc::new(Self { provider, config, charges, refunds, meters: Meters::new() }))
    }

    /// Takes the money, at most once per key however often this is called.
    ///
    /// # Errors
    ///
    /// [`ProviderFailure::NoPlace`] when no attempt was made, [`ProviderFailure::NotSent`] when
    /// certainly none reached the provider, [`ProviderFailure::Unknown`] when one may have.
    pub async fn charge(&self, request: &ChargeRequest) -> Result<ChargeOutcome, ProviderFailure> {
        self.call(&self.charges, || self.provider.charge(request), CallEnd::of_charge).await
    }

    /// Says what became of a charge.
    ///
    /// # Errors
    ///
    /// See [`Self::charge`].
    pub async fn query(&self, key: ChargeKey) -> Result<ChargeOutcome, ProviderFailure> {
        self.call(&self.charges, || self.provider.query(key), CallEnd::of_charge).await
    }

    /// Gives captured money back, once per key.
    ///
    /// # Errors
    ///
    /// See [`Self::charge`].
    pub async fn refund(&self, key: ChargeKey, amount: Money) -> Result<(), ProviderFailure> {
        let refund = || self.provider.refund(key, amount);
        self.call(&self.refunds, refund, |()| CallEnd::Refunded).await
    }

    /// Gives a part of captured money back, once for each return: through the same breaker.
    ///
    /// # Errors
    ///
    /// See [`Self::charge`].
    pub async fn refund_part(
        &self,
        key: ChargeKey,
        rma: ReturnId,
        amount: Money,
    ) -> Result<(), ProviderFailure> {
        let refund = || self.provider.refund_part(key, rma, amount);
        self.call(&self.refunds, refund, |()| CallEnd::Refunded).await
    }

    /// Whether charges go through.
    pub fn state(&self) -> BreakerState {
        self.charges.breaker.report().state
    }

    /// The breaker of charges for people: state, since when, and how long outages lasted.
    pub fn report(&self) -> BreakerReport {
        self.charges.breaker.report()
    }

    /// The longest charge of about the last second; what a checkout may have waited for outside.
    pub fn slowest(&self) -> Duration {
        self.charges.breaker.slowest()
    }

    async fn call<'a, T>(
        &'a self,
        lane: &'a Lane,
        attempt: impl Fn() -> Attempt<'a, T>,
        end_of: fn(&T) -> CallEnd,
    ) -> Result<T, ProviderFailure> {
        let Ok(_place) = lane.places.try_acquire() else {
            self.meters.count(CallEnd::BulkheadFull);
            return Err(ProviderFailure::NoPlace);
        };
        let started = Instant::now();
        let mut failure = ProviderFailure::NotSent;
        for retry in 0_u32.. {
            let permission = lane.breaker.ask().await;
            if let Permission::Refused = permission {
                self.meters.count(CallEnd::BreakerOpen);
                break;
            }
            match self.attempt(lane, permission, attempt(), end_of).await {
                Ok(answer) => return Ok(answer),
                // One attempt that may have reached the provider makes the whole call unknown.
                Err(ProviderFailure::Unknown) => failure = ProviderFailure::Unknown,
                Err(ProviderFailure::NotSent | ProviderFailure::NoPlace) => {}
            }
            let draw = (self.config.draw)();
            let pause = self.config.backoff.pause(retry, started.elapsed(), draw);
            let Some(pause) = pause else { break };
            sleep(pause).await;
        }
        Err(failure)
    }

    async fn attempt<T>(
        &self,
        lane: &Lane,
        permission: Permission<'_>,
        attempt: Attempt<'_, T>,
        end_of: fn(&T) -> CallEnd,
    ) -> Result<T, ProviderFailure> {
        crash_point(CrashPoint::ProviderAsking);
        let started = Instant::now();
        let ended = timeout(self.config.timeout, attempt).await;
        if ended.is_ok() {
            crash_point(CrashPoint::ProviderAnswered);
        }
        let took = started.elapsed();
        let (end, result) = match ended {
            Ok(Ok(answer)) => (end_of(&answer), Ok(answer)),
            Ok(Err(failure @ (ProviderFailure::NotSent | ProviderFailure::NoPlace))) => {
                (CallEnd::NotSent, Err(failure))
            }
            Ok(Err(ProviderFailure::Unknown)) => (CallEnd::Failed, Err(ProviderFailure::Unknown)),
            Err(_elapsed) => (CallEnd::TimedOut, Err(ProviderFailure::Unknown)),
        };
        self.meters.count(end);
        self.meters.took(took);
        lane.breaker.took(took);
        permission.end(result.is_ok());
        result
    }
}
