//! Followers in memory, for tests and for shops that live as long as their process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use engine::values::Moment;

use super::{Followers, Notice, NoticeId, NoticeQuery};
use crate::StoreError;
use crate::journal::Shard;

#[derive(Default)]
struct Tables {
    cursors: BTreeMap<(String, Shard), u64>,
    notices: BTreeMap<NoticeId, Notice>,
}

/// Followers that end with the process.
#[derive(Default)]
pub struct MemoryFollowers(Mutex<Tables>);

impl MemoryFollowers {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Followers for MemoryFollowers {
    async fn cursors(&self, follower: &str) -> Result<Vec<(Shard, u64)>, StoreError> {
        let tables = self.tables();
        let own = tables.cursors.iter().filter(|((name, _), _)| name == follower);
        Ok(own.map(|((_, shard), position)| (*shard, *position)).collect())
    }

    async fn advance(
        &self,
        follower: &str,
        places: &[(Shard, u64)],
        notices: &[Notice],
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for notice in notices {
            tables.notices.entry(notice.id.clone()).or_insert_with(|| notice.clone());
        }
        for (shard, position) in places {
            let cursor = tables.cursors.entry((follower.to_owned(), *shard)).or_default();
            *cursor = (*cursor).max(*position);
        }
        Ok(())
    }

    async fn reset(&self, follower: &str, places: &[(Shard, u64)]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for (shard, position) in places {
            tables.cursors.insert((follower.to_owned(), *shard), *position);
        }
        Ok(())
    }

    async fn forget(&self, follower: &str) -> Result<(), StoreError> {
        self.tables().cursors.retain(|(name, _), _| name != follower);
        Ok(())
    }

    async fn due_notices(&self, now: Moment, limit: u32) -> Result<Vec<Notice>, StoreError> {
        let tables = self.tables();
        let is_due = |notice: &&Notice| notice.due_at.is_some_and(|due| due <= now);
        let mut due: Vec<Notice> = tables.notices.values().filter(is_due).cloned().collect();
        due.sort_by_key(|notice| notice.due_at);
        due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(due)
    }

    async fn settle_notice(&self, notice: &Notice) -> Result<(), StoreError> {
        if let Some(known) = self.tables().notices.get_mut(&notice.id) {
            known.clone_from(notice);
        }
        Ok(())
    }

    async fn list_notices(&self, query: &NoticeQuery) -> Result<Vec<Notice>, StoreError> {
        let tables = self.tables();
        let wanted = tables.notices.values().rev().filter(|notice| {
            query.status.is_none_or(|status| notice.status == status)
                && query.after.as_ref().is_none_or(|after| notice.id < *after)
        });
        Ok(wanted.take(usize::try_from(query.limit).unwrap_or(usize::MAX)).cloned().collect())
    }

    async fn prune_notices(&self, before: Moment) -> Result<u64, StoreError> {
        let mut tables = self.tables();
        let known = tables.notices.len();
        tables.notices.retain(|_, notice| notice.settled_at.is_none_or(|at| before <= at));
        Ok(known.saturating_sub(tables.notices.len()) as u64)
    }
}
