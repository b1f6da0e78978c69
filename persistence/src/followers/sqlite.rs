//! Followers on SQLite, in a file of their own: journal and views never wait for them.
//!
//! What a power cut takes from the end of the file is dealt with again.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteSynchronous};
use tokio::sync::Mutex;

use super::Followers;
use super::statements::over_connections;
use crate::database::sqlite::{open_readers, open_writer, prepare, trouble, truncate_log};
use crate::tasks::owned;

/// Pages of the log that are copied into the file at once.
const CHECKPOINT_PAGES: &str = "1000";

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite_followers");

over_connections!(SqliteConnection, trouble);

/// Followers in the file beside the journal.
pub(crate) struct SqliteFollowers {
    /// Locked by detached tasks only.
    writer: Arc<Mutex<SqliteConnection>>,
    readers: SqlitePool,
}

/// Where the followers of a journal file are kept: `shop.db` has `shop.followers.db`.
pub(crate) fn path_beside(journal: &Path) -> PathBuf {
    journal.with_extension("followers.db")
}

impl SqliteFollowers {
    /// Opens or creates the file. One that cannot be used is set aside: a shop must sell without it,
    /// and followers that find no place of theirs say so, and begin where they repeat least.
    pub(crate) async fn open(path: &Path) -> Result<Self, StoreError> {
        match Self::try_open(path).await {
            Err(error @ (StoreError::Corrupt(_) | StoreError::Unsafe(_))) => {
                let cause = &error as &dyn std::error::Error;
                tracing::error!(cause, "the followers file cannot be used; it is set aside");
                set_aside(path)?;
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

/// Nothing is deleted: somebody may still read what was sent to whom.
fn set_aside(path: &Path) -> Result<(), StoreError> {
    for suffix in ["", "-wal", "-shm"] {
        let (mut from, mut to) = (OsString::from(path), OsString::from(path));
        from.push(suffix);
        to.push(format!(".damaged{suffix}"));
        match std::fs::rename(&from, &to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::Unavailable(error.into()));
            }
            _ => {}
        }
    }
    Ok(())
}

#[async_trait]
impl Followers for SqliteFollowers {
    async fn cursors(&self, follower: &str) -> Result<Vec<(Shard, u64)>, StoreError> {
        let (readers, follower) = (self.readers.clone(), follower.to_owned());
        owned(async move {
            cursors(&mut *readers.acquire().await.map_err(trouble)?, &follower).await
        })
        .await
    }

    async fn advance(
        &self,
        follower: &str,
        places: &[(Shard, u64)],
        notices: &[Notice],
    ) -> Result<(), StoreError> {
        let (writer, follower) = (Arc::clone(&self.writer), follower.to_owned());
        let (places, notices) = (places.to_vec(), notices.to_vec());
        owned(async move { advance(&mut *writer.lock().await, &follower, &places, &notices).await })
            .await
    }

    async fn reset(&self, follower: &str, places: &[(Shard, u64)]) -> Result<(), StoreError> {
        let (writer, follower) = (Arc::clone(&self.writer), follower.to_owned());
        let places = places.to_vec();
        owned(async move { reset(&mut *writer.lock().await, &follower, &places).await }).await
    }

    async fn forget(&self, follower: &str) -> Result<(), StoreError> {
        let (writer, follower) = (Arc::clone(&self.writer), follower.to_owned());
        owned(async move { forget(&mut *writer.lock().await, &follower).await }).await
    }

    async fn due_notices(&self, now: Moment, limit: u32) -> Result<Vec<Notice>, StoreError> {
        let readers = self.readers.clone();
        owned(async move { due(&mut *readers.acquire().await.map_err(trouble)?, now, limit).await })
            .await
    }

    async fn settle_notice(&self, notice: &Notice) -> Result<(), StoreError> {
        let (writer, notice) = (Arc::clone(&self.writer), notice.clone());
        owned(async move { settle(&mut *writer.lock().await, &notice).await }).await
    }

    async fn list_notices(&self, query: &NoticeQuery) -> Result<Vec<Notice>, StoreError> {
        let (readers, query) = (self.readers.clone(), query.clone());
        owned(async move { list(&mut *readers.acquire().await.map_err(trouble)?, &query).await })
            .await
    }

    async fn prune_notices(&self, before: Moment) -> Result<u64, StoreError> {
        let writer = Arc::clone(&self.writer);
        owned(async move { prune(&mut *writer.lock().await, before).await }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::plans::{Access, assert_sqlite_uses_an_index};

    #[tokio::test]
    async fn every_query_uses_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let opened = SqliteFollowers::open(&folder.path().join("followers.db")).await.unwrap();
        let statements = [
            (say::CURSORS, Access::Found),
            (say::FORGET, Access::Found),
            (say::DUE, Access::InOrder),
            (say::LIST, Access::InOrder),
            (say::LIST_STATUS, Access::InOrder),
            (say::PRUNE, Access::Found),
        ];
        assert_sqlite_uses_an_index(&opened.readers, &statements).await;
    }

    #[tokio::test]
    async fn a_damaged_file_is_set_aside_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("followers.db");
        let damaged = b"SQLite format 3\0 and then nothing that could be read".repeat(100);
        std::fs::write(&path, &damaged).unwrap();
        let opened = SqliteFollowers::open(&path).await.unwrap();
        assert!(opened.cursors("anybody").await.unwrap().is_empty());
        let aside = folder.path().join("followers.db.damaged");
        assert_eq!(std::fs::read(aside).unwrap(), damaged);
    }
}
