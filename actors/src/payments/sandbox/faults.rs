//! Knobs that make the sandbox slow, flaky or unreachable while it runs.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use crate::payments::backoff::Draw;
use crate::payments::port::ProviderFailure;

const MILLION: u32 = 1_000_000;

/// What goes wrong at the moment. Takes effect with the next call.
#[derive(Debug)]
pub struct SandboxFaults {
    latency_micros: AtomicU64,
    calls_per_million: AtomicU32,
    refunds_per_million: AtomicU32,
    down: AtomicBool,
}

impl SandboxFaults {
    pub(super) fn new(latency: Duration) -> Self {
        let faults = Self {
            latency_micros: AtomicU64::new(0),
            calls_per_million: AtomicU32::new(0),
            refunds_per_million: AtomicU32::new(0),
            down: AtomicBool::new(false),
        };
        faults.set_latency(latency);
        faults
    }

    /// Time before each answer.
    pub fn set_latency(&self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.latency_micros.store(micros, Ordering::Relaxed);
    }

    /// How many charges and queries of a million end like a 5xx, having moved no money.
    pub fn set_failures_per_million(&self, share: u32) {
        self.calls_per_million.store(share.min(MILLION), Ordering::Relaxed);
    }

    /// The same for refunds.
    pub fn set_refund_failures_per_million(&self, share: u32) {
        self.refunds_per_million.store(share.min(MILLION), Ordering::Relaxed);
    }

    /// Whether connections are refused: nothing reaches the provider.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }

    pub(super) fn calls(&self) -> u32 {
        self.calls_per_million.load(Ordering::Relaxed)
    }

    pub(super) fn refunds(&self) -> u32 {
        self.refunds_per_million.load(Ordering::Relaxed)
    }

    /// Waits the latency, or fails; `share` of a million calls do.
    pub(super) async fn meet(&self, share: u32, draw: &Draw) -> Result<(), ProviderFailure> {
        if self.down.load(Ordering::Relaxed) {
            return Err(ProviderFailure::NotSent);
        }
        let latency = self.latency_micros.load(Ordering::Relaxed);
        if 0 < latency {
            sleep(Duration::from_micros(latency)).await;
        }
        if 0 < share && draw() % u64::from(MILLION) < u64::from(share) {
            return Err(ProviderFailure::Unknown);
        }
        Ok(())
    }
}
