//! One server with a store of its own, loaded at its maximum and at half of it.

use std::time::Duration;

use anyhow::Context as _;
use http::HeaderValue;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::generator::{Generator, Load, Tally};
use super::plan::{FSYNC_DELAY_US, Scenario, Side};
use super::postgres::Throwaway;
use super::row::{Cost, Half, Row, Sample, half_interval, rate};
use super::{Bench, disk};
use crate::client::{Endpoint, Pool};
use crate::rig::cpu;
use crate::rig::process::{Server, Start};
use crate::rig::request::Template;
use crate::rig::shelves;

/// Units of each product: more than any run can sell, and few enough for 32 bits.
const UNITS: u64 = 1_000_000_000;
/// The one key that the edge alone knows: with nothing behind it there is nothing to guard.
const EDGE_KEY: &str = "secret-key-123";
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// A server under measurement.
pub(super) struct Session<'a> {
    bench: &'a Bench,
    side: Side,
    scenario: Scenario,
    api_key: String,
    pool: Pool,
    server: Server,
    database: Option<Throwaway>,
    // Dropped after the server that writes into it.
    folder: TempDir,
}

impl<'a> Session<'a> {
    /// Starts the server on an empty store and puts the products on the shelf.
    pub(super) async fn open(
        bench: &'a Bench,
        side: Side,
        scenario: Scenario,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(&bench.folder)?;
        let delay_us = scenario.slow_disk.then_some(FSYNC_DELAY_US);
        let database = match &bench.postgres {
            Some(postgres) if side.needs_postgres() => Some(postgres.create(delay_us).await?),
            _ => None,
        };
        let api_key = match side {
            Side::Edge => EDGE_KEY.to_owned(),
            _ => format!("bench-{:032x}", rand::random::<u128>()),
        };
        let (program, arguments) = command(bench, side, scenario, database.as_ref());
        let start = Start {
            program,
            arguments,
            api_key: &api_key,
            folder: folder.path(),
            // Postgres waits by itself, and the edge alone writes nothing.
            delay_us: delay_us.filter(|_| side == Side::Sqlite),
            core: None,
        };
        let mut server = start.run().await?;
        let mut header = HeaderValue::from_str(&api_key)?;
        header.set_sensitive(true);
        let endpoint = Endpoint::parse(&format!("http://{}", server.address))?;
        let pool = Pool::new(endpoint, header, 1, CALL_TIMEOUT);
        let path = if matches!(side, Side::Peer(_)) { "/health" } else { "/health/ready" };
        server.ready(&pool, path, side == Side::Edge).await?;
        let session = Self { bench, side, scenario, api_key, pool, server, database, folder };
        if matches!(side, Side::Postgres | Side::Sqlite) {
            shelves::fill(&session.pool, (0..scenario.products).map(|number| (number, UNITS)))
                .await?;
        }
        if let (Some(postgres), Some(_)) = (&bench.postgres, &session.database) {
            postgres.checkpoint().await?;
        }
        Ok(session)
    }

    /// As many orders as the connections carry; the result is the interval between two
    /// sends at half of that rate.
    pub(super) async fn saturate(&self, row: &mut Row) -> anyhow::Result<Option<Duration>> {
        let generator = self.load(None)?;
        sleep(self.bench.warm_up).await;
        // What asks Postgres for sizes stays outside of what is measured.
        let before = self.sample().await?;
        let begun = Instant::now();
        let before = Sample { ..self.processors(before) };
        generator.measure();
        sleep(self.bench.measured).await;
        generator.unmeasure();
        let elapsed = begun.elapsed();
        let processors = self.processors(Sample::default());
        let after = Sample {
            server_us: processors.server_us,
            postgres_us: processors.postgres_us,
            generator_us: processors.generator_us,
            ..self.sample().await?
        };
        let tally = generator.end().await?;
        row.absorb(&tally);
        row.orders_per_s = rate(tally.measured, elapsed);
        row.latency_us = latencies(&tally);
        row.cost = Cost::between(&before, &after, tally.measured);
        Ok(half_interval(tally.measured, elapsed))
    }

    /// Orders at a fixed pace, whatever the answers take.
    pub(super) async fn pace(&self, row: &mut Row, interval: Duration) -> anyhow::Result<()> {
        let generator = self.load(Some(interval))?;
        sleep(self.bench.warm_up).await;
        generator.measure();
        let begun = Instant::now();
        sleep(self.bench.measured).await;
        generator.unmeasure();
        let elapsed = begun.elapsed();
        let tally = generator.end().await?;
        row.absorb(&tally);
        row.at_half = Some(Half {
            offered_per_s: rate(1, interval),
            orders_per_s: rate(tally.measured, elapsed),
            latency_us: latencies(&tally),
        });
        Ok(())
    }

    /// Compares what was acknowledged with what the product pages say, stops the server and
    /// removes its store.
    pub(super) async fn close(self, row: &mut Row) -> anyhow::Result<()> {
        if self.side != Side::Edge {
            let mut sold = 0_u64;
            for number in 0..self.scenario.products {
                sold = sold.saturating_add(shelves::stock(&self.pool, number).await?.sold);
            }
            row.sold = Some(row.sold.unwrap_or_default().saturating_add(sold));
        }
        let Self { bench, server, database, folder, .. } = self;
        row.fsyncs_slowed = server.slowed();
        drop(server);
        if let (Some(postgres), Some(database)) = (&bench.postgres, database) {
            postgres.drop_database(&database).await?;
        }
        folder.close().context("removing the data of a row")
    }

    /// What the server said last, for a row that failed.
    pub(super) fn last_words(&self) -> String {
        self.server.last_words()
    }

    fn load(&self, interval: Option<Duration>) -> anyhow::Result<Generator> {
        let address = self.server.address;
        let run = rand::random::<u64>();
        let products = self.scenario.products;
        let template = Template::new(&address.to_string(), &self.api_key, run, products);
        let connections = self.bench.connections;
        Generator::start(Load { address, template, connections, interval })
            .context("starting the generator")
    }

    /// Sizes; the processor times are left at zero.
    async fn sample(&self) -> anyhow::Result<Sample> {
        let (stored, written) = match (&self.bench.postgres, &self.database) {
            (Some(postgres), Some(database)) => {
                let gauges = postgres.gauges(database).await?;
                (Some(gauges.stored), Some(gauges.written))
            }
            _ if self.side == Side::Edge => (None, None),
            _ => (
                Some(disk::folder_bytes(self.folder.path())),
                disk::written_bytes(self.server.process),
            ),
        };
        Ok(Sample { stored, written, ..Sample::default() })
    }

    fn processors(&self, sample: Sample) -> Sample {
        let postmaster = self.bench.postgres.as_ref().and_then(|postgres| postgres.postmaster);
        let postmaster = postmaster.filter(|_| self.database.is_some());
        Sample {
            server_us: cpu::micros(self.server.process).unwrap_or_default(),
            postgres_us: postmaster.map(cpu::tree_micros),
            generator_us: cpu::micros(std::process::id()).unwrap_or_default(),
            ..sample
        }
    }
}

fn command<'a>(
    bench: &'a Bench,
    side: Side,
    scenario: Scenario,
    database: Option<&Throwaway>,
) -> (&'a std::path::Path, Vec<String>) {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let charge = scenario.charge_ms.to_string();
    let url = database.map(|database| database.url.as_str()).unwrap_or_default();
    match side {
        Side::Edge => (&bench.millrace, words(&["edge-only"])),
        Side::Peer(pool) => {
            let (pool, products) = (pool.to_string(), scenario.products.to_string());
            let stock = UNITS.to_string();
            let arguments = [
                "--database-url",
                url,
                "--pool",
                &pool,
                "--charge-ms",
                &charge,
                "--products",
                &products,
                "--stock",
                &stock,
            ];
            (&bench.peer, words(&arguments))
        }
        Side::Postgres | Side::Sqlite => {
            let mut arguments =
                words(&["serve", "--data-dir", "data", "--provider-latency-ms", &charge]);
            if side == Side::Postgres {
                arguments.extend(words(&["--database-url", url]));
            }
            (&bench.millrace, arguments)
        }
    }
}

fn latencies(tally: &Tally) -> crate::report::latency::Percentiles {
    crate::report::latency::Percentiles::of(&tally.latencies)
}
