//! Stores that go away with the test.

use persistence::Stores;
use persistence::stores::{Database, StorageConfig};

#[cfg(feature = "postgres")]
use super::database::TestDatabase;

/// Few enough that batches span them all.
pub(crate) const SHARDS: u16 = 4;

/// Open stores and what has to go with them.
pub(crate) struct Fixture {
    pub(crate) stores: Stores,
    folder: Option<tempfile::TempDir>,
    #[cfg(feature = "postgres")]
    database: Option<TestDatabase>,
}

async fn open(database: Database) -> Stores {
    let config = StorageConfig { database, redis_url: None, shards: SHARDS };
    Stores::open(&config).await.unwrap()
}

impl Fixture {
    /// Stores in memory.
    pub(crate) async fn memory() -> Self {
        Self {
            stores: open(Database::Memory).await,
            folder: None,
            #[cfg(feature = "postgres")]
            database: None,
        }
    }

    /// Stores in files of a temporary folder.
    #[cfg(feature = "sqlite")]
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            stores: open(Database::Sqlite(folder.path().join("shop.db"))).await,
            folder: Some(folder),
            #[cfg(feature = "postgres")]
            database: None,
        }
    }

    /// Stores in a database of a running server.
    #[cfg(feature = "postgres")]
    pub(crate) async fn postgres() -> Self {
        let database = TestDatabase::create().await;
        let stores = open(Database::Postgres(database.url())).await;
        Self { stores, folder: None, database: Some(database) }
    }

    /// Takes everything away.
    pub(crate) async fn close(self) {
        drop(self.stores);
        #[cfg(feature = "postgres")]
        if let Some(database) = self.database {
            database.drop().await;
        }
        if let Some(folder) = self.folder {
            folder.close().unwrap();
        }
        tokio::task::yield_now().await;
    }
}
