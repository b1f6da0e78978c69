//! What every drill stands on: the binary, how long to go on, and what the terminal shows.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use acceptance_tests::cluster::Cluster;
use acceptance_tests::postgres::Database;
use acceptance_tests::proxy::Proxy;
use acceptance_tests::server::{Launch, Store};
use anyhow::{Context as _, Result};
use indicatif::ProgressBar;
use tempfile::TempDir;

use super::DrillArgs;
use super::findings::NotHere;

/// What every drill stands on.
#[derive(Debug)]
pub(super) struct Ground {
    millrace: PathBuf,
    short: bool,
    count: Option<u64>,
    store: Option<Store>,
    bar: ProgressBar,
    histories: Histories,
    /// The end of the log of the server that was looked at last.
    log: RefCell<String>,
}

impl Ground {
    pub(super) fn of(args: &DrillArgs, millrace: PathBuf) -> Result<Self> {
        let DrillArgs { short, count, store, .. } = *args;
        let (store, bar) = (store.map(Into::into), ProgressBar::new_spinner());
        let histories = Histories::in_folder(args.histories.as_deref())?;
        Ok(Self { millrace, short, count, store, bar, histories, log: RefCell::default() })
    }

    /// The drill of this name begins.
    pub(super) fn begin(&self, drill: &'static str) {
        self.histories.drill.set(drill);
        self.keep_log(String::new());
        self.say(drill);
    }

    /// Where the history of the next shop belongs.
    pub(super) fn history(&self) -> PathBuf {
        self.histories.next()
    }

    /// The stores to drill on, the embedded one first.
    pub(super) fn stores(&self) -> Vec<Store> {
        self.store.map_or_else(|| vec![Store::Sqlite, Store::Postgres], |store| vec![store])
    }

    /// The binary under test.
    pub(super) fn millrace(&self) -> &Path {
        &self.millrace
    }

    /// How often, or for how many seconds.
    pub(super) fn count(&self, short: u64, full: u64) -> u64 {
        self.count.unwrap_or(if self.short { short } else { full })
    }

    /// Whether it is to be short.
    pub(super) const fn is_short(&self) -> bool {
        self.short
    }

    /// How long one window of a comparison lasts.
    pub(super) const fn window(&self) -> Duration {
        Duration::from_secs(if self.short { 1 } else { 6 })
    }

    /// Shows what is being done.
    pub(super) fn say(&self, words: &str) {
        self.bar.set_message(words.to_owned());
        self.bar.tick();
    }

    /// Takes the line off the terminal.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// A demo shop on an empty file.
    pub(super) fn on_file(&self) -> Result<Launch> {
        Ok(self.launch(Launch::on("demo", None)?))
    }

    /// A demo shop on an empty database.
    pub(super) async fn on_database(&self, cluster: &Cluster) -> Result<Launch> {
        let database = Database::create_on(&cluster.url()).await?;
        Ok(self.launch(Launch::on("demo", Some(database))?))
    }

    /// The same behind a proxy that can cut and delay.
    pub(super) async fn behind_proxy(&self, cluster: &Cluster) -> Result<(Launch, Proxy)> {
        let proxy = Proxy::start(cluster.address()).await?;
        let launch = self.on_database(cluster).await?;
        let database = launch.database().context("the store is a database")?;
        let url = database.url_through(&proxy.address());
        Ok((launch.variable("DATABASE_URL", &url), proxy))
    }

    /// A demo shop on either; the database lives as long as the cluster that comes with it.
    pub(super) async fn on(&self, store: Store) -> Result<(Launch, Option<Cluster>)> {
        match store {
            Store::Sqlite => Ok((self.on_file()?, None)),
            Store::Postgres => {
                let cluster = postgres().await?;
                Ok((self.on_database(&cluster).await?, Some(cluster)))
            }
        }
    }

    fn launch(&self, launch: Launch) -> Launch {
        launch.program(&self.millrace).silent()
    }

    /// Keeps the end of a server's log, in case the drill fails.
    pub(super) fn keep_log(&self, log: String) {
        *self.log.borrow_mut() = log;
    }

    /// The log that was kept last, once.
    pub(super) fn take_log(&self) -> String {
        self.log.take()
    }
}

/// Where histories are written, a file for each shop.
#[derive(Debug)]
struct Histories {
    folder: PathBuf,
    /// Removes the folder at the end, when nobody wants to keep it.
    _scratch: Option<TempDir>,
    drill: Cell<&'static str>,
    shops: Cell<u32>,
}

impl Histories {
    fn in_folder(kept: Option<&Path>) -> Result<Self> {
        let scratch = kept.is_none().then(TempDir::new).transpose()?;
        let folder = kept.or_else(|| scratch.as_ref().map(TempDir::path)).map(Path::to_owned);
        let folder = folder.context("no folder for histories")?;
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self { folder, _scratch: scratch, drill: Cell::default(), shops: Cell::default() })
    }

    fn next(&self) -> PathBuf {
        self.shops.set(self.shops.get() + 1);
        self.folder.join(format!("{}-{}.jsonl", self.drill.get(), self.shops.get()))
    }
}

/// A PostgreSQL server of its own.
pub(super) async fn postgres() -> Result<Cluster> {
    let started = Cluster::start().await;
    started.map_err(|error| NotHere(format!("no PostgreSQL: {error:#}")).into())
}
