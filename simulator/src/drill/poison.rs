//! A stored event that cannot be read: its own entity is left alone, everybody else goes on.

use std::time::Duration;

use acceptance_tests::store;
use anyhow::Result;
use serde_json::json;
use tokio::time::sleep;

use super::findings::{Findings, in_millis, quantile};
use super::ground::Ground;
use super::probe::{Pace, times};
use super::scene::Scene;

/// Orders a second, for the poisoned product and for another.
const PACE: u32 = 40;
const POISONED: &str = "poisoned";

/// Damages the first event of a product's stock while the server is down.
pub(super) async fn run(ground: &Ground, findings: &mut Findings) -> Result<()> {
    // A stock that is read from its events, not from a snapshot.
    let mut scene = Scene::open(ground, ground.on_file()?).await?;
    // No history can be told of what cannot be read, so nobody writes down what is asked about it.
    let unheard = scene.server.shop()?;
    unheard.stocked(POISONED, 1_250, 100).await?;
    // Carried out before the server leaves, so that its row is one of its own.
    for _ in 0..3 {
        scene.server.terminate().await?;
        scene.server.start().await?;
    }
    // A shard whose last row is damaged is not written to at all: its end cannot be trusted.
    let more = json!({"delta": 1, "reason": "delivery"});
    unheard.post(&format!("/v1/products/{POISONED}/stock"), &more).await?.expect(200)?;
    scene.server.terminate().await?;
    store::damage_first_event(scene.server.launch(), &format!("inventory/{POISONED}")).await?;
    scene.server.start().await?;
    let seconds = ground.count(2, 20);
    ground.say(&format!("one poisoned stock for {seconds} s"));
    let others = Pace::start(&scene.shop, "others", PACE);
    let poisoned = Pace::among(&unheard, "poisoned", PACE, &[POISONED.to_owned()]);
    sleep(Duration::from_secs(seconds)).await;
    let (others, poisoned) = (scene.end(others).await?, poisoned.stop().await?);
    let refused = poisoned.iter().filter(|beat| beat.status() == 503).count();
    findings.note("orders for it", poisoned.len());
    findings.all("answered 503", refused, poisoned.len());
    findings.note("time to a 503, p99, ms", in_millis(quantile(&times(&poisoned), 990)));
    let served = others.iter().filter(|beat| beat.status() == 201).count();
    findings.note("orders for another product", others.len());
    findings.all("acknowledged", served, others.len());
    scene.still_serves(findings);
    scene.take_stock(findings).await?;
    ground.keep_log(scene.server.log_tail());
    scene.server.terminate().await?;
    let found = scene.server.launch().verify().await;
    let words = found.err().map(|words| format!("{words:#}")).unwrap_or_default();
    let told: Vec<&str> =
        words.lines().filter_map(|line| line.strip_prefix("violation: ")).collect();
    let damaged = told.iter().filter(|words| words.starts_with("R16 ")).count();
    findings.all("violations that millrace verify tells, of them R16", damaged, told.len());
    Ok(())
}
