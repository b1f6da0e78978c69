//! Crowds that behave badly: all at one product, all again at once, or too lazy to read answers.

use std::net::SocketAddr;
use std::time::Duration;

use acceptance_tests::shop::DEMO_KEY;
use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::findings::{Findings, in_millis, quantile};
use super::ground::{Ground, postgres};
use super::probe::{Pace, insist, times};
use super::scene::Scene;
use super::windows;

/// Orders a second for the product that is watched.
const COLD_PACE: u32 = 40;
/// Orders a second for what the crowd wants.
const CROWD_PACE: u32 = 200;
/// Products that a crowd without a favourite spreads over.
const SPREAD: usize = 50;
/// Clients that repeat at once whatever they do not get.
const STORM: usize = 100;
const STORM_PAUSE: Duration = Duration::from_millis(50);
const FREEZE: Duration = Duration::from_secs(2);
const CALM_WITHIN: Duration = Duration::from_secs(5);
const STORM_OVER_WITHIN: Duration = Duration::from_mins(1);
/// Connections whose answers nobody reads, requests on each, and when they must be closed.
const LAZY: usize = 100;
const LAZY_REQUESTS: usize = 50;
/// The largest answer that there is.
const LAZY_PATH: &str = "/docs/swagger-ui-bundle.js";
/// Small, so that what is not read is not taken either.
const LAZY_BUFFER: u32 = 4_096;
const CLOSED_WITHIN: Duration = Duration::from_secs(13);

/// Five in six orders want one product; the others must not feel it.
pub(super) async fn hot_key(ground: &Ground, findings: &mut Findings) -> Result<()> {
    let mut scene = Scene::open(ground, ground.on_file()?).await?;
    let mut spread = Vec::new();
    for number in 0..SPREAD {
        spread.push(scene.stock(&format!("shelf-{number}")).await?);
    }
    let (hot, cold) = (vec![scene.stock("hot").await?], vec![scene.stock("cold").await?]);
    let rounds = ground.count(1, 5);
    let window = ground.window();
    let (mut even, mut crowded) = (Vec::new(), Vec::new());
    watch(&mut scene, &cold, &spread, "warm", window / 2).await?;
    for round in 0..rounds {
        ground.say(&format!("hot key, round {} of {rounds}", round + 1));
        even.push(watch(&mut scene, &cold, &spread, &format!("even-{round}"), window).await?);
        crowded.push(watch(&mut scene, &cold, &hot, &format!("hot-{round}"), window).await?);
    }
    let names = ["p99 of the others, same crowd spread", "p99 of the others beside a hot key"];
    windows::compare(ground, findings, names, (&even, &crowded), 1.2);
    scene.all_were_served(findings);
    scene.reckon(ground, findings).await?;
    Ok(())
}

/// The p99 of orders for `cold` while a crowd wants `wanted`.
async fn watch(
    scene: &mut Scene,
    cold: &[String],
    wanted: &[String],
    name: &str,
    window: Duration,
) -> Result<Duration> {
    let crowd = Pace::among(&scene.shop, &format!("{name}-crowd"), CROWD_PACE, wanted);
    let watched = Pace::among(&scene.shop, &format!("{name}-cold"), COLD_PACE, cold);
    sleep(window).await;
    let watched = scene.end(watched).await?;
    scene.end(crowd).await?;
    Ok(quantile(&times(&watched), 990))
}

/// A database that stops for two seconds, and clients that repeat at once until they are served.
pub(super) async fn retry_storm(ground: &Ground, findings: &mut Findings) -> Result<()> {
    let cluster = postgres().await?;
    let mut scene = Scene::open(ground, ground.on_database(&cluster).await?).await?;
    let (mut slowest, mut requests) = (Duration::ZERO, 0);
    let rounds = ground.count(1, 20);
    for round in 0..rounds {
        ground.say(&format!("retry storm {} of {rounds}", round + 1));
        cluster.freeze().await?;
        let mut storm = JoinSet::new();
        for number in 0..STORM {
            let (shop, key) = (scene.shop.clone(), format!("storm-{round}-{number}"));
            let served = async move { insist(&shop, key, STORM_PAUSE, STORM_OVER_WITHIN).await };
            storm.spawn(served);
        }
        sleep(FREEZE).await;
        cluster.thaw().await?;
        let thawed = Instant::now();
        while let Some(served) = storm.join_next().await {
            let served = served??;
            requests += served.requests;
            scene.tries.push(served.attempt);
        }
        slowest = slowest.max(thawed.elapsed());
    }
    findings.note("storms", rounds);
    findings.note("clients in a storm", STORM);
    findings.note("requests", requests);
    findings.goal(ground, "return → everybody is served, slowest storm", slowest, CALM_WITHIN);
    scene.still_serves(findings);
    scene.reckon(ground, findings).await?;
    Ok(())
}

/// Connections that ask and do not read: others must not wait for them.
pub(super) async fn slow_readers(ground: &Ground, findings: &mut Findings) -> Result<()> {
    let mut scene = Scene::open(ground, ground.on_file()?).await?;
    let connections = usize::try_from(ground.count(20, LAZY as u64))?;
    let window = ground.window();
    let alone = times(&scene.pace("alone", COLD_PACE, window).await?);
    ground.say(&format!("{connections} connections that nobody reads"));
    let mut lazy = JoinSet::new();
    for _ in 0..connections {
        lazy.spawn(ask_and_wait(scene.server.address()));
    }
    let beside = times(&scene.pace("beside", COLD_PACE, window).await?);
    let mut closed = 0_u64;
    while let Some(ended) = lazy.join_next().await {
        closed += u64::from(ended??);
    }
    findings.note("order p99 alone, ms", in_millis(quantile(&alone, 990)));
    findings.note("order p99 beside them, ms", in_millis(quantile(&beside, 990)));
    let resident = scene.server.resident_bytes()? / (1_024 * 1_024);
    findings.note("resident memory afterwards, MB", resident);
    let all = connections as u64;
    findings.demand("connections closed by the server", closed, &all.to_string(), closed == all);
    scene.all_were_served(findings);
    scene.reckon(ground, findings).await?;
    Ok(())
}

/// Asks for more than any buffer takes, reads nothing, and says whether the server hung up.
async fn ask_and_wait(address: (&'static str, u16)) -> Result<bool> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(LAZY_BUFFER)?;
    let address = SocketAddr::new(address.0.parse()?, address.1);
    let mut stream = socket.connect(address).await?;
    let request = format!("GET {LAZY_PATH} HTTP/1.1\r\nhost: x\r\nx-api-key: {DEMO_KEY}\r\n\r\n");
    let requests = request.repeat(LAZY_REQUESTS);
    let began = Instant::now();
    // Nothing more fits when the server has stopped reading, or it hangs up.
    let written = timeout(CLOSED_WITHIN, stream.write_all(requests.as_bytes())).await;
    if matches!(written, Ok(Err(_))) {
        return Ok(true);
    }
    sleep(CLOSED_WITHIN.saturating_sub(began.elapsed())).await;
    // What lies in the buffers comes first; then the end, if there is one.
    let mut rest = Vec::new();
    let read = timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
    Ok(read.is_ok())
}
