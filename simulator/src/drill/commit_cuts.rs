//! The connection to PostgreSQL cut before, during and after a commit of the journal.

use std::time::Duration;

use acceptance_tests::proxy::{Cut, Proxy};
use acceptance_tests::wait;
use anyhow::{Context as _, Result, ensure};

use super::findings::Findings;
use super::ground::{Ground, postgres};
use super::scene::Scene;

const SHOPPERS: u64 = 12;
const CUT_WITHIN: Duration = Duration::from_secs(30);
/// Cuts after which a fresh shop is opened, so that reckoning stays short.
const CUTS_A_SHOP: u64 = 102;
const CUTS: [Cut; 3] = [Cut::Before, Cut::During, Cut::After];

/// Orders one cut after the other while a crowd buys. The next is ordered when the server answers
/// again, so that every cut meets a server that had recovered from the one before.
pub(super) async fn run(ground: &Ground, findings: &mut Findings) -> Result<()> {
    let wanted = ground.count(27, 510);
    let (mut cuts, mut appends) = (0, 0);
    while cuts < wanted {
        let cluster = postgres().await?;
        let (launch, proxy) = ground.behind_proxy(&cluster).await?;
        let mut scene = Scene::open(ground, launch).await?;
        ensure!(0 < proxy.appends(), "the proxy does not see appends to the journal");
        for number in 0..(wanted - cuts).min(CUTS_A_SHOP) {
            ground.say(&format!("cut {} of {wanted}", cuts + number + 1));
            cut_once(&mut scene, &proxy, number).await?;
        }
        cuts += proxy.cuts();
        appends += proxy.appends();
        scene.reckon_with_others(ground, findings).await?;
    }
    findings.at_least("commits cut", cuts, wanted);
    findings.note("appends through the proxy", appends);
    Ok(())
}

async fn cut_once(scene: &mut Scene, proxy: &Proxy, number: u64) -> Result<()> {
    let turn = usize::try_from(number)? % CUTS.len();
    let cut = CUTS.get(turn).copied().unwrap_or(Cut::During);
    let mut burst = scene.burst(SHOPPERS);
    burst.answered(5).await?;
    proxy.cut_next(cut);
    wait::until("the connection is cut", CUT_WITHIN, || async {
        ensure!(proxy.cuts() > number, "{cut:?}: {} cuts", proxy.cuts());
        Ok(())
    })
    .await?;
    burst.served_after_now(5).await.with_context(|| format!("after cut {number}, {cut:?}"))?;
    scene.tries.extend(burst.stop().await?);
    Ok(())
}
