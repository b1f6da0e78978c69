//! Redis gone, frozen or emptied in the middle of a sale: orders do not notice, subscribers catch up.

use std::time::Duration;

use acceptance_tests::redis::{Redis, Subscriber};
use anyhow::{Context as _, Result};
use tokio::time::timeout;

use super::findings::{Findings, NotHere, quantile};
use super::ground::Ground;
use super::probe::times;
use super::scene::Scene;
use super::windows;

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

/// Windows with and without the fault in turn.
pub(super) async fn run(ground: &Ground, findings: &mut Findings, fate: Fate) -> Result<()> {
    let started = Redis::start().await;
    let mut redis = started.map_err(|error| NotHere(format!("no Redis: {error:#}")))?;
    let launch = ground.on_file()?.variable("MILLRACE_REDIS_URL", &redis.url());
    let mut scene = Scene::open(ground, launch).await?;
    let rounds = ground.count(1, 5);
    let window = ground.window();
    // The first window warms up and counts for nobody.
    let mut calm = Vec::new();
    let mut faulty = Vec::new();
    measure(&mut scene, "warm", window / 2).await?;
    for round in 0..rounds {
        ground.say(&format!("with Redis, round {} of {rounds}", round + 1));
        calm.push(measure(&mut scene, &format!("calm-{round}"), window).await?);
        ground.say(&format!("{fate:?}, round {} of {rounds}", round + 1));
        match fate {
            Fate::Down => redis.stop().await?,
            Fate::Frozen => redis.freeze().await?,
            Fate::Flushed => redis.flush().await?,
        }
        faulty.push(measure(&mut scene, &format!("faulty-{round}"), window).await?);
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
        measure(&mut scene, &format!("after-{round}"), window / 4).await?;
        heard(&mut subscriber).await?;
    }
    let names = ["order p99 with Redis", "order p99 under the fault"];
    windows::compare(ground, findings, names, (&calm, &faulty), 1.05);
    scene.all_were_served(findings);
    findings.note("announcements after each return", "heard");
    scene.reckon(ground, findings).await?;
    Ok(())
}

/// The p99 of a window.
async fn measure(scene: &mut Scene, name: &str, window: Duration) -> Result<Duration> {
    Ok(quantile(&times(&scene.pace(name, PACE, window).await?), 990))
}

/// Waits for an announcement.
pub(super) async fn heard(subscriber: &mut Subscriber) -> Result<()> {
    let next = timeout(HEARD_WITHIN, subscriber.next()).await;
    next.context("Redis announces nothing")?.context("after the return")?;
    Ok(())
}
