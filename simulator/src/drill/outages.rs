//! The database gone for a while, or there and silent: definite answers meanwhile, and a return
//! that needs nobody.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::sleep;

use super::findings::{Findings, in_millis, quantile};
use super::ground::{Ground, postgres};
use super::probe::{ANSWERED_WITHIN, Beat, Pace, served_after, times};
use super::scene::Scene;

/// Orders a second.
const PACE: u32 = 40;
/// In which the server has to find out.
const ONSET: Duration = Duration::from_secs(1);
/// A refusal that says "nothing happened" must cost no patience.
const DEFINITE_WITHIN: Duration = Duration::from_millis(50);
/// Without anybody's help.
pub(super) const HEALED_WITHIN: Duration = Duration::from_secs(2);

/// The database is stopped, connections and all.
pub(super) async fn down(ground: &Ground, findings: &mut Findings) -> Result<()> {
    let mut cluster = postgres().await?;
    let mut scene = Scene::open(ground, ground.on_database(&cluster).await?).await?;
    let (seconds, calm) = (ground.count(3, 30), calm(ground));
    let pace = Pace::start(&scene.shop, "down", PACE);
    ground.say("the database works");
    sleep(calm).await;
    ground.say(&format!("the database is down for {seconds} s"));
    cluster.stop().await?;
    let stopped = pace.so_far();
    sleep(Duration::from_secs(seconds)).await;
    let returning = pace.so_far();
    cluster.resume().await?;
    let returned = pace.so_far();
    ground.say("the database is back");
    sleep(calm + HEALED_WITHIN).await;
    let beats = scene.end(pace).await?;

    findings.note("orders sent", beats.len());
    findings.note("seconds without a database", returning.saturating_sub(stopped).as_secs());
    let onset = times(during(&beats, stopped, stopped + ONSET));
    findings.note("slowest answer of the first second, ms", in_millis(quantile(&onset, 1_000)));
    let dark: Vec<&Beat> = during(&beats, stopped + ONSET, returning).collect();
    let definite: Vec<&Beat> = dark.iter().copied().filter(|beat| beat.status() == 503).collect();
    findings.all("definite 503", definite.len(), dark.len());
    let times = times(definite);
    findings.goal(ground, "time to a 503, p99", quantile(&times, 990), DEFINITE_WITHIN);
    findings.note("time to a 503, slowest, ms", in_millis(quantile(&times, 1_000)));
    finish(ground, findings, scene, &beats, returned).await
}

/// The database is frozen: connections stand, and nothing comes.
pub(super) async fn frozen(ground: &Ground, findings: &mut Findings) -> Result<()> {
    let cluster = postgres().await?;
    let mut scene = Scene::open(ground, ground.on_database(&cluster).await?).await?;
    let (seconds, calm) = (ground.count(2, 30), calm(ground));
    let pace = Pace::start(&scene.shop, "frozen", PACE);
    sleep(calm).await;
    ground.say(&format!("the database is frozen for {seconds} s"));
    cluster.freeze().await?;
    sleep(Duration::from_secs(seconds)).await;
    cluster.thaw().await?;
    let thawed = pace.so_far();
    ground.say("the database goes on");
    sleep(calm + HEALED_WITHIN).await;
    let beats = scene.end(pace).await?;
    findings.note("orders sent", beats.len());
    let unknown = beats.iter().filter(|beat| beat.status() == 0).count();
    findings.note("outcomes unknown", unknown);
    finish(ground, findings, scene, &beats, thawed).await
}

/// Before the fault, and after it.
fn calm(ground: &Ground) -> Duration {
    Duration::from_secs(if ground.is_short() { 1 } else { 4 })
}

fn during(beats: &[Beat], from: Duration, to: Duration) -> impl Iterator<Item = &Beat> {
    beats.iter().filter(move |beat| from <= beat.at && beat.at < to)
}

/// What is demanded of the return and of the whole; then stock is taken.
async fn finish(
    ground: &Ground,
    findings: &mut Findings,
    mut scene: Scene,
    beats: &[Beat],
    returned: Duration,
) -> Result<()> {
    let healed = served_after(beats, returned);
    let healed = healed.context("nothing was acknowledged after the database was back")?;
    findings.goal(ground, "return → first acknowledged order", healed, HEALED_WITHIN);
    findings.within("slowest answer of all", quantile(&times(beats), 1_000), ANSWERED_WITHIN);
    if !scene.still_serves(findings) {
        scene.server.start().await?;
    }
    scene.reckon(ground, findings).await?;
    Ok(())
}
