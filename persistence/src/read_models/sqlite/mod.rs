//! Read models on SQLite, in the views file.

mod apply;
#[cfg(test)]
mod plans;
mod wakeups;

use async_trait::async_trait;
use engine::order::OrderStatus;
use engine::values::{Moment, OrderId, ProductId};
use sqlx::Executor as _;

use super::row::{StoredOrder, StoredProduct, best_informed_of_each};
use super::{Changes, OrderPage, OrderQuery, OrderRow, ProductRow, ReadModels, Wakeup, list};
use crate::StoreError;
use crate::database::sqlite::trouble;
use crate::database::sqlite_views::Views;
use crate::tasks::owned;

const CURSORS: &str = "SELECT shard, position FROM read_cursors WHERE shard < $1";

const ORDERS: &str = "SELECT o.order_id, o.status, o.created_at, o.version, o.body \
    FROM json_each($1) AS wanted CROSS JOIN read_orders o ON o.order_id = unhex(wanted.value)";

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

    async fn orders(&self, orders: &[OrderId]) -> Result<Vec<OrderRow>, StoreError> {
        let wanted: serde_json::Value =
            orders.iter().map(|order| order.as_uuid().simple().to_string()).collect();
        let readers = self.views.readers.clone();
        owned(async move {
            let rows: Vec<StoredOrder> = sqlx::query_as(ORDERS)
                .bind(wanted.to_string())
                .fetch_all(&readers)
                .await
                .map_err(trouble)?;
            rows.into_iter().map(OrderRow::try_from).collect()
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
