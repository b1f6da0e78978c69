//! The flags of `perf`.

use std::path::PathBuf;

use clap::Args;

/// `perf`: the performance targets, each measured and judged, on each store.
///
/// Needs release builds to mean anything: `cargo build --release --workspace --bins`.
#[derive(Debug, Args)]
pub struct PerfArgs {
    /// The millrace binary [default: beside this program].
    #[arg(long, value_name = "FILE")]
    pub(super) millrace: Option<PathBuf>,
    /// Postgres as a superuser, on this machine; a database is created and dropped. Without it only
    /// the embedded store is measured.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub(super) database_url: Option<String>,
    /// Where the embedded store lies while it is measured [default: the temporary folder].
    #[arg(long, value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
    /// Length of the normal load and of the rush.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(super) seconds: u64,
    /// Orders a second of the normal load.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) normal: u32,
    /// Orders a second of the rush.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) rush: u32,
    /// What the payment provider takes for each charge, in milliseconds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(0..=1_900))]
    pub(super) charge_ms: u64,
    /// Clients that come at once.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(super) clients: u16,
    /// Write the result here as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Write the result here as a page.
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
}
