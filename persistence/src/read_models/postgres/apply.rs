//! Changing read models on PostgreSQL: all changes and the cursors in one transaction.

use sqlx::Executor as _;
use sqlx::postgres::{PgConnection, PgPool};
use uuid::Uuid;

use super::super::row::{count_changes, earliest_of_each, last_of_each, listing};
use super::super::{Changes, HistoryRow, OrderRow, ProductRow, positions};
use super::entries::Entries;
use super::wakeups::Wakeups;
use crate::StoreError;
use crate::crash_points::{CrashPoint, crash_point};
use crate::database::postgres::{sqlstate, trouble};

/// One projector at a time, so that what it counts stays what it changes. Readers go on.
const BEGIN: &str = "BEGIN; LOCK TABLE read_cursors IN SHARE ROW EXCLUSIVE MODE";

/// A cursor that would move back gets NULL, which its column refuses: another projector is ahead.
const MOVE_CURSORS: &str = "INSERT INTO read_cursors (shard, position) \
    SELECT * FROM unnest($1::int4[], $2::int8[]) ON CONFLICT (shard) DO UPDATE SET position = \
    CASE WHEN excluded.position >= read_cursors.position THEN excluded.position END";

const PUT_HISTORIES: &str = "INSERT INTO read_histories (stream, last_version, positions) \
    SELECT * FROM unnest($1::uuid[], $2::int8[], $3::bytea[]) \
    ON CONFLICT (stream, last_version) DO UPDATE SET positions = excluded.positions";

pub(super) const STATUSES: &str = "SELECT o.status, count(*) \
    FROM unnest($1::int8[], $2::uuid[]) AS changed (created_at, order_id) JOIN read_orders o \
    ON o.created_at = changed.created_at AND o.order_id = changed.order_id GROUP BY o.status";

const PUT_ORDERS: &str = "INSERT INTO read_orders (created_at, order_id, status) \
    SELECT * FROM unnest($1::int8[], $2::uuid[], $3::text[]) \
    ON CONFLICT (created_at, order_id) DO UPDATE SET status = excluded.status";

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
    DELETE FROM read_cursors; DELETE FROM read_histories; DELETE FROM read_orders; \
    UPDATE read_order_counts SET orders = 0; DELETE FROM read_products; \
    DELETE FROM read_entries; DELETE FROM read_wakeups; COMMIT";

/// Changes as columns, which one statement per table takes whole.
pub(super) struct Encoded {
    cursors: (Vec<i32>, Vec<i64>),
    histories: Vec<(Uuid, i64, Vec<u8>)>,
    orders: Vec<OrderRow>,
    products: Vec<(ProductRow, Option<String>)>,
    entries: Entries,
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
            histories: histories(&changes.histories),
            orders: last_of_each(&changes.orders, |row| row.order).copied().collect(),
            products: products
                .map(|row| Ok((row.clone(), listing(row)?)))
                .collect::<Result<_, StoreError>>()?,
            entries: Entries::of(changes),
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
        put_histories(connection, self.histories).await?;
        put_orders(connection, &self.orders).await?;
        put_products(connection, &self.products).await?;
        self.entries.write(connection).await?;
        self.wakeups.put(connection).await?;
        self.earlier_wakeups.bring_forward(connection).await?;
        crash_point(CrashPoint::ViewsChanged);
        connection.execute("COMMIT").await?;
        Ok(())
    }
}

/// Sorted, so that neighbours meet; one row per key, as one statement may change a row only once.
fn histories(rows: &[HistoryRow]) -> Vec<(Uuid, i64, Vec<u8>)> {
    let last = last_of_each(rows, |row| (row.stream.digest(), row.last_version));
    let columns = last.map(|row| {
        let positions = positions::encode(&row.positions);
        (row.stream.digest(), row.last_version.cast_signed(), positions)
    });
    columns.collect()
}

async fn put_histories(
    connection: &mut PgConnection,
    rows: Vec<(Uuid, i64, Vec<u8>)>,
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for (stream, last_version, positions) in rows {
        columns.0.push(stream);
        columns.1.push(last_version);
        columns.2.push(positions);
    }
    let put = sqlx::query(PUT_HISTORIES).bind(columns.0).bind(columns.1).bind(columns.2);
    put.execute(connection).await?;
    Ok(())
}

async fn put_orders(connection: &mut PgConnection, rows: &[OrderRow]) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = column(rows, |row| row.order.as_uuid());
    let created = column(rows, |row| row.created_at.as_unix_micros());
    let before = sqlx::query_as(STATUSES).bind(created.as_slice()).bind(ids.as_slice());
    let before = before.fetch_all(&mut *connection).await?;
    sqlx::query(PUT_ORDERS)
        .bind(created)
        .bind(ids)
        .bind(column(rows, |row| row.status.as_str()))
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

pub(super) fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
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
