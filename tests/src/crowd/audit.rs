//! The reckoning after a drill: what the crowd was told against what the shop says now.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;

use super::{Outcome, Try};
use crate::shop::{Answer, Shop};
use crate::wait;

/// Requests under way at once.
const WIDTH: usize = 16;
/// Twice the longest timer of a drill, and room for a busy machine.
const SETTLED_WITHIN: Duration =
    if cfg!(test) { Duration::from_millis(200) } else { Duration::from_mins(1) };

/// A product and what was on its shelf before the drill.
#[derive(Clone, Debug)]
pub struct Shelf {
    /// The product.
    pub product: String,
    /// Units at the start.
    pub units: i64,
}

/// What the reckoning found. Everything after `unknown` must be zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Orders that were acknowledged, in the drill or when their key was repeated.
    pub acked: usize,
    /// Those of them that are paid for.
    pub paid: usize,
    /// Orders that came to nothing before they were acknowledged for good: 402.
    pub failed: usize,
    /// Definite refusals.
    pub refused: usize,
    /// Keys whose first outcome was unknown.
    pub unknown: usize,
    /// Acknowledged orders that cannot be read, or read differently.
    pub lost: usize,
    /// Keys whose repeat named another order.
    pub changed: usize,
    /// Orders in the list beyond those that the crowd knows.
    pub duplicated: i64,
    /// Units sold beyond what there was.
    pub oversold: i64,
    /// Units by which a shelf and the paid orders disagree.
    pub unbalanced: i64,
    /// Units still held when every hold must have ended.
    pub held: i64,
    /// Orders that are neither paid nor failed.
    pub stuck: usize,
    /// Answers that the contract does not have.
    pub foreign: usize,
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "acked={} paid={} failed={} refused={} unknown={} lost={} changed={} duplicated={} oversold={} \
             unbalanced={} held={} stuck={} foreign={}",
            self.acked,
            self.paid,
            self.failed,
            self.refused,
            self.unknown,
            self.lost,
            self.changed,
            self.duplicated,
            self.oversold,
            self.unbalanced,
            self.held,
            self.stuck,
            self.foreign
        )
    }
}

impl Audit {
    /// Repeats every key, reads every order and every shelf, and waits for the rest to settle.
    ///
    /// Unknown keys are asked until they have a definite answer, as a client would. The server
    /// must have had an empty list of orders before the drill.
    pub async fn take(shop: &Shop, tries: &[Try], shelves: &[Shelf]) -> Result<Self> {
        let mut audit = Self {
            unknown: tries.iter().filter(|t| matches!(t.outcome, Outcome::Unknown)).count(),
            ..Self::default()
        };
        let verdicts: Vec<Verdict> = stream::iter(tries)
            .map(|attempt| Verdict::of(shop, attempt))
            .buffer_unordered(WIDTH)
            .try_collect()
            .await?;
        let (mut ids, mut failed) = (BTreeSet::new(), BTreeSet::new());
        for verdict in verdicts {
            audit.lost += usize::from(verdict.lost);
            audit.changed += usize::from(verdict.changed);
            audit.foreign += usize::from(verdict.foreign);
            match verdict.order {
                Some(id) if verdict.failed => {
                    failed.insert(id);
                }
                Some(id) => {
                    ids.insert(id);
                }
                None => audit.refused += 1,
            }
        }
        audit.acked = ids.len();
        audit.failed = failed.len();
        audit.settle(shop, &ids, shelves).await?;
        // What came to nothing is looked at in the end as well.
        sold(shop, &failed).await?;
        audit.count_duplicates(shop).await?;
        Ok(audit)
    }

    /// Fails unless everything that must be zero is.
    pub fn clean(&self) -> Result<()> {
        let good = Self {
            acked: self.acked,
            paid: self.paid,
            failed: self.failed,
            refused: self.refused,
            unknown: self.unknown,
            ..Self::default()
        };
        ensure!(*self == good, "the reckoning does not come out even: {self}");
        Ok(())
    }

    /// Waits until no hold and no undecided order is left, then compares shelves with orders.
    async fn settle(
        &mut self,
        shop: &Shop,
        ids: &BTreeSet<String>,
        shelves: &[Shelf],
    ) -> Result<()> {
        let settled = wait::until("holds and orders settle", SETTLED_WITHIN, || async {
            let sold = sold(shop, ids).await?;
            let mut held = 0;
            for shelf in shelves {
                held += shop.stock(&shelf.product).await?.held;
            }
            ensure!(held == 0 && sold.undecided == 0, "{held} held, {} undecided", sold.undecided);
            Ok(())
        });
        if settled.await.is_err() {
            // The figures below say what is left.
        }
        let sold = sold(shop, ids).await?;
        self.stuck = sold.undecided;
        self.paid = sold.paid;
        for shelf in shelves {
            let stock = shop.stock(&shelf.product).await?;
            let bought = sold.lines.iter().filter(|(product, _)| *product == shelf.product);
            let bought: i64 = bought.map(|(_, quantity)| quantity).sum();
            self.held += stock.held;
            self.oversold += (bought.max(stock.sold) - shelf.units).max(0);
            self.unbalanced += (stock.sold - bought).abs()
                + (stock.on_hand + stock.sold - shelf.units).abs()
                + (stock.held + stock.available - stock.on_hand).abs();
        }
        Ok(())
    }

    /// The list follows the journal: it is asked until it has caught up.
    async fn count_duplicates(&mut self, shop: &Shop) -> Result<()> {
        let expected = i64::try_from(self.acked + self.failed)?;
        let total = wait::until("the list of orders is complete", SETTLED_WITHIN, || {
            let shop = shop.clone();
            async move {
                let total = shop.get("/v1/orders?limit=1").await?.expect(200)?.int("/total")?;
                if total >= expected { Ok(total) } else { bail!("{total} of {expected} orders") }
            }
        });
        self.duplicated = total.await? - expected;
        Ok(())
    }
}

struct Sold {
    paid: usize,
    undecided: usize,
    lines: Vec<(String, i64)>,
}

/// Reads all orders: what the paid ones took, and how many are not decided.
async fn sold(shop: &Shop, ids: &BTreeSet<String>) -> Result<Sold> {
    let orders: Vec<Answer> =
        stream::iter(ids).map(|id| shop.order(id)).buffer_unordered(WIDTH).try_collect().await?;
    let mut sold = Sold { paid: 0, undecided: 0, lines: Vec::new() };
    for order in orders {
        // A missing order has been counted as lost already.
        if order.status != 200 {
            continue;
        }
        match order.text("/payment_status")? {
            "paid" => {
                sold.paid += 1;
                for item in order.list("/items")? {
                    let product = item.get("product_id").and_then(Value::as_str);
                    let quantity = item.get("quantity").and_then(Value::as_i64);
                    let line = product.zip(quantity).context("an item without a product")?;
                    sold.lines.push((line.0.to_owned(), line.1));
                }
            }
            "failed" | "refunded" => {}
            _ => sold.undecided += 1,
        }
    }
    Ok(sold)
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a finding of its own")]
struct Verdict {
    order: Option<String>,
    failed: bool,
    lost: bool,
    changed: bool,
    foreign: bool,
}

impl Verdict {
    /// Repeats one key and reads the order that it names.
    async fn of(shop: &Shop, attempt: &Try) -> Result<Self> {
        let mut verdict = Self::default();
        let first = match &attempt.outcome {
            Outcome::Refused(answer) => {
                verdict.refused(answer);
                return Ok(verdict);
            }
            Outcome::Acked(answer) => Some(answer),
            Outcome::Unknown => None,
        };
        let again = definite(shop, attempt).await?;
        match (first, again) {
            (_, Outcome::Acked(again)) => {
                let id = again.text("/id")?.to_owned();
                let first = first.unwrap_or(&again);
                verdict.changed = !same_order(first, &again)?;
                let read = shop.order(&id).await?;
                verdict.lost = read.status != 200 || !same_order(first, &read)?;
                verdict.order = Some(first.text("/id")?.to_owned());
            }
            // Only what was still open may have come to nothing since.
            (Some(first), Outcome::Refused(again)) if first.status == 202 => {
                verdict.refused(&again);
                verdict.lost = verdict.order.as_deref() != Some(first.text("/id")?);
            }
            (Some(first), _) => {
                verdict.lost = true;
                verdict.order = Some(first.text("/id")?.to_owned());
            }
            (None, Outcome::Refused(answer)) => verdict.refused(&answer),
            (None, Outcome::Unknown) => {}
        }
        Ok(verdict)
    }

    /// Books a definite no: nothing happened, or an order is recorded that came to nothing.
    fn refused(&mut self, answer: &Answer) {
        if answer.status == 402 {
            self.order = answer.text("/order_id").ok().map(str::to_owned);
            self.failed = self.order.is_some();
        }
        self.foreign = !self.failed && !is_honest_refusal(answer);
    }
}

/// Repeats a key until the answer is definite.
async fn definite(shop: &Shop, attempt: &Try) -> Result<Outcome> {
    wait::until("a repeated key has a definite answer", SETTLED_WITHIN, || async {
        match Outcome::of(shop.place(&attempt.key, &attempt.order).await) {
            Outcome::Unknown => bail!("{}: still unknown", attempt.key),
            Outcome::Refused(answer) if answer.status == 503 => {
                bail!("{}: {}", attempt.key, answer.body)
            }
            definite => Ok(definite),
        }
    })
    .await
}

/// What must never change once an order was acknowledged.
fn same_order(one: &Answer, other: &Answer) -> Result<bool> {
    for field in ["/id", "/items", "/total"] {
        if one.at(field)? != other.at(field)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A shopper of a sale may hear "sold out" and "not now", and nothing else.
fn is_honest_refusal(answer: &Answer) -> bool {
    let code = answer.body.get("code").and_then(Value::as_str).unwrap_or_default();
    matches!((answer.status, code), (409, "insufficient_stock") | (429 | 503, _))
        && answer.body.get("retryable").is_some_and(Value::is_boolean)
}
