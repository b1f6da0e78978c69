//! The peer that Millrace is measured against: the best order endpoint we know without actors.
//!
//! axum, sqlx and Postgres; one statement takes the stock and writes the order, the card is
//! charged while no connection is held, a second statement marks the order paid. Both are
//! durable before the answer leaves. It sells one line per order, which is what the load sends.

mod orders;
mod store;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use clap::Parser;
use tokio::net::TcpListener;

use crate::store::Store;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An order endpoint on Postgres without actors, for comparison.
#[derive(Debug, Parser)]
struct Flags {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8001")]
    listen: SocketAddr,
    /// A Postgres database of its own; tables are created at start.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// Connections to Postgres.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pool: u32,
    /// How long the sandbox takes to charge a card, in milliseconds.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=60_000))]
    charge_ms: u64,
    /// Products to sell: `bench-0000`, `bench-0001` …
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=10_000))]
    products: i32,
    /// Units of each product.
    #[arg(long, default_value_t = 1_000_000_000, value_parser = clap::value_parser!(i64).range(0..))]
    stock: i64,
    /// Threads that serve requests; by default as many as there are cores.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: Option<u16>,
    /// The key that clients must send as `X-API-Key`.
    #[arg(long, env = "API_KEY", hide_env_values = true)]
    api_key: String,
}

/// What every request needs.
#[derive(Debug)]
struct Shop {
    store: Store,
    api_key: String,
    charge: Duration,
}

fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if let Some(workers) = flags.workers {
        runtime.worker_threads(usize::from(workers));
    }
    runtime.enable_all().build().context("cannot start the runtime")?.block_on(serve(flags))
}

async fn serve(flags: Flags) -> anyhow::Result<()> {
    let store = Store::open(&flags.database_url, flags.pool).await?;
    store.seed(flags.products, flags.stock).await?;
    let shop = Arc::new(Shop {
        store,
        api_key: flags.api_key,
        charge: Duration::from_millis(flags.charge_ms),
    });
    let routes = Router::new()
        .route("/v1/orders", post(orders::place))
        .route("/v1/products/{id}", get(orders::product))
        .route("/health", get(async || "ok"))
        .with_state(shop);
    let listener = TcpListener::bind(flags.listen)
        .await
        .with_context(|| format!("cannot listen on {}", flags.listen))?
        // A socket that cannot be tuned still works; the next read tells if it is broken.
        .tap_io(|socket| drop(socket.set_nodelay(true)));
    axum::serve(listener, routes).await.context("serving")
}
