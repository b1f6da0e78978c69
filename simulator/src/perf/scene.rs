//! One server on a new store, and the questions that are put to it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use futures::future::join_all;
use hdrhistogram::Histogram;
use http::HeaderValue;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::figures::Buckets;
use crate::bench::generator::{Generator, Load, Tally};
use crate::client::{Call, Endpoint, Pool, Reply};
use crate::report::latency;
use crate::rig::process::{Server, Start};
use crate::rig::request::{Template, product_id};
use crate::rig::{cpu, shelves};

/// Products that are bought, and units of each: more than any run can sell.
const PRODUCTS: u32 = 100;
const UNITS: u64 = 10_000_000;
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections of a load.
const CONNECTIONS: u16 = 256;

/// A server under measurement.
pub(super) struct Scene {
    server: Server,
    api_key: String,
    header: HeaderValue,
    pool: Pool,
    /// From the start of the process until it was ready.
    pub(super) started_in: Duration,
    // Dropped after the server that writes into it.
    _folder: TempDir,
}

impl Scene {
    /// Starts a server on an empty store and puts the products on the shelf.
    pub(super) async fn open(
        program: &Path,
        folder: &Path,
        database_url: Option<&str>,
        charge_ms: u64,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("perf-").tempdir_in(folder)?;
        let mut arguments = vec!["serve".to_owned(), "--data-dir".to_owned(), "data".to_owned()];
        arguments.extend(["--provider-latency-ms".to_owned(), charge_ms.to_string()]);
        if let Some(url) = database_url {
            arguments.extend(["--database-url".to_owned(), url.to_owned()]);
        }
        let api_key = format!("perf-{:032x}", rand::random::<u128>());
        let begun = Instant::now();
        let start = Start {
            program,
            arguments,
            api_key: &api_key,
            folder: folder.path(),
            delay_us: None,
            core: None,
        };
        let mut server = start.run().await?;
        let mut header = HeaderValue::from_str(&api_key)?;
        header.set_sensitive(true);
        let endpoint = Endpoint::parse(&format!("http://{}", server.address))?;
        let pool = Pool::new(endpoint, header.clone(), 16, CALL_TIMEOUT);
        server.ready(&pool, "/health/ready", false).await?;
        let started_in = begun.elapsed();
        Ok(Self { server, api_key, header, pool, started_in, _folder: folder })
    }

    /// Puts the products on the shelf.
    pub(super) async fn fill(&self) -> anyhow::Result<()> {
        shelves::fill(&self.pool, (0..PRODUCTS).map(|number| (number, UNITS))).await
    }

    /// Bytes of memory that the server has in use.
    pub(super) fn memory(&self) -> u64 {
        cpu::memory(self.server.process).unwrap_or_default()
    }

    /// What it wrote last.
    pub(super) fn last_words(&self) -> String {
        self.server.last_words()
    }

    /// A load at a pace, of which everything after the warm-up counts.
    pub(super) async fn load(&self, per_second: u32, span: Duration) -> anyhow::Result<Tally> {
        let interval = Duration::from_secs(1) / per_second.max(1);
        let address = self.server.address;
        let run = rand::random::<u64>();
        let template = Template::new(&address.to_string(), &self.api_key, run, PRODUCTS);
        let load = Load { address, template, connections: CONNECTIONS, interval: Some(interval) };
        let generator = Generator::start(load).context("starting the load")?;
        sleep(span / 5).await;
        generator.measure();
        sleep(span).await;
        generator.unmeasure();
        generator.end().await
    }

    /// Asks one thing after the other and tells how long each took; every answer has this status.
    pub(super) async fn each(
        &self,
        calls: impl IntoIterator<Item = Call>,
        status: u16,
    ) -> anyhow::Result<Histogram<u64>> {
        let mut times = latency::histogram();
        for call in calls {
            let begun = Instant::now();
            let reply = self.ask(&call).await?;
            latency::note(&mut times, begun.elapsed());
            let words = String::from_utf8_lossy(&reply.body);
            ensure!(reply.status == status, "expected {status}, got {}: {words}", reply.status);
        }
        Ok(times)
    }

    /// Asks.
    pub(super) async fn ask(&self, call: &Call) -> anyhow::Result<Reply> {
        Ok(self.pool.exchange(call).await?)
    }

    /// Orders that all come at once, each on a connection of its own; how many were acknowledged.
    pub(super) async fn at_once(&self, clients: u16) -> anyhow::Result<(u64, u64)> {
        let endpoint = Endpoint::parse(&format!("http://{}", self.server.address))?;
        let pool = Pool::new(endpoint, self.header.clone(), clients.into(), CALL_TIMEOUT);
        let run = rand::random::<u64>();
        let calls: Vec<Call> = (0..clients).map(|client| paid_order(run, client.into())).collect();
        let answers = join_all(calls.iter().map(|call| pool.exchange(call))).await;
        let count = |wanted: &dyn Fn(u16) -> bool| {
            let statuses = answers.iter().flatten().map(|reply| reply.status);
            u64::try_from(statuses.filter(|status| wanted(*status)).count()).unwrap_or_default()
        };
        Ok((count(&|status| status == 201), count(&|status| matches!(status, 201 | 429 | 503))))
    }

    /// How long it takes until an order that was acknowledged stands in the list.
    pub(super) async fn until_listed(&self, number: u64) -> anyhow::Result<Duration> {
        let reply = self.ask(&paid_order(rand::random::<u64>(), number)).await?;
        ensure!(reply.status == 201, "an order was answered {}", reply.status);
        let begun = Instant::now();
        let id = id_of(&serde_json::from_slice(&reply.body)?)?;
        while !self.listed(1).await?.contains(&id) {
            ensure!(begun.elapsed() < CALL_TIMEOUT, "order {id} is in no list");
            sleep(Duration::from_millis(5)).await;
        }
        Ok(begun.elapsed())
    }

    /// The ids of the newest orders.
    pub(super) async fn listed(&self, limit: u32) -> anyhow::Result<Vec<String>> {
        let reply = self.ask(&Call::get(format!("/v1/orders?limit={limit}"))).await?;
        let page: Value = serde_json::from_slice(&reply.body)?;
        let items = page.get("items").and_then(Value::as_array).context("a list has items")?;
        items.iter().map(id_of).collect()
    }

    /// A histogram of the server.
    pub(super) async fn figures(&self, name: &str, label: &str) -> anyhow::Result<Buckets> {
        let reply = self.ask(&Call::get("/metrics")).await?;
        Ok(Buckets::of(&String::from_utf8_lossy(&reply.body), name, label))
    }
}

fn id_of(order: &Value) -> anyhow::Result<String> {
    let id = order.get("id").and_then(Value::as_str);
    Ok(id.context("an order has an id")?.to_owned())
}

/// An order of one unit under a key of its own.
pub(super) fn order(run: u64, number: u64, product: &str, payment: Option<Value>) -> Call {
    let mut body = json!({"items": [{"product_id": product, "quantity": 1}]});
    if let (Some(fields), Some(payment)) = (body.as_object_mut(), payment) {
        fields.insert("payment".to_owned(), payment);
    }
    let key = format!("perf-{run:016x}-{number:x}");
    Call::post("/v1/orders", key, Bytes::from(body.to_string()))
}

/// An order that is paid by card.
pub(super) fn paid_order(run: u64, number: u64) -> Call {
    let product = u32::try_from(number % u64::from(PRODUCTS)).unwrap_or_default();
    let card = json!({"method": "card", "token": "tok_ok"});
    order(run, number, &product_id(product), Some(card))
}
