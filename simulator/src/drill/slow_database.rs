//! Every message to PostgreSQL held up on its way: answers take longer, and stay bounded.

use std::time::Duration;

use anyhow::Result;

use super::findings::Findings;
use super::ground::{Ground, postgres};
use super::scene::Scene;

/// Orders a second.
const PACE: u32 = 40;
/// How long each message is held up.
const DELAYS_MS: [u64; 4] = [5, 50, 200, 1_000];

/// One delay after the other, from bad to worse.
pub(super) async fn run(ground: &Ground, findings: &mut Findings) -> Result<()> {
    let cluster = postgres().await?;
    let (launch, proxy) = ground.behind_proxy(&cluster).await?;
    let mut scene = Scene::open(ground, launch).await?;
    let seconds = ground.count(1, 10);
    for delay in DELAYS_MS {
        ground.say(&format!("each message takes {delay} ms longer"));
        proxy.hold_up(Duration::from_millis(delay));
        let beats =
            scene.pace(&format!("slow-{delay}"), PACE, Duration::from_secs(seconds)).await?;
        findings.part(&format!("{delay} ms"));
        let acknowledged = beats.iter().filter(|beat| beat.is_acknowledged()).count();
        findings.demand("acknowledged", acknowledged, "> 0", 0 < acknowledged);
        findings.note("sent", beats.len());
        findings.slowed(&beats, Duration::from_millis(delay));
        findings.answers(&beats);
    }
    findings.part("");
    proxy.hold_up(Duration::ZERO);
    scene.still_serves(findings);
    scene.reckon(ground, findings).await?;
    Ok(())
}
