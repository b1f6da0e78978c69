//! Changing read models on SQLite: all changes and the cursors in one transaction.

use serde_json::{Value, json};
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments as _, AssertSqlSafe, Executor as _};
use uuid::Uuid;

use super::super::row::{count_changes, earliest_of_each, last_of_each, listing};
use super::super::{Changes, HistoryRow, OrderRow, Wakeup, positions};
use super::entries::Entries;
use super::wakeups;
use crate::crash_points::{CrashPoint, crash_point};
use crate::database::sqlite::{primary_code, roll_back, trouble};
use crate::database::sqlite_rows::{ROWS_MAX, push_rows};
use crate::{BoxError, StoreError};

/// A cursor that would move back gets NULL, which its column refuses: another projector is ahead.
const MOVE_CURSORS: &str = "INSERT INTO read_cursors (shard, position) \
    SELECT value ->> 0, value ->> 1 FROM json_each($1) WHERE true \
    ON CONFLICT (shard) DO UPDATE \
    SET position = iif(excluded.position >= position, excluded.position, NULL)";

const PUT_HISTORIES: &str =
    "INSERT OR REPLACE INTO read_histories (stream, last_version, positions) ";

pub(super) const STATUSES: &str = "SELECT o.status, count(*) FROM json_each($1) AS changed \
    CROSS JOIN read_orders o ON o.created_at = changed.value ->> 0 \
    AND o.order_id = unhex(changed.value ->> 1) GROUP BY o.status";

const PUT_ORDERS: &str = "INSERT INTO read_orders (created_at, order_id, status) \
    SELECT value ->> 0, unhex(value ->> 1), value ->> 2 FROM json_each($1) WHERE true \
    ON CONFLICT (created_at, order_id) DO UPDATE SET status = excluded.status";

pub(super) const COUNT: &str = "UPDATE read_order_counts SET orders = orders + changed.value ->> 1 \
    FROM json_each($1) AS changed WHERE status = changed.value ->> 0";

const PUT_PRODUCTS: &str = "INSERT INTO read_products \
    (product_id, listing, on_hand, held, sold, stock_version) \
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 \
    FROM json_each($1) WHERE true \
    ON CONFLICT (product_id) DO UPDATE SET listing = excluded.listing, \
    on_hand = excluded.on_hand, held = excluded.held, sold = excluded.sold, \
    stock_version = excluded.stock_version";

/// Forgets everything at once.
pub(super) const CLEAR: &str = "BEGIN IMMEDIATE; DELETE FROM read_cursors; \
    DELETE FROM read_histories; DELETE FROM read_orders; UPDATE read_order_counts SET orders = 0; \
    DELETE FROM read_products; DELETE FROM read_entries; DELETE FROM read_wakeups; COMMIT";

const CONSTRAINT: u32 = 19;

/// Changes as JSON arrays, which one statement per table takes whole.
pub(super) struct Encoded {
    cursors: Option<String>,
    histories: Vec<(String, SqliteArguments)>,
    orders: Option<String>,
    rows: Vec<OrderRow>,
    products: Option<String>,
    entries: Entries,
    wakeups: Option<String>,
    earlier_wakeups: Option<String>,
}

impl Encoded {
    /// Encodes changes.
    pub(super) fn of(changes: &Changes) -> Result<Self, StoreError> {
        let rows: Vec<OrderRow> = last_of_each(&changes.orders, |row| row.order).copied().collect();
        let orders = rows.iter().map(|row| {
            let id = row.order.as_uuid().simple().to_string();
            json!([row.created_at.as_unix_micros(), id, row.status.as_str()])
        });
        let products = last_of_each(&changes.products, |row| &row.product).map(|row| {
            let (id, stock) = (row.product.as_str(), row.stock);
            let listing = listing(row)?;
            Ok(json!([id, listing, stock.on_hand, stock.held, stock.sold, stock.version]))
        });
        let products: Vec<Value> = products.collect::<Result<_, StoreError>>()?;
        let moved = last_of_each(&changes.wakeups, |wakeup| &wakeup.stream);
        let moved: Vec<Wakeup> = moved.cloned().collect();
        let cursors = last_of_each(&changes.cursors, |(shard, _)| *shard);
        let cursors = cursors.map(|(shard, position)| json!([shard.0, position]));
        Ok(Self {
            cursors: array(cursors),
            histories: histories(&changes.histories).map_err(StoreError::Unavailable)?,
            orders: array(orders),
            products: array(products.into_iter()),
            entries: Entries::of(changes),
            wakeups: wakeups::encode(&moved),
            earlier_wakeups: wakeups::encode(&earliest_of_each(&changes.earlier_wakeups)),
            rows,
        })
    }

    /// Makes all changes, or none.
    pub(super) async fn write(self, writer: &mut SqliteConnection) -> Result<(), StoreError> {
        let done = self.write_in_transaction(writer).await;
        if done.is_err() {
            roll_back(writer).await;
        }
        done.map_err(refused)
    }

    async fn write_in_transaction(self, writer: &mut SqliteConnection) -> sqlx::Result<()> {
        writer.execute("BEGIN IMMEDIATE").await?;
        if let Some(cursors) = self.cursors {
            sqlx::query(MOVE_CURSORS).bind(cursors).execute(&mut *writer).await?;
        }
        for (sql, arguments) in self.histories {
            // Safe: made of constants only.
            sqlx::query_with(AssertSqlSafe(sql), arguments).execute(&mut *writer).await?;
        }
        if let Some(orders) = self.orders {
            let before = sqlx::query_as(STATUSES).bind(orders.as_str()).fetch_all(&mut *writer);
            let counts = count_changes(before.await?, self.rows.iter());
            sqlx::query(PUT_ORDERS).bind(orders).execute(&mut *writer).await?;
            let counts = json!(counts).to_string();
            sqlx::query(COUNT).bind(counts).execute(&mut *writer).await?;
        }
        if let Some(products) = self.products {
            sqlx::query(PUT_PRODUCTS).bind(products).execute(&mut *writer).await?;
        }
        self.entries.write(writer).await?;
        if let Some(moved) = self.wakeups {
            wakeups::put(writer, &moved).await?;
        }
        if let Some(earlier) = self.earlier_wakeups {
            wakeups::bring_forward(writer, earlier).await?;
        }
        crash_point(CrashPoint::ViewsChanged);
        writer.execute("COMMIT").await?;
        Ok(())
    }
}

/// Most changes are rows of histories, spread over the table: sorted, so that neighbours meet, and
/// bound as they are, which costs a third of reading them from JSON.
fn histories(rows: &[HistoryRow]) -> Result<Vec<(String, SqliteArguments)>, BoxError> {
    let mut rows: Vec<(Uuid, &HistoryRow)> =
        rows.iter().map(|row| (row.stream.digest(), row)).collect();
    rows.sort_unstable_by_key(|(stream, row)| (*stream, row.last_version));
    let mut statements = Vec::new();
    for rows in rows.chunks(ROWS_MAX) {
        let mut sql = PUT_HISTORIES.to_owned();
        push_rows(&mut sql, 3, rows.len());
        let mut arguments = SqliteArguments::default();
        for (stream, row) in rows {
            arguments.add(*stream)?;
            arguments.add(row.last_version.cast_signed())?;
            arguments.add(positions::encode(&row.positions))?;
        }
        statements.push((sql, arguments));
    }
    Ok(statements)
}

/// Rows as a JSON array; none for none.
pub(super) fn array(rows: impl Iterator<Item = Value>) -> Option<String> {
    let rows: Vec<Value> = rows.collect();
    if rows.is_empty() { None } else { Some(Value::Array(rows).to_string()) }
}

fn refused(error: sqlx::Error) -> StoreError {
    if primary_code(&error) == Some(CONSTRAINT) {
        return StoreError::Unavailable("another projector is ahead".into());
    }
    trouble(error)
}
