//! A PostgreSQL database that goes away with the test.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A fresh database on the server that `MILLRACE_TEST_POSTGRES_URL` names.
pub(crate) struct TestDatabase {
    server: String,
    name: String,
}

impl TestDatabase {
    /// Creates it. Without a server there is nothing to test, and so nothing that passes.
    pub(crate) async fn create() -> Self {
        let Ok(server) = std::env::var("MILLRACE_TEST_POSTGRES_URL") else {
            unreachable!("MILLRACE_TEST_POSTGRES_URL must name the server to test against");
        };
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("persistence_test_{}_{number}", std::process::id());
        let database = Self { server, name };
        let options = "TEMPLATE template0 ENCODING 'UTF8'";
        database.administer(format!("CREATE DATABASE {} {options}", database.name)).await;
        database
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        let (head, options) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let authority = head.find("://").map_or(0, |at| at + 3);
        let end = head[authority..].find('/').map_or(head.len(), |at| authority + at);
        format!("{}/{}?{options}", &head[..end], self.name)
    }

    /// Drops it, with whoever is still connected.
    pub(crate) async fn drop(self) {
        self.administer(format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }

    async fn administer(&self, statement: String) {
        let mut admin = PgConnection::connect(&self.server).await.unwrap();
        admin.execute(AssertSqlSafe(statement)).await.unwrap();
        admin.close().await.unwrap();
    }
}
