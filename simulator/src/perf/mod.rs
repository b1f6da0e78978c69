//! `perf`: the performance targets of the requirements, each measured and judged, on each store.
//!
//! A missed target makes the run fail, so that it can be looked at; tests look at the measuring only.

mod args;
mod figures;
mod report;
mod scene;
mod targets;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

pub use self::args::PerfArgs;
use self::report::{Report, Row, Setup, Sheet};
use self::scene::{Scene, order, paid_order};
use self::targets::Target;
use crate::bench::postgres::Postgres;
use crate::client::Call;
use crate::progress::Line;
use crate::report::file::save;
use crate::report::{json as written, latency};
use crate::rig::request::product_id;
use crate::rig::{quotient, real};

/// Questions of one kind that are asked one after the other.
const EACH: u64 = 200;
/// Orders that a long list shows.
const LISTED: u32 = 1_000;
/// Lists that are read.
const LISTS: usize = 20;
/// Orders that come at once.
const AT_ONCE: u16 = 100;

/// Measures everything; the answer is whether every target was met. Must run inside an actix system.
///
/// # Errors
/// A missing binary, a Postgres that cannot be reached, an interruption, or a result that cannot be
/// written.
pub async fn run(args: &PerfArgs) -> anyhow::Result<bool> {
    let program = program(args)?;
    let postgres = match &args.database_url {
        Some(url) => Some(Postgres::reach(url).await?),
        None => None,
    };
    let mut terminate = signal(SignalKind::terminate())?;
    let ended = tokio::select! {
        ended = Box::pin(everything(args, &program, postgres.as_ref())) => ended,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
        _ = terminate.recv() => Err(anyhow::anyhow!("terminated")),
    };
    if let Some(postgres) = &postgres {
        postgres.drop_all().await?;
    }
    let setup = Setup {
        version: env!("CARGO_PKG_VERSION"),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        seconds: args.seconds,
        normal: args.normal,
        rush: args.rush,
        charge_ms: args.charge_ms,
        optimised: !cfg!(debug_assertions),
    };
    let report = Report::new(setup, ended?);
    write!(std::io::stdout(), "{}", report.table()).context("cannot write the table")?;
    if let Some(path) = &args.json {
        save(path, &written::render(&report)?)?;
    }
    if let Some(path) = &args.html {
        save(path, &report.page())?;
    }
    Ok(report.passed)
}

fn program(args: &PerfArgs) -> anyhow::Result<PathBuf> {
    let beside = std::env::current_exe().context("finding this program")?;
    let path = args.millrace.clone().unwrap_or_else(|| beside.with_file_name("millrace"));
    // The server runs in a folder of its own, so that the path must hold from everywhere.
    let path = std::path::absolute(&path)?;
    ensure!(path.is_file(), "{} does not exist: build it, or name it", path.display());
    Ok(path)
}

async fn everything(
    args: &PerfArgs,
    program: &Path,
    postgres: Option<&Postgres>,
) -> anyhow::Result<Vec<Sheet>> {
    let mut sheets = vec![Box::pin(sheet(args, program, "SQLite", None)).await];
    if let Some(postgres) = postgres {
        let database = postgres.create(None).await?;
        let url = Some(database.url.as_str());
        sheets.push(Box::pin(sheet(args, program, "PostgreSQL", url)).await);
        postgres.drop_database(&database).await?;
    }
    Ok(sheets)
}

/// Everything about one store.
async fn sheet(
    args: &PerfArgs,
    program: &Path,
    store: &'static str,
    database_url: Option<&str>,
) -> Sheet {
    let mut sheet = Sheet { store, rows: Vec::new(), rush: (0, 0), failures: Vec::new() };
    let folder = args.folder.clone().unwrap_or_else(std::env::temp_dir);
    let line = Line::step(&format!("{store}: starting"));
    let opened = Scene::open(program, &folder, database_url, args.charge_ms).await;
    drop(line);
    match opened {
        Ok(scene) => {
            let _line = Line::step(&format!("{store}: measuring"));
            if let Err(error) = Box::pin(measure(args, &scene, &mut sheet)).await {
                sheet.failures.push(format!("{error:#}\n{}", scene.last_words()));
            }
        }
        Err(error) => sheet.failures.push(format!("{error:#}")),
    }
    sheet
}

async fn measure(args: &PerfArgs, scene: &Scene, sheet: &mut Sheet) -> anyhow::Result<()> {
    sheet.time(targets::START, scene.started_in);
    sheet.figure(targets::MEMORY, scene.memory(), 1);
    scene.fill().await?;
    normal(args, scene, sheet).await?;
    single(scene, sheet).await?;
    let (acknowledged, _) = scene.at_once(AT_ONCE).await?;
    let failed = u64::from(AT_ONCE).saturating_sub(acknowledged);
    sheet.figure(targets::AT_ONCE, failed, AT_ONCE.into());
    rush(args, scene, sheet).await?;
    let (_, answered) = scene.at_once(args.clients).await?;
    let lost = u64::from(args.clients).saturating_sub(answered);
    sheet.figure(targets::CLIENTS, lost, args.clients.into());
    sheet.figure(targets::MEMORY_LOADED, scene.memory(), 1);
    sheet.rows.sort_by_key(|row| number(row.target.id));
    Ok(())
}

/// What a day brings: orders at an easy pace.
async fn normal(args: &PerfArgs, scene: &Scene, sheet: &mut Sheet) -> anyhow::Result<()> {
    let span = Duration::from_secs(args.seconds);
    let tally = scene.load(args.normal, span).await?;
    let times = &tally.latencies;
    sheet.figure(targets::CREATE, times.value_at_quantile(0.95), times.len());
    // The answer leaves when the money was taken and the units are sold: it is the whole pipeline.
    let mean = Duration::from_secs_f64((times.mean() / 1_000_000.0).max(0.0));
    sheet.figure(targets::PIPELINE, micros(mean), times.len());
    let hourly = quotient(real(tally.measured.saturating_mul(3_600)), span.as_secs_f64());
    let hourly = Duration::from_secs_f64(hourly.unwrap_or_default()).as_secs();
    sheet.figure(targets::HOURLY, hourly, tally.measured);
    for (what, count) in &tally.errors {
        sheet.failures.push(format!("normal load: {count} × {what}"));
    }
    Ok(())
}

/// One question after the other.
async fn single(scene: &Scene, sheet: &mut Sheet) -> anyhow::Result<()> {
    let run = rand::random::<u64>();
    let shelf = product_id(0);
    let unknown = (0..EACH).map(|number| order(run, number, "nobody-offers-it", None));
    sheet.p95(targets::VALIDATE, &scene.each(unknown, 422).await?);
    let held = (0..EACH).map(|number| order(run ^ 1, number, &shelf, None));
    sheet.p95(targets::HOLD, &scene.each(held, 201).await?);
    let cash = Some(json!({"method": "cash"}));
    let sold = (0..EACH).map(|number| order(run ^ 2, number, &shelf, cash.clone()));
    sheet.p95(targets::COMMIT, &scene.each(sold, 201).await?);
    let mut followed = latency::histogram();
    for number in 0..20 {
        latency::note(&mut followed, scene.until_listed(number).await?);
    }
    sheet.p95(targets::FOLLOW, &followed);
    // A list of so many needs so many.
    let mut ids = scene.listed(LISTED).await?;
    for number in ids.len()..usize::try_from(LISTED)? {
        scene.ask(&paid_order(run ^ 3, u64::try_from(number)?)).await?;
    }
    scene.until_listed(0).await?;
    let lists = (0..LISTS).map(|_| Call::get(format!("/v1/orders?limit={LISTED}")));
    sheet.p95(targets::LIST, &scene.each(lists, 200).await?);
    ids = scene.listed(LISTED).await?;
    ensure!(ids.len() == usize::try_from(LISTED)?, "the list shows {} orders", ids.len());
    let reads = ids.iter().take(usize::try_from(EACH)?);
    let reads = reads.map(|id| Call::get(format!("/v1/orders/{id}")));
    sheet.p95(targets::READ, &scene.each(reads, 200).await?);
    Ok(())
}

/// More than a day brings, and what the server measures inside of itself meanwhile.
async fn rush(args: &PerfArgs, scene: &Scene, sheet: &mut Sheet) -> anyhow::Result<()> {
    let inside = [
        (targets::STOCK_WAIT, "millrace_mailbox_wait_seconds", "actor=\"inventory\""),
        (targets::DATABASE, "millrace_writer_commit_seconds", ""),
        (targets::PARTS, "millrace_provider_seconds", ""),
    ];
    let mut before = Vec::new();
    for (_, name, label) in inside {
        before.push(scene.figures(name, label).await?);
    }
    let tally = scene.load(args.rush, Duration::from_secs(args.seconds)).await?;
    let times = &tally.latencies;
    sheet.figure(targets::RUSH, times.value_at_quantile(0.95), times.len());
    let refused: u64 = tally.errors.values().sum();
    sheet.rush = (tally.acknowledged, tally.acknowledged.saturating_add(refused));
    for ((target, name, label), before) in inside.into_iter().zip(&before) {
        let added = scene.figures(name, label).await?.since(before);
        let p95 = added.p95().with_context(|| format!("{name} has no figures"))?;
        sheet.figure(target, p95, added.count());
    }
    Ok(())
}

impl Sheet {
    fn figure(&mut self, target: Target, found: u64, samples: u64) {
        self.rows.push(Row::new(target, found, samples));
    }

    fn time(&mut self, target: Target, took: Duration) {
        self.figure(target, micros(took), 1);
    }

    fn p95(&mut self, target: Target, times: &hdrhistogram::Histogram<u64>) {
        self.figure(target, times.value_at_quantile(0.95), times.len());
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

/// The number in `PERF-12`.
fn number(id: &str) -> u32 {
    id.rsplit('-').next().and_then(|digits| digits.parse().ok()).unwrap_or_default()
}
