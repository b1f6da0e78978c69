//! Everything that an engine stores, as one set of ports.

#[cfg(feature = "sqlite")]
mod backup;
mod config;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::sync::Arc;

#[cfg(feature = "sqlite")]
pub use backup::back_up;
pub use config::{Database, StorageConfig};

use crate::StoreError;
use crate::followers::{Followers, MemoryFollowers};
use crate::journal::{Journal, MemoryJournal};
use crate::pubsub::{MemoryPubSub, PubSub};
use crate::read_models::{MemoryReadModels, ReadModels};
use crate::snapshots::{MemorySnapshots, Snapshots};

/// How many shards a new journal gets.
pub const SHARDS_DEFAULT: u16 = 16;

/// The stores of one engine.
#[derive(Clone)]
pub struct Stores {
    /// The truth.
    pub journal: Arc<dyn Journal>,
    /// A cache of folded states.
    pub snapshots: Arc<dyn Snapshots>,
    /// What lists show.
    pub read_models: Arc<dyn ReadModels>,
    /// Where followers stand: what was sent to whom is known nowhere else.
    pub followers: Arc<dyn Followers>,
    /// Hints to others.
    pub pubsub: Arc<dyn PubSub>,
}

impl Stores {
    /// Stores that live and die with the process.
    pub fn in_memory() -> Self {
        Self::in_memory_with(SHARDS_DEFAULT)
    }

    fn in_memory_with(shards: u16) -> Self {
        Self {
            journal: Arc::new(MemoryJournal::new(shards)),
            snapshots: Arc::new(MemorySnapshots::default()),
            read_models: Arc::new(MemoryReadModels::default()),
            followers: Arc::new(MemoryFollowers::default()),
            pubsub: Arc::new(MemoryPubSub::default()),
        }
    }

    /// Opens the stores that are configured: creates what is missing, runs the migrations, and
    /// asserts that the database keeps what we promise on its behalf. A PostgreSQL server that
    /// does not answer yet is waited for, up to 30 s; a Redis server is not waited for.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsafe`] for a store that must not be used as it is, or that this build has
    /// no adapter for.
    pub async fn open(config: &StorageConfig) -> Result<Self, StoreError> {
        config.check()?;
        let stores = Self::connect(config).await?;
        discard_views_of_the_future(&stores).await?;
        Ok(stores)
    }

    /// The same for somebody who only looks: `None` where there is no journal, and views that are
    /// ahead of it stay.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub async fn inspect(config: &StorageConfig) -> Result<Option<Self>, StoreError> {
        config.check()?;
        let is_there = match &config.database {
            Database::Memory => true,
            #[cfg(feature = "sqlite")]
            Database::Sqlite(path) => crate::database::sqlite::holds_journal(path).await?,
            #[cfg(feature = "postgres")]
            Database::Postgres(url) => {
                let options = crate::database::postgres::options(url)?;
                crate::database::postgres::holds_journal(&options).await?
            }
            // Opening says that this build has no adapter for it.
            #[cfg(not(all(feature = "sqlite", feature = "postgres")))]
            _ => true,
        };
        Ok(if is_there { Some(Self::connect(config).await?) } else { None })
    }

    #[cfg_attr(
        not(any(feature = "sqlite", feature = "postgres")),
        expect(clippy::unused_async, reason = "only adapters wait")
    )]
    async fn connect(config: &StorageConfig) -> Result<Self, StoreError> {
        let mut stores = match &config.database {
            Database::Memory => Self::in_memory_with(config.shards),
            #[cfg(feature = "sqlite")]
            Database::Sqlite(path) => sqlite::open(path, config.shards).await?,
            #[cfg(not(feature = "sqlite"))]
            Database::Sqlite(_) => return Err(not_built("SQLite", "sqlite")),
            #[cfg(feature = "postgres")]
            Database::Postgres(url) => postgres::open(url, config.shards).await?,
            #[cfg(not(feature = "postgres"))]
            Database::Postgres(_) => return Err(not_built("PostgreSQL", "postgres")),
        };
        if let Some(url) = &config.redis_url {
            stores.pubsub = over_redis(url)?;
        }
        Ok(stores)
    }
}

/// Runs the migrations and asserts that the store can be used, then lets go of it.
///
/// # Errors
///
/// As [`Stores::open`].
pub async fn migrate(config: &StorageConfig) -> Result<(), StoreError> {
    Stores::open(config).await.map(drop)
}

#[cfg(feature = "redis")]
fn over_redis(url: &str) -> Result<Arc<dyn PubSub>, StoreError> {
    Ok(Arc::new(crate::pubsub::RedisPubSub::open(url)?))
}

#[cfg(not(feature = "redis"))]
fn over_redis(_: &str) -> Result<Arc<dyn PubSub>, StoreError> {
    Err(not_built("Redis", "redis"))
}

#[cfg(not(all(feature = "sqlite", feature = "postgres", feature = "redis")))]
fn not_built(name: &str, feature: &str) -> StoreError {
    StoreError::Unsafe(format!("this build has no {name}: it was built without `{feature}`"))
}

/// Empties views that know more than the journal: it was put back from an older copy.
async fn discard_views_of_the_future(stores: &Stores) -> Result<(), StoreError> {
    // In this order: another server may be at work, whose cursors follow the heads.
    let cursors = stores.read_models.cursors(stores.journal.shards()).await?;
    let heads = stores.journal.heads().await?;
    if cursors.iter().zip(&heads).any(|(cursor, head)| head < cursor) {
        tracing::warn!("the views are ahead of the journal; they are rebuilt from it");
        stores.read_models.clear().await?;
        stores.snapshots.clear().await?;
    }
    Ok(())
}
