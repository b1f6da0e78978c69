//! Pictures that live and die with the process.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use engine::values::{MediaFormat, MediaName, MediaOwner, Moment};
use futures::{StreamExt as _, stream};

use super::{MediaContent, MediaStore, StoredMedia, name_of};
use crate::StoreError;

/// Most bytes that are kept; one more picture is refused.
const BYTES_MAX: usize = 256 * 1_024 * 1_024;

/// Pictures in memory.
#[derive(Debug, Default)]
pub struct MemoryMedia(Mutex<BTreeMap<MediaName, (Moment, Bytes)>>);

impl MemoryMedia {
    fn pictures(&self) -> MutexGuard<'_, BTreeMap<MediaName, (Moment, Bytes)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl MediaStore for MemoryMedia {
    async fn put(
        &self,
        owner: &MediaOwner,
        format: MediaFormat,
        bytes: Bytes,
        now: Moment,
    ) -> Result<MediaName, StoreError> {
        let name = name_of(owner, format, &bytes);
        let mut pictures = self.pictures();
        let kept: usize = pictures.values().map(|(_, bytes)| bytes.len()).sum();
        if BYTES_MAX < kept.saturating_add(bytes.len()) {
            return Err(StoreError::Unavailable("the memory for pictures is full".into()));
        }
        pictures.insert(name.clone(), (now, bytes));
        Ok(name)
    }

    async fn read(&self, name: &MediaName) -> Result<Option<MediaContent>, StoreError> {
        let found = self.pictures().get(name).map(|(_, bytes)| bytes.clone());
        Ok(found.map(|bytes| MediaContent {
            bytes: bytes.len() as u64,
            pieces: stream::iter([Ok(bytes)]).boxed(),
        }))
    }

    async fn remove(&self, name: &MediaName, put_before: Moment) -> Result<bool, StoreError> {
        let mut pictures = self.pictures();
        let is_older = pictures.get(name).is_some_and(|(at, _)| *at < put_before);
        Ok(is_older && pictures.remove(name).is_some())
    }

    async fn list(&self, owner: &MediaOwner, limit: usize) -> Result<Vec<StoredMedia>, StoreError> {
        let pictures = self.pictures();
        let of_owner = pictures.iter().filter(|(name, _)| name.owner() == owner).take(limit);
        let stored = of_owner.map(|(name, (at, bytes))| StoredMedia {
            name: name.clone(),
            bytes: bytes.len() as u64,
            stored_at: *at,
        });
        Ok(stored.collect())
    }

    async fn owners(
        &self,
        after: Option<&MediaOwner>,
        limit: usize,
    ) -> Result<Vec<MediaOwner>, StoreError> {
        let owners: BTreeSet<MediaOwner> =
            self.pictures().keys().map(|name| name.owner().clone()).collect();
        let from = after.map_or(Bound::Unbounded, |after| Bound::Excluded(after.clone()));
        Ok(owners.range((from, Bound::Unbounded)).take(limit).cloned().collect())
    }
}
