//! `overload`: what a server does when it is asked for up to twenty times of what it can carry.

mod args;
mod behaviour;
mod beside;
mod capacity;
mod charts;
mod generator;
mod goals;
mod honesty;
mod html;
mod line;
mod ports;
mod report;
mod row;
mod schedule;
mod session;
mod stream;
mod table;
mod tally;
#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tokio::signal::unix::{SignalKind, signal};

pub use self::args::{OverloadArgs, Part};
pub use self::behaviour::Behaviour;
use self::beside::{
    ADDRESSES, COLD_AND_REST, Fairness, POLITE, PUSHES, Products, Rejections, SoldOut,
};
use self::capacity::{Capacity, Search, qualifies};
use self::generator::{Load, Source};
use self::honesty::Books;
use self::report::{Report, Setup};
use self::row::{Level, Row, Seen};
use self::session::{COLD, HOT, Place, SOLD_OUT, SPREAD, Session};
use crate::progress::Line;
use crate::report::file::save;
use crate::report::json;
use crate::report::latency::Percentiles;
use crate::rig::pin::{self, Cores};
use crate::rig::{quotient, real, sockets};

/// Connections of the crowd that shows the highest rate.
const CLOSED: u16 = 128;
/// Longest look at one rate: a disk that pauses once must not be more than a hundredth of it.
const CAPACITY_LASTS: Duration = Duration::from_secs(10);
/// What is offered while it recovers, in parts of the capacity.
const CALM: f64 = 0.7;
/// Connections of a client that does not push.
const FEW: u16 = 64;
/// A window that is full after its first checkout.
const ONE_A_DAY: [&str; 4] = ["--throttling-max-rps", "1", "--throttling-window-seconds", "86400"];
/// Addresses that a crowd comes from, 127.0.0.2 and those after it: one has not enough ports for
/// people who hang up, since each port rests for a while.
const ADDRESSES_OF_A_CROWD: u8 = 8;
/// Files that a process has beside the connections of a crowd.
const FILES: u64 = 256;

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
    // The server inherits the limit.
    let room = sockets::raise().unwrap_or(u64::MAX).saturating_sub(FILES);
    let connections_max = u16::try_from(room).unwrap_or(u16::MAX).min(args.connections_max);
    let place = Place { program, folder, cores };
    let session = Session::open(&place, &[]).await?;
    let memory = session.memory();
    let run = Run {
        args,
        place,
        session,
        connections_max,
        memory,
        books: Books::default(),
        violations: Vec::new(),
        unsettled: Vec::new(),
    };
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
        connections_max: CLOSED,
        from: Vec::new(),
    };
    let load = Load { address: session.address(), sources: vec![source], steps: vec![lasts] };
    let seen = session.bear(load).await;
    let seen = seen.with_context(|| format!("{what}:\n{}", session.last_words()))?;
    Ok(Rejections::of(&seen, lasts, capacity.order_us))
}

/// One server and what its clients were told so far.
struct Run<'a> {
    args: &'a OverloadArgs,
    place: Place,
    session: Session,
    /// Most connections of a crowd.
    connections_max: u16,
    /// Memory of the server before the first request, in bytes.
    memory: u64,
    books: Books,
    violations: Vec<String>,
    unsettled: Vec<String>,
}

impl Run<'_> {
    async fn everything(mut self) -> anyhow::Result<Report> {
        let capacity = self.capacity().await?;
        // A closed stderr only loses the progress.
        drop(writeln!(
            std::io::stderr(),
            "capacity {:.0} orders/s{}",
            capacity.per_second,
            if capacity.is_qualified { "" } else { ", not carried well" }
        ));
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
        let Self { args, place, session, connections_max, mut violations, unsettled, .. } = self;
        violations.extend(session.verify()?);
        let mut rejections = None;
        if args.runs(Part::Rejections) {
            let lasts = Duration::from_secs(args.seconds);
            rejections = rejected_at_the_door(&place, lasts, &capacity).await?;
        }
        let report = Report {
            schema: "millrace-overload/2",
            setup: Setup {
                version: env!("CARGO_PKG_VERSION"),
                pinned: place.cores.is_some(),
                connections: args.connections,
                connections_max,
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
            unsettled,
            passed: false,
        };
        Ok(report.judge())
    }

    /// The highest rate that is carried well.
    async fn capacity(&mut self) -> anyhow::Result<Capacity> {
        let lasts = self.lasts().min(CAPACITY_LASTS);
        let closed = self.as_answered(HOT);
        self.bear("warming up", vec![closed], vec![lasts / 2]).await?;
        let closed = self.as_answered(HOT);
        let seen = self.bear("capacity, as fast as answered", vec![closed], vec![lasts]).await?;
        let tally = seen.tally(0, 0).context("nothing was counted")?;
        let highest = real(tally.done) / lasts.as_secs_f64();
        ensure!(highest > 0.0, "no order came:\n{}", self.session.last_words());
        let order_us = quotient(real(seen.server_us), real(tally.done)).unwrap_or_default();
        let (mut search, mut p99_us) = (Search::from(highest), 0);
        while let Some(rate) = search.next() {
            let mut carried = self.carried(rate, lasts).await?;
            if carried.is_none() {
                // One pause of the machine must not make a rate too high for good.
                carried = self.carried(rate, lasts).await?;
            }
            search.found(rate, carried.is_some());
            p99_us = carried.unwrap_or(p99_us);
        }
        self.check("the capacity").await?;
        Ok(Capacity {
            per_second: search.carried().unwrap_or(highest),
            is_qualified: search.carried().is_some(),
            too_high_per_second: search.too_high(),
            p99_us,
            closed_per_second: highest,
            order_us,
        })
    }

    /// p99 of a rate that is carried well.
    async fn carried(&mut self, rate: f64, lasts: Duration) -> anyhow::Result<Option<u64>> {
        let what = format!("capacity, {rate:.0} orders/s");
        // What the rate before has left behind is not held against this one.
        let source = self.source(&[rate / 2.0, rate], Behaviour::NoRetry);
        let before = (lasts / 2).min(Duration::from_secs(1));
        let seen = self.bear(&what, vec![source], vec![before, lasts]).await?;
        let tally = seen.tally(0, 1).context("nothing was counted")?;
        // A closed stderr only loses the progress.
        drop(writeln!(std::io::stderr(), "{what}: {}", capacity::words(tally)));
        Ok(qualifies(tally).then(|| Percentiles::of(&tally.admitted_us).p99))
    }

    /// A level, and the time to recover from it. Both are one load: the crowd of the level is still
    /// there while others come.
    async fn level(
        &mut self,
        clients: Behaviour,
        multiple: f64,
        capacity: &Capacity,
    ) -> anyhow::Result<Option<Row>> {
        let what = format!("{} at {multiple} ×", clients.name());
        let rates = [multiple, CALM].map(|part| capacity.per_second * part);
        let rest = self.lasts().clamp(Duration::from_secs(4), Duration::from_secs(10));
        let source = self.source(&rates, clients);
        let seen = self.bear(&what, vec![source], vec![self.lasts(), rest]).await?;
        self.check(&what).await?;
        let lasts = self.lasts();
        let level = Level { clients, multiple, lasts, memory_before: self.memory };
        Ok(Row::of(&level, capacity, &seen))
    }

    /// A polite client beside one that pushes a hundred times as much.
    async fn fairness(&mut self, capacity: &Capacity) -> anyhow::Result<Option<Fairness>> {
        let what = "a polite client beside one that pushes";
        let rate = capacity.per_second * POLITE;
        let [from, other] = ADDRESSES;
        let polite = Source {
            from: vec![from],
            connections: FEW,
            connections_max: FEW.saturating_mul(16),
            ..self.source(&[rate], Behaviour::NoRetry)
        };
        let room = self.connections_max.saturating_sub(polite.connections_max);
        let pushes = Source {
            from: vec![other],
            connections_max: room,
            ..self.source(&[rate * PUSHES], Behaviour::NoRetry)
        };
        let seen = self.bear(what, vec![polite, pushes], vec![self.lasts()]).await?;
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
                connections_max: FEW.saturating_mul(16),
                ..self.source(&[capacity.per_second * cold], Behaviour::NoRetry)
            };
            let rest = Source {
                template: self.session.template(first, count),
                connections_max: self.connections_max.saturating_sub(cold.connections_max),
                ..self.source(&[capacity.per_second * rest], Behaviour::NoRetry)
            };
            seen.push(self.bear(what, vec![cold, rest], vec![self.lasts()]).await?);
            self.check(what).await?;
        }
        let [beside_spread, beside_hot] = seen.as_slice() else { return Ok(None) };
        Ok(Products::of(beside_hot, beside_spread))
    }

    /// Everybody wants what is sold out.
    async fn sold_out(&mut self, capacity: &Capacity) -> anyhow::Result<Option<SoldOut>> {
        let what = "a sold-out product";
        let source = self.as_answered(SOLD_OUT);
        self.bear("the last units", vec![source], vec![Duration::from_secs(1)]).await?;
        let before = beside::stock_messages(&self.session.figures().await?);
        let source = self.as_answered(SOLD_OUT);
        let seen = self.bear(what, vec![source], vec![self.lasts()]).await?;
        let after = beside::stock_messages(&self.session.figures().await?);
        self.check(what).await?;
        Ok(SoldOut::of(&seen, self.lasts(), capacity.order_us, [before, after]))
    }

    fn lasts(&self) -> Duration {
        Duration::from_secs(self.args.seconds)
    }

    /// Orders of the hot product from a crowd, at some rates, one step after the other.
    fn source(&self, per_second: &[f64], behaviour: Behaviour) -> Source {
        let last = 2..2 + ADDRESSES_OF_A_CROWD;
        Source {
            template: self.session.template(HOT, 1),
            per_second: Some(per_second.to_vec()),
            behaviour,
            connections: self.args.connections,
            connections_max: self.connections_max,
            from: last.map(|last| IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))).collect(),
        }
    }

    /// Orders of a product, each sent as soon as the one before is answered.
    fn as_answered(&self, product: u32) -> Source {
        Source {
            template: self.session.template(product, 1),
            per_second: None,
            connections: CLOSED,
            connections_max: CLOSED,
            ..self.source(&[], Behaviour::NoRetry)
        }
    }

    async fn bear(
        &mut self,
        what: &str,
        sources: Vec<Source>,
        steps: Vec<Duration>,
    ) -> anyhow::Result<Seen> {
        let _line = Line::step(what);
        let load = Load { address: self.session.address(), sources, steps };
        let seen = self.session.bear(load).await;
        let seen = seen.with_context(|| format!("{what}:\n{}", self.session.last_words()))?;
        for heard in &seen.heard {
            self.books.add(&heard.sales);
        }
        Ok(seen)
    }

    /// Compares the product pages with what clients were told.
    async fn check(&mut self, what: &str) -> anyhow::Result<()> {
        let (pages, is_quiet) = self.session.pages().await?;
        let violations = self.books.violations(&pages).into_iter();
        self.violations.extend(violations.map(|words| format!("{what}: {words}")));
        if is_quiet {
            self.books.rebase(&pages);
        } else {
            self.unsettled.push(what.to_owned());
        }
        Ok(())
    }
}
