//! The peer's tables and its statements, tuned for one hot row.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use sqlx::Row as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use uuid::Uuid;

/// The order's id is derived from its key, so the primary key is also the guard against a
/// repeat and no second index is needed. `fillfactor` leaves room on each page, so that
/// neither update has to touch an index.
const SCHEMA: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS stock (
        product_id text PRIMARY KEY,
        price_minor bigint NOT NULL,
        initial bigint NOT NULL,
        available bigint NOT NULL
    ) WITH (fillfactor = 20)",
    "CREATE TABLE IF NOT EXISTS orders (
        id uuid PRIMARY KEY,
        total_minor bigint NOT NULL,
        created_at_us bigint NOT NULL,
        customer_id text,
        payment_status smallint NOT NULL
    ) WITH (fillfactor = 75)",
    "CREATE TABLE IF NOT EXISTS order_items (
        order_id uuid NOT NULL,
        line smallint NOT NULL,
        quantity integer NOT NULL,
        unit_price_minor bigint NOT NULL,
        product_id text NOT NULL,
        PRIMARY KEY (order_id, line)
    )",
];

const SEED: &str = "INSERT INTO stock (product_id, price_minor, initial, available)
    SELECT 'bench-' || lpad(n::text, 4, '0'), 1999, $2, $2 FROM generate_series(0, $1 - 1) AS n
    ON CONFLICT DO NOTHING";

/// The whole order in one round trip and one commit.
const PLACE: &str = "WITH taken AS (
        UPDATE stock SET available = available - $3
        WHERE product_id = $2 AND available >= $3
        RETURNING price_minor
    ), placed AS (
        INSERT INTO orders (id, total_minor, created_at_us, customer_id, payment_status)
        SELECT $1, price_minor * $3, $4, $5, 0 FROM taken
    ), line AS (
        INSERT INTO order_items (order_id, line, quantity, unit_price_minor, product_id)
        SELECT $1, 1, $3::integer, price_minor, $2 FROM taken
    )
    SELECT price_minor FROM taken";

const PAID: &str = "UPDATE orders SET payment_status = 1 WHERE id = $1";

const STORED: &str = "SELECT o.created_at_us, o.customer_id, o.payment_status,
        i.product_id, i.quantity, i.unit_price_minor
    FROM orders o JOIN order_items i ON i.order_id = o.id WHERE o.id = $1";

/// An order of one line.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) id: Uuid,
    pub(crate) product_id: String,
    pub(crate) quantity: i64,
    pub(crate) unit_price_minor: i64,
    pub(crate) customer_id: Option<String>,
    /// Microseconds since 1970.
    pub(crate) created_at_us: i64,
    pub(crate) paid: bool,
}

/// What is wanted, before the price is known.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) id: Uuid,
    pub(crate) product_id: String,
    pub(crate) quantity: i64,
    pub(crate) customer_id: Option<String>,
    pub(crate) created_at_us: i64,
}

/// How placing an order ended, short of a failing database.
#[derive(Debug)]
pub(crate) enum Placed {
    /// Stock taken and order written.
    New(Order),
    /// The key had named an order before.
    Before(Order),
    /// Unknown product, or too few units.
    Refused,
}

/// The database.
#[derive(Debug)]
pub(crate) struct Store {
    pool: PgPool,
}

impl Store {
    /// Connects, creates the tables, and refuses a server that would acknowledge early.
    pub(crate) async fn open(url: &str, connections: u32) -> anyhow::Result<Self> {
        let options: PgConnectOptions = url.parse().context("the database URL")?;
        let pool = PgPoolOptions::new()
            .min_connections(connections)
            .max_connections(connections)
            // A ping before each use would be a second round trip.
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(30))
            .max_lifetime(None)
            .idle_timeout(None)
            .connect_with(options.options([("synchronous_commit", "on")]))
            .await
            .context("connecting to Postgres")?;
        for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
            let value: String = sqlx::query_scalar("SELECT current_setting($1)")
                .bind(setting)
                .fetch_one(&pool)
                .await?;
            ensure!(value == "on", "{setting} is {value}: orders would not be durable");
        }
        for table in SCHEMA {
            sqlx::query(table).execute(&pool).await.context("creating the tables")?;
        }
        Ok(Self { pool })
    }

    /// Puts products on the shelf that are not there yet.
    pub(crate) async fn seed(&self, products: i32, units: i64) -> anyhow::Result<()> {
        sqlx::query(SEED).bind(products).bind(units).execute(&self.pool).await?;
        // Without statistics the planner would scan the table.
        sqlx::query("ANALYZE stock").execute(&self.pool).await?;
        Ok(())
    }

    /// Takes the stock and writes the order, together.
    pub(crate) async fn place(&self, wish: Wish) -> sqlx::Result<Placed> {
        let placed = sqlx::query_scalar::<_, i64>(PLACE)
            .bind(wish.id)
            .bind(&wish.product_id)
            .bind(wish.quantity)
            .bind(wish.created_at_us)
            .bind(&wish.customer_id)
            .fetch_optional(&self.pool)
            .await;
        match placed {
            Ok(Some(unit_price_minor)) => Ok(Placed::New(Order {
                id: wish.id,
                product_id: wish.product_id,
                quantity: wish.quantity,
                unit_price_minor,
                customer_id: wish.customer_id,
                created_at_us: wish.created_at_us,
                paid: false,
            })),
            // The key may have bought the last unit before.
            Ok(None) => Ok(self.stored(wish.id).await?.map_or(Placed::Refused, Placed::Before)),
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                let stored = self.stored(wish.id).await?;
                stored.map(Placed::Before).ok_or(sqlx::Error::RowNotFound)
            }
            Err(error) => Err(error),
        }
    }

    /// Marks an order paid.
    pub(crate) async fn mark_paid(&self, id: Uuid) -> sqlx::Result<()> {
        sqlx::query(PAID).bind(id).execute(&self.pool).await.map(drop)
    }

    /// Units that a product had and has, if there is such a product.
    pub(crate) async fn units(&self, product_id: &str) -> sqlx::Result<Option<(i64, i64)>> {
        sqlx::query_as("SELECT initial, available FROM stock WHERE product_id = $1")
            .bind(product_id)
            .fetch_optional(&self.pool)
            .await
    }

    async fn stored(&self, id: Uuid) -> sqlx::Result<Option<Order>> {
        let row = sqlx::query(STORED).bind(id).fetch_optional(&self.pool).await?;
        row.map(|row| {
            Ok(Order {
                id,
                product_id: row.try_get("product_id")?,
                quantity: i64::from(row.try_get::<i32, _>("quantity")?),
                unit_price_minor: row.try_get("unit_price_minor")?,
                customer_id: row.try_get("customer_id")?,
                created_at_us: row.try_get("created_at_us")?,
                paid: row.try_get::<i16, _>("payment_status")? == 1,
            })
        })
        .transpose()
    }
}
