//! The way of one process to the simulated provider: what gets lost, comes late or is declined is drawn
//! as in the first tier.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actors::payments::{ChargeRequest, PaymentProvider, ProviderFailure};
use async_trait::async_trait;
use engine::process::ChargeOutcome;
use engine::values::{ChargeKey, Money, ReturnId};
use tokio::sync::oneshot;

use super::super::calls::{CallOf, Said, dispatch};
use super::ground::{Ground, Inside};

/// The one attempt of a call: whether there is another is up to the engine.
const ATTEMPT: u32 = 1;

/// The connection of one process.
pub(super) struct Line {
    ground: Arc<Ground>,
    process: u32,
    calls: AtomicU64,
}

impl Line {
    /// Of a process.
    pub(super) fn of(process: u32, ground: &Arc<Ground>) -> Self {
        Self { ground: Arc::clone(ground), process, calls: AtomicU64::new(0) }
    }

    async fn call(&self, of: CallOf) -> Result<Said, ProviderFailure> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let (tells, said) = oneshot::channel();
        self.ground.with(|Inside { outside, alive, calls, .. }| {
            if alive.contains(&self.process) {
                calls.insert((self.process, call), tells);
                dispatch(self.process, call, ATTEMPT, of, outside);
            }
        });
        said.await.unwrap_or(Err(ProviderFailure::Unknown))
    }

    async fn of_charge(&self, of: CallOf) -> Result<ChargeOutcome, ProviderFailure> {
        match self.call(of).await? {
            Said::Charge(outcome) => Ok(outcome),
            Said::Refunded => Err(ProviderFailure::Unknown),
        }
    }
}

#[async_trait]
impl PaymentProvider for Line {
    async fn charge(&self, request: &ChargeRequest) -> Result<ChargeOutcome, ProviderFailure> {
        let ChargeRequest { key, amount, token, .. } = request.clone();
        let token = token.expose().to_owned();
        self.of_charge(CallOf::Charge { key, amount, token }).await
    }

    async fn query(&self, key: ChargeKey) -> Result<ChargeOutcome, ProviderFailure> {
        self.of_charge(CallOf::Query { key }).await
    }

    async fn refund(&self, key: ChargeKey, amount: Money) -> Result<(), ProviderFailure> {
        self.call(CallOf::Refund { key, amount }).await.map(drop)
    }

    // Nobody in these worlds returns anything.
    async fn refund_part(
        &self,
        _key: ChargeKey,
        _rma: ReturnId,
        _amount: Money,
    ) -> Result<(), ProviderFailure> {
        Err(ProviderFailure::NotSent)
    }
}
