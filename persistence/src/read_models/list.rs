//! Lists of orders: the same statements and the same paging on both databases.

#[cfg(feature = "postgres")]
use sqlx::postgres::PgPool;
#[cfg(feature = "sqlite")]
use sqlx::sqlite::SqlitePool;

use super::row::StoredOrder;
use super::{OrderPage, OrderQuery, OrderRow, PageStart};
use crate::StoreError;

pub(super) const BY_OFFSET: &str = "SELECT order_id, status, created_at \
    FROM read_orders ORDER BY created_at DESC, order_id DESC LIMIT $1 OFFSET $2";

pub(super) const BY_OFFSET_OF_STATUS: &str = "SELECT order_id, status, created_at \
    FROM read_orders WHERE status = $3 \
    ORDER BY created_at DESC, order_id DESC LIMIT $1 OFFSET $2";

pub(super) const AFTER: &str = "SELECT order_id, status, created_at \
    FROM read_orders WHERE (created_at, order_id) < ($2, $3) \
    ORDER BY created_at DESC, order_id DESC LIMIT $1";

pub(super) const AFTER_OF_STATUS: &str = "SELECT order_id, status, created_at \
    FROM read_orders WHERE status = $4 AND (created_at, order_id) < ($2, $3) \
    ORDER BY created_at DESC, order_id DESC LIMIT $1";

/// One row per status, so summing them up is no scan of orders.
const TOTAL: &str = "SELECT CAST(coalesce(sum(orders), 0) AS BIGINT) FROM read_order_counts";

pub(super) const TOTAL_OF_STATUS: &str =
    "SELECT CAST(coalesce(sum(orders), 0) AS BIGINT) FROM read_order_counts WHERE status = $1";

// Spares the bounds of sqlx's traits and holds no logic of either database.
macro_rules! list_orders {
    ($(#[$doc:meta])* $name:ident, $pool:ty, $trouble:path) => {
        $(#[$doc])*
        pub(super) async fn $name(
            readers: &$pool,
            query: &OrderQuery,
        ) -> Result<OrderPage, StoreError> {
            // One more than asked for tells whether there are more.
            let wanted = i64::from(query.limit).saturating_add(1);
            let status = query.status.map(engine::order::OrderStatus::as_str);
            let statement = match query.start {
                PageStart::Offset(skip) => {
                    let sql = if status.is_some() { BY_OFFSET_OF_STATUS } else { BY_OFFSET };
                    let skip = i64::try_from(skip).unwrap_or(i64::MAX);
                    sqlx::query_as(sql).bind(wanted).bind(skip)
                }
                PageStart::After(at, order) => {
                    let sql = if status.is_some() { AFTER_OF_STATUS } else { AFTER };
                    let at = at.as_unix_micros();
                    sqlx::query_as(sql).bind(wanted).bind(at).bind(order.as_uuid())
                }
            };
            let statement = match status {
                Some(status) => statement.bind(status),
                None => statement,
            };
            let rows: Vec<StoredOrder> = statement.fetch_all(readers).await.map_err($trouble)?;
            let total = match status {
                Some(status) => sqlx::query_scalar(TOTAL_OF_STATUS).bind(status),
                None => sqlx::query_scalar(TOTAL),
            };
            page(rows, query.limit, total.fetch_one(readers).await.map_err($trouble)?)
        }
    };
}

#[cfg(feature = "sqlite")]
list_orders!(
    /// A page of orders from SQLite, newest first.
    from_sqlite,
    SqlitePool,
    crate::database::sqlite::trouble
);

#[cfg(feature = "postgres")]
list_orders!(
    /// A page of orders from PostgreSQL, newest first.
    from_postgres,
    PgPool,
    crate::database::postgres::trouble
);

fn page(found: Vec<StoredOrder>, limit: u32, total: i64) -> Result<OrderPage, StoreError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = limit < found.len();
    let rows = found.into_iter().take(limit).map(OrderRow::try_from);
    Ok(OrderPage { rows: rows.collect::<Result<_, _>>()?, total: total.cast_unsigned(), more })
}
