//! A payment provider that can be made to fail and to be slow. It never lies about money: a charge
//! that it calls declined was declined by the provider itself.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use engine::drill::{FailedPayment, Fault, FaultName, PER_MILLION_MAX};
use engine::process::ChargeOutcome;
use engine::values::{ChargeKey, Money, PaymentToken, ReturnId};
use tokio::time::sleep;

use super::Faults;
use crate::payments::{ChargeRequest, Draw, PaymentProvider, ProviderFailure};

/// The means of payment that the sandbox declines, and that no other provider knows.
const DECLINED: &str = "tok_declined";
/// Longer than anybody waits.
const HANG: Duration = Duration::from_secs(30);

/// The decorator.
pub(super) struct FaultyProvider {
    pub(super) inner: Arc<dyn PaymentProvider>,
    pub(super) faults: Arc<Faults>,
    pub(super) draw: Draw,
}

impl FaultyProvider {
    /// Lets a call be late; how it is to fail, if it is.
    async fn meet(&self) -> Option<FailedPayment> {
        if let Some(fault @ Fault::PaymentLatency { millis }) =
            self.faults.find(FaultName::PaymentLatency)
        {
            self.faults.suffer(fault, Some(Duration::from_millis(millis.into()))).await;
        }
        match self.faults.find(FaultName::PaymentFailure) {
            Some(Fault::PaymentFailure { kind, per_million }) => {
                let drawn = (self.draw)() % u64::from(PER_MILLION_MAX);
                (drawn < u64::from(per_million)).then_some(kind)
            }
            _ => None,
        }
    }
}

async fn lose<T>(_answer: T) -> ProviderFailure {
    sleep(HANG).await;
    ProviderFailure::Unknown
}

#[async_trait]
impl PaymentProvider for FaultyProvider {
    async fn charge(&self, request: &ChargeRequest) -> Result<ChargeOutcome, ProviderFailure> {
        match self.meet().await {
            None => self.inner.charge(request).await,
            // A charge that was captured before says so, because its key is known.
            Some(FailedPayment::Declined) => {
                let token = PaymentToken::new(DECLINED);
                self.inner.charge(&ChargeRequest { token, ..request.clone() }).await
            }
            Some(FailedPayment::Error) => Err(ProviderFailure::Unknown),
            Some(FailedPayment::Timeout) => Err(lose(self.inner.charge(request).await).await),
        }
    }

    async fn query(&self, key: ChargeKey) -> Result<ChargeOutcome, ProviderFailure> {
        match self.meet().await {
            None | Some(FailedPayment::Declined) => self.inner.query(key).await,
            Some(FailedPayment::Error) => Err(ProviderFailure::Unknown),
            Some(FailedPayment::Timeout) => Err(lose(self.inner.query(key).await).await),
        }
    }

    async fn refund(&self, key: ChargeKey, amount: Money) -> Result<(), ProviderFailure> {
        match self.meet().await {
            None | Some(FailedPayment::Declined) => self.inner.refund(key, amount).await,
            Some(FailedPayment::Error) => Err(ProviderFailure::Unknown),
            Some(FailedPayment::Timeout) => Err(lose(self.inner.refund(key, amount).await).await),
        }
    }

    async fn refund_part(
        &self,
        key: ChargeKey,
        rma: ReturnId,
        amount: Money,
    ) -> Result<(), ProviderFailure> {
        let refund = self.inner.refund_part(key, rma, amount);
        match self.meet().await {
            None | Some(FailedPayment::Declined) => refund.await,
            Some(FailedPayment::Error) => Err(ProviderFailure::Unknown),
            Some(FailedPayment::Timeout) => Err(lose(refund.await).await),
        }
    }
}
