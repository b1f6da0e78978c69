//! Lists of any kind: the same statements and the same paging on both databases.

use engine::values::Moment;
#[cfg(feature = "postgres")]
use sqlx::postgres::PgPool;
#[cfg(feature = "sqlite")]
use sqlx::sqlite::SqlitePool;

use super::{EntryPage, EntryQuery, EntryRow};
use crate::StoreError;
use crate::journal::StreamId;

// A filter that is not given is not in the statement, so that each has an index of its own.
macro_rules! page_of {
    ($filter:literal) => {
        concat!(
            "SELECT entity_id, status, owner, at, version FROM read_entries WHERE kind = $1",
            $filter,
            " AND (at, entity_id) < ($2, $3) ORDER BY at DESC, entity_id DESC LIMIT $4 OFFSET $5"
        )
    };
}

macro_rules! total_of {
    ($filter:literal) => {
        concat!("SELECT count(*) FROM read_entries WHERE kind = $1", $filter)
    };
}

pub(super) const ALL: &str = page_of!("");
pub(super) const OF_STATUS: &str = page_of!(" AND status = $6");
pub(super) const OF_OWNER: &str = page_of!(" AND owner = $6");
pub(super) const OF_BOTH: &str = page_of!(" AND status = $6 AND owner = $7");

pub(super) const TOTAL: &str = total_of!("");
pub(super) const TOTAL_OF_STATUS: &str = total_of!(" AND status = $2");
pub(super) const TOTAL_OF_OWNER: &str = total_of!(" AND owner = $2");
pub(super) const TOTAL_OF_BOTH: &str = total_of!(" AND status = $2 AND owner = $3");

/// Comes after every key.
const LAST_KEY: &str = "\u{10ffff}";

/// The columns of a row.
type Columns = (String, String, Option<String>, i64, i64);

/// What a query comes to: its two statements and what is bound to both at the end.
struct Statements<'a> {
    page: &'static str,
    total: &'static str,
    filters: Vec<&'a str>,
    before: (i64, &'a str),
    wanted: i64,
    skip: i64,
}

impl<'a> Statements<'a> {
    fn of(query: &'a EntryQuery) -> Self {
        let (page, total) = match (&query.status, &query.owner) {
            (None, None) => (ALL, TOTAL),
            (Some(_), None) => (OF_STATUS, TOTAL_OF_STATUS),
            (None, Some(_)) => (OF_OWNER, TOTAL_OF_OWNER),
            (Some(_), Some(_)) => (OF_BOTH, TOTAL_OF_BOTH),
        };
        let before = query.after.as_ref();
        Self {
            page,
            total,
            filters: query.status.iter().chain(&query.owner).map(String::as_str).collect(),
            before: before.map_or((i64::MAX, LAST_KEY), |(at, key)| (at.as_unix_micros(), key)),
            // One more than asked for tells whether there are more.
            wanted: i64::from(query.limit).saturating_add(1),
            skip: i64::try_from(query.skip).unwrap_or(i64::MAX),
        }
    }
}

// Spares the bounds of sqlx's traits and holds no logic of either database.
macro_rules! list_entries {
    ($(#[$doc:meta])* $name:ident, $pool:ty, $trouble:path) => {
        $(#[$doc])*
        pub(super) async fn $name(
            readers: &$pool,
            query: &EntryQuery,
        ) -> Result<EntryPage, StoreError> {
            let with = Statements::of(query);
            let (at, key) = with.before;
            let mut page = sqlx::query_as(with.page).bind(query.kind).bind(at).bind(key);
            page = page.bind(with.wanted).bind(with.skip);
            let mut total = sqlx::query_scalar(with.total).bind(query.kind);
            for filter in with.filters {
                page = page.bind(filter);
                total = total.bind(filter);
            }
            let rows: Vec<Columns> = page.fetch_all(readers).await.map_err($trouble)?;
            let rows = rows.into_iter().map(|columns| row(query.kind, columns)).collect();
            let total: i64 = total.fetch_one(readers).await.map_err($trouble)?;
            Ok(EntryPage::of(rows, query.limit, total.cast_unsigned()))
        }
    };
}

#[cfg(feature = "sqlite")]
list_entries!(
    /// A page of a kind's list from SQLite.
    from_sqlite,
    SqlitePool,
    crate::database::sqlite::trouble
);

#[cfg(feature = "postgres")]
list_entries!(
    /// A page of a kind's list from PostgreSQL.
    from_postgres,
    PgPool,
    crate::database::postgres::trouble
);

fn row(kind: &str, (key, status, owner, at, version): Columns) -> EntryRow {
    EntryRow {
        stream: StreamId::new(kind, &key),
        status,
        owner,
        at: Moment::from_unix_micros(at),
        version: version.cast_unsigned(),
    }
}
