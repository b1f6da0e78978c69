//! The stores of an engine in one PostgreSQL database.

use std::sync::Arc;

use super::Stores;
use crate::StoreError;
use crate::database::postgres::{options, prepare};
use crate::followers::PostgresFollowers;
use crate::journal::PostgresJournal;
use crate::pubsub::MemoryPubSub;
use crate::read_models::PostgresReadModels;
use crate::snapshots::PostgresSnapshots;

/// Opens the database.
pub(super) async fn open(url: &str, shards: u16) -> Result<Stores, StoreError> {
    let options = options(url)?;
    let pool = prepare(&options).await?;
    let journal = Arc::new(PostgresJournal::open(&options, pool.clone(), shards).await?);
    Ok(Stores {
        snapshots: Arc::new(PostgresSnapshots::new(pool.clone(), journal.clone())),
        followers: Arc::new(PostgresFollowers::new(pool.clone())),
        read_models: Arc::new(PostgresReadModels::open(pool).await?),
        journal,
        pubsub: Arc::new(MemoryPubSub::default()),
    })
}
