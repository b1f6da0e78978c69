//! After the crowd: unknown outcomes are resolved, orders read, keys repeated, stock counted.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::index::sample;
use tokio::time::{Instant, sleep};

use super::ask::{Clerk, stock_of};
use super::{Plan, SIDE_CALLS, prepare};
use crate::client::Call;
use crate::crowd::retry::Patience;
use crate::history::Ask;
use crate::record::{Answer, Attempt, Outcome, Shelf, ShopperRecord, Stock, Verdict};

/// Time between two looks at something that has not settled.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// Accepted keys that are repeated; of more than this many a sample is drawn.
const REPLAYS: usize = 2_000;
/// Tries per side call: the crowd is gone, so patience is cheap.
const TRIES: u32 = 8;

fn chance(plan: &Plan, number: u32) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(plan.seed.rotate_left(16) ^ u64::from(number))
}

/// Repeats the order of a shopper under its key.
async fn again(clerk: Clerk<'_>, plan: &Plan, record: &ShopperRecord) -> Outcome {
    let body = prepare::order_body(&record.product, record.quantity);
    let call = Call::post("/v1/orders", record.key.clone(), body);
    let question = prepare::order_ask(&record.product, record.quantity);
    let mut chance = chance(plan, record.shopper);
    clerk.ask(&call, &question, Patience::new(TRIES), &mut chance).await.into()
}

/// Repeats the keys of shoppers who do not know whether they bought; what comes is added
/// to their record as one more try.
pub(super) async fn resolve(clerk: Clerk<'_>, plan: &Plan, records: &mut [ShopperRecord]) {
    let last = records.iter().flat_map(|record| &record.attempts).map(|attempt| attempt.finished);
    let intended = last.max().unwrap_or_default();
    let opened = Instant::now();
    let unsure = records.iter_mut().filter(|record| record.verdict() == Verdict::Unknown);
    stream::iter(unsure)
        .for_each_concurrent(SIDE_CALLS, async |record| {
            let outcome = again(clerk, plan, record).await;
            let finished = intended.saturating_add(opened.elapsed());
            record.attempts.push(Attempt { intended, finished, outcome });
        })
        .await;
}

/// Reads every acknowledged order; one whose payment is still open is read again until it
/// has settled or `deadline` has passed.
pub(super) async fn read_orders(
    clerk: Clerk<'_>,
    plan: &Plan,
    records: &[ShopperRecord],
    deadline: Instant,
) {
    let promised = records.iter().filter_map(|record| {
        let order = record.accepted()?.order.as_ref()?;
        Some((record.shopper, order.facts.id.as_str()))
    });
    stream::iter(promised)
        .for_each_concurrent(SIDE_CALLS, async |(shopper, id)| {
            let call = Call::get(format!("/v1/orders/{id}"));
            let question = Ask::Read(id.into());
            let mut chance = chance(plan, shopper);
            loop {
                let patience = Patience::new(TRIES);
                let found = clerk.ask(&call, &question, patience, &mut chance).await;
                let found = found.ok().and_then(|reply| Answer::read(&reply).order);
                let open = found.is_some_and(|order| order.is_open());
                if !open || Instant::now() >= deadline {
                    break;
                }
                sleep(LOOK_AGAIN).await;
            }
        })
        .await;
}

/// Repeats accepted keys: all of them, or a sample that the seed decides. Refused keys are
/// left alone, because a refused key may be judged afresh and would buy.
pub(super) async fn replay_keys(clerk: Clerk<'_>, plan: &Plan, records: &[ShopperRecord]) {
    let accepted: Vec<&ShopperRecord> =
        records.iter().filter(|record| record.accepted().is_some()).collect();
    let drawn: BTreeSet<usize> =
        sample(&mut chance(plan, u32::MAX), accepted.len(), accepted.len().min(REPLAYS))
            .into_iter()
            .collect();
    stream::iter(drawn.into_iter().filter_map(|index| accepted.get(index)))
        .for_each_concurrent(SIDE_CALLS, async |record| {
            again(clerk, plan, record).await;
        })
        .await;
}

/// Counts the stock of every product, waiting until `deadline` for holds to go away.
pub(super) async fn read_stock(
    clerk: Clerk<'_>,
    plan: &Plan,
    shelves: &mut [Shelf],
    deadline: Instant,
) {
    stream::iter(shelves.iter_mut())
        .for_each_concurrent(SIDE_CALLS, async |shelf| {
            shelf.after = loop {
                let seen = look(clerk, plan, &shelf.product).await;
                let settled = seen.is_none_or(|stock| stock.held <= shelf.before.held);
                if settled || Instant::now() >= deadline {
                    break seen;
                }
                sleep(LOOK_AGAIN).await;
            };
        })
        .await;
}

async fn look(clerk: Clerk<'_>, plan: &Plan, product: &str) -> Option<Stock> {
    let call = Call::get(format!("/v1/products/{product}"));
    let (question, patience) = (Ask::Look(product.into()), Patience::new(TRIES));
    let reply = clerk.ask(&call, &question, patience, &mut chance(plan, 0)).await.ok()?;
    stock_of(&reply).ok()
}
