//! What the program can be told, on the command line and by variables.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::outbound::MailTls;
use crate::rule_args::RuleArgs;

/// An order engine for shops that sell scarce things to crowds.
#[derive(Debug, Parser)]
#[command(name = "millrace", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a shop. Needs a key of your own in `API_KEY`.
    Serve(ServeArgs),
    /// Serve a shop with sample products and the well-known key secret-key-123. For trying out.
    Demo(ServeArgs),
    /// Prepare the database, and end.
    Migrate(StoreArgs),
    /// Check a journal from its first event to its last, and end: 1 when something is wrong.
    Verify(StoreArgs),
    /// Copy an embedded store with its pictures into a new folder, while it may be served, and end.
    Backup(BackupArgs),
    /// Serve the edge with nothing behind it: what HTTP alone costs.
    #[command(hide = true)]
    EdgeOnly(EdgeArgs),
    /// List the places at which a drill may end the process.
    #[cfg(feature = "drill")]
    #[command(hide = true)]
    CrashPoints,
}

/// Where everything is kept.
#[derive(Clone, Debug, Args)]
pub struct StoreArgs {
    /// Folder of the embedded database and of pictures.
    #[arg(long, env = "MILLRACE_DATA_DIR", default_value = "./data")]
    pub data_dir: PathBuf,

    /// `sqlite:///./file.db`, `postgresql://user:password@host/name` or `memory:`; absent: a file in
    /// the data folder.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// Redis for announcements to other processes.
    #[arg(long, env = "MILLRACE_REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<String>,

    /// The same under the name of an older installation.
    #[arg(long, env = "CELERY_BROKER_URL", hide = true, hide_env_values = true)]
    pub celery_broker_url: Option<String>,

    /// Parts of a PostgreSQL address; `DATABASE_URL` wins.
    #[command(flatten)]
    pub parts: DatabaseParts,

    /// What is logged: error, warn, info, debug, trace, or directives per module.
    #[arg(long, env = "LOG_LEVEL", default_value = "info")]
    pub log_level: String,
}

/// What is copied, and where to.
#[derive(Clone, Debug, Args)]
pub struct BackupArgs {
    /// The store.
    #[command(flatten)]
    pub store: StoreArgs,

    /// The folder of the copy; it must not be there. `--data-dir` of a server that serves the copy.
    #[arg(long, value_name = "FOLDER")]
    pub to: PathBuf,
}

/// Parts of a PostgreSQL address.
#[derive(Clone, Debug, Default, Args)]
pub struct DatabaseParts {
    /// User.
    #[arg(long, env = "DB_USERNAME")]
    pub db_username: Option<String>,
    /// Password.
    #[arg(long, env = "DB_PASSWORD", hide_env_values = true)]
    pub db_password: Option<String>,
    /// Host; localhost when only other parts are given.
    #[arg(long, env = "DB_HOST")]
    pub db_host: Option<String>,
    /// Port.
    #[arg(long, env = "DB_PORT", default_value_t = 5_432)]
    pub db_port: u16,
    /// Database; `retail_management` when only other parts are given.
    #[arg(long, env = "DB_NAME")]
    pub db_name: Option<String>,
}

/// The edge: where it listens and what it bears.
#[derive(Clone, Debug, Args)]
pub struct EdgeArgs {
    /// Address to listen on.
    #[arg(long, env = "MILLRACE_LISTEN", default_value = "127.0.0.1:8000")]
    pub listen: SocketAddr,

    /// Worker threads; as many as there are cores when absent.
    #[arg(long, env = "MILLRACE_WORKERS")]
    pub workers: Option<usize>,

    /// The same under the name of an older installation.
    #[arg(long, env = "GUNICORN_WORKERS", hide = true)]
    pub gunicorn_workers: Option<usize>,

    /// Open connections; one more is refused.
    #[arg(long, env = "MILLRACE_CONNECTIONS_MAX", default_value_t = 16_384)]
    pub connections_max: usize,

    /// Largest body, in bytes.
    #[arg(long, env = "MILLRACE_BODY_LIMIT", default_value_t = 262_144)]
    pub body_limit: usize,

    /// Checkouts of all callers together in one window; absent: no such limit.
    #[arg(long, env = "THROTTLING_MAX_RPS")]
    pub throttling_max_rps: Option<u32>,

    /// Length of the window.
    #[arg(long, env = "THROTTLING_WINDOW_SECONDS", default_value_t = 1)]
    pub throttling_window_seconds: u32,
}

/// Everything that serving needs.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// The edge.
    #[command(flatten)]
    pub edge: EdgeArgs,

    /// The store.
    #[command(flatten)]
    pub store: StoreArgs,

    /// The key that opens the door, with every scope but that of drills.
    #[arg(env = "API_KEY", long, hide_env_values = true)]
    pub api_key: Option<String>,

    /// Secret that provider callbacks are signed with: whsec_ and base64, or any text.
    #[arg(long, env = "MILLRACE_WEBHOOK_SECRET", hide_env_values = true)]
    pub webhook_secret: Option<String>,

    /// Token that scrapers of /metrics must send; absent: the figures are open.
    #[arg(long, env = "MILLRACE_METRICS_TOKEN", hide_env_values = true)]
    pub metrics_token: Option<String>,

    /// Payment provider over HTTP; absent: the sandbox inside this process.
    #[arg(long, env = "MILLRACE_PROVIDER_URL")]
    pub provider_url: Option<String>,

    /// How long the sandbox takes for each answer, in milliseconds.
    #[arg(long, env = "MILLRACE_PROVIDER_LATENCY_MS", default_value_t = 0)]
    pub provider_latency_ms: u64,

    /// Share of refunds that the sandbox refuses to carry out, 0 to 1.
    #[arg(long, env = "PAYMENT_REFUND_FAILURE_PROBABILITY", default_value_t = 0.0)]
    pub refund_failure_probability: f64,

    /// For how many days after its arrival an order is taken back.
    #[arg(long, env = "RETURN_WINDOW_DAYS", default_value_t = 30)]
    pub return_window_days: u32,

    /// Let faults be injected by whoever has the key in `MILLRACE_FAULTS_KEY`, which must be set as
    /// well. The demo does without either.
    #[arg(long)]
    pub faults: bool,

    /// What the shop demands of orders.
    #[command(flatten)]
    pub rules: RuleArgs,

    /// Messages to customers.
    #[command(flatten)]
    pub mail: MailArgs,

    /// Let webhooks go to this machine and its network, also without TLS. In the demo only.
    #[arg(long, env = "MILLRACE_WEBHOOKS_ALLOW_PRIVATE")]
    pub webhooks_allow_private: bool,

    /// Leave the sample return out of the demo, and the order behind it.
    #[arg(long, env = "MILLRACE_NO_DEMO_RETURN")]
    pub no_demo_return: bool,

    /// How long the first hold of an order lasts, in seconds.
    #[arg(long, env = "MILLRACE_HOLD_SECONDS", default_value_t = 60)]
    pub hold_seconds: u64,

    /// How often PENDING orders that nothing holds are moved to PROCESSING, in seconds; 0: never.
    #[arg(long, env = "MILLRACE_PROCESS_PENDING_SECONDS", default_value_t = 300)]
    pub process_pending_seconds: u64,

    /// Events between two snapshots of one stock.
    #[arg(long, env = "MILLRACE_SNAPSHOT_EVERY", default_value_t = 100_000)]
    pub snapshot_every: u64,
}

/// How messages reach customers.
#[derive(Clone, Debug, Args)]
pub struct MailArgs {
    /// Mail server; absent: messages become files in the folder `outbox` of the data folder.
    #[arg(long, env = "MAIL_SERVER")]
    pub mail_server: Option<String>,

    /// Its port.
    #[arg(long, env = "MAIL_PORT", default_value_t = 587)]
    pub mail_port: u16,

    /// User there.
    #[arg(long, env = "MAIL_USERNAME")]
    pub mail_username: Option<String>,

    /// Password there.
    #[arg(long, env = "MAIL_PASSWORD", hide_env_values = true)]
    pub mail_password: Option<String>,

    /// Whom messages come from.
    #[arg(long, env = "MAIL_FROM", default_value = "shop@example.com")]
    pub mail_from: String,

    /// How the conversation with the server is kept secret.
    #[arg(long, env = "MAIL_TLS", value_enum, default_value_t = MailTls::Starttls)]
    pub mail_tls: MailTls,
}

impl EdgeArgs {
    /// Worker threads.
    pub fn workers(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.workers.or(self.gunicorn_workers).unwrap_or_else(cores).clamp(1, 512)
    }
}

impl StoreArgs {
    /// The address of the database: as it was given, or put together from its parts.
    pub fn database_url(&self) -> Option<String> {
        let given = self.database_url.as_ref().filter(|url| !url.trim().is_empty());
        given.cloned().or_else(|| self.parts.url())
    }

    /// The address of Redis, under either name.
    pub fn redis_url(&self) -> Option<String> {
        let given = self.redis_url.as_ref().or(self.celery_broker_url.as_ref());
        given.filter(|url| !url.trim().is_empty()).cloned()
    }
}

impl DatabaseParts {
    fn url(&self) -> Option<String> {
        let Self { db_username, db_password, db_host, db_port, db_name } = self;
        if [db_username, db_password, db_host, db_name].iter().all(|part| part.is_none()) {
            return None;
        }
        let user = db_username.as_deref().map(encoded).unwrap_or_default();
        let password = db_password.as_deref().map(|password| format!(":{}", encoded(password)));
        let at = if user.is_empty() { "" } else { "@" };
        let host = db_host.as_deref().unwrap_or("localhost");
        let name = encoded(db_name.as_deref().unwrap_or("retail_management"));
        let password = password.filter(|_| !user.is_empty()).unwrap_or_default();
        Some(format!("postgresql://{user}{password}{at}{host}:{db_port}/{name}"))
    }
}

/// Percent-encodes what is not plain in an address.
fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    text.bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_example_of_all_variables_shows_their_defaults() {
        let example = include_str!("../../deploy/millrace.env.example");
        let shown: BTreeMap<&str, &str> = example
            .lines()
            .filter_map(|line| line.trim_start_matches('#').split_once('='))
            .filter(|(name, _)| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
            .collect();
        let cli = Cli::command();
        let serve = cli.find_subcommand("serve").unwrap();
        let mut seen = 0;
        for argument in serve.get_arguments().filter(|argument| !argument.is_hide_set()) {
            let Some(name) = argument.get_env().and_then(|name| name.to_str()) else { continue };
            let shown = shown.get(name).unwrap_or_else(|| panic!("{name} is not in the example"));
            if let [default] = argument.get_default_values() {
                assert_eq!(default.to_str(), Some(*shown), "{name}");
                seen += 1;
            }
        }
        assert!(5 < seen);
    }

    #[test]
    fn an_address_is_put_together_from_its_parts() {
        let none = DatabaseParts { db_port: 5_432, ..DatabaseParts::default() };
        assert_eq!(none.url(), None);
        let parts = DatabaseParts {
            db_username: Some("shop".to_owned()),
            db_password: Some("p@ss/word".to_owned()),
            ..none.clone()
        };
        let url = "postgresql://shop:p%40ss%2Fword@localhost:5432/retail_management";
        assert_eq!(parts.url().as_deref(), Some(url));
        let parts = DatabaseParts { db_host: Some("db".to_owned()), ..none };
        assert_eq!(parts.url().as_deref(), Some("postgresql://db:5432/retail_management"));
    }
}
