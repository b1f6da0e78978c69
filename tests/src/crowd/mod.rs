//! A crowd that buys until it is told to stop, and remembers outside the server what it was told.

mod audit;
mod money;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

pub use self::audit::{Audit, Shelf};
pub use self::money::Money;
use crate::shop::{Answer, Shop, card_order};

/// Long enough for a burst on a busy machine; only a server that hangs reaches it.
const BURST_WITHIN: Duration = Duration::from_mins(2);
/// Every so many orders the shopper is impatient and sends the same key twice at once.
const IMPATIENT: u64 = 5;

/// What a shopper knows about one key.
#[derive(Clone, Debug)]
pub struct Try {
    /// The idempotency key.
    pub key: String,
    /// The body that was sent.
    pub order: Value,
    /// What came back.
    pub outcome: Outcome,
}

/// The three things that an answer can mean.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The order exists: 201 or 202.
    Acked(Answer),
    /// A definite "nothing happened".
    Refused(Answer),
    /// No answer, or 504: only the same key may be tried again.
    Unknown,
}

impl Outcome {
    /// Reads an answer as the contract words it.
    pub fn of(answer: Result<Answer>) -> Self {
        match answer {
            Ok(answer) if matches!(answer.status, 200..=202) => Self::Acked(answer),
            Ok(answer) if answer.status == 504 => Self::Unknown,
            Ok(answer) => Self::Refused(answer),
            Err(_) => Self::Unknown,
        }
    }

    /// The id of the order, when there is one.
    pub fn order_id(&self) -> Option<&str> {
        match self {
            Self::Acked(answer) => answer.body.get("id").and_then(Value::as_str),
            Self::Refused(_) | Self::Unknown => None,
        }
    }
}

/// A running burst.
#[derive(Debug)]
pub struct Burst {
    shoppers: JoinSet<Result<Vec<Try>>>,
    leave: Arc<AtomicBool>,
    answers: watch::Receiver<u64>,
    acknowledged: watch::Receiver<u64>,
}

impl Burst {
    /// Sends `shoppers` clients in. Each buys single units of the products in turn, by card.
    /// Keys start with `name`, which no other burst against the same server may use.
    pub fn start(shop: &Shop, name: &str, shoppers: u64, products: &[&str]) -> Self {
        let leave = Arc::new(AtomicBool::new(false));
        let ((count, answers), (bought, acknowledged)) = (watch::channel(0), watch::channel(0));
        let (count, bought) = (Arc::new(count), Arc::new(bought));
        let next = Arc::new(AtomicU64::new(0));
        let mut crowd = JoinSet::new();
        for _ in 0..shoppers {
            let shopper = Shopper {
                shop: shop.clone(),
                name: name.to_owned(),
                products: products.iter().map(|product| (*product).to_owned()).collect(),
                next: Arc::clone(&next),
                leave: Arc::clone(&leave),
                count: Arc::clone(&count),
                bought: Arc::clone(&bought),
            };
            crowd.spawn(shopper.buy());
        }
        Self { shoppers: crowd, leave, answers, acknowledged }
    }

    /// Waits until that many orders more are acknowledged.
    pub async fn served_after_now(&mut self, more: u64) -> Result<()> {
        let mut acknowledged = self.acknowledged.clone();
        let enough = acknowledged.borrow().saturating_add(more);
        let waited = timeout(BURST_WITHIN, acknowledged.wait_for(|count| *count >= enough)).await;
        let so_far = *self.acknowledged.borrow();
        waited
            .with_context(|| format!("{so_far} of {enough} orders, then none"))?
            .with_context(|| format!("all shoppers left after {so_far} of {enough} orders"))?;
        Ok(())
    }

    /// Waits until that many definite answers have come.
    pub async fn answered(&mut self, enough: u64) -> Result<()> {
        let mut answers = self.answers.clone();
        let waited = timeout(BURST_WITHIN, answers.wait_for(|count| *count >= enough)).await;
        let so_far = self.so_far();
        waited
            .with_context(|| format!("{so_far} of {enough} answers, then none"))?
            .with_context(|| format!("all shoppers left after {so_far} of {enough} answers"))?;
        Ok(())
    }

    /// How many definite answers have come so far.
    pub fn so_far(&self) -> u64 {
        *self.answers.borrow()
    }

    /// Calls the shoppers home and gives what they know.
    pub async fn stop(mut self) -> Result<Vec<Try>> {
        self.leave.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        while let Some(tries) = self.shoppers.join_next().await {
            all.extend(tries??);
        }
        Ok(all)
    }
}

struct Shopper {
    shop: Shop,
    name: String,
    products: Vec<String>,
    next: Arc<AtomicU64>,
    leave: Arc<AtomicBool>,
    count: Arc<watch::Sender<u64>>,
    bought: Arc<watch::Sender<u64>>,
}

impl Shopper {
    async fn buy(self) -> Result<Vec<Try>> {
        let mut tries = Vec::new();
        while !self.leave.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let turn = usize::try_from(number)? % self.products.len();
            let product = self.products.get(turn).context("nothing to buy")?;
            let (key, order) =
                (format!("{}-{number}", self.name), card_order(product, 1, "tok_ok"));
            let outcome = self.place(number, &key, &order).await?;
            let gone = matches!(outcome, Outcome::Unknown);
            if matches!(outcome, Outcome::Acked(_)) {
                self.bought.send_modify(|count| *count += 1);
            }
            tries.push(Try { key, order, outcome });
            if gone {
                // A server that does not answer is not hammered; the audit asks again.
                tokio::task::yield_now().await;
                if self.shop.get("/health/live").await.is_err() {
                    break;
                }
            } else {
                self.count.send_modify(|count| *count += 1);
            }
        }
        Ok(tries)
    }

    async fn place(&self, number: u64, key: &str, order: &Value) -> Result<Outcome> {
        if !number.is_multiple_of(IMPATIENT) {
            return Ok(Outcome::of(self.shop.place(key, order).await));
        }
        let (one, two) = futures::join!(self.shop.place(key, order), self.shop.place(key, order));
        let (one, two) = (Outcome::of(one), Outcome::of(two));
        if let (Some(first), Some(second)) = (one.order_id(), two.order_id()) {
            ensure!(first == second, "one key, two orders: {first} and {second}");
        }
        // One "yes" settles both; without one, a doubt about either is a doubt about the key.
        Ok(match (one, two) {
            (Outcome::Acked(answer), _) | (_, Outcome::Acked(answer)) => Outcome::Acked(answer),
            (Outcome::Unknown, _) | (_, Outcome::Unknown) => Outcome::Unknown,
            (refused, _) => refused,
        })
    }
}
