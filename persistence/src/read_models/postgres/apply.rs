//! Changing read models on PostgreSQL: all changes and the cursors in one transaction.

use sqlx::Executor as _;
use sqlx::postgres::{PgConnection, PgPool};
use uuid::Uuid;

use super::super::row::{count_changes, earliest_of_each, last_of_each, listing};
use super::super::{Changes, OrderRow, ProductRow};
use super::wakeups::Wakeups;
use crate::StoreError;
use crate::database::postgres::{sqlstate, trouble};

/// One projector at a time, so that what it counts stays what it changes. Readers go on.
const BEGIN: &str = "BEGIN; LOCK TABLE read_cursors IN SHARE ROW EXCLUSIVE MODE";

/// A cursor that would move back gets NULL, which its column refuses: another projector is ahead.
const MOVE_CURSORS: &str = "INSERT INTO read_cursors (shard, position) \
    SELECT * FROM unnest($1::int4[], $2::int8[]) ON CONFLICT (shard) DO UPDATE SET position = \
    CASE WHEN excluded.position >= read_cursors.position THEN excluded.position END";

pub(super) const STATUSES: &str =
    "SELECT status, count(*) FROM read_orders WHERE order_id = ANY ($1::uuid[]) GROUP BY status";

const PUT_ORDERS: &str = "INSERT INTO read_orders (order_id, status, created_at, version, body) \
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::int8[], $4::int8[], $5::text[]) \
    ON CONFLICT (order_id) DO UPDATE SET status = excluded.status, \
    created_at = excluded.created_at, version = excluded.version, body = excluded.body";

pub(super) const COUNT: &str = "UPDATE read_order_counts c SET orders = c.orders + changed.by \
    FROM unnest($1::text[], $2::int8[]) AS changed (status, by) WHERE c.status = changed.status";

const PUT_PRODUCTS: &str = "INSERT INTO read_products \
    (product_id, listing, on_hand, held, sold, stock_version) SELECT * FROM \
    unnest($1::text[], $2::text[], $3::int8[], $4::int8[], $5::int8[], $6::int8[]) \
    ON CONFLICT (product_id) DO UPDATE SET listing = excluded.listing, \
    on_hand = excluded.on_hand, held = excluded.held, sold = excluded.sold, \
    stock_version = excluded.stock_version";

/// Forgets everything at once.
const CLEAR: &str = "BEGIN; LOCK TABLE read_cursors IN SHARE ROW EXCLUSIVE MODE; \
    DELETE FROM read_cursors; DELETE FROM read_orders; UPDATE read_order_counts SET orders = 0; \
    DELETE FROM read_products; DELETE FROM read_wakeups; COMMIT";

/// Changes as columns, which one statement per table takes whole.
pub(super) struct Encoded {
    cursors: (Vec<i32>, Vec<i64>),
    orders: Vec<OrderRow>,
    products: Vec<(ProductRow, Option<String>)>,
    wakeups: Wakeups,
    earlier_wakeups: Wakeups,
}

impl Encoded {
    /// Encodes changes.
    pub(super) fn of(changes: &Changes) -> Result<Self, StoreError> {
        let cursors = last_of_each(&changes.cursors, |(shard, _)| *shard);
        let products = last_of_each(&changes.products, |row| &row.product);
        let moved = last_of_each(&changes.wakeups, |wakeup| &wakeup.stream);
        Ok(Self {
            cursors: cursors.map(|(s, to)| (i32::from(s.0), to.cast_signed())).unzip(),
            orders: last_of_each(&changes.orders, |row| row.order).cloned().collect(),
            products: products
                .map(|row| Ok((row.clone(), listing(row)?)))
                .collect::<Result<_, StoreError>>()?,
            wakeups: Wakeups::of(moved),
            earlier_wakeups: Wakeups::of(&earliest_of_each(&changes.earlier_wakeups)),
        })
    }

    /// Makes all changes, or none. Runs in a task that nobody cancels.
    pub(super) async fn write(self, pool: &PgPool) -> Result<(), StoreError> {
        let mut connection = pool.acquire().await.map_err(trouble)?;
        let done = self.write_in_transaction(&mut connection).await;
        if done.is_err() {
            // A connection that cannot even do this is thrown away by the pool.
            let _ = connection.execute("ROLLBACK").await;
        }
        done.map_err(refused)
    }

    async fn write_in_transaction(self, connection: &mut PgConnection) -> sqlx::Result<()> {
        connection.execute(BEGIN).await?;
        let (shards, positions) = self.cursors;
        if !shards.is_empty() {
            let cursors = sqlx::query(MOVE_CURSORS).bind(shards).bind(positions);
            cursors.execute(&mut *connection).await?;
        }
        put_orders(connection, &self.orders).await?;
        put_products(connection, &self.products).await?;
        self.wakeups.put(connection).await?;
        self.earlier_wakeups.bring_forward(connection).await?;
        connection.execute("COMMIT").await?;
        Ok(())
    }
}

async fn put_orders(connection: &mut PgConnection, rows: &[OrderRow]) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = column(rows, |row| row.order.as_uuid());
    let before = sqlx::query_as(STATUSES).bind(ids.as_slice()).fetch_all(&mut *connection).await?;
    sqlx::query(PUT_ORDERS)
        .bind(ids)
        .bind(column(rows, |row| row.status.as_str()))
        .bind(column(rows, |row| row.created_at.as_unix_micros()))
        .bind(column(rows, |row| row.version.cast_signed()))
        .bind(column(rows, |row| row.body.as_str()))
        .execute(&mut *connection)
        .await?;
    let (statuses, changes): (Vec<String>, Vec<i64>) =
        count_changes(before, rows.iter()).into_iter().unzip();
    sqlx::query(COUNT).bind(statuses).bind(changes).execute(connection).await?;
    Ok(())
}

async fn put_products(
    connection: &mut PgConnection,
    rows: &[(ProductRow, Option<String>)],
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(PUT_PRODUCTS)
        .bind(column(rows, |(row, _)| row.product.as_str()))
        .bind(column(rows, |(_, listing)| listing.as_deref()))
        .bind(column(rows, |(row, _)| i64::from(row.stock.on_hand)))
        .bind(column(rows, |(row, _)| i64::from(row.stock.held)))
        .bind(column(rows, |(row, _)| i64::from(row.stock.sold)))
        .bind(column(rows, |(row, _)| row.stock.version.cast_signed()))
        .execute(connection)
        .await?;
    Ok(())
}

fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// Forgets everything, cursors included.
pub(super) async fn clear(pool: &PgPool) -> Result<(), StoreError> {
    let mut connection = pool.acquire().await.map_err(trouble)?;
    let done = connection.execute(CLEAR).await;
    if done.is_err() {
        let _ = connection.execute("ROLLBACK").await;
    }
    done.map(drop).map_err(trouble)
}

fn refused(error: sqlx::Error) -> StoreError {
    // not_null_violation
    if sqlstate(&error).as_deref() == Some("23502") {
        return StoreError::Unavailable("another projector is ahead".into());
    }
    trouble(error)
}
