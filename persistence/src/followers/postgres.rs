//! Followers on PostgreSQL, in the database of the journal: they are lost together or not at all.

use async_trait::async_trait;
use sqlx::postgres::{PgConnection, PgPool};

use super::Followers;
use super::statements::over_connections;
use crate::database::postgres::trouble;
use crate::tasks::owned;

over_connections!(PgConnection, trouble);

/// Followers beside the journal.
pub(crate) struct PostgresFollowers {
    pool: PgPool,
}

impl PostgresFollowers {
    /// Keeps followers behind `pool`, whose tables exist.
    pub(crate) const fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl Followers for PostgresFollowers {
    async fn cursors(&self, follower: &str) -> Result<Vec<(Shard, u64)>, StoreError> {
        let (pool, follower) = (self.pool.clone(), follower.to_owned());
        owned(async move { cursors(&mut *pool.acquire().await.map_err(trouble)?, &follower).await })
            .await
    }

    async fn advance(
        &self,
        follower: &str,
        places: &[(Shard, u64)],
        notices: &[Notice],
    ) -> Result<(), StoreError> {
        let (pool, follower) = (self.pool.clone(), follower.to_owned());
        let (places, notices) = (places.to_vec(), notices.to_vec());
        owned(async move {
            let mut connection = pool.acquire().await.map_err(trouble)?;
            advance(&mut connection, &follower, &places, &notices).await
        })
        .await
    }

    async fn reset(&self, follower: &str, places: &[(Shard, u64)]) -> Result<(), StoreError> {
        let (pool, follower, places) = (self.pool.clone(), follower.to_owned(), places.to_vec());
        owned(async move {
            reset(&mut *pool.acquire().await.map_err(trouble)?, &follower, &places).await
        })
        .await
    }

    async fn forget(&self, follower: &str) -> Result<(), StoreError> {
        let (pool, follower) = (self.pool.clone(), follower.to_owned());
        owned(async move { forget(&mut *pool.acquire().await.map_err(trouble)?, &follower).await })
            .await
    }

    async fn due_notices(&self, now: Moment, limit: u32) -> Result<Vec<Notice>, StoreError> {
        let pool = self.pool.clone();
        owned(async move { due(&mut *pool.acquire().await.map_err(trouble)?, now, limit).await })
            .await
    }

    async fn settle_notice(&self, notice: &Notice) -> Result<(), StoreError> {
        let (pool, notice) = (self.pool.clone(), notice.clone());
        owned(async move { settle(&mut *pool.acquire().await.map_err(trouble)?, &notice).await })
            .await
    }

    async fn list_notices(&self, query: &NoticeQuery) -> Result<Vec<Notice>, StoreError> {
        let (pool, query) = (self.pool.clone(), query.clone());
        owned(async move { list(&mut *pool.acquire().await.map_err(trouble)?, &query).await }).await
    }

    async fn prune_notices(&self, before: Moment) -> Result<u64, StoreError> {
        let pool = self.pool.clone();
        owned(async move { prune(&mut *pool.acquire().await.map_err(trouble)?, before).await })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::plans::{Access, assert_postgres_uses_an_index};

    #[tokio::test]
    async fn every_query_uses_an_index() {
        let statements = [
            (say::CURSORS, Access::Found),
            (say::FORGET, Access::Found),
            (say::DUE, Access::Found),
            (say::LIST, Access::Found),
            (say::LIST_STATUS, Access::Found),
            (say::PRUNE, Access::Found),
        ];
        assert_postgres_uses_an_index(&statements).await;
    }
}
