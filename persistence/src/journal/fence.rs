//! Between the stored fences and what a new owner finds: the same in both databases.

use super::{Fence, GENESIS, Holding, Shard, StoredFrame, Tenure};
use crate::StoreError;

/// The fences of all shards.
pub(super) const FENCES: &str =
    "SELECT shard, epoch, next_position, owner FROM shard_fence ORDER BY shard";

/// How many shards are somebody else's.
pub(super) const FOREIGN: &str = "SELECT count(*) FROM shard_fence WHERE owner <> $1";

/// How many fences there are, and the greatest number among them.
pub(super) const COUNTED: &str = "SELECT count(*), CAST(coalesce(max(shard), -1) AS BIGINT) \
    FROM shard_fence";

/// The columns of a fence.
pub(super) type FenceRow = (i32, i64, i64, String);

impl TryFrom<FenceRow> for Fence {
    type Error = StoreError;

    fn try_from((shard, epoch, next_position, owner): FenceRow) -> Result<Self, StoreError> {
        let damaged = |_| StoreError::Corrupt(format!("the fence of shard {shard}"));
        Ok(Self {
            shard: Shard(u16::try_from(shard).map_err(damaged)?),
            epoch: u64::try_from(epoch).map_err(damaged)?,
            next_position: u64::try_from(next_position).map_err(damaged)?,
            owner,
        })
    }
}

/// Refuses a journal whose fences are not those of its shards: keys would be looked for elsewhere.
pub(super) fn are_complete(shards: i64, (fences, greatest): (i64, i64)) -> Result<(), StoreError> {
    if fences == shards && greatest == shards.saturating_sub(1) {
        return Ok(());
    }
    let there = format!("{fences} fences up to number {greatest}");
    Err(StoreError::Corrupt(format!("the journal has {shards} shards, and {there}")))
}

/// What a new owner finds: nothing may be written behind a place that is not the end, nor be chained
/// to bytes that differ from what was written.
pub(super) fn tenure(
    fences: Vec<FenceRow>,
    last_frames: &[StoredFrame],
) -> Result<Tenure, StoreError> {
    let (mut epoch, mut holdings) = (0, Vec::with_capacity(fences.len()));
    for fence in fences {
        let fence = Fence::try_from(fence)?;
        let last = last_frames.iter().find(|frame| frame.shard == i64::from(fence.shard.0));
        epoch = fence.epoch;
        holdings.push(holding(&fence, last)?);
    }
    Ok(Tenure { epoch, holdings })
}

fn holding(fence: &Fence, last: Option<&StoredFrame>) -> Result<Holding, StoreError> {
    let Fence { shard, next_position, .. } = *fence;
    let end = last.map_or(0, StoredFrame::last_position);
    if end.checked_add(1) != Some(next_position) {
        let words = format!("shard {shard} ends at position {end}, its fence says {next_position}");
        return Err(StoreError::Corrupt(words));
    }
    let events = last.map(StoredFrame::events).transpose()?.unwrap_or_default();
    let last = events.last();
    let last_hash = last.map_or(GENESIS, |event| event.hash);
    Ok(Holding { shard, next_position, last_hash, last_at: last.map(|event| event.at) })
}
