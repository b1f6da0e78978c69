//! Side calls of a sale: asked with the patience of a good client, read strictly.

use rand::rngs::Xoshiro256PlusPlus;
use serde::Deserialize;
use tokio::time::sleep;

use crate::client::{Call, Fault, Pool, Reply};
use crate::crowd::retry::Patience;
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
}

impl SaleError {
    /// A reply that ends the preparation.
    pub(super) fn refused(doing: String, reply: &Reply) -> Self {
        let body = String::from_utf8_lossy(&reply.body).chars().take(300).collect();
        Self::Refused { doing, status: reply.status, body }
    }
}

/// Sends `call` until it has a definite answer or the patience ends.
pub(super) async fn ask(
    pool: &Pool,
    call: &Call,
    patience: Patience,
    chance: &mut Xoshiro256PlusPlus,
) -> Result<Reply, Fault> {
    let mut made = 0_u32;
    loop {
        let result = pool.exchange(call).await;
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
