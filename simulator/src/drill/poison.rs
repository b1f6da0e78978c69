//! A stored event that cannot be read: its own entity is left alone, everybody else goes on.

use std::time::Duration;

use acceptance_tests::shop::{card_order, fresh_key};
use acceptance_tests::store;
use anyhow::{Result, ensure};
use tokio::time::sleep;

use super::findings::{Findings, in_millis, quantile};
use super::ground::Ground;
use super::probe::{Pace, times};
use super::scene::Scene;

/// Orders a second, for the poisoned product and for another.
const PACE: u32 = 40;
const POISONED: &str = "poisoned";

/// Damages the first event of a product's stock while the server is down.
pub(super) async fn run(ground: &Ground) -> Result<Findings> {
    let mut findings = Findings::default();
    // A stock that is read from its events, not from a snapshot.
    let mut scene = Scene::open(ground, ground.on_file()?).await?;
    scene.shop.stocked(POISONED, 1_250, 100).await?;
    // Carried out before the server leaves, so that its row is one of its own.
    for _ in 0..3 {
        scene.server.terminate().await?;
        scene.server.start().await?;
    }
    // A shard whose last row is damaged is not written to at all: its end cannot be trusted.
    let behind = scene.shop.place(&fresh_key("behind"), &card_order(POISONED, 1, "tok_ok")).await?;
    ensure!(behind.status == 201, "{}: {}", behind.status, behind.body);
    scene.server.terminate().await?;
    store::damage_first_event(scene.server.launch(), &format!("inventory/{POISONED}")).await?;
    scene.server.start().await?;
    let seconds = ground.count(2, 20);
    ground.say(&format!("one poisoned stock for {seconds} s"));
    let others = Pace::start(&scene.shop, "others", PACE);
    let poisoned = Pace::among(&scene.shop, "poisoned", PACE, &[POISONED.to_owned()]);
    sleep(Duration::from_secs(seconds)).await;
    let (others, poisoned) = (scene.end(others).await, scene.end(poisoned).await);
    let refused = poisoned.iter().filter(|beat| beat.status() == 503).count();
    findings.note("orders for it", poisoned.len());
    findings.demand("answered 503", refused, "all", refused == poisoned.len());
    findings.note("time to a 503, p99, ms", in_millis(quantile(&times(&poisoned), 990)));
    let served = others.iter().filter(|beat| beat.status() == 201).count();
    findings.note("orders for another product", others.len());
    findings.demand("acknowledged", served, "all", served == others.len());
    scene.still_serves(&mut findings);
    let after = scene.shop.place(&fresh_key("after"), &card_order("mouse", 1, "tok_ok")).await?;
    ensure!(after.status == 201, "{}: {}", after.status, after.body);
    ground.keep_log(scene.server.log_tail());
    scene.server.terminate().await?;
    let found = scene.server.launch().verify().await;
    let is_found = found.as_ref().is_err_and(|words| format!("{words:#}").contains("R16"));
    findings.demand("millrace verify finds the damage", is_found, "true", is_found);
    Ok(findings)
}
