//! Between a stored row and a record: the same columns in both databases.

use std::borrow::Cow;

use engine::values::Moment;
use uuid::Uuid;

use super::chain::verify;
use super::record::{Record, Shard, Slot, StreamId};
use crate::StoreError;

/// The columns of a journal row, in the order in which every statement names them.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub(super) shard: i64,
    pub(super) position: i64,
    pub(super) epoch: i64,
    pub(super) slot: i64,
    pub(super) stream: String,
    pub(super) version: i64,
    pub(super) event_id: Uuid,
    pub(super) event_name: String,
    pub(super) schema_version: i64,
    pub(super) recorded_at: i64,
    pub(super) meta: String,
    pub(super) payload: String,
    pub(super) checksum: i64,
    pub(super) hash: Vec<u8>,
}

impl Row {
    /// The record, if its checksum is right.
    pub(super) fn into_record(self) -> Result<Record, StoreError> {
        let place = format!("shard {} position {}", self.shard, self.position);
        let damaged = |what: &str| StoreError::Corrupt(format!("{what} at {place}"));
        let record = Record {
            shard: Shard(u16::try_from(self.shard).map_err(|_| damaged("shard"))?),
            position: u64::try_from(self.position).map_err(|_| damaged("position"))?,
            epoch: u64::try_from(self.epoch).map_err(|_| damaged("epoch"))?,
            slot: Slot(u16::try_from(self.slot).map_err(|_| damaged("slot"))?),
            stream: StreamId::parse(&self.stream).ok_or_else(|| damaged("stream"))?,
            version: u64::try_from(self.version).map_err(|_| damaged("version"))?,
            event_id: self.event_id,
            name: Cow::Owned(self.event_name),
            schema: u16::try_from(self.schema_version).map_err(|_| damaged("schema"))?,
            at: Moment::from_unix_micros(self.recorded_at),
            meta: self.meta,
            payload: self.payload,
            checksum: u32::try_from(self.checksum).map_err(|_| damaged("checksum"))?,
            hash: self.hash.try_into().map_err(|_| damaged("hash"))?,
        };
        verify(None, &record)?;
        Ok(record)
    }
}

/// All records, or the first damage.
pub(super) fn into_records(rows: Vec<Row>) -> Result<Vec<Record>, StoreError> {
    rows.into_iter().map(Row::into_record).collect()
}
