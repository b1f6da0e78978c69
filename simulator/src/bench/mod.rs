//! `bench`: everything that is compared, one after the other, in one run.

mod args;
mod disk;
pub(crate) mod generator;
mod goals;
mod html;
mod plan;
pub(crate) mod postgres;
mod report;
mod row;
mod session;
mod table;
#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::signal::unix::{SignalKind, signal};

pub use self::args::BenchArgs;
pub use self::plan::Part;
use self::plan::{Choice, POOLS, Scenario, Side};
use self::postgres::Postgres;
use self::report::{NotRun, Report, Setup};
use self::row::Row;
use self::session::Session;
use crate::progress::Line;
use crate::report::file::save;
use crate::report::json;
use crate::rig::process;

/// What every row needs.
#[derive(Debug)]
struct Bench {
    millrace: PathBuf,
    peer: PathBuf,
    postgres: Option<Postgres>,
    folder: PathBuf,
    warm_up: Duration,
    measured: Duration,
    connections: u16,
    forced_write_us: u64,
}

/// Runs the comparison; the answer is whether every row sold exactly what it acknowledged,
/// without an error. Must run inside an actix system.
///
/// # Errors
/// Missing binaries, a Postgres that cannot be reached, an interruption, or a result that
/// cannot be written.
pub async fn run(args: &BenchArgs) -> anyhow::Result<bool> {
    let choice = Choice(args.only.clone());
    let bench = Box::pin(prepare(args, &choice)).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    let ended = tokio::select! {
        ended = Box::pin(bench.everything(&choice)) => ended,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
        _ = terminate.recv() => Err(anyhow::anyhow!("terminated")),
    };
    if let Some(postgres) = &bench.postgres {
        postgres.drop_all().await?;
    }
    let (rows, not_run) = ended?;
    let report = bench.report(args.seconds, rows, not_run);
    write!(std::io::stdout(), "{}", table::render(&report)).context("cannot write the table")?;
    if let Some(path) = &args.json {
        save(path, &json::render(&report)?)?;
    }
    if let Some(path) = &args.html {
        save(path, &html::render(&report))?;
    }
    Ok(report.passed)
}

async fn prepare(args: &BenchArgs, choice: &Choice) -> anyhow::Result<Bench> {
    let myself = std::env::current_exe().context("finding this program")?;
    let beside = |name| myself.with_file_name(name);
    // Servers run in folders of their own, so that paths must hold from everywhere.
    let program = |given: &Option<PathBuf>, name, wanted: bool| {
        let path = given.clone().unwrap_or_else(|| beside(name));
        let path = std::path::absolute(&path)?;
        let hint = "build it with `cargo build --release --workspace --bins`";
        ensure!(!wanted || path.is_file(), "{} does not exist: {hint}", path.display());
        Ok(path)
    };
    let postgres = match &args.database_url {
        Some(url) => Some(Postgres::reach(url).await?),
        None => None,
    };
    let ours = [Part::Edge, Part::Postgres, Part::Sqlite].into_iter().any(|part| choice.side(part));
    let theirs = choice.side(Part::Peer) && postgres.is_some();
    let measured = Duration::from_secs(args.seconds);
    let folder = args.folder.clone().unwrap_or_else(std::env::temp_dir);
    let forced = disk::forced_write(&folder)
        .with_context(|| format!("cannot write in {}", folder.display()))?;
    Ok(Bench {
        millrace: program(&args.millrace, "millrace", ours)?,
        peer: program(&args.peer, "peer", theirs)?,
        postgres,
        folder,
        warm_up: measured / 5,
        measured,
        connections: args.connections,
        forced_write_us: u64::try_from(forced.as_micros()).unwrap_or(u64::MAX),
    })
}

impl Bench {
    async fn everything(&self, choice: &Choice) -> anyhow::Result<(Vec<Row>, Vec<NotRun>)> {
        let (mut rows, mut not_run) = (Vec::new(), Vec::new());
        if choice.side(Part::Edge) {
            rows.push(Box::pin(self.alone(Side::Edge, Scenario::BARE, false)).await);
        }
        let cannot_slow = process::cannot_slow();
        for scenario in choice.scenarios() {
            for side in [Part::Peer, Part::Postgres, Part::Sqlite] {
                if !choice.side(side) {
                    continue;
                }
                let reason = match side {
                    Part::Sqlite => cannot_slow.clone().filter(|_| scenario.slow_disk),
                    _ if self.postgres.is_none() => Some("no --database-url".to_owned()),
                    _ => None,
                };
                if let Some(reason) = reason {
                    let what = match side {
                        Part::Peer => "peer".to_owned(),
                        Part::Postgres => Side::Postgres.name(),
                        _ => Side::Sqlite.name(),
                    };
                    not_run.push(NotRun { what: format!("{what}, {}", scenario.name()), reason });
                    continue;
                }
                match side {
                    Part::Peer => rows.extend(Box::pin(self.peers(scenario)).await),
                    Part::Postgres => {
                        rows.push(Box::pin(self.alone(Side::Postgres, scenario, true)).await);
                    }
                    _ => rows.push(Box::pin(self.alone(Side::Sqlite, scenario, true)).await),
                }
            }
        }
        Ok((rows, not_run))
    }

    /// The peer with every pool; the best of them also at half of its maximum.
    async fn peers(&self, scenario: Scenario) -> Vec<Row> {
        let mut rows: Vec<(Row, Option<Duration>)> = Vec::new();
        for pool in POOLS {
            let mut row = Row::new(Side::Peer(pool), scenario);
            let interval = Box::pin(self.saturated(&mut row, false)).await;
            rows.push(finished(row, interval));
        }
        let counting = rows.iter_mut().filter(|(row, _)| row.counts());
        let best =
            counting.max_by(|(one, _), (other, _)| one.orders_per_s.total_cmp(&other.orders_per_s));
        if let Some((row, Some(interval))) = best {
            let paced = Box::pin(self.paced(row, *interval)).await;
            if let Err(error) = paced {
                row.failures.push(format!("{error:#}"));
            }
            row.judge();
        }
        rows.into_iter().map(|(row, _)| row).collect()
    }

    async fn alone(&self, side: Side, scenario: Scenario, half: bool) -> Row {
        let mut row = Row::new(side, scenario);
        let outcome = Box::pin(self.saturated(&mut row, half)).await;
        finished(row, outcome).0
    }

    /// At the maximum and, if asked for, on the same server at half of it.
    async fn saturated(&self, row: &mut Row, half: bool) -> anyhow::Result<Option<Duration>> {
        let what = format!("{}, {}", row.side.name(), row.scenario.name());
        let line = Line::step(&format!("{what}: starting"));
        let session = Session::open(self, row.side, row.scenario).await?;
        drop(line);
        let line = Line::step(&format!("{what}: at the maximum"));
        let interval = session.saturate(row).await;
        let interval = interval.with_context(|| session.last_words())?;
        drop(line);
        if let (true, Some(interval)) = (half, interval) {
            let _line = Line::step(&format!("{what}: at half of the maximum"));
            session.pace(row, interval).await.with_context(|| session.last_words())?;
        }
        session.close(row).await?;
        Ok(interval)
    }

    /// On a fresh server at a given pace.
    async fn paced(&self, row: &mut Row, interval: Duration) -> anyhow::Result<()> {
        let what = format!("{}, {}", row.side.name(), row.scenario.name());
        let _line = Line::step(&format!("{what}: at half of the maximum"));
        let session = Session::open(self, row.side, row.scenario).await?;
        session.pace(row, interval).await.with_context(|| session.last_words())?;
        session.close(row).await
    }

    fn report(&self, seconds: u64, mut rows: Vec<Row>, not_run: Vec<NotRun>) -> Report {
        row::compare(&mut rows);
        Report {
            schema: "millrace-bench/1",
            setup: Setup {
                version: env!("CARGO_PKG_VERSION"),
                cores: std::thread::available_parallelism().map_or(1, usize::from),
                file_system: disk::kind(&self.folder),
                forced_write_us: self.forced_write_us,
                postgres: self.postgres.as_ref().map(|postgres| postgres.version.clone()),
                connections: self.connections,
                seconds,
                optimised: !cfg!(debug_assertions),
            },
            goals: goals::judge(&rows),
            passed: rows.iter().all(Row::counts),
            rows,
            not_run,
        }
    }
}

/// Judges a row and says so on the terminal.
fn finished(mut row: Row, outcome: anyhow::Result<Option<Duration>>) -> (Row, Option<Duration>) {
    let interval = match outcome {
        Ok(interval) => {
            row.judge();
            interval
        }
        Err(error) => {
            row.failures.push(format!("{error:#}"));
            None
        }
    };
    // A closed stderr only loses the progress.
    drop(writeln!(std::io::stderr(), "{}", table::line(&row)));
    (row, interval)
}
