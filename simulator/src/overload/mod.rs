//! `overload`: what a server does when it is asked for up to twenty times of what it can carry.

mod args;
mod behaviour;
mod beside;
mod charts;
mod generator;
mod goals;
mod html;
mod line;
mod report;
mod row;
mod schedule;
mod session;
mod table;
mod tally;
#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tokio::signal::unix::{SignalKind, signal};

pub use self::args::{OverloadArgs, Part};
pub use self::behaviour::Behaviour;
use self::beside::{
    ADDRESSES, COLD_AND_REST, Fairness, POLITE, PUSHES, Products, Rejections, SoldOut,
};
use self::generator::{Load, Source};
use self::report::{Report, Setup};
use self::row::{Capacity, Row, Seen};
use self::session::{COLD, HOT, Place, SOLD_OUT, SPREAD, Session, Told};
use crate::progress::Line;
use crate::report::file::save;
use crate::report::json;
use crate::report::latency::Percentiles;
use crate::rig::pin::{self, Cores};
use crate::rig::{quotient, real};

/// Connections of the crowd that shows the highest rate.
const CLOSED: u16 = 128;
/// What is offered while it recovers, in parts of the capacity.
const CALM: f64 = 0.7;
/// Connections of a client that does not push.
const FEW: u16 = 64;
/// A window that is full after its first checkout.
const ONE_A_DAY: [&str; 4] = ["--throttling-max-rps", "1", "--throttling-window-seconds", "86400"];
/// Errors that a rate within the capacity may have.
const GOOD_FROM: f64 = 0.999;
/// p99 of a rate within the capacity.
const P99_MAX_US: u64 = 100_000;

/// Runs the measurement; the answer is whether the history is honest. Must run inside an actix
/// system.
///
/// # Errors
/// A missing binary, a server that fails, an interruption, or a result that cannot be written.
pub async fn run(args: &OverloadArgs) -> anyhow::Result<bool> {
    let mut terminate = signal(SignalKind::terminate())?;
    let report = tokio::select! {
        report = Box::pin(measure(args)) => report?,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        _ = terminate.recv() => bail!("terminated"),
    };
    write!(std::io::stdout(), "{}", table::render(&report)).context("cannot write the table")?;
    if let Some(path) = &args.json {
        save(path, &json::render(&report)?)?;
    }
    if let Some(path) = &args.html {
        save(path, &html::render(&report)?)?;
    }
    Ok(report.passed)
}

async fn measure(args: &OverloadArgs) -> anyhow::Result<Report> {
    let beside = std::env::current_exe().context("finding this program")?;
    let program = args.millrace.clone().unwrap_or_else(|| beside.with_file_name("millrace"));
    // The server runs in a folder of its own, so that the path must hold from everywhere.
    let program = std::path::absolute(&program)?;
    let hint = "build it with `cargo build --release --workspace --bins`";
    ensure!(program.is_file(), "{} does not exist: {hint}", program.display());
    let folder = args.folder.clone().unwrap_or_else(std::env::temp_dir);
    let cores = Cores::apart().filter(|cores| pin::keep_to(cores.generator));
    let place = Place { program, folder, cores };
    let session = Session::open(&place, &[]).await?;
    let run = Run { args, place, session, told: Told::default(), violations: Vec::new() };
    Box::pin(run.everything()).await
}

/// Everybody comes to a window that is full, on a server of its own.
async fn rejected_at_the_door(
    place: &Place,
    lasts: Duration,
    capacity: &Capacity,
) -> anyhow::Result<Option<Rejections>> {
    let what = "rejected at the door";
    let _line = Line::step(what);
    let session = Session::open(place, &ONE_A_DAY).await?;
    let source = Source {
        template: session.template(HOT, 1),
        per_second: None,
        behaviour: Behaviour::NoRetry,
        connections: CLOSED,
        from: None,
    };
    let load = Load { address: session.address(), sources: vec![source], lasts };
    let seen = session.bear(load).await;
    let seen = seen.with_context(|| format!("{what}:\n{}", session.last_words()))?;
    Ok(Rejections::of(&seen, lasts, capacity.order_us))
}

/// One server and what its clients were told so far.
struct Run<'a> {
    args: &'a OverloadArgs,
    place: Place,
    session: Session,
    told: Told,
    violations: Vec<String>,
}

impl Run<'_> {
    async fn everything(mut self) -> anyhow::Result<Report> {
        let capacity = self.capacity().await?;
        // A closed stderr only loses the progress.
        drop(writeln!(std::io::stderr(), "capacity {:.0} orders/s", capacity.per_second));
        let mut rows = Vec::new();
        if self.args.runs(Part::Levels) {
            for clients in self.args.behaviours().to_vec() {
                for multiple in self.args.levels.clone() {
                    rows.extend(self.level(clients, multiple, &capacity).await?);
                }
            }
        }
        let mut fairness = None;
        if self.args.runs(Part::Fairness) {
            fairness = self.fairness(&capacity).await?;
        }
        let mut products = None;
        if self.args.runs(Part::Products) {
            products = self.products(&capacity).await?;
        }
        let mut sold_out = None;
        if self.args.runs(Part::SoldOut) {
            sold_out = self.sold_out(&capacity).await?;
        }
        let Self { args, place, session, mut violations, .. } = self;
        violations.extend(session.verify()?);
        let mut rejections = None;
        if args.runs(Part::Rejections) {
            let lasts = Duration::from_secs(args.seconds);
            rejections = rejected_at_the_door(&place, lasts, &capacity).await?;
        }
        let report = Report {
            schema: "millrace-overload/1",
            setup: Setup {
                version: env!("CARGO_PKG_VERSION"),
                pinned: place.cores.is_some(),
                connections: args.connections,
                seconds: args.seconds,
                optimised: !cfg!(debug_assertions),
            },
            capacity,
            rows,
            fairness,
            products,
            rejections,
            sold_out,
            goals: Vec::new(),
            violations,
            passed: false,
        };
        Ok(report.judge())
    }

    /// The highest rate that is carried well.
    async fn capacity(&mut self) -> anyhow::Result<Capacity> {
        let lasts = self.lasts().min(Duration::from_secs(5));
        let closed = Source { connections: CLOSED, ..self.source(None, Behaviour::NoRetry) };
        let warm = self.bear("warming up", vec![closed.clone()], lasts / 2).await?;
        drop(warm);
        let closed = Source { template: self.session.template(HOT, 1), ..closed };
        let seen = self.bear("capacity, as fast as answered", vec![closed], lasts).await?;
        let tally = seen.tallies.first().context("nothing was counted")?;
        let highest = real(tally.done) / lasts.as_secs_f64();
        let order_us = quotient(real(seen.server_us), real(tally.done)).unwrap_or_default();
        let mut capacity =
            Capacity { per_second: 0.0, p99_us: 0, closed_per_second: highest, order_us };
        for part in schedule::TRIED {
            let rate = highest * part;
            let what = format!("capacity, {rate:.0} orders/s");
            let source = self.source(Some(rate), Behaviour::NoRetry);
            let seen = self.bear(&what, vec![source], lasts).await?;
            let tally = seen.tallies.first().context("nothing was counted")?;
            let p99 = Percentiles::of(&tally.admitted_us).p99;
            (capacity.per_second, capacity.p99_us) = (rate, p99);
            if real(tally.offered) * GOOD_FROM <= real(tally.good) && p99 <= P99_MAX_US {
                break;
            }
        }
        ensure!(capacity.per_second > 0.0, "no order came:\n{}", self.session.last_words());
        Ok(capacity)
    }

    /// A level, and the time to recover from it.
    async fn level(
        &mut self,
        clients: Behaviour,
        multiple: f64,
        capacity: &Capacity,
    ) -> anyhow::Result<Option<Row>> {
        let what = format!("{} at {multiple} ×", clients.name());
        let source = self.source(Some(capacity.per_second * multiple), clients);
        let seen = self.bear(&what, vec![source], self.lasts()).await?;
        let calm = self.source(Some(capacity.per_second * CALM), clients);
        let rest = self.lasts().clamp(Duration::from_secs(4), Duration::from_secs(10));
        let after = self.bear(&format!("{what}, recovering"), vec![calm], rest).await?;
        self.check(&what).await?;
        Ok(Row::of(clients, multiple, capacity, self.lasts(), &seen, &after))
    }

    /// A polite client beside one that pushes a hundred times as much.
    async fn fairness(&mut self, capacity: &Capacity) -> anyhow::Result<Option<Fairness>> {
        let what = "a polite client beside one that pushes";
        let rate = capacity.per_second * POLITE;
        let [from, other] = ADDRESSES;
        let polite = Source {
            from: Some(from),
            connections: FEW,
            ..self.source(Some(rate), Behaviour::NoRetry)
        };
        let pushes =
            Source { from: Some(other), ..self.source(Some(rate * PUSHES), Behaviour::NoRetry) };
        let seen = self.bear(what, vec![polite, pushes], self.lasts()).await?;
        self.check(what).await?;
        Ok(Fairness::of(&seen, self.lasts()))
    }

    /// A cold product beside a hot one, and beside the same load spread over many.
    async fn products(&mut self, capacity: &Capacity) -> anyhow::Result<Option<Products>> {
        let (cold, rest) = COLD_AND_REST;
        let mut seen = Vec::new();
        for (what, first, count) in
            [("a cold product beside many", SPREAD.0, SPREAD.1), ("beside a hot one", HOT, 1)]
        {
            let cold = Source {
                template: self.session.template(COLD, 1),
                connections: FEW,
                ..self.source(Some(capacity.per_second * cold), Behaviour::NoRetry)
            };
            let rest = Source {
                template: self.session.template(first, count),
                ..self.source(Some(capacity.per_second * rest), Behaviour::NoRetry)
            };
            seen.push(self.bear(what, vec![cold, rest], self.lasts()).await?);
            self.check(what).await?;
        }
        let [beside_spread, beside_hot] = seen.as_slice() else { return Ok(None) };
        Ok(Products::of(beside_hot, beside_spread))
    }

    /// Everybody wants what is sold out.
    async fn sold_out(&mut self, capacity: &Capacity) -> anyhow::Result<Option<SoldOut>> {
        let what = "a sold-out product";
        let source = Source {
            template: self.session.template(SOLD_OUT, 1),
            connections: CLOSED,
            ..self.source(None, Behaviour::NoRetry)
        };
        self.bear("the last units", vec![source.clone()], Duration::from_secs(1)).await?;
        let source = Source { template: self.session.template(SOLD_OUT, 1), ..source };
        let before = beside::stock_messages(&self.session.figures().await?);
        let seen = self.bear(what, vec![source], self.lasts()).await?;
        let after = beside::stock_messages(&self.session.figures().await?);
        self.check(what).await?;
        Ok(SoldOut::of(&seen, self.lasts(), capacity.order_us, [before, after]))
    }

    fn lasts(&self) -> Duration {
        Duration::from_secs(self.args.seconds)
    }

    /// Orders of the hot product.
    fn source(&self, per_second: Option<f64>, behaviour: Behaviour) -> Source {
        Source {
            template: self.session.template(HOT, 1),
            per_second,
            behaviour,
            connections: self.args.connections,
            from: None,
        }
    }

    async fn bear(
        &mut self,
        what: &str,
        sources: Vec<Source>,
        lasts: Duration,
    ) -> anyhow::Result<Seen> {
        let _line = Line::step(what);
        let load = Load { address: self.session.address(), sources, lasts };
        let seen = self.session.bear(load).await;
        let seen = seen.with_context(|| format!("{what}:\n{}", self.session.last_words()))?;
        self.told.add(&seen);
        Ok(seen)
    }

    async fn check(&mut self, what: &str) -> anyhow::Result<()> {
        let honesty = self.session.books(self.told).await?;
        self.violations.extend(honesty.violation().map(|words| format!("{what}: {words}")));
        Ok(())
    }
}
