//! Redis gone, frozen or emptied in the middle of a sale: orders do not notice, subscribers catch up.

use std::time::Duration;

use acceptance_tests::redis::{Redis, Subscriber};
use anyhow::{Context as _, Result};
use tokio::time::{sleep, timeout};

use super::findings::{Findings, NotHere, in_millis, quantile};
use super::ground::Ground;
use super::probe::Pace;
use super::scene::Scene;

/// Orders a second.
const PACE: u32 = 100;
const HEARD_WITHIN: Duration = Duration::from_secs(20);

/// What happens to Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Down,
    Frozen,
    Flushed,
}

/// Windows with and without the fault in turn, so that what else the machine does hits both.
pub(super) async fn run(ground: &Ground, fate: Fate) -> Result<Findings> {
    let mut findings = Findings::default();
    let started = Redis::start().await;
    let mut redis = started.map_err(|error| NotHere(format!("no Redis: {error:#}")))?;
    let launch = ground.on_file()?.variable("MILLRACE_REDIS_URL", &redis.url());
    let mut scene = Scene::open(launch).await?;
    let rounds = ground.count(1, 5);
    let window = Duration::from_secs(if ground.is_short() { 1 } else { 6 });
    // The first window warms up and counts for nobody.
    let mut calm = Vec::new();
    let mut faulty = Vec::new();
    measure(&mut scene, "warm", window / 2).await;
    for round in 0..rounds {
        ground.say(&format!("with Redis, round {} of {rounds}", round + 1));
        calm.push(measure(&mut scene, &format!("calm-{round}"), window).await);
        ground.say(&format!("{fate:?}, round {} of {rounds}", round + 1));
        match fate {
            Fate::Down => redis.stop().await?,
            Fate::Frozen => redis.freeze().await?,
            Fate::Flushed => redis.flush().await?,
        }
        faulty.push(measure(&mut scene, &format!("faulty-{round}"), window).await);
        match fate {
            Fate::Down => {
                if round + 1 == rounds {
                    // A start needs no Redis either.
                    scene.server.kill().await?;
                    scene.server.start().await?;
                    scene.until_acknowledged(HEARD_WITHIN).await?;
                }
                redis.resume().await?;
            }
            Fate::Frozen => redis.thaw().await?,
            Fate::Flushed => {}
        }
        let mut subscriber = redis.subscribe_to_everything().await?;
        measure(&mut scene, &format!("after-{round}"), window / 4).await;
        heard(&mut subscriber).await?;
    }
    compare(ground, &mut findings, &calm, &faulty);
    let refused = scene.tries.iter().filter(|attempt| attempt.outcome.order_id().is_none()).count();
    findings.zero("orders not acknowledged at once", i128::try_from(refused)?);
    findings.note("announcements after each return", "heard");
    scene.reckon(ground, &mut findings).await?;
    Ok(findings)
}

/// The times of a window.
async fn measure(scene: &mut Scene, name: &str, window: Duration) -> Vec<Duration> {
    let pace = Pace::start(&scene.shop, name, PACE, &["plenty".to_owned()]);
    sleep(window).await;
    let beats = pace.stop().await;
    let times = beats.iter().map(|beat| beat.took).collect();
    scene.tries.extend(beats.into_iter().map(|beat| beat.attempt));
    times
}

async fn heard(subscriber: &mut Subscriber) -> Result<()> {
    let next = timeout(HEARD_WITHIN, subscriber.next()).await;
    next.context("Redis announces nothing")?.context("after the return")?;
    Ok(())
}

/// A window counts by its own p99. The worst one without the fault says how far they differ anyway.
fn compare(
    ground: &Ground,
    findings: &mut Findings,
    calm: &[Vec<Duration>],
    faulty: &[Vec<Duration>],
) {
    let tails = |windows: &[Vec<Duration>]| -> Vec<Duration> {
        windows.iter().map(|times| quantile(times, 990)).collect()
    };
    let (calm, faulty) = (tails(calm), tails(faulty));
    let (usual, worst) = (quantile(&calm, 500), quantile(&calm, 1_000));
    let with = quantile(&faulty, 500);
    findings.note("order p99 with Redis, median window, ms", in_millis(usual));
    findings.note("order p99 with Redis, worst window, ms", in_millis(worst));
    let name = "order p99 under the fault, median window, ms";
    if ground.is_short() {
        // One window says nothing about a tail.
        findings.note(name, in_millis(with));
        return;
    }
    let met = with <= worst.mul_f64(1.05);
    findings.demand(name, in_millis(with), "≤ 1.05 × the worst with Redis", met);
    let change = (with.as_secs_f64() / usual.as_secs_f64() - 1.0) * 100.0;
    findings.note("median against median", format!("{change:+.1} %"));
}
