//! A payment provider whose calls panic while it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use actors::payments::{ChargeRequest, PaymentProvider, ProviderFailure};
use async_trait::async_trait;
use engine::process::ChargeOutcome;
use engine::values::{ChargeKey, Money, ReturnId};

/// When a charge panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Panics {
    Never = 0,
    /// At its first step.
    AtOnce = 1,
    /// After it has waited.
    Later = 2,
}

/// The decorator.
pub(crate) struct StartledProvider {
    inner: Arc<dyn PaymentProvider>,
    panics: AtomicU8,
}

impl StartledProvider {
    pub(crate) fn over(inner: Arc<dyn PaymentProvider>) -> Self {
        Self { inner, panics: AtomicU8::new(Panics::Never as u8) }
    }

    pub(crate) fn set(&self, panics: Panics) {
        self.panics.store(panics as u8, Ordering::Relaxed);
    }

    async fn startle(&self) {
        let panics = self.panics.load(Ordering::Relaxed);
        if panics == Panics::Later as u8 {
            tokio::task::yield_now().await;
        }
        assert_eq!(panics, Panics::Never as u8, "the provider is startled");
    }
}

#[async_trait]
impl PaymentProvider for StartledProvider {
    async fn charge(&self, request: &ChargeRequest) -> Result<ChargeOutcome, ProviderFailure> {
        self.startle().await;
        self.inner.charge(request).await
    }

    async fn query(&self, key: ChargeKey) -> Result<ChargeOutcome, ProviderFailure> {
        self.inner.query(key).await
    }

    async fn refund(&self, key: ChargeKey, amount: Money) -> Result<(), ProviderFailure> {
        self.inner.refund(key, amount).await
    }

    async fn refund_part(
        &self,
        key: ChargeKey,
        rma: ReturnId,
        amount: Money,
    ) -> Result<(), ProviderFailure> {
        self.inner.refund_part(key, rma, amount).await
    }
}
