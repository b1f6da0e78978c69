//! Changing the lists of any kind on PostgreSQL.

use sqlx::postgres::PgConnection;

use super::super::row::last_of_each;
use super::super::{Changes, EntryRow};
use super::apply::column;
use crate::journal::StreamId;

pub(super) const DROP: &str = "DELETE FROM read_entries e \
    USING unnest($1::text[], $2::text[]) AS gone (kind, entity_id) \
    WHERE e.kind = gone.kind AND e.entity_id = gone.entity_id";

const PUT: &str = "INSERT INTO read_entries (kind, entity_id, status, owner, at, version) \
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[], $6::int8[])";

/// Changes of lists as the statements here take them.
pub(super) struct Entries {
    moved: Vec<StreamId>,
    put: Vec<EntryRow>,
}

impl Entries {
    pub(super) fn of(changes: &Changes) -> Self {
        let put: Vec<EntryRow> =
            last_of_each(&changes.entries, |row| &row.stream).cloned().collect();
        let moved = put.iter().map(|row| &row.stream).chain(&changes.gone_entries);
        Self { moved: moved.cloned().collect(), put }
    }

    /// Makes rows exactly this, within a transaction.
    pub(super) async fn write(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        if self.moved.is_empty() {
            return Ok(());
        }
        sqlx::query(DROP)
            .bind(column(&self.moved, StreamId::kind))
            .bind(column(&self.moved, StreamId::key))
            .execute(&mut *connection)
            .await?;
        sqlx::query(PUT)
            .bind(column(&self.put, |row| row.stream.kind()))
            .bind(column(&self.put, |row| row.stream.key()))
            .bind(column(&self.put, |row| row.status.as_str()))
            .bind(column(&self.put, |row| row.owner.as_deref()))
            .bind(column(&self.put, |row| row.at.as_unix_micros()))
            .bind(column(&self.put, |row| row.version.cast_signed()))
            .execute(connection)
            .await?;
        Ok(())
    }
}
