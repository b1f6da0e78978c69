//! After the crowd: unknown outcomes are resolved, orders read, keys repeated, stock counted.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::index::sample;
use tokio::time::{Instant, sleep};

use super::ask::{ask, stock_of};
use super::{Plan, SIDE_CALLS, prepare};
use crate::checks::REPLAYS;
use crate::client::{Call, Pool};
use crate::crowd::retry::Patience;
use crate::record::{
    Answer, Attempt, OrderView, Outcome, Reading, Replay, Shelf, ShopperRecord, Stock, Verdict,
};

/// Time between two looks at something that has not settled.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// Tries per side call: the crowd is gone, so patience is cheap.
const TRIES: u32 = 8;

fn chance(plan: &Plan, number: u32) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(plan.seed.rotate_left(16) ^ u64::from(number))
}

fn again(record: &ShopperRecord) -> Call {
    let body = prepare::order_body(&record.product, record.quantity);
    Call::post("/v1/orders", record.key.clone(), body)
}

/// Repeats the keys of shoppers who do not know whether they bought; what comes is added
/// to their record as one more try.
pub(super) async fn resolve(pool: &Pool, plan: &Plan, records: &mut [ShopperRecord]) {
    let last = records.iter().flat_map(|record| &record.attempts).map(|attempt| attempt.finished);
    let intended = last.max().unwrap_or_default();
    let opened = Instant::now();
    let unsure = records.iter_mut().filter(|record| record.verdict() == Verdict::Unknown);
    stream::iter(unsure)
        .for_each_concurrent(SIDE_CALLS, async |record| {
            let mut chance = chance(plan, record.shopper);
            let result = ask(pool, &again(record), Patience::new(TRIES), &mut chance).await;
            record.attempts.push(Attempt {
                intended,
                finished: intended.saturating_add(opened.elapsed()),
                outcome: Outcome::from(result),
            });
        })
        .await;
}

/// Reads every acknowledged order; one whose payment is still open is read again until it
/// has settled or `deadline` has passed.
pub(super) async fn read_orders(
    pool: &Pool,
    plan: &Plan,
    records: &[ShopperRecord],
    deadline: Instant,
) -> Vec<Reading> {
    let promised = records.iter().filter_map(|record| {
        let order = record.accepted()?.order.as_ref()?;
        Some((record.shopper, order.facts.id.clone()))
    });
    stream::iter(promised)
        .map(|(shopper, order_id)| async move {
            let call = Call::get(format!("/v1/orders/{order_id}"));
            let mut chance = chance(plan, shopper);
            let found = loop {
                let found = read_order(pool, &call, &mut chance).await;
                let open = found.as_ref().is_ok_and(|order| order.is_open());
                if !open || Instant::now() >= deadline {
                    break found;
                }
                sleep(LOOK_AGAIN).await;
            };
            Reading { order_id, shopper, found }
        })
        .buffer_unordered(SIDE_CALLS)
        .collect()
        .await
}

async fn read_order(
    pool: &Pool,
    call: &Call,
    chance: &mut Xoshiro256PlusPlus,
) -> Result<Box<OrderView>, u16> {
    let reply = ask(pool, call, Patience::new(TRIES), chance).await.map_err(|_| 0_u16)?;
    let Answer { status, order, .. } = Answer::read(&reply);
    order.ok_or(status)
}

/// Repeats accepted keys: all of them, or a sample that the seed decides. Refused keys are
/// left alone, because a refused key may be judged afresh and would buy.
pub(super) async fn replay_keys(
    pool: &Pool,
    plan: &Plan,
    records: &[ShopperRecord],
) -> Vec<Replay> {
    let accepted: Vec<(&ShopperRecord, &str)> = records
        .iter()
        .filter_map(|record| {
            let order = record.accepted()?.order.as_ref()?;
            Some((record, order.facts.id.as_str()))
        })
        .collect();
    let drawn: BTreeSet<usize> =
        sample(&mut chance(plan, u32::MAX), accepted.len(), accepted.len().min(REPLAYS))
            .into_iter()
            .collect();
    stream::iter(drawn.into_iter().filter_map(|index| accepted.get(index).copied()))
        .map(|(record, first_id)| async move {
            let mut chance = chance(plan, record.shopper);
            let result = ask(pool, &again(record), Patience::new(TRIES), &mut chance).await;
            let first_id = first_id.to_owned();
            Replay { shopper: record.shopper, first_id, outcome: Outcome::from(result) }
        })
        .buffer_unordered(SIDE_CALLS)
        .collect()
        .await
}

/// Counts the stock of every product, waiting until `deadline` for holds to go away.
pub(super) async fn read_stock(pool: &Pool, plan: &Plan, shelves: &mut [Shelf], deadline: Instant) {
    stream::iter(shelves.iter_mut())
        .for_each_concurrent(SIDE_CALLS, async |shelf| {
            let call = Call::get(format!("/v1/products/{}", shelf.product));
            shelf.after = loop {
                let seen = look(pool, plan, &call).await;
                let settled = seen.is_none_or(|stock| stock.held <= shelf.before.held);
                if settled || Instant::now() >= deadline {
                    break seen;
                }
                sleep(LOOK_AGAIN).await;
            };
        })
        .await;
}

async fn look(pool: &Pool, plan: &Plan, call: &Call) -> Option<Stock> {
    let reply = ask(pool, call, Patience::new(TRIES), &mut chance(plan, 0)).await.ok()?;
    stock_of(&reply).ok()
}
