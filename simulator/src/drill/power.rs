//! The power lost in the middle of bursts: every page that was not synced is gone, or there by chance.

use std::time::Duration;

use acceptance_tests::disk::{Disk, Loss};
use acceptance_tests::wait;
use anyhow::{Result, ensure};

use super::findings::{Findings, NotHere};
use super::ground::Ground;
use super::scene::Scene;

const SHOPPERS: u64 = 16;
/// The file that makes commits durable, and so the one whose pages matter.
const LOG: &str = "millrace.db-wal";
const BACK_WITHIN: Duration = Duration::from_mins(1);
/// Cycles after which a fresh shop is opened, so that reckoning stays short.
const CYCLES_A_SHOP: u64 = 100;

/// The embedded store on a disk of our own. Every second loss meets a write that was not synced, the
/// others any moment. Two in three losses take everything, the third leaves pages on the platter in
/// any order.
pub(super) async fn run(ground: &Ground, findings: &mut Findings) -> Result<()> {
    let cycles = ground.count(5, 200);
    let (mut syncs, mut losses, mut left) = (0, 0, cycles);
    while 0 < left {
        let mounted = Disk::mount();
        let mut disk = mounted.map_err(|error| NotHere(format!("no FUSE: {error:#}")))?;
        let mut scene = Scene::open(ground, ground.on_file()?.data_in(disk.folder())).await?;
        let now = left.min(CYCLES_A_SHOP);
        for cycle in 0..now {
            ground.say(&format!("power loss {} of {cycles}", cycles - left + cycle + 1));
            let mut burst = scene.burst(SHOPPERS);
            burst.answered(10 + cycle * 37 % 90).await?;
            let loss = if cycle % 3 == 2 { Loss::Some(cycle + 1) } else { Loss::All };
            if cycle % 2 == 0 {
                disk.power_off(loss);
            } else {
                disk.power_off_at_write(LOG, loss);
                wait::until("the power goes", BACK_WITHIN, || async {
                    ensure!(!disk.is_on(), "nobody writes");
                    Ok(())
                })
                .await?;
            }
            if scene.server.is_running() {
                scene.server.kill().await?;
            } else {
                scene.server.end().await?;
            }
            scene.tries.extend(burst.stop().await?);
            disk.power_on()?;
            scene.server.start().await?;
            scene.until_acknowledged(BACK_WITHIN).await?;
        }
        let (asked, lost) = disk.syncs_and_losses(LOG);
        (syncs, losses) = (syncs + asked, losses + lost);
        left -= now;
        scene.reckon_with_others(ground, findings).await?;
    }
    ensure!(0 < syncs, "nobody ever synced a file");
    findings.note("power losses", cycles);
    findings.note("syncs", syncs);
    findings.at_least("pages of the journal's log lost with the power", losses, 1);
    Ok(())
}
