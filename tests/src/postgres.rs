//! A database of its own for each test, on the PostgreSQL server that `tests/run` started.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A fresh database; dropped, with whoever is still connected, when this value is dropped.
#[derive(Debug)]
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// Creates the database. Fails when `MILLRACE_TEST_POSTGRES_URL` is absent: a test that needs
    /// PostgreSQL has not passed when there was none.
    pub async fn create() -> Result<Self> {
        let server = std::env::var("MILLRACE_TEST_POSTGRES_URL")
            .context("MILLRACE_TEST_POSTGRES_URL is not set: tests/run starts PostgreSQL")?;
        Self::create_on(&server).await
    }

    /// The same on the server with this URL.
    pub async fn create_on(server: &str) -> Result<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("millrace_test_{}_{number}", std::process::id());
        let database = Self { server: server.to_owned(), name };
        database.administer(format!(r#"CREATE DATABASE "{}""#, database.name)).await?;
        Ok(database)
    }

    /// The URL of this database.
    pub fn url(&self) -> String {
        with_database(&self.server, &self.name)
    }

    /// The URL of this database when it is reached through `address` (`host:port`).
    pub fn url_through(&self, address: &str) -> String {
        with_address(&self.url(), address)
    }

    /// Where the server listens, as `host:port`.
    pub fn address(&self) -> String {
        address_of(&self.server).to_owned()
    }

    /// A connection to this database, past every proxy.
    pub async fn connect(&self) -> Result<PgConnection> {
        PgConnection::connect(&self.url()).await.context("connecting to the test database")
    }

    /// Changes a setting for every later connection to this database.
    pub async fn set(&self, name: &str, value: &str) -> Result<()> {
        let statement = format!(r#"ALTER DATABASE "{}" SET {name} = '{value}'"#, self.name);
        self.administer(statement).await
    }

    async fn administer(&self, statement: String) -> Result<()> {
        let mut admin = PgConnection::connect(&self.server)
            .await
            .context("connecting to the PostgreSQL server of the suite")?;
        admin.execute(AssertSqlSafe(statement)).await?;
        admin.close().await?;
        Ok(())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A thread with a runtime of its own: drop cannot wait inside the runtime of the test.
        let dropping = std::thread::spawn(move || -> Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let database = Self { server, name };
                let statement = format!(r#"DROP DATABASE "{}" WITH (FORCE)"#, database.name);
                let dropped = database.administer(statement).await;
                // The copy must not drop the database a second time.
                std::mem::forget(database);
                dropped
            })
        });
        // The whole server is thrown away at the end of the run; a leftover costs disk until then.
        drop(dropping.join());
    }
}

/// `postgres://user@host:port/database?options` with another database.
fn with_database(url: &str, name: &str) -> String {
    let (head, options) = url.split_once('?').map_or((url, None), |(head, o)| (head, Some(o)));
    let start = head.find("://").map_or(0, |at| at + 3);
    let end = head.get(start..).and_then(|rest| rest.find('/')).map_or(head.len(), |at| start + at);
    let base = head.get(..end).unwrap_or(head);
    match options {
        Some(options) => format!("{base}/{name}?{options}"),
        None => format!("{base}/{name}"),
    }
}

/// The `host:port` of a URL.
fn address_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    authority.rsplit_once('@').map_or(authority, |(_, address)| address)
}

/// The URL with another `host:port`.
fn with_address(url: &str, address: &str) -> String {
    url.replacen(address_of(url), address, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_takes_another_database_and_keeps_the_rest() {
        let url = "postgres://owner:secret@127.0.0.1:5433/postgres?sslmode=disable";
        assert_eq!(
            with_database(url, "mine"),
            "postgres://owner:secret@127.0.0.1:5433/mine?sslmode=disable"
        );
        assert_eq!(with_database("postgres://owner@db:1", "mine"), "postgres://owner@db:1/mine");
    }

    #[test]
    fn a_url_takes_another_address_and_keeps_the_rest() {
        let url = "postgres://owner@127.0.0.1:5433/mine";
        assert_eq!(address_of(url), "127.0.0.1:5433");
        assert_eq!(with_address(url, "127.0.0.1:9"), "postgres://owner@127.0.0.1:9/mine");
    }
}
