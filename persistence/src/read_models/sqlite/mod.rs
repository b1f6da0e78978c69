//! Read models on SQLite, in the views file.

mod apply;
mod entries;
#[cfg(test)]
mod plans;
mod wakeups;

use async_trait::async_trait;
use engine::order::OrderStatus;
use engine::values::{Moment, ProductId};
use sqlx::Executor as _;

use super::row::{StoredProduct, best_informed_of_each, history};
use super::{
    Changes, EntryPage, EntryQuery, HistoryRow, HistoryTail, OrderPage, OrderQuery, ProductRow,
    ReadModels, Wakeup, entry_list, list,
};
use crate::StoreError;
use crate::database::sqlite::trouble;
use crate::database::sqlite_views::Views;
use crate::tasks::owned;

const CURSORS: &str = "SELECT shard, position FROM read_cursors WHERE shard < $1";

const HISTORIES: &str = "SELECT wanted.key, h.last_version, h.positions \
    FROM json_each($1) AS wanted CROSS JOIN read_histories h \
    ON h.stream = unhex(wanted.value ->> 0) AND h.last_version > wanted.value ->> 1";

const PRODUCTS: &str = "SELECT p.product_id, p.listing, p.on_hand, p.held, p.sold, \
    p.stock_version FROM json_each($1) AS wanted \
    CROSS JOIN read_products p ON p.product_id = wanted.value";

const LIST_PRODUCTS: &str = "SELECT product_id, listing, on_hand, held, sold, \
    stock_version FROM read_products \
    WHERE listing IS NOT NULL AND product_id > $1 ORDER BY product_id LIMIT $2";

/// Read models in the file beside the journal.
pub(crate) struct SqliteReadModels {
    views: Views,
}

impl SqliteReadModels {
    /// Read models in `views`; knows every status from now on.
    pub(crate) async fn open(views: Views) -> Result<Self, StoreError> {
        let statuses: serde_json::Value =
            OrderStatus::ALL.iter().map(|status| status.as_str()).collect();
        sqlx::query(
            "INSERT OR IGNORE INTO read_order_counts (status, orders) \
             SELECT value, 0 FROM json_each($1)",
        )
        .bind(statuses.to_string())
        .execute(&mut *views.writer.lock().await)
        .await
        .map_err(trouble)?;
        Ok(Self { views })
    }
}

#[async_trait]
impl ReadModels for SqliteReadModels {
    async fn cursors(&self, shards: u16) -> Result<Vec<u64>, StoreError> {
        let readers = self.views.readers.clone();
        owned(async move {
            let known: Vec<(u16, i64)> =
                sqlx::query_as(CURSORS).bind(shards).fetch_all(&readers).await.map_err(trouble)?;
            let mut cursors = vec![0; usize::from(shards)];
            for (shard, position) in known {
                if let Some(cursor) = cursors.get_mut(usize::from(shard)) {
                    *cursor = position.cast_unsigned();
                }
            }
            Ok(cursors)
        })
        .await
    }

    async fn apply(&self, changes: &Changes) -> Result<(), StoreError> {
        let changes = apply::Encoded::of(changes)?;
        let views = self.views.clone();
        owned(async move { changes.write(&mut *views.writer.lock().await).await }).await
    }

    async fn histories(&self, tails: &[HistoryTail]) -> Result<Vec<HistoryRow>, StoreError> {
        let wanted = tails
            .iter()
            .map(|tail| serde_json::json!([tail.stream.digest().simple().to_string(), tail.after]));
        let wanted = wanted.collect::<serde_json::Value>().to_string();
        let (readers, tails) = (self.views.readers.clone(), tails.to_vec());
        owned(async move {
            let rows = sqlx::query_as(HISTORIES).bind(wanted).fetch_all(&readers);
            let rows: Vec<(i64, i64, Vec<u8>)> = rows.await.map_err(trouble)?;
            rows.into_iter().map(|row| history(&tails, row)).collect()
        })
        .await
    }

    async fn list_orders(&self, query: &OrderQuery) -> Result<OrderPage, StoreError> {
        let (readers, query) = (self.views.readers.clone(), query.clone());
        owned(async move { list::from_sqlite(&readers, &query).await }).await
    }

    async fn products(&self, products: &[ProductId]) -> Result<Vec<ProductRow>, StoreError> {
        let wanted: serde_json::Value = products.iter().map(ProductId::as_str).collect();
        let readers = self.views.readers.clone();
        owned(async move {
            let rows: Vec<StoredProduct> = sqlx::query_as(PRODUCTS)
                .bind(wanted.to_string())
                .fetch_all(&readers)
                .await
                .map_err(trouble)?;
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
        let readers = self.views.readers.clone();
        owned(async move {
            let rows: Vec<StoredProduct> = sqlx::query_as(LIST_PRODUCTS)
                .bind(after)
                .bind(limit)
                .fetch_all(&readers)
                .await
                .map_err(trouble)?;
            rows.into_iter().map(ProductRow::try_from).collect()
        })
        .await
    }

    async fn list_entries(&self, query: &EntryQuery) -> Result<EntryPage, StoreError> {
        let (readers, query) = (self.views.readers.clone(), query.clone());
        owned(async move { entry_list::from_sqlite(&readers, &query).await }).await
    }

    async fn due_wakeups(&self, now: Moment, limit: u32) -> Result<Vec<Wakeup>, StoreError> {
        let readers = self.views.readers.clone();
        owned(async move { wakeups::due(&readers, now, limit).await }).await
    }

    async fn set_wakeups(&self, wakeups: &[Wakeup]) -> Result<(), StoreError> {
        let guarded = wakeups::encode(&best_informed_of_each(wakeups));
        let views = self.views.clone();
        owned(async move { wakeups::set(&mut *views.writer.lock().await, guarded).await }).await
    }

    async fn clear(&self) -> Result<(), StoreError> {
        let views = self.views.clone();
        owned(async move {
            let mut writer = views.writer.lock().await;
            let cleared = writer.execute(apply::CLEAR).await;
            if let Err(error) = cleared {
                crate::database::sqlite::roll_back(&mut writer).await;
                return Err(trouble(error));
            }
            Ok(())
        })
        .await
    }
}
