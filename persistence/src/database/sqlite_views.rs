//! The file beside the journal that holds what can be rebuilt: read models and snapshots.
//!
//! It has a writer of its own, so that projections never wait for the journal's write lock nor
//! hold it. It is not synced on every commit: what a power cut takes is folded again.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteSynchronous};
use tokio::sync::Mutex;

use super::sqlite::{open_readers, open_writer, prepare, truncate_log};
use crate::StoreError;

/// A page that changes in many commits is copied into the file once per checkpoint; nobody waits
/// for it.
const CHECKPOINT_PAGES: &str = "4000";

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite_views");

/// An open file of views.
#[derive(Clone)]
pub(crate) struct Views {
    /// Locked by detached tasks only.
    pub(crate) writer: Arc<Mutex<SqliteConnection>>,
    pub(crate) readers: SqlitePool,
}

impl Views {
    /// Opens or creates the file; one that cannot be used is replaced by an empty one.
    pub(crate) async fn open(path: &Path) -> Result<Self, StoreError> {
        match Self::try_open(path).await {
            // Damaged, or made by another build. A file that is merely busy is left alone.
            Err(error @ (StoreError::Corrupt(_) | StoreError::Unsafe(_))) => {
                let cause = &error as &dyn std::error::Error;
                tracing::warn!(
                    cause,
                    "the views file cannot be used; it is rebuilt from the journal"
                );
                remove(path)?;
                Self::try_open(path).await
            }
            opened => opened,
        }
    }

    async fn try_open(path: &Path) -> Result<Self, StoreError> {
        let mut writer = open_writer(path, SqliteSynchronous::Normal, CHECKPOINT_PAGES).await?;
        truncate_log(&mut writer).await?;
        prepare(&mut writer, &MIGRATIONS).await?;
        let readers = open_readers(path).await?;
        Ok(Self { writer: Arc::new(Mutex::new(writer)), readers })
    }
}

/// Where the views of a journal file lie: `shop.db` has `shop.views.db`.
pub(crate) fn path_beside(journal: &Path) -> PathBuf {
    journal.with_extension("views.db")
}

fn remove(path: &Path) -> Result<(), StoreError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = OsString::from(path);
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::Unavailable(error.into()));
            }
            _ => {}
        }
    }
    Ok(())
}
