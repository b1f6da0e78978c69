//! A payment provider that is down, hangs, or takes the money and says nothing.

use std::time::Duration;

use acceptance_tests::provider::Mood;
use acceptance_tests::wait;
use anyhow::{Result, ensure};
use tokio::time::Instant;

use super::findings::{Findings, in_millis, quantile};
use super::ground::Ground;
use super::probe::{ANSWERED_WITHIN, Beat, times};
use super::scene::Scene;

/// Orders a second; enough that the breaker must open.
const PACE: u32 = 40;
const PAID_WITHIN: Duration = Duration::from_mins(2);

/// What the provider does, under the name of the figures.
const MOODS: [(&str, Mood); 5] = [
    ("5xx", Mood::ServerError),
    ("money behind a 5xx", Mood::CapturedServerError),
    ("hangs", Mood::TimeOut),
    ("money and no word", Mood::Late { ms: 0 }),
    ("slow, then money", Mood::Late { ms: 4_000 }),
];

/// One mood after the other, each with a shop of its own.
pub(super) async fn run(ground: &Ground, findings: &mut Findings) -> Result<()> {
    let moods = if ground.is_short() { 1 } else { MOODS.len() };
    for (name, mood) in MOODS.into_iter().take(moods) {
        findings.part(name);
        ground.say(&format!("provider: {name}"));
        let mut scene = Scene::open(ground, ground.on_file()?).await?;
        let seconds = ground.count(1, 10);
        scene.provider.set(mood);
        let beats = scene.pace("mood", PACE, Duration::from_secs(seconds)).await?;
        let calls = scene.provider.calls();
        scene.provider.set(Mood::Ok);
        tell(findings, &beats, calls);
        let ids: Vec<String> = beats
            .iter()
            .filter_map(|beat| beat.attempt.outcome.order_id().map(str::to_owned))
            .collect();
        ground.say(&format!("provider: {name}, and back"));
        let back = Instant::now();
        all_paid(&scene, &ids).await?;
        findings.note("all paid after, ms", in_millis(back.elapsed()));
        scene.reckon(ground, findings).await?;
    }
    Ok(())
}

fn tell(findings: &mut Findings, beats: &[Beat], calls: usize) {
    let queued = beats.iter().filter(|beat| beat.status() == 202).count();
    findings.note("orders sent", beats.len());
    findings.all("answered 202", queued, beats.len());
    findings.within("slowest answer", quantile(&times(beats), 1_000), ANSWERED_WITHIN);
    findings.note("calls to the provider meanwhile", calls);
}

async fn all_paid(scene: &Scene, ids: &[String]) -> Result<()> {
    for id in ids {
        wait::until("every queued order is paid", PAID_WITHIN, || async {
            let order = scene.shop.order(id).await?.expect(200)?;
            ensure!(order.text("/payment_status")? == "paid", "{}", order.body);
            Ok(())
        })
        .await?;
    }
    Ok(())
}
