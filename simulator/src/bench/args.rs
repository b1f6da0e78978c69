//! The flags of `bench`.

use std::path::PathBuf;

use clap::Args;

use super::plan::Part;

/// `bench`: Millrace beside a peer without actors and beside its own edge, in one run.
///
/// Needs release builds to mean anything: `cargo build --release --workspace --bins`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// The millrace binary [default: beside this program].
    #[arg(long, value_name = "FILE")]
    pub(super) millrace: Option<PathBuf>,
    /// The peer's binary [default: beside this program].
    #[arg(long, value_name = "FILE")]
    pub(super) peer: Option<PathBuf>,
    /// Postgres as a superuser, on this machine; databases are created and dropped. Without
    /// it the rows on Postgres are not run.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub(super) database_url: Option<String>,
    /// Where stores in files lie while they are measured [default: the temporary folder].
    #[arg(long, value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
    /// Length of each measurement; a fifth of it is added as warm-up.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(super) seconds: u64,
    /// Connections of the load generator.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(super) connections: u16,
    /// Run only these parts, separated by commas; of each kind that is not named, all.
    #[arg(long, value_delimiter = ',', value_name = "PARTS")]
    pub(super) only: Vec<Part>,
    /// Write the result here as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Write the result here as a page with bars.
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
}
