//! The command line: flags, their defaults, and which flow each command starts.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use http::HeaderValue;

use crate::bench::{self, BenchArgs};
use crate::client::Endpoint;
use crate::crowd::arrivals::Shape;
use crate::drill::{self, DrillArgs};
use crate::dst::{self, DstArgs};
use crate::history::{self, History, Verdict};
use crate::overload::{self, OverloadArgs};
use crate::perf::{self, PerfArgs};
use crate::provider::{self, ProviderArgs};
use crate::report::file::save;
use crate::report::{RunReport, html, json, table};
use crate::sale::{self, Plan};

/// Sends crowds to a Millrace server and checks from outside that they were served honestly.
///
/// Exit codes: 0 every check passed, 1 a check failed, 2 wrong usage or no connection.
#[derive(Debug, Parser)]
#[command(name = "millrace-sim", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// A rush of shoppers for one scarce product.
    FlashSale(FlashSale),
    /// A steady crowd that buys from many products.
    Spread(Spread),
    /// Millrace beside a peer without actors and beside its own edge, in one run.
    Bench(BenchArgs),
    /// Judges histories that were kept.
    Check(Check),
    /// A payment provider with moods and a ledger, in a process of its own.
    Provider(ProviderArgs),
    /// Seeded simulation of the whole engine, with everything going wrong that may.
    Dst(DstArgs),
    /// Faults against the real binary and real servers, each with a verdict.
    Drill(DrillArgs),
    /// The performance targets, each measured and judged, on each store.
    Perf(PerfArgs),
    /// What a server does with up to twenty times of what it can carry.
    Overload(OverloadArgs),
    /// Plants bugs in the engine and looks how soon the simulation finds each.
    #[cfg(feature = "planted")]
    Planted(dst::PlantedArgs),
}

/// Runs the command; the answer is whether every check passed. Must run inside an actix
/// system.
///
/// # Errors
/// Wrong usage, a server that cannot be reached, or a result that cannot be written.
pub async fn dispatch(cli: Cli) -> anyhow::Result<bool> {
    match cli.command {
        Command::FlashSale(args) => load(args.plan()?, &args.load).await,
        Command::Spread(args) => load(args.plan()?, &args.load).await,
        Command::Bench(args) => Box::pin(bench::run(&args)).await,
        Command::Check(args) => args.run(),
        Command::Provider(args) => provider::serve(&args).await.map(|()| true),
        Command::Dst(args) => dst::run(&args),
        Command::Drill(args) => Box::pin(drill::run(&args)).await,
        Command::Perf(args) => Box::pin(perf::run(&args)).await,
        Command::Overload(args) => Box::pin(overload::run(&args)).await,
        #[cfg(feature = "planted")]
        Command::Planted(args) => dst::run_planted(&args),
    }
}

async fn load(plan: Plan, args: &Load) -> anyhow::Result<bool> {
    let report = sale::run(&plan).await?;
    publish(&report, args.json.as_deref(), args.html.as_deref())?;
    Ok(report.passed)
}

fn publish(report: &RunReport, json: Option<&Path>, html: Option<&Path>) -> anyhow::Result<()> {
    write!(std::io::stdout(), "{}", table::render(report)).context("cannot write the table")?;
    if let Some(path) = json {
        save(path, &json::render(report)?)?;
    }
    if let Some(path) = html {
        save(path, &html::render(report)?)?;
    }
    Ok(())
}

/// `flash-sale`.
#[derive(Debug, Args)]
pub struct FlashSale {
    #[command(flatten)]
    load: Load,
}

impl FlashSale {
    fn plan(&self) -> anyhow::Result<Plan> {
        self.load.plan("flash-sale", 1, 500, Shape::Rush)
    }
}

/// `spread`.
#[derive(Debug, Args)]
pub struct Spread {
    /// Products to spread over; `--product-id` becomes the first part of their ids.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    products: u32,
    #[command(flatten)]
    load: Load,
}

impl Spread {
    fn plan(&self) -> anyhow::Result<Plan> {
        self.load.plan("spread", self.products, 100, Shape::Steady)
    }
}

/// `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Histories that `--history` kept; each is judged by itself.
    #[arg(required = true, value_name = "FILE")]
    histories: Vec<PathBuf>,
    /// The provider's ledger of that run, to be joined with the one history.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
}

impl Check {
    /// Whether every history is valid; "unknown" is not.
    fn run(&self) -> anyhow::Result<bool> {
        let alone = self.histories.len() == 1 || self.ledger.is_none();
        anyhow::ensure!(alone, "a ledger is joined with one history, not with several");
        let entries = self.ledger.as_deref().map(provider::read).transpose()?;
        let mut valid = true;
        for path in &self.histories {
            let history =
                History::read(path).with_context(|| format!("cannot judge {}", path.display()))?;
            let judgement = history::check(&history, entries.as_deref());
            let mut text = format!("{}\n", path.display());
            table::checks(&mut text, &judgement.checks)?;
            table::history(&mut text, judgement.verdict, judgement.ended)?;
            write!(std::io::stdout(), "{text}").context("cannot write the verdict")?;
            valid &= judgement.verdict == Verdict::Valid;
        }
        Ok(valid)
    }
}

/// Flags of every load command.
#[derive(Debug, Args)]
pub struct Load {
    /// Address of the server.
    #[arg(long, default_value = "http://127.0.0.1:8000")]
    url: String,
    /// Key for the server.
    #[arg(
        long,
        env = "MILLRACE_API_KEY",
        default_value = "secret-key-123",
        hide_env_values = true
    )]
    api_key: String,
    /// Size of the crowd.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    shoppers: u32,
    /// Units of each product [default: flash-sale 500, spread 100; with --product-id of an
    /// existing product: what it has].
    #[arg(long, value_parser = clap::value_parser!(u64).range(0..=1_000_000_000))]
    stock: Option<u64>,
    /// Sell this product instead of a fresh one; it is created when it does not exist.
    #[arg(long, value_parser = product_id)]
    product_id: Option<String>,
    /// Units in each order.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    quantity: u32,
    /// Length of the window in which the crowd arrives.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    seconds: u64,
    /// How arrivals spread over the window [default: flash-sale rush, spread steady].
    #[arg(long)]
    shape: Option<Shape>,
    /// Decides arrivals, picks and jitter [default: by chance; it is printed].
    #[arg(long)]
    seed: Option<u64>,
    /// The client's time-out per try.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=600_000))]
    timeout_ms: u64,
    /// Connections that the client may hold.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// Tries per shopper, the first included.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    tries: u32,
    /// How long queued orders may take to settle afterwards.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=3_600))]
    settle_seconds: u64,
    /// Keep the history here: what was asked and answered, line by line.
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// Join the history with this ledger of the payment provider.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Write the result here as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the result here as a page with charts.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Load {
    fn plan(
        &self,
        command: &'static str,
        products: u32,
        fresh_stock: u64,
        shape: Shape,
    ) -> anyhow::Result<Plan> {
        let mut api_key = HeaderValue::from_str(&self.api_key)
            .context("the key for the server holds characters that no header can carry")?;
        api_key.set_sensitive(true);
        Ok(Plan {
            command,
            url: self.url.clone(),
            endpoint: Endpoint::parse(&self.url)?,
            api_key,
            run: format!("{command}-{}", fresh_letters()),
            seed: self.seed.unwrap_or_else(|| u64::from(rand::random::<u32>())),
            shoppers: self.shoppers,
            products,
            product_id: self.product_id.clone(),
            stock: self.stock,
            fresh_stock,
            quantity: self.quantity,
            window: Duration::from_secs(self.seconds),
            shape: self.shape.unwrap_or(shape),
            connections: usize::from(self.connections),
            tries: self.tries,
            timeout: Duration::from_millis(self.timeout_ms),
            settle: Duration::from_secs(self.settle_seconds),
            history: self.history.clone(),
            ledger: self.ledger.clone(),
        })
    }
}

/// What no other run is called. Letters only: a server refuses digits that could be the number of
/// a card.
fn fresh_letters() -> String {
    (0..16).map(|_| char::from(rand::random_range(b'a'..=b'z'))).collect()
}

/// A product id that can stand in a path as it is.
fn product_id(text: &str) -> Result<String, String> {
    let fine = |letter: char| letter.is_ascii_alphanumeric() || "-._~".contains(letter);
    if text.is_empty() || text.len() > 100 || !text.chars().all(fine) {
        return Err("1 to 100 letters, digits, '-', '.', '_' or '~'".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let cli = Cli::try_parse_from(["millrace-sim", "flash-sale"]).unwrap();
        let Command::FlashSale(args) = cli.command else { panic!("not a flash sale") };
        let plan = args.plan().unwrap();
        assert_eq!(plan.url, "http://127.0.0.1:8000");
        assert_eq!((plan.shoppers, plan.products, plan.fresh_stock), (10_000, 1, 500));
        assert_eq!(plan.timeout, Duration::from_secs(10));
        assert_eq!((plan.connections, plan.tries), (256, 5));
    }

    #[test]
    fn two_runs_never_share_keys_even_with_one_seed() {
        let plan = || {
            let cli = Cli::try_parse_from(["millrace-sim", "spread", "--seed", "5"]).unwrap();
            let Command::Spread(args) = cli.command else { panic!("not a spread") };
            args.plan().unwrap()
        };
        let (first, second) = (plan(), plan());
        assert_eq!((first.seed, second.seed), (5, 5));
        assert_ne!(first.run, second.run);
        assert!(!first.run.contains(|letter: char| letter.is_ascii_digit()), "{}", first.run);
    }

    #[test]
    fn bad_usage_is_refused() {
        for flags in [
            ["--shoppers", "0"],
            ["--connections", "0"],
            ["--quantity", "0"],
            ["--product-id", "a/b"],
            ["--product-id", ""],
            ["--shape", "square"],
            ["--stock", "-1"],
        ] {
            let line = ["millrace-sim", "flash-sale", flags[0], flags[1]];
            assert!(Cli::try_parse_from(line).is_err(), "{flags:?} was taken");
        }
        let line = ["millrace-sim", "flash-sale", "--url", "https://x"];
        let Command::FlashSale(args) = Cli::try_parse_from(line).unwrap().command else {
            panic!("not a flash sale")
        };
        assert!(args.plan().is_err());
    }
}
