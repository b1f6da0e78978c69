//! The stores of an engine in three SQLite files: the journal, what can be rebuilt, and followers.

use std::path::Path;
use std::sync::Arc;

use super::Stores;
use crate::StoreError;
use crate::database::sqlite_views::{Views, path_beside};
use crate::followers::sqlite::{self as followers, SqliteFollowers};
use crate::journal::{Fatal, SqliteJournal};
use crate::pubsub::MemoryPubSub;
use crate::read_models::SqliteReadModels;
use crate::snapshots::SqliteSnapshots;

/// Opens all of them.
pub(super) async fn open(path: &Path, shards: u16) -> Result<Stores, StoreError> {
    let journal = Arc::new(SqliteJournal::open(path, shards, Fatal::default()).await?);
    let views = Views::open(&path_beside(path)).await?;
    Ok(Stores {
        snapshots: Arc::new(SqliteSnapshots::new(views.clone(), journal.clone())),
        followers: Arc::new(SqliteFollowers::open(&followers::path_beside(path)).await?),
        read_models: Arc::new(SqliteReadModels::open(views).await?),
        journal,
        pubsub: Arc::new(MemoryPubSub::default()),
    })
}
