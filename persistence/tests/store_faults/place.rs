//! Where stores lie, so that a test can open them more than once and reach behind them.

use std::path::PathBuf;

use persistence::stores::{Database, StorageConfig};
use persistence::{StoreError, Stores};
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::support::database::TestDatabase;

/// Few enough that batches span them all.
pub(crate) const SHARDS: u16 = 4;

/// A folder or a database that goes away with the test.
pub(crate) enum Place {
    Folder(tempfile::TempDir),
    Server(TestDatabase),
}

impl Place {
    pub(crate) fn folder() -> Self {
        Self::Folder(tempfile::tempdir().unwrap())
    }

    pub(crate) async fn server() -> Self {
        Self::Server(TestDatabase::create().await)
    }

    /// A file in the folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.path().join(name),
            Self::Server(_) => unreachable!("a server has no files"),
        }
    }

    fn config(&self, shards: u16) -> StorageConfig {
        let database = match self {
            Self::Folder(_) => Database::Sqlite(self.file("shop.db")),
            Self::Server(database) => Database::Postgres(database.url()),
        };
        StorageConfig { database, redis_url: None, shards }
    }

    pub(crate) async fn try_open(&self, shards: u16) -> Result<Stores, StoreError> {
        Stores::open(&self.config(shards)).await
    }

    pub(crate) async fn inspect(&self) -> Option<Stores> {
        Stores::inspect(&self.config(SHARDS)).await.unwrap()
    }

    pub(crate) async fn open(&self) -> Stores {
        self.try_open(SHARDS).await.unwrap()
    }

    /// The address of the database.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Folder(_) => unreachable!("a folder has no server"),
            Self::Server(database) => database.url(),
        }
    }

    /// A connection past the stores.
    pub(crate) async fn server_connection(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }

    /// Does something to the journal's database past the stores.
    pub(crate) async fn execute(&self, statement: &str) {
        let statement = AssertSqlSafe(statement.to_owned());
        match self {
            Self::Folder(_) => {
                let url = format!("sqlite:{}", self.file("shop.db").display());
                let mut connection = SqliteConnection::connect(&url).await.unwrap();
                connection.execute(statement).await.unwrap();
                connection.close().await.unwrap();
            }
            Self::Server(_) => {
                self.server_connection().await.execute(statement).await.unwrap();
            }
        }
    }

    pub(crate) async fn close(self) {
        match self {
            Self::Folder(folder) => folder.close().unwrap(),
            Self::Server(database) => database.drop().await,
        }
    }
}
