//! Lists of orders on SQLite.

use sqlx::sqlite::SqlitePool;

use super::super::row::StoredOrder;
use super::super::{OrderPage, OrderQuery, OrderRow, PageStart};
use crate::StoreError;
use crate::database::sqlite::trouble;

pub(crate) const BY_OFFSET: &str = "SELECT order_id, status, created_at, version, body \
    FROM read_orders ORDER BY created_at DESC, order_id DESC LIMIT $1 OFFSET $2";

pub(crate) const BY_OFFSET_OF_STATUS: &str = "SELECT order_id, status, created_at, version, body \
    FROM read_orders WHERE status = $3 \
    ORDER BY created_at DESC, order_id DESC LIMIT $1 OFFSET $2";

pub(crate) const AFTER: &str = "SELECT order_id, status, created_at, version, body \
    FROM read_orders WHERE (created_at, order_id) < ($2, $3) \
    ORDER BY created_at DESC, order_id DESC LIMIT $1";

pub(crate) const AFTER_OF_STATUS: &str = "SELECT order_id, status, created_at, version, body \
    FROM read_orders WHERE status = $4 AND (created_at, order_id) < ($2, $3) \
    ORDER BY created_at DESC, order_id DESC LIMIT $1";

const TOTAL: &str = "SELECT coalesce(sum(orders), 0) FROM read_order_counts";

pub(crate) const TOTAL_OF_STATUS: &str =
    "SELECT coalesce(sum(orders), 0) FROM read_order_counts WHERE status = $1";

/// A page of orders, newest first.
pub(super) async fn orders(
    readers: &SqlitePool,
    query: &OrderQuery,
) -> Result<OrderPage, StoreError> {
    // One more than asked for tells whether there are more.
    let wanted = i64::from(query.limit).saturating_add(1);
    let status = query.status.map(engine::order::OrderStatus::as_str);
    let statement = match query.start {
        PageStart::Offset(skip) => {
            let sql = if status.is_some() { BY_OFFSET_OF_STATUS } else { BY_OFFSET };
            sqlx::query_as(sql).bind(wanted).bind(i64::try_from(skip).unwrap_or(i64::MAX))
        }
        PageStart::After(at, order) => {
            let sql = if status.is_some() { AFTER_OF_STATUS } else { AFTER };
            sqlx::query_as(sql).bind(wanted).bind(at.as_unix_micros()).bind(order.as_uuid())
        }
    };
    let statement = match status {
        Some(status) => statement.bind(status),
        None => statement,
    };
    let found: Vec<StoredOrder> = statement.fetch_all(readers).await.map_err(trouble)?;
    let total = match status {
        Some(status) => sqlx::query_scalar(TOTAL_OF_STATUS).bind(status),
        None => sqlx::query_scalar(TOTAL),
    };
    let total: i64 = total.fetch_one(readers).await.map_err(trouble)?;
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let more = limit < found.len();
    let rows = found.into_iter().take(limit).map(OrderRow::try_from);
    Ok(OrderPage { rows: rows.collect::<Result<_, _>>()?, total: total.cast_unsigned(), more })
}
