//! The outbound port to a payment provider.

use async_trait::async_trait;
use engine::process::ChargeOutcome;
use engine::values::{ChargeKey, Money, OrderId, PaymentToken, ReturnId};

/// One attempt to take money.
#[derive(Clone, Debug)]
pub struct ChargeRequest {
    /// Names the attempt; the provider takes the money at most once per key.
    pub key: ChargeKey,
    /// For which order.
    pub order: OrderId,
    /// How much.
    pub amount: Money,
    /// From where.
    pub token: PaymentToken,
}

/// Why the provider gave no definite answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderFailure {
    /// Too many calls are under way on this side already; the provider was not asked, nor did it
    /// fail.
    #[error("no place for one more call")]
    NoPlace,
    /// The request was not sent; certainly nothing happened.
    #[error("provider was not asked")]
    NotSent,
    /// No answer, or none that says what happened.
    #[error("provider gave no definite answer")]
    Unknown,
}

/// A payment provider. Every call is idempotent by its key.
#[async_trait]
pub trait PaymentProvider: Send + Sync + 'static {
    /// Takes the money, or says definitely that it does not.
    ///
    /// # Errors
    ///
    /// [`ProviderFailure`] when that is not known.
    async fn charge(&self, request: &ChargeRequest) -> Result<ChargeOutcome, ProviderFailure>;

    /// Says what became of a charge.
    ///
    /// # Errors
    ///
    /// [`ProviderFailure`] when that is not known.
    async fn query(&self, key: ChargeKey) -> Result<ChargeOutcome, ProviderFailure>;

    /// Gives captured money back, once per key.
    ///
    /// # Errors
    ///
    /// [`ProviderFailure`] when it is not known whether it went back.
    async fn refund(&self, key: ChargeKey, amount: Money) -> Result<(), ProviderFailure>;

    /// Gives a part of captured money back, once for each return.
    ///
    /// # Errors
    ///
    /// [`ProviderFailure`] when it is not known whether it went back.
    async fn refund_part(
        &self,
        key: ChargeKey,
        rma: ReturnId,
        amount: Money,
    ) -> Result<(), ProviderFailure>;
}
