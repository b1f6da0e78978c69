//! `kill -9` from outside, in the middle of bursts, again and again.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::findings::Findings;
use super::ground::Ground;
use super::scene::Scene;

const SHOPPERS: u64 = 24;
const BACK_WITHIN: Duration = Duration::from_mins(1);
/// Rounds after which a fresh shop is opened, so that reckoning stays short.
const ROUNDS_A_SHOP: u64 = 50;

/// Kills after a number of answers, never after a length of time: so it hits a server at work on
/// any machine.
pub(super) async fn run(ground: &Ground, findings: &mut Findings) -> Result<()> {
    let rounds = ground.count(10, 100);
    for store in ground.stores() {
        findings.part(store.name());
        let mut back = Vec::new();
        let mut left = rounds;
        while 0 < left {
            let now = left.min(ROUNDS_A_SHOP);
            let (launch, _cluster) = ground.on(store).await?;
            let mut scene = Scene::open(ground, launch).await?;
            for round in 0..now {
                ground.say(&format!(
                    "kill {} of {rounds} on {}",
                    rounds - left + round + 1,
                    store.name()
                ));
                let mut burst = scene.burst(SHOPPERS);
                burst.answered(20 + round * 37 % 90).await?;
                scene.server.kill().await?;
                scene.tries.extend(burst.stop().await?);
                scene.server.start_without_waiting()?;
                back.push(scene.until_acknowledged(BACK_WITHIN).await?);
            }
            let scarce = scene.shop.stock("scarce").await?;
            let sells_out = now < 10 || scarce.available == 0;
            ensure!(sells_out, "the scarce product did not sell out: {scarce:?}");
            scene.reckon_with_others(ground, findings).await?;
            left -= now;
        }
        findings.note("kills", back.len());
        findings.starts(&back);
    }
    Ok(())
}
