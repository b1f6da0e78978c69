//! Changing the lists of any kind on SQLite.

use serde_json::json;
use sqlx::sqlite::SqliteConnection;

use super::super::row::last_of_each;
use super::super::{Changes, EntryRow};
use super::apply::array;

pub(super) const DROP: &str = "DELETE FROM read_entries WHERE (kind, entity_id) IN \
    (SELECT value ->> 0, value ->> 1 FROM json_each($1))";

const PUT: &str = "INSERT INTO read_entries (kind, entity_id, status, owner, at, version) \
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 \
    FROM json_each($1)";

/// Changes of lists as the statements here take them.
pub(super) struct Entries {
    moved: Option<String>,
    put: Option<String>,
}

impl Entries {
    pub(super) fn of(changes: &Changes) -> Self {
        let put: Vec<&EntryRow> = last_of_each(&changes.entries, |row| &row.stream).collect();
        let moved = put.iter().map(|row| &row.stream).chain(&changes.gone_entries);
        let moved = array(moved.map(|stream| json!([stream.kind(), stream.key()])));
        let put = array(put.into_iter().map(|row| {
            let (kind, key) = (row.stream.kind(), row.stream.key());
            json!([kind, key, row.status, row.owner, row.at.as_unix_micros(), row.version])
        }));
        Self { moved, put }
    }

    /// Makes rows exactly this, within a transaction.
    pub(super) async fn write(self, writer: &mut SqliteConnection) -> sqlx::Result<()> {
        if let Some(moved) = self.moved {
            sqlx::query(DROP).bind(moved).execute(&mut *writer).await?;
        }
        if let Some(put) = self.put {
            sqlx::query(PUT).bind(put).execute(&mut *writer).await?;
        }
        Ok(())
    }
}
