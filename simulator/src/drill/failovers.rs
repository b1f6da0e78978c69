//! Every session broken at once, and the server itself restarted, in the middle of bursts.

use anyhow::Result;

use super::findings::Findings;
use super::ground::{Ground, postgres};
use super::scene::Scene;

const SHOPPERS: u64 = 16;

/// Breaks sessions and restarts the database in turn.
pub(super) async fn run(ground: &Ground, findings: &mut Findings) -> Result<()> {
    let mut cluster = postgres().await?;
    let mut scene = Scene::open(ground, ground.on_database(&cluster).await?).await?;
    let rounds = ground.count(4, 40);
    let (mut sessions, mut restarts) = (0, 0);
    for round in 0..rounds {
        ground.say(&format!("failover {} of {rounds}", round + 1));
        let mut burst = scene.burst(SHOPPERS);
        burst.answered(20).await?;
        if round % 2 == 0 {
            sessions += cluster.break_sessions().await?;
        } else {
            cluster.stop().await?;
            cluster.resume().await?;
            restarts += 1;
        }
        // A refusal is an answer, too, but no sign of recovery.
        burst.served_after_now(10).await?;
        scene.tries.extend(burst.stop().await?);
    }
    findings.at_least("sessions broken", sessions, 1);
    findings.note("restarts of the database", restarts);
    scene.still_serves(findings);
    scene.reckon(ground, findings).await?;
    Ok(())
}
