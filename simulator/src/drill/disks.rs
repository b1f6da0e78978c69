//! The disk under the embedded store: full, given up, failing to sync, slow.

use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::time::{Instant, sleep};

use super::findings::Findings;
use super::ground::Ground;
use super::machine;
use super::probe::{Pace, served_after};
use super::scene::Scene;

/// Orders a second.
const PACE: u32 = 40;
const SHOPPERS: u64 = 16;
const HEALED_WITHIN: Duration = Duration::from_secs(2);
const BACK_WITHIN: Duration = Duration::from_mins(1);
const SIGABRT: i32 = 6;
/// The file whose syncs make commits durable.
const LOG: &str = "millrace.db-wal";

/// The disk is full, and then it is not.
pub(super) async fn full(ground: &Ground, findings: &mut Findings) -> Result<()> {
    let mount = machine::memory(64).await?;
    let launch = ground.on_file()?.data_in(&mount.folder().join("data"));
    let mut scene = Scene::open(ground, launch).await?;
    let seconds = ground.count(2, 20);
    let pace = Pace::start(&scene.shop, "full", PACE);
    sleep(Duration::from_secs(1)).await;
    ground.say(&format!("the disk is full for {seconds} s"));
    mount.fill_but(256 * 1_024)?;
    let filled = pace.so_far();
    sleep(Duration::from_secs(seconds)).await;
    let read = scene.shop.get("/v1/products/plenty").await;
    let reads = read.is_ok_and(|answer| answer.status == 200);
    let runs = scene.server.is_running();
    mount.empty()?;
    let emptied = pace.so_far();
    if !runs {
        scene.server.start().await?;
    }
    ground.say("there is room again");
    sleep(HEALED_WITHIN).await;
    let beats = scene.end(pace).await?;

    let count = |statuses: &[u16]| {
        let dark = beats.iter().filter(|beat| filled <= beat.at && beat.at < emptied);
        dark.filter(|beat| statuses.contains(&beat.status())).count()
    };
    findings.demand("definite 503 while it was full", count(&[503]), "> 0", 0 < count(&[503]));
    findings.note("acknowledged while it was full", count(&[201, 202]));
    findings.note("outcomes unknown while it was full", count(&[0]));
    findings.demand("reads while it was full", reads, "true", reads);
    findings.demand("the same process still serves", runs, "true", runs);
    let healed = served_after(&beats, emptied);
    let healed = healed.context("nothing was acknowledged after there was room again")?;
    findings.goal(ground, "room → first acknowledged order", healed, HEALED_WITHIN);
    scene.reckon(ground, findings).await?;
    Ok(())
}

/// The file system gives itself up and is read-only; it is repaired, and the server started again.
pub(super) async fn given_up(ground: &Ground, findings: &mut Findings) -> Result<()> {
    let mount = machine::disk(64).await?;
    let launch = ground.on_file()?.data_in(&mount.folder().join("data"));
    let mut scene = Scene::open(ground, launch).await?;
    let rounds = ground.count(1, 10);
    let mut ended_itself = 0_u64;
    for round in 0..rounds {
        ground.say(&format!("the disk gives up, {} of {rounds}", round + 1));
        let mut burst = scene.burst(SHOPPERS);
        burst.answered(50).await?;
        // A sync that meets this moment may be told as done by the kernel and undone by the repair,
        // whoever asks for it; so nobody is in one.
        scene.server.freeze().await?;
        mount.give_up().await?;
        scene.server.thaw().await?;
        let began = Instant::now();
        while scene.server.is_running() && began.elapsed() < HEALED_WITHIN {
            sleep(Duration::from_millis(10)).await;
        }
        ended_itself += u64::from(!scene.server.is_running());
        if scene.server.is_running() {
            scene.server.kill().await?;
        } else {
            scene.server.end().await?;
        }
        scene.tries.extend(burst.stop().await?);
        mount.repair().await?;
        scene.server.start().await?;
        scene.until_acknowledged(BACK_WITHIN).await?;
    }
    findings.note("rounds", rounds);
    findings.note("times that the server ended itself within 2 s", ended_itself);
    scene.reckon(ground, findings).await?;
    Ok(())
}

/// A sync of the journal fails: what was written before is not to be believed any more.
pub(super) async fn failing_sync(ground: &Ground, findings: &mut Findings) -> Result<()> {
    machine::tracer().await?;
    let mut scene = Scene::open(ground, ground.on_file()?).await?;
    let rounds = ground.count(3, 40);
    let log = scene.server.launch().data().join(LOG);
    let log = log.to_str().context("a path that is no text")?;
    let mut aborted = 0_u64;
    for round in 0..rounds {
        ground.say(&format!("failing sync {} of {rounds}", round + 1));
        scene.server.terminate().await?;
        let at = 5 + round * 7 % 60;
        scene.server.wrap(&machine::traced(&format!("error=EIO:when={at}"), Some(log)));
        // The sync that fails may be one of the start's own.
        if !scene.server.start_or_refuse().await? {
            ensure!(scene.server.ended().is_some(), "sync {at} failed, and the start goes on");
        }
        let burst = scene.burst(SHOPPERS);
        let began = Instant::now();
        while scene.server.is_running() && began.elapsed() < BACK_WITHIN {
            sleep(Duration::from_millis(5)).await;
        }
        ensure!(!scene.server.is_running(), "sync {at} failed, and the server goes on");
        let status = scene.server.end().await?;
        aborted += u64::from(status.signal() == Some(SIGABRT));
        scene.tries.extend(burst.stop().await?);
        start(&mut scene, &[]).await?;
        scene.until_acknowledged(BACK_WITHIN).await?;
    }
    findings.demand("ends by abort", aborted, &rounds.to_string(), aborted == rounds);
    scene.reckon(ground, findings).await?;
    Ok(())
}

/// Every sync takes longer.
pub(super) async fn slow(ground: &Ground, findings: &mut Findings) -> Result<()> {
    machine::tracer().await?;
    let mut scene = Scene::open(ground, ground.on_file()?).await?;
    let seconds = ground.count(1, 10);
    for delay in [5_u32, 20, 200] {
        ground.say(&format!("each sync takes {delay} ms longer"));
        scene.server.terminate().await?;
        start(&mut scene, &machine::traced(&format!("delay_exit={}", delay * 1_000), None)).await?;
        let beats =
            scene.pace(&format!("sync-{delay}"), PACE, Duration::from_secs(seconds)).await?;
        findings.part(&format!("{delay} ms"));
        let acknowledged = beats.iter().filter(|beat| beat.is_acknowledged()).count();
        findings.all("acknowledged", acknowledged, beats.len());
        findings.slowed(&beats, Duration::from_millis(delay.into()));
        findings.answers(&beats);
    }
    findings.part("");
    scene.server.terminate().await?;
    start(&mut scene, &[]).await?;
    scene.reckon(ground, findings).await?;
    Ok(())
}

/// Starts the server by a wrapper, or by none.
async fn start(scene: &mut Scene, wrapper: &[String]) -> Result<()> {
    scene.server.wrap(wrapper);
    scene.server.start().await
}
