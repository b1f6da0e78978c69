//! The database gone for a while, or there and silent: definite answers meanwhile, and a return
//! that needs nobody.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::sleep;

use super::findings::{Findings, in_millis, quantile};
use super::ground::{Ground, postgres};
use super::probe::{Beat, Pace};
use super::scene::Scene;

/// Orders a second.
const PACE: u32 = 40;
/// In which the server has to find out.
const ONSET: Duration = Duration::from_secs(1);
/// A refusal that says "nothing happened" must cost no patience.
const DEFINITE_WITHIN: Duration = Duration::from_millis(50);
const HEALED_WITHIN: Duration = Duration::from_secs(2);
/// The longest time to any answer that the contract allows, and room for the rig.
const ANSWERED_WITHIN: Duration = Duration::from_millis(5_500);

/// The database is stopped, connections and all.
pub(super) async fn down(ground: &Ground) -> Result<Findings> {
    let mut findings = Findings::default();
    let mut cluster = postgres().await?;
    let mut scene = Scene::open(ground.on_database(&cluster).await?).await?;
    let (seconds, calm) = (ground.count(3, 30), calm(ground));
    let pace = Pace::start(&scene.shop, "down", PACE, &["plenty".to_owned()]);
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
    let beats = pace.stop().await;

    findings.note("orders sent", beats.len());
    findings.note("seconds without a database", returning.saturating_sub(stopped).as_secs());
    let onset = during(&beats, stopped, stopped + ONSET);
    findings.note("slowest answer of the first second, ms", in_millis(longest(&onset)));
    let dark = during(&beats, stopped + ONSET, returning);
    let definite: Vec<&Beat> = dark.iter().copied().filter(|beat| beat.status() == 503).collect();
    findings.demand("definite 503", definite.len(), "all", definite.len() == dark.len());
    let times: Vec<Duration> = definite.iter().map(|beat| beat.took).collect();
    findings.goal(ground, "time to a 503, p99", quantile(&times, 990), DEFINITE_WITHIN);
    findings.note("time to a 503, slowest, ms", in_millis(quantile(&times, 1_000)));
    healed(ground, &mut findings, &beats, returned, HEALED_WITHIN)?;
    findings.within("slowest answer of all", longest(&all(&beats)), ANSWERED_WITHIN);
    finish(ground, scene_with(&mut scene, beats, &mut findings), findings, scene).await
}

/// The database is frozen: connections stand, and nothing comes.
pub(super) async fn frozen(ground: &Ground) -> Result<Findings> {
    let mut findings = Findings::default();
    let cluster = postgres().await?;
    let mut scene = Scene::open(ground.on_database(&cluster).await?).await?;
    let (seconds, calm) = (ground.count(2, 30), calm(ground));
    let pace = Pace::start(&scene.shop, "frozen", PACE, &["plenty".to_owned()]);
    sleep(calm).await;
    ground.say(&format!("the database is frozen for {seconds} s"));
    cluster.freeze().await?;
    sleep(Duration::from_secs(seconds)).await;
    cluster.thaw().await?;
    let thawed = pace.so_far();
    ground.say("the database goes on");
    sleep(calm + HEALED_WITHIN).await;
    let beats = pace.stop().await;
    findings.note("orders sent", beats.len());
    let unknown = beats.iter().filter(|beat| matches!(beat.status(), 0 | 504)).count();
    findings.note("outcomes unknown", unknown);
    findings.within("slowest answer of all", longest(&all(&beats)), ANSWERED_WITHIN);
    healed(ground, &mut findings, &beats, thawed, HEALED_WITHIN)?;
    finish(ground, scene_with(&mut scene, beats, &mut findings), findings, scene).await
}

/// Before the fault, and after it.
fn calm(ground: &Ground) -> Duration {
    Duration::from_secs(if ground.is_short() { 1 } else { 4 })
}

/// From the return on: when the first order was acknowledged.
fn healed(
    ground: &Ground,
    findings: &mut Findings,
    beats: &[Beat],
    returned: Duration,
    within: Duration,
) -> Result<()> {
    let acknowledged = beats.iter().filter(|beat| matches!(beat.status(), 201 | 202));
    let ends = acknowledged.map(|beat| beat.at + beat.took).filter(|end| returned <= *end);
    let first = ends.min().context("nothing was acknowledged after the database was back")?;
    let took = first.saturating_sub(returned);
    findings.goal(ground, "return → first acknowledged order", took, within);
    Ok(())
}

fn during(beats: &[Beat], from: Duration, to: Duration) -> Vec<&Beat> {
    beats.iter().filter(|beat| from <= beat.at && beat.at < to).collect()
}

fn all(beats: &[Beat]) -> Vec<&Beat> {
    beats.iter().collect()
}

fn longest(beats: &[&Beat]) -> Duration {
    beats.iter().map(|beat| beat.took).max().unwrap_or_default()
}

/// Gives the scene what the pace was told, and says whether the server is the same process still.
fn scene_with(scene: &mut Scene, beats: Vec<Beat>, findings: &mut Findings) -> bool {
    scene.tries.extend(beats.into_iter().map(|beat| beat.attempt));
    let same = scene.server.is_running();
    findings.demand("the same process still serves", same, "true", same);
    same
}

async fn finish(
    ground: &Ground,
    runs: bool,
    mut findings: Findings,
    mut scene: Scene,
) -> Result<Findings> {
    if !runs {
        scene.server.start().await?;
    }
    scene.reckon(ground, &mut findings).await?;
    Ok(findings)
}
