//! Side calls of a sale: asked with the patience of a good client, read strictly.

use rand::rngs::Xoshiro256PlusPlus;
use serde::Deserialize;
use tokio::time::sleep;

use crate::client::{Call, Fault, Pool, Reply};
use crate::crowd::retry::Patience;
use crate::history::{Ask, BadHistory, Recorder, Witness};
use crate::provider::BadLedger;
use crate::record::{Outcome, Stock};

/// Why a sale cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum SaleError {
    /// The server gave no answer.
    #[error("{doing}: {fault}")]
    NoAnswer {
        /// What was being done.
        doing: String,
        /// Why there is no answer.
        fault: Fault,
    },
    /// The server answered something that the contract does not foresee here.
    #[error("{doing}: the server answered {status} {body}")]
    Refused {
        /// What was being done.
        doing: String,
        /// HTTP status.
        status: u16,
        /// The beginning of the body.
        body: String,
    },
    /// The answer is not what the contract says.
    #[error("{doing}: cannot read the answer: {reason}")]
    Unreadable {
        /// What was being done.
        doing: String,
        /// Why.
        reason: String,
    },
    /// The history of the run cannot be written.
    #[error("cannot write the history")]
    Unrecorded(#[from] std::io::Error),
    /// The history of the run cannot be read again.
    #[error("cannot judge the history")]
    Unjudged(#[from] BadHistory),
    /// The ledger of the provider cannot be read.
    #[error("cannot join the ledger")]
    NoLedger(#[from] BadLedger),
}

impl SaleError {
    /// A reply that ends the preparation.
    pub(super) fn refused(doing: String, reply: &Reply) -> Self {
        let body = String::from_utf8_lossy(&reply.body).chars().take(300).collect();
        Self::Refused { doing, status: reply.status, body }
    }
}

/// Whoever prepares a sale and looks again after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clerk<'a> {
    pub(super) pool: &'a Pool,
    pub(super) recorder: &'a Recorder,
}

impl Clerk<'_> {
    /// Sends `call` until it has a definite answer or the patience ends, and writes it down as
    /// `question`.
    pub(super) async fn ask(
        &self,
        call: &Call,
        question: &Ask,
        patience: Patience,
        chance: &mut Xoshiro256PlusPlus,
    ) -> Result<Reply, Fault> {
        let mut witness = Witness::new(self.recorder);
        let exchange = async || witness.exchange(self.recorder, self.pool, call, question).await;
        insist(exchange, patience, chance).await
    }
}

/// Tries until there is a definite answer or the patience ends.
pub(super) async fn insist(
    mut exchange: impl AsyncFnMut() -> Result<Reply, Fault>,
    patience: Patience,
    chance: &mut Xoshiro256PlusPlus,
) -> Result<Reply, Fault> {
    let mut made = 0_u32;
    loop {
        let result = exchange().await;
        made = made.saturating_add(1);
        match patience.next(made, &Outcome::from(result.clone()), chance) {
            Some(wait) => sleep(wait).await,
            None => return result,
        }
    }
}

/// Reads the stock from a product's page.
///
/// # Errors
/// When the page has no stock as the contract describes it.
pub(super) fn stock_of(reply: &Reply) -> serde_json::Result<Stock> {
    #[derive(Deserialize)]
    struct Page {
        stock: Stock,
    }
    serde_json::from_slice::<Page>(&reply.body).map(|page| page.stock)
}
