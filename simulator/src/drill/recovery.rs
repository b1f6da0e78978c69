//! `kill -9` with a long journal: how long until the first order is acknowledged again.

use std::time::Duration;

use acceptance_tests::server::Server;
use acceptance_tests::shop::Shop;
use acceptance_tests::wait;
use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::findings::{Findings, in_millis, quantile};
use super::ground::Ground;
use super::probe::{AT_ONCE, PRODUCT, insist};

/// Products, and lines of an order that spread over them.
const PRODUCTS: usize = 50;
const LINES: usize = 20;
const UNITS: i64 = 1_000_000;
/// Orders on their way at once while the journal grows, and reads when it is checked.
const WIDTH: usize = 64;
/// Orders between two looks at the length of the journal.
const STRETCH: usize = 500;
/// The journal's length.
const EVENTS: u64 = 1_000_000;
const EVENTS_SHORT: u64 = 20_000;
const BACK_WITHIN: Duration = Duration::from_mins(1);
const GOAL: Duration = Duration::from_secs(1);

/// Fills a journal, then kills and starts again and again.
pub(super) async fn run(ground: &Ground, findings: &mut Findings) -> Result<()> {
    let length = if ground.is_short() { EVENTS_SHORT } else { EVENTS };
    let kills = ground.count(3, 100);
    for store in ground.stores() {
        findings.part(store.name());
        let (launch, _cluster) = ground.on(store).await?;
        let mut server = launch.start().await?;
        let shop = server.shop()?;
        for number in 0..PRODUCTS {
            shop.stocked(&product(number), 1_250, UNITS).await?;
        }
        shop.stocked(PRODUCT, 1_250, UNITS).await?;
        let mut orders = fill(ground, &shop, length).await?;
        findings.note("events", events(&shop).await?);
        findings.note("orders", orders.len());
        let mut back = Vec::new();
        for number in 0..kills {
            ground.say(&format!("kill {} of {kills} on {}", number + 1, store.name()));
            let (took, order) = kill_and_return(&mut server, &shop, number).await?;
            // Acknowledged a moment before the next kill, so this is what can be lost.
            orders.push(order);
            if back.iter().all(|earlier| *earlier < took) {
                // What the slowest start said is worth reading when the goal is missed.
                ground.keep_log(server.log_tail());
            }
            back.push(took);
        }
        findings.note("kills", back.len());
        findings.note("kill → first acknowledged order, p50, ms", in_millis(quantile(&back, 500)));
        findings.goal(ground, "kill → first acknowledged order, p99", quantile(&back, 990), GOAL);
        findings.note(
            "kill → first acknowledged order, slowest, ms",
            in_millis(quantile(&back, 1_000)),
        );
        ground.say("reading every order");
        let lost = lost(&shop, &orders).await?;
        findings.zero("acknowledged orders lost", i128::try_from(lost)?);
        server.terminate().await?;
        let verified = server.launch().verify().await;
        findings.demand("journal is sound", verified.is_ok(), "true", verified.is_ok());
        verified.context("the journal is not sound")?;
    }
    Ok(())
}

fn product(number: usize) -> String {
    format!("shelf-{number}")
}

/// Places orders until the journal is that long, and gives their ids.
async fn fill(ground: &Ground, shop: &Shop, length: u64) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    loop {
        let so_far = events(shop).await?;
        ground.say(&format!("{so_far} of {length} events"));
        if length <= so_far {
            return Ok(ids);
        }
        let from = ids.len();
        let placing = stream::iter(from..from + STRETCH).map(|number| async move {
            let placed = wait::until("an order is placed", BACK_WITHIN, move || async move {
                shop.place(&format!("fill-{number}"), &order(number)).await?.expect(201)
            });
            let answer = placed.await?;
            anyhow::Ok(answer.text("/id")?.to_owned())
        });
        ids.extend(placing.buffer_unordered(WIDTH).try_collect::<Vec<_>>().await?);
    }
}

/// An order of many lines, paid on delivery: as many events as possible for a request.
fn order(number: usize) -> Value {
    let line = |line| json!({"product_id": product((number + line) % PRODUCTS), "quantity": 1});
    let items: Vec<Value> = (0..LINES).map(line).collect();
    json!({"customer_id": "shopper-1", "items": items, "payment": {"method": "cod"}})
}

/// Events that the server has written since it was started.
async fn events(shop: &Shop) -> Result<u64> {
    let metrics = shop.get("/metrics").await?.expect(200)?;
    let text = metrics.body.as_str().context("the metrics are no text")?;
    let counts = text.lines().filter(|line| line.starts_with("millrace_journal_events_total{"));
    counts
        .map(|line| line.rsplit(' ').next().unwrap_or_default().parse::<u64>())
        .sum::<Result<u64, _>>()
        .context("a count of events")
}

async fn kill_and_return(
    server: &mut Server,
    shop: &Shop,
    number: u64,
) -> Result<(Duration, String)> {
    server.kill().await?;
    let began = Instant::now();
    server.start_without_waiting()?;
    let back = insist(shop, format!("back-{number}"), AT_ONCE, BACK_WITHIN).await?;
    let took = began.elapsed();
    let order = back.attempt.outcome.order_id().context("an order without an id")?;
    Ok((took, order.to_owned()))
}

/// How many orders cannot be read.
async fn lost(shop: &Shop, orders: &[String]) -> Result<usize> {
    let reading = stream::iter(orders).map(|id| {
        wait::until("an order can be read", BACK_WITHIN, move || async move {
            let status = shop.order(id).await?.status;
            // Only a definite answer counts; a crowd of readers may be told to come again.
            ensure!(matches!(status, 200 | 404), "{id}: {status}");
            Ok(status)
        })
    });
    let statuses: Vec<u16> = reading.buffer_unordered(WIDTH).try_collect().await?;
    Ok(statuses.into_iter().filter(|status| *status == 404).count())
}
