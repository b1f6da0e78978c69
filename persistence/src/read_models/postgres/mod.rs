//! Read models on PostgreSQL, beside the journal.

mod apply;
mod entries;
#[cfg(test)]
mod plans;
mod wakeups;

use async_trait::async_trait;
use engine::order::OrderStatus;
use engine::values::{Moment, ProductId};
use sqlx::postgres::PgPool;
use uuid::Uuid;

use super::row::{StoredProduct, best_informed_of_each, history};
use super::{
    Changes, EntryPage, EntryQuery, HistoryRow, HistoryTail, OrderPage, OrderQuery, ProductRow,
    ReadModels, Wakeup, entry_list, list,
};
use crate::StoreError;
use crate::database::postgres::trouble;
use crate::tasks::owned;

const CURSORS: &str = "SELECT shard, position FROM read_cursors WHERE shard < $1";

const HISTORIES: &str = "SELECT wanted.number - 1, h.last_version, h.positions \
    FROM unnest($1::uuid[], $2::int8[]) WITH ORDINALITY AS wanted (stream, after, number) \
    JOIN read_histories h ON h.stream = wanted.stream AND h.last_version > wanted.after";

const PRODUCTS: &str = "SELECT product_id, listing, on_hand, held, sold, \
    stock_version FROM read_products WHERE product_id = ANY ($1::text[])";

const LIST_PRODUCTS: &str = "SELECT product_id, listing, on_hand, held, sold, \
    stock_version FROM read_products \
    WHERE listing IS NOT NULL AND product_id > $1 ORDER BY product_id LIMIT $2";

/// Read models in the database of the journal.
pub(crate) struct PostgresReadModels {
    pool: PgPool,
}

impl PostgresReadModels {
    /// Read models behind `pool`; knows every status from now on.
    pub(crate) async fn open(pool: PgPool) -> Result<Self, StoreError> {
        let statuses: Vec<&str> = OrderStatus::ALL.iter().map(|status| status.as_str()).collect();
        sqlx::query(
            "INSERT INTO read_order_counts (status, orders) \
             SELECT status, 0 FROM unnest($1::text[]) AS status ON CONFLICT DO NOTHING",
        )
        .bind(statuses)
        .execute(&pool)
        .await
        .map_err(trouble)?;
        Ok(Self { pool })
    }
}

#[async_trait]
impl ReadModels for PostgresReadModels {
    async fn cursors(&self, shards: u16) -> Result<Vec<u64>, StoreError> {
        let pool = self.pool.clone();
        owned(async move {
            let known = sqlx::query_as(CURSORS).bind(i32::from(shards)).fetch_all(&pool);
            let known: Vec<(i32, i64)> = known.await.map_err(trouble)?;
            let mut cursors = vec![0; usize::from(shards)];
            for (shard, position) in known {
                let shard = usize::try_from(shard).unwrap_or(usize::MAX);
                if let Some(cursor) = cursors.get_mut(shard) {
                    *cursor = position.cast_unsigned();
                }
            }
            Ok(cursors)
        })
        .await
    }

    async fn apply(&self, changes: &Changes) -> Result<(), StoreError> {
        let (pool, changes) = (self.pool.clone(), apply::Encoded::of(changes)?);
        owned(async move { changes.write(&pool).await }).await
    }

    async fn histories(&self, tails: &[HistoryTail]) -> Result<Vec<HistoryRow>, StoreError> {
        let streams: Vec<Uuid> = tails.iter().map(|tail| tail.stream.digest()).collect();
        let after: Vec<i64> = tails.iter().map(|tail| tail.after.cast_signed()).collect();
        let (pool, tails) = (self.pool.clone(), tails.to_vec());
        owned(async move {
            let rows = sqlx::query_as(HISTORIES).bind(streams).bind(after).fetch_all(&pool);
            let rows: Vec<(i64, i64, Vec<u8>)> = rows.await.map_err(trouble)?;
            let rows = rows.into_iter().map(|row| history(&tails, row));
            let mut rows: Vec<HistoryRow> = rows.collect::<Result<_, _>>()?;
            rows.sort_by_key(|row| row.last_version);
            Ok(rows)
        })
        .await
    }

    async fn list_orders(&self, query: &OrderQuery) -> Result<OrderPage, StoreError> {
        let (pool, query) = (self.pool.clone(), query.clone());
        owned(async move { list::from_postgres(&pool, &query).await }).await
    }

    async fn products(&self, products: &[ProductId]) -> Result<Vec<ProductRow>, StoreError> {
        let wanted: Vec<String> = products.iter().map(ToString::to_string).collect();
        let pool = self.pool.clone();
        owned(async move {
            let rows = sqlx::query_as(PRODUCTS).bind(wanted).fetch_all(&pool);
            let rows: Vec<StoredProduct> = rows.await.map_err(trouble)?;
            rows.into_iter().map(ProductRow::try_from).collect()
        })
        .await
    }

    async fn list_products(
        &self,
        after: Option<&ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductRow>, StoreError> {
        // Every id comes after the empty text.
        let after = after.map_or_else(String::new, ToString::to_string);
        let pool = self.pool.clone();
        owned(async move {
            let rows = sqlx::query_as(LIST_PRODUCTS).bind(after).bind(i64::from(limit));
            let rows: Vec<StoredProduct> = rows.fetch_all(&pool).await.map_err(trouble)?;
            rows.into_iter().map(ProductRow::try_from).collect()
        })
        .await
    }

    async fn list_entries(&self, query: &EntryQuery) -> Result<EntryPage, StoreError> {
        let (pool, query) = (self.pool.clone(), query.clone());
        owned(async move { entry_list::from_postgres(&pool, &query).await }).await
    }

    async fn due_wakeups(&self, now: Moment, limit: u32) -> Result<Vec<Wakeup>, StoreError> {
        let pool = self.pool.clone();
        owned(async move { wakeups::due(&pool, now, limit).await }).await
    }

    async fn set_wakeups(&self, wakeups: &[Wakeup]) -> Result<(), StoreError> {
        let guarded = wakeups::Wakeups::of(&best_informed_of_each(wakeups));
        let pool = self.pool.clone();
        owned(async move { guarded.set(&pool).await }).await
    }

    async fn clear(&self) -> Result<(), StoreError> {
        let pool = self.pool.clone();
        owned(async move { apply::clear(&pool).await }).await
    }
}
