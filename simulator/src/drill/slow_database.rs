//! Every message to PostgreSQL held up on its way: answers take longer, and stay bounded.

use std::time::Duration;

use acceptance_tests::proxy::Proxy;
use anyhow::{Context as _, Result};
use tokio::time::sleep;

use super::findings::{Findings, in_millis, quantile};
use super::ground::{Ground, postgres};
use super::probe::{Beat, Pace};
use super::scene::Scene;

/// Orders a second.
const PACE: u32 = 40;
/// How long each message is held up.
const DELAYS_MS: [u64; 4] = [5, 50, 200, 1_000];
/// The longest time to any answer that the contract allows, and room for the rig.
const ANSWERED_WITHIN: Duration = Duration::from_millis(5_500);

/// One delay after the other, from bad to worse.
pub(super) async fn run(ground: &Ground) -> Result<Findings> {
    let mut findings = Findings::default();
    let cluster = postgres().await?;
    let launch = ground.on_database(&cluster).await?;
    let proxy = Proxy::start(cluster.address()).await?;
    let database = launch.database().context("the store is a database")?;
    let url = database.url_through(&proxy.address());
    let mut scene = Scene::open(launch.variable("DATABASE_URL", &url)).await?;
    let seconds = ground.count(1, 10);
    for delay in DELAYS_MS {
        ground.say(&format!("each message takes {delay} ms longer"));
        proxy.hold_up(Duration::from_millis(delay));
        let pace = Pace::start(&scene.shop, &format!("slow-{delay}"), PACE, &["plenty".to_owned()]);
        sleep(Duration::from_secs(seconds)).await;
        let beats = pace.stop().await;
        tell(&mut findings, delay, &beats);
        scene.tries.extend(beats.into_iter().map(|beat| beat.attempt));
    }
    proxy.hold_up(Duration::ZERO);
    let same = scene.server.is_running();
    findings.demand("the same process still serves", same, "true", same);
    scene.reckon(ground, &mut findings).await?;
    Ok(findings)
}

fn tell(findings: &mut Findings, delay: u64, beats: &[Beat]) {
    findings.part(&format!("{delay} ms"));
    let acknowledged = beats.iter().filter(|beat| matches!(beat.status(), 201 | 202)).count();
    let times: Vec<Duration> = beats.iter().map(|beat| beat.took).collect();
    findings.demand("acknowledged", acknowledged, "> 0", 0 < acknowledged);
    findings.note("sent", beats.len());
    findings.note("p50 ms", in_millis(quantile(&times, 500)));
    findings.note("p99 ms", in_millis(quantile(&times, 990)));
    findings.within("slowest", quantile(&times, 1_000), ANSWERED_WITHIN);
    findings.part("");
}
