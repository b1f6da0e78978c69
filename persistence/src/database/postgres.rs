//! PostgreSQL: how a database is reached, and what is asserted before it is trusted.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use tokio::time::{Instant, sleep, timeout};

use super::migrate;
use crate::StoreError;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How long a server that does not answer is waited for at start.
const START_MAX: Duration = Duration::from_secs(30);
const START_PAUSE: Duration = Duration::from_millis(500);

/// How long one connection may take to come up, or to come free.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Connections beside the writer's: reads, snapshots and projections.
const POOL_MAX: u32 = 6;

/// Distinct statements that a connection keeps prepared.
const STATEMENTS_MAX: usize = 64;

/// Set to `1` by test suites whose throwaway server does without syncing.
const ALLOW_FSYNC_OFF: &str = "MILLRACE_TEST_ALLOW_FSYNC_OFF";

/// Reads an address. It may hold a password, so no error repeats it.
pub(crate) fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let parsed = PgConnectOptions::from_str(url);
    let options =
        parsed.map_err(|_| StoreError::Unsafe("the PostgreSQL address is malformed".into()))?;
    let options = options.application_name("millrace").statement_cache_capacity(STATEMENTS_MAX);
    Ok(options.disable_statement_logging())
}

/// One connection, or an error within bounded time.
pub(crate) async fn connect(options: &PgConnectOptions) -> sqlx::Result<PgConnection> {
    match timeout(CONNECT_MAX, PgConnection::connect_with(options)).await {
        Ok(connected) => connected,
        Err(_) => Err(sqlx::Error::PoolTimedOut),
    }
}

/// Whether a database holds a journal. Waits for the server; nothing is created or changed.
pub(crate) async fn holds_journal(options: &PgConnectOptions) -> Result<bool, StoreError> {
    let mut connection = connect_patiently(options).await?;
    sqlx::query_scalar("SELECT to_regclass('journal_info') IS NOT NULL")
        .fetch_one(&mut connection)
        .await
        .map_err(trouble)
}

/// Waits for the server, prepares the tables, and asserts what we promise on its behalf.
pub(crate) async fn prepare(options: &PgConnectOptions) -> Result<PgPool, StoreError> {
    let mut connection = connect_patiently(options).await?;
    assert_durable(&mut connection).await?;
    migrate(&MIGRATIONS, &mut connection, trouble).await?;
    // What goes wrong on leaving is of no interest: everything is committed.
    let _ = connection.close().await;
    PgPoolOptions::new()
        .max_connections(POOL_MAX)
        .acquire_timeout(CONNECT_MAX)
        // A belt: no connection goes from hand to hand with a transaction open. Without the BEGIN
        // the server would write a warning into its log each time that none is.
        .before_acquire(|connection, _| {
            Box::pin(async move { connection.execute("BEGIN; ROLLBACK").await.map(|_| true) })
        })
        .connect_with(options.clone().options([("statement_timeout", "30s")]))
        .await
        .map_err(trouble)
}

async fn connect_patiently(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    let started = Instant::now();
    loop {
        match connect(options).await {
            Ok(connection) => return Ok(connection),
            Err(error) if may_come_up(&error) && started.elapsed() < START_MAX => {
                let (host, port) = (options.get_host(), options.get_port());
                let cause = &error as &dyn std::error::Error;
                tracing::info!(cause, host, port, "waiting for PostgreSQL at {host}:{port}");
                sleep(START_PAUSE).await;
            }
            Err(error) => return Err(trouble(error)),
        }
    }
}

fn may_come_up(error: &sqlx::Error) -> bool {
    match sqlstate(error).as_deref() {
        // Starting up, shutting down, or full.
        Some(state) => matches!(state, "57P03" | "57P01" | "53300"),
        None => matches!(error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut),
    }
}

/// Reads back what makes a commit durable. A setting that was asked for is not one that is kept.
async fn assert_durable(connection: &mut PgConnection) -> Result<(), StoreError> {
    let commit = setting(connection, "SHOW synchronous_commit").await?;
    if !matches!(commit.as_str(), "on" | "remote_apply") {
        let why = format!("synchronous_commit is {commit}, must be on or remote_apply");
        return Err(StoreError::Unsafe(why));
    }
    let encoding = setting(connection, "SHOW server_encoding").await?;
    if encoding != "UTF8" {
        return Err(StoreError::Unsafe(format!("the encoding is {encoding}, must be UTF8")));
    }
    if setting(connection, "SHOW fsync").await? == "off" {
        if std::env::var(ALLOW_FSYNC_OFF).as_deref() != Ok("1") {
            return Err(StoreError::Unsafe("fsync is off: a power cut would lose orders".into()));
        }
        tracing::warn!("fsync is off, which only tests may do: a power cut loses orders");
    }
    Ok(())
}

async fn setting(
    connection: &mut PgConnection,
    statement: &'static str,
) -> Result<String, StoreError> {
    sqlx::query_scalar(statement).fetch_one(connection).await.map_err(trouble)
}

/// The SQLSTATE of an answer from the server; none when the connection failed.
pub(crate) fn sqlstate(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// What trouble of the driver means while reading or preparing.
pub(crate) fn trouble(error: sqlx::Error) -> StoreError {
    match sqlstate(&error).as_deref() {
        // data_corrupted, index_corrupted
        Some("XX001" | "XX002") => StoreError::Corrupt(error.to_string()),
        _ => StoreError::Unavailable(error.into()),
    }
}
