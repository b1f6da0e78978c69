//! Normal load for long, while Redis is restarted now and then and the database once.

use std::time::Duration;

use acceptance_tests::redis::Redis;
use anyhow::Result;
use tokio::time::sleep;

use super::findings::{Findings, NotHere, in_millis, quantile};
use super::ground::{Ground, postgres};
use super::outages::HEALED_WITHIN;
use super::probe::{Beat, Pace, times};
use super::redis::heard;
use super::scene::Scene;

/// Orders a second.
const PACE: u32 = 50;
/// What happens in each sixth of the time, at its end.
const SIXTHS: [Happens; 6] = [
    Happens::RedisRestarts,
    Happens::DatabaseRestarts,
    Happens::RedisRestarts,
    Happens::Nothing,
    Happens::RedisRestarts,
    Happens::Nothing,
];
const REDIS_AWAY: Duration = Duration::from_secs(1);
/// What caches may still take once all kinds of work were seen.
const GROWTH_MAX_MB: u64 = 64;
/// Orders that must be acknowledged at once, in a hundred thousand; a goal of the long version.
const SERVED_PER_100_000: usize = 99_900;

#[derive(Clone, Copy, Debug)]
enum Happens {
    Nothing,
    RedisRestarts,
    DatabaseRestarts,
}

/// A stretch of the pace in which nobody can be served.
#[derive(Clone, Copy, Debug)]
struct Outage {
    from: Duration,
    until: Duration,
}

impl Outage {
    /// Whether an order was under way in it.
    fn meets(self, beat: &Beat) -> bool {
        beat.at < self.until && self.from < beat.at + beat.took
    }
}

/// One pace through all of it.
pub(super) async fn run(ground: &Ground, findings: &mut Findings) -> Result<()> {
    let mut cluster = postgres().await?;
    let started = Redis::start().await;
    let mut redis = started.map_err(|error| NotHere(format!("no Redis: {error:#}")))?;
    let launch = ground.on_database(&cluster).await?.variable("MILLRACE_REDIS_URL", &redis.url());
    let mut scene = Scene::open(ground, launch).await?;
    let seconds = ground.count(18, 1_800);
    let sixth = Duration::from_secs(seconds) / 6;
    let pace = Pace::start(&scene.shop, "soak", PACE);
    let (mut outages, mut restarts, mut resident) = (Vec::new(), 0_u64, Vec::new());
    for (number, happens) in SIXTHS.into_iter().enumerate() {
        ground.say(&format!("part {} of {}, {seconds} s in all", number + 1, SIXTHS.len()));
        sleep(sixth).await;
        resident.push(scene.server.resident_bytes()? / (1_024 * 1_024));
        match happens {
            Happens::Nothing => {}
            Happens::RedisRestarts => {
                redis.stop().await?;
                sleep(REDIS_AWAY).await;
                redis.resume().await?;
                heard(&mut redis.subscribe_to_everything().await?).await?;
                restarts += 1;
            }
            Happens::DatabaseRestarts => {
                let from = pace.so_far();
                cluster.stop().await?;
                cluster.resume().await?;
                outages.push(Outage { from, until: pace.so_far() + HEALED_WITHIN });
            }
        }
    }
    let beats = scene.end(pace).await?;
    findings.note("seconds", seconds);
    findings.note("orders sent", beats.len());
    findings.note("restarts of Redis, announcements heard after each", restarts);
    let outside: Vec<&Beat> =
        beats.iter().filter(|beat| !outages.iter().any(|outage| outage.meets(beat))).collect();
    let served = outside.iter().filter(|beat| beat.is_acknowledged()).count();
    findings.note("of them outside the restart of the database", outside.len());
    let share = served * 100_000 / outside.len().max(1);
    let told = format!("{}.{:03} %", share / 1_000, share % 1_000);
    if ground.is_short() {
        // One order in a thousand is less than one.
        findings.note("acknowledged at once", told);
    } else {
        findings.demand("acknowledged at once", told, "≥ 99.900 %", SERVED_PER_100_000 <= share);
    }
    let times = times(outside);
    findings.note("p50 ms", in_millis(quantile(&times, 500)));
    findings.note("p99 ms", in_millis(quantile(&times, 990)));
    let (first, last) = (resident.get(1).copied(), resident.last().copied());
    let growth = last.unwrap_or_default().saturating_sub(first.unwrap_or_default());
    let demand = format!("≤ {GROWTH_MAX_MB}");
    findings.demand("growth after the first sixth, MB", growth, &demand, growth <= GROWTH_MAX_MB);
    let resident: Vec<String> = resident.iter().map(u64::to_string).collect();
    findings.note("resident memory after each sixth, MB", resident.join(", "));
    scene.still_serves(findings);
    scene.reckon(ground, findings).await?;
    Ok(())
}
