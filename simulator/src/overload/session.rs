//! The server under overload: started on its core, loaded, watched, and asked for its books.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use http::HeaderValue;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::generator::{self, Heard, Load};
use super::honesty::{self, Look};
use super::row::Seen;
use super::tally::DEADLINE;
use crate::client::{Call, Endpoint, Pool};
use crate::rig::cpu;
use crate::rig::pin::Cores;
use crate::rig::process::{Server, Start};
use crate::rig::request::Template;
use crate::rig::shelves;

/// The product that everybody wants.
pub(super) const HOT: u32 = 0;
/// A product that few want.
pub(super) const COLD: u32 = 1;
/// A product of which there is little.
pub(super) const SOLD_OUT: u32 = 2;
/// The first of the products over which a load is spread, and how many there are.
pub(super) const SPREAD: (u32, u32) = (10, 200);
/// Units of each product: more than any run can sell.
const UNITS: u64 = 1_000_000_000;
/// Units of the product of which there is little.
const FEW: u64 = 100;
/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time for orders under way to come to their end after a level.
const SETTLE: Duration = Duration::from_secs(10);

/// Where a server runs.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The program.
    pub(super) program: PathBuf,
    /// Where its data lie.
    pub(super) folder: PathBuf,
    /// Cores for both sides, when there are two.
    pub(super) cores: Option<Cores>,
}

/// A server that is measured.
pub(super) struct Session {
    program: PathBuf,
    api_key: String,
    pool: Pool,
    server: Server,
    // Dropped after the server that writes into it.
    folder: TempDir,
}

impl Session {
    /// Starts the server on an empty journal, with some further flags, and puts the products on
    /// the shelf.
    pub(super) async fn open(place: &Place, flags: &[&str]) -> anyhow::Result<Self> {
        let Place { program, folder, cores } = place;
        let folder = tempfile::Builder::new().prefix("overload-").tempdir_in(folder)?;
        let api_key = format!("overload-{:032x}", rand::random::<u128>());
        let arguments = ["serve", "--data-dir", "data", "--workers", "1", "--log-level", "warn"];
        let start = Start {
            program,
            arguments: arguments.iter().chain(flags).map(|flag| (*flag).to_owned()).collect(),
            api_key: &api_key,
            folder: folder.path(),
            delay_us: None,
            core: cores.map(|cores| cores.server),
        };
        let mut server = start.run().await?;
        let mut header = HeaderValue::from_str(&api_key)?;
        header.set_sensitive(true);
        let endpoint = Endpoint::parse(&format!("http://{}", server.address))?;
        let pool = Pool::new(endpoint, header, 1, CALL_TIMEOUT);
        server.ready(&pool, "/health/ready", false).await?;
        let session = Self { program: program.clone(), api_key, pool, server, folder };
        shelves::fill(&session.pool, products().map(|number| (number, units(number)))).await?;
        Ok(session)
    }

    /// Orders of some products, each run under keys of its own.
    pub(super) fn template(&self, first: u32, products: u32) -> Template {
        let authority = self.server.address.to_string();
        Template::new(&authority, &self.api_key, rand::random(), products).starting_at(first)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> std::net::SocketAddr {
        self.server.address
    }

    /// Sends a load and watches the server meanwhile.
    pub(super) async fn bear(&self, load: Load) -> anyhow::Result<Seen> {
        let (begun, mut memory) = (Instant::now(), vec![(Duration::ZERO, self.memory())]);
        let before = self.processor();
        let (sender, mut result) = oneshot::channel();
        std::thread::Builder::new().name("generator".to_owned()).spawn(move || {
            // Nobody listens any more when the run was interrupted.
            drop(sender.send(generator::run(&load)));
        })?;
        let heard: Vec<Heard> = loop {
            tokio::select! {
                heard = &mut result => break heard.context("the generator ended early")??,
                () = sleep(LOOK_EVERY) => memory.push((begun.elapsed(), self.memory())),
            }
        };
        let server_us = self.processor().saturating_sub(before);
        Ok(Seen { heard, server_us, memory })
    }

    /// What the product pages say once no order is under way; the second half of the answer is
    /// whether that came to be. Work may still come from a connection that was given up, so
    /// nothing may move for as long as a client waits.
    pub(super) async fn pages(&self) -> anyhow::Result<(Look, bool)> {
        let deadline = Instant::now() + SETTLE;
        let mut last: Option<(Look, Instant)> = None;
        loop {
            let (look, now) = (self.look().await, Instant::now());
            match (look, &last) {
                (Ok(look), Some((pages, since))) if look == *pages => {
                    let is_quiet = DEADLINE < now - *since && honesty::is_settled(&look);
                    if is_quiet || deadline < now {
                        return Ok((look, is_quiet));
                    }
                }
                (Ok(look), _) if deadline < now => return Ok((look, false)),
                (Ok(look), _) => last = Some((look, now)),
                // It may be too busy still to show a page.
                (Err(error), _) if deadline < now => return Err(error),
                (Err(_), _) => {}
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn look(&self) -> anyhow::Result<Look> {
        let mut look = Look::new();
        for number in products() {
            look.insert(number, (units(number), shelves::stock(&self.pool, number).await?));
        }
        Ok(look)
    }

    /// Ends the server and has its journal checked; what is wrong, in its words.
    pub(super) fn verify(self) -> anyhow::Result<Option<String>> {
        let Self { program, server, folder, .. } = self;
        drop(server);
        let verified = Command::new(program)
            .args(["verify", "--data-dir", "data"])
            .env_clear()
            .current_dir(folder.path())
            .output()
            .context("cannot start the verification")?;
        folder.close().context("removing the data of the run")?;
        let words = String::from_utf8_lossy(&verified.stdout).into_owned();
        Ok((!verified.status.success()).then_some(words))
    }

    /// What the server said last.
    pub(super) fn last_words(&self) -> String {
        self.server.last_words()
    }

    /// The page with the server's measurements.
    pub(super) async fn figures(&self) -> anyhow::Result<String> {
        let reply = self.pool.exchange(&Call::get("/metrics")).await?;
        Ok(String::from_utf8_lossy(&reply.body).into_owned())
    }

    /// Bytes of memory that the server has in use.
    pub(super) fn memory(&self) -> u64 {
        cpu::memory(self.server.process).unwrap_or_default()
    }

    fn processor(&self) -> u64 {
        cpu::micros(self.server.process).unwrap_or_default()
    }
}

fn units(number: u32) -> u64 {
    if number == SOLD_OUT { FEW } else { UNITS }
}

fn products() -> impl Iterator<Item = u32> {
    let (first, count) = SPREAD;
    [HOT, COLD, SOLD_OUT].into_iter().chain(first..first + count)
}
