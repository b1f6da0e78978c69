//! Stores that go away with the test.

use persistence::Stores;
use persistence::stores::{Database, StorageConfig};

/// Few enough that batches span them all.
pub(crate) const SHARDS: u16 = 4;

/// Open stores and what has to go with them.
pub(crate) struct Fixture {
    pub(crate) stores: Stores,
    folder: Option<tempfile::TempDir>,
}

async fn open(database: Database) -> Stores {
    let config = StorageConfig { database, redis_url: None, shards: SHARDS };
    Stores::open(&config).await.unwrap()
}

impl Fixture {
    /// Stores in memory.
    pub(crate) async fn memory() -> Self {
        Self { stores: open(Database::Memory).await, folder: None }
    }

    /// Stores in files of a temporary folder.
    #[cfg(feature = "sqlite")]
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stores = open(Database::Sqlite(folder.path().join("shop.db"))).await;
        Self { stores, folder: Some(folder) }
    }

    /// Takes everything away.
    pub(crate) async fn close(self) {
        drop(self.stores);
        tokio::task::yield_now().await;
        if let Some(folder) = self.folder {
            folder.close().unwrap();
        }
    }
}
