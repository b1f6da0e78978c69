//! A payment provider inside the process, with a ledger of its own: for the demo, drills and tests.
//!
//! The token says what happens. The ledger keeps a charge for a day and at most so many of them; a
//! forgotten key is a key that was never seen.

mod faults;
mod ledger;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use engine::process::ChargeOutcome;
use engine::values::{ChargeKey, Money, ReturnId};
use metrics::counter;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::sleep;
use tracing::warn;

use super::backoff::{Draw, chance};
use super::port::{ChargeRequest, PaymentProvider, ProviderFailure};
use crate::metrics::PROVIDER_CALLBACKS_DROPPED_TOTAL;
use crate::runtime::spawn_light;
use ledger::{Decline, Entry, Ledger};

pub use faults::SandboxFaults;
pub use ledger::Tally;

/// Longer than anybody waits.
const HANG: Duration = Duration::from_secs(30);
/// Callbacks that may be on their way; one more is dropped.
const LATE_CALLBACKS_MAX: usize = 1_024;

/// What the provider says by itself, later, about a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderCallback {
    /// Which attempt.
    pub key: ChargeKey,
    /// What became of it.
    pub outcome: ChargeOutcome,
}

/// How the sandbox behaves.
#[derive(Clone)]
pub struct SandboxConfig {
    /// Time before each answer.
    pub latency: Duration,
    /// Where callbacks go; one that finds it full is dropped.
    pub callbacks: Option<mpsc::Sender<ProviderCallback>>,
    /// How long after a late success its callback comes.
    pub late_after: Duration,
    /// Charges that are remembered.
    pub charges_max: usize,
    /// Decides which calls fail when some should.
    pub draw: Draw,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            callbacks: None,
            late_after: Duration::from_secs(3),
            charges_max: 1_000_000,
            draw: chance(),
        }
    }
}

/// What a token asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behaviour {
    Capture,
    Decline(Decline),
    Hang,
    Fail,
    CaptureLate,
    CaptureCallingBackTwice,
}

impl Behaviour {
    fn of(token: &str) -> Self {
        match token {
            "tok_declined" => Self::Decline(Decline::CardDeclined),
            "tok_timeout" => Self::Hang,
            "tok_error" => Self::Fail,
            "tok_late_success" => Self::CaptureLate,
            "tok_duplicate_callback" => Self::CaptureCallingBackTwice,
            other if other.starts_with("tok_") => Self::Capture,
            _ => Self::Decline(Decline::UnknownToken),
        }
    }
}

/// The provider.
pub struct SandboxProvider {
    ledger: Ledger,
    faults: SandboxFaults,
    callbacks: Option<mpsc::Sender<ProviderCallback>>,
    late_after: Duration,
    late_places: Arc<Semaphore>,
    draw: Draw,
}

impl SandboxProvider {
    /// A provider that has seen nothing.
    pub fn new(config: SandboxConfig) -> Self {
        let SandboxConfig { latency, callbacks, late_after, charges_max, draw } = config;
        Self {
            ledger: Ledger::new(charges_max),
            faults: SandboxFaults::new(latency),
            callbacks,
            late_after,
            late_places: Arc::new(Semaphore::new(LATE_CALLBACKS_MAX)),
            draw,
        }
    }

    /// The knobs for drills.
    pub const fn faults(&self) -> &SandboxFaults {
        &self.faults
    }

    /// What happened to money so far.
    pub fn tally(&self) -> Tally {
        self.ledger.tally()
    }

    fn capture(&self, request: &ChargeRequest) -> (ChargeOutcome, bool) {
        let (entry, new) = self.ledger.record(request.key, Entry::captured(request.amount));
        (entry.outcome(request.key), new)
    }

    fn call_back(&self, callback: ProviderCallback) {
        if let Some(callbacks) = &self.callbacks {
            deliver(callbacks, callback);
        }
    }

    fn call_back_late(&self, callback: ProviderCallback) {
        let Some(callbacks) = self.callbacks.clone() else { return };
        let Ok(place) = Arc::clone(&self.late_places).try_acquire_owned() else {
            counter!(PROVIDER_CALLBACKS_DROPPED_TOTAL).increment(1);
            return;
        };
        let late_after = self.late_after;
        // The task ends by itself and nobody waits for it.
        let _task = spawn_light(async move {
            sleep(late_after).await;
            deliver(&callbacks, callback);
            drop(place);
        });
    }
}

fn deliver(callbacks: &mpsc::Sender<ProviderCallback>, callback: ProviderCallback) {
    let key = callback.key;
    if callbacks.try_send(callback).is_err() {
        counter!(PROVIDER_CALLBACKS_DROPPED_TOTAL).increment(1);
        warn!(%key, "sandbox callback for {key} dropped, its queue is full or closed");
    }
}

async fn hang<T>() -> Result<T, ProviderFailure> {
    sleep(HANG).await;
    Err(ProviderFailure::Unknown)
}

#[async_trait]
impl PaymentProvider for SandboxProvider {
    async fn charge(&self, request: &ChargeRequest) -> Result<ChargeOutcome, ProviderFailure> {
        self.faults.meet(self.faults.calls(), &self.draw).await?;
        let key = request.key;
        if let Some(entry) = self.ledger.entry(key) {
            return Ok(entry.outcome(key));
        }
        match Behaviour::of(request.token.expose()) {
            Behaviour::Capture => Ok(self.capture(request).0),
            Behaviour::Decline(reason) => {
                let (entry, _new) = self.ledger.record(key, Entry::declined(reason));
                Ok(entry.outcome(key))
            }
            Behaviour::Hang => hang().await,
            Behaviour::Fail => Err(ProviderFailure::Unknown),
            Behaviour::CaptureLate => {
                let (outcome, new) = self.capture(request);
                if !new {
                    return Ok(outcome);
                }
                self.call_back_late(ProviderCallback { key, outcome });
                hang().await
            }
            Behaviour::CaptureCallingBackTwice => {
                let (outcome, new) = self.capture(request);
                if new {
                    self.call_back(ProviderCallback { key, outcome: outcome.clone() });
                    self.call_back(ProviderCallback { key, outcome: outcome.clone() });
                }
                Ok(outcome)
            }
        }
    }

    async fn query(&self, key: ChargeKey) -> Result<ChargeOutcome, ProviderFailure> {
        self.faults.meet(self.faults.calls(), &self.draw).await?;
        Ok(self.ledger.entry(key).map_or(ChargeOutcome::NotCharged, |entry| entry.outcome(key)))
    }

    async fn refund(&self, key: ChargeKey, amount: Money) -> Result<(), ProviderFailure> {
        self.faults.meet(self.faults.refunds(), &self.draw).await?;
        // A refund of what was not captured certainly moves no money.
        if self.ledger.refund(key, amount) { Ok(()) } else { Err(ProviderFailure::NotSent) }
    }

    async fn refund_part(
        &self,
        key: ChargeKey,
        rma: ReturnId,
        amount: Money,
    ) -> Result<(), ProviderFailure> {
        self.faults.meet(self.faults.refunds(), &self.draw).await?;
        let is_back = self.ledger.refund_part(key, rma, amount);
        if is_back { Ok(()) } else { Err(ProviderFailure::NotSent) }
    }
}
