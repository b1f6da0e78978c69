//! Throwaway databases on the Postgres server that is lent for a run, and its gauges.

use std::cell::RefCell;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::time::Instant;

use crate::rig::cpu;

/// A Postgres server on which databases may be created.
#[derive(Debug)]
pub(crate) struct Postgres {
    url: String,
    /// The process above all its processes, when it runs on this machine.
    pub(crate) postmaster: Option<u32>,
    /// What it says about its version.
    pub(crate) version: String,
    created: RefCell<Vec<String>>,
}

/// A database of its own.
#[derive(Clone, Debug)]
pub(crate) struct Throwaway {
    name: String,
    /// Its address.
    pub(crate) url: String,
}

/// What a server shows at one moment, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gauges {
    /// Written to the write-ahead log since the server was made.
    pub(crate) written: u64,
    /// Size of the database.
    pub(crate) stored: u64,
}

impl Postgres {
    /// Looks at the server.
    pub(crate) async fn reach(url: &str) -> anyhow::Result<Self> {
        let mut connection = PgConnection::connect(url).await.context("connecting to Postgres")?;
        let (backend, version): (i32, String) =
            sqlx::query_as("SELECT pg_backend_pid(), current_setting('server_version')")
                .fetch_one(&mut connection)
                .await?;
        // The number may belong to somebody else when the server runs on another machine.
        let postmaster = u32::try_from(backend)
            .ok()
            .and_then(cpu::stat)
            .filter(|stat| stat.name == "postgres")
            .map(|stat| stat.parent)
            .filter(|parent| cpu::stat(*parent).is_some_and(|stat| stat.name == "postgres"));
        connection.close().await?;
        Ok(Self { url: url.to_owned(), postmaster, version, created: RefCell::default() })
    }

    /// Creates a database. With `delay_us` every flush of the log waits that long first,
    /// while it holds the lock that all flushes need.
    pub(crate) async fn create(&self, delay_us: Option<u64>) -> anyhow::Result<Throwaway> {
        let name = format!("millrace_bench_{:016x}", rand::random::<u64>());
        self.administer(format!("CREATE DATABASE {name}")).await?;
        self.created.borrow_mut().push(name.clone());
        if let Some(micros) = delay_us {
            let database = format!("ALTER DATABASE {name} SET");
            self.administer(format!("{database} commit_delay = {micros}")).await?;
            // Also when nobody else is writing.
            self.administer(format!("{database} commit_siblings = 0")).await?;
        }
        let database = Throwaway { url: with_database(&self.url, &name), name };
        if let Some(micros) = delay_us {
            prove_delay(&database, Duration::from_micros(micros)).await?;
        }
        Ok(database)
    }

    /// Drops a database with whoever is still connected.
    pub(crate) async fn drop_database(&self, database: &Throwaway) -> anyhow::Result<()> {
        self.remove(&database.name).await?;
        self.created.borrow_mut().retain(|name| *name != database.name);
        Ok(())
    }

    /// Drops whatever an interrupted run has left.
    pub(crate) async fn drop_all(&self) -> anyhow::Result<()> {
        let names = self.created.take();
        for name in names {
            self.remove(&name).await?;
        }
        Ok(())
    }

    async fn remove(&self, name: &str) -> anyhow::Result<()> {
        self.administer(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await
    }

    /// Flushes what earlier measurements have left dirty, so that all begin alike.
    pub(crate) async fn checkpoint(&self) -> anyhow::Result<()> {
        self.administer("CHECKPOINT".to_owned()).await
    }

    /// Reads the gauges.
    pub(crate) async fn gauges(&self, database: &Throwaway) -> anyhow::Result<Gauges> {
        let mut connection = PgConnection::connect(&self.url).await?;
        let (written, stored): (i64, i64) = sqlx::query_as(
            "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint, pg_database_size($1)",
        )
        .bind(&database.name)
        .fetch_one(&mut connection)
        .await
        .context("reading the sizes")?;
        connection.close().await?;
        Ok(Gauges { written: written.try_into()?, stored: stored.try_into()? })
    }

    async fn administer(&self, statement: String) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect(&self.url).await?;
        let done = connection.execute(AssertSqlSafe(statement.clone())).await;
        done.with_context(|| format!("{statement:?} failed: is it a superuser's URL?"))?;
        connection.close().await?;
        Ok(())
    }
}

/// A commit that is faster than the delay would make every figure after it a lie.
async fn prove_delay(database: &Throwaway, delay: Duration) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(&database.url).await?;
    let begun = Instant::now();
    connection.execute("CREATE TABLE delay_probe ()").await?;
    let took = begun.elapsed();
    connection.execute("DROP TABLE delay_probe").await?;
    connection.close().await?;
    ensure!(took >= delay, "a commit took {took:?} though each should wait {delay:?}");
    Ok(())
}

/// `postgres://user@host:port/database?options` with another database.
fn with_database(url: &str, name: &str) -> String {
    let (head, options) = url.split_once('?').map_or((url, ""), |(head, rest)| (head, rest));
    let (scheme, rest) = head.split_once("://").unwrap_or(("postgres", head));
    let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
    let question = if options.is_empty() { "" } else { "?" };
    format!("{scheme}://{authority}/{name}{question}{options}")
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn a_url_takes_another_database_and_keeps_the_rest() {
        let cases = [
            (
                "postgres://a:b@h:5432/postgres?sslmode=disable",
                "postgres://a:b@h:5432/x?sslmode=disable",
            ),
            ("postgres://a@h:1", "postgres://a@h:1/x"),
            ("postgresql://h/", "postgresql://h/x"),
        ];
        for (url, expected) in cases {
            assert_eq!(with_database(url, "x"), expected);
        }
    }
}
