//! Read models in memory.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use engine::values::{Moment, OrderId, ProductId};

use super::{
    Changes, EntryPage, EntryQuery, EntryRow, HistoryRow, HistoryTail, OrderPage, OrderQuery,
    OrderRow, PageStart, ProductRow, ReadModels, Wakeup,
};
use crate::StoreError;
use crate::journal::{Shard, StreamId};

#[derive(Default)]
struct Contents {
    histories: BTreeMap<StreamId, BTreeMap<u64, Vec<u64>>>,
    newest_first: BTreeMap<(Reverse<Moment>, Reverse<OrderId>), OrderRow>,
    products: BTreeMap<ProductId, ProductRow>,
    entries: BTreeMap<StreamId, EntryRow>,
    wakeups: BTreeMap<StreamId, (Moment, u64)>,
    cursors: BTreeMap<Shard, u64>,
}

/// Read models that live and die with the process.
#[derive(Default)]
pub struct MemoryReadModels {
    contents: Mutex<Contents>,
}

impl MemoryReadModels {
    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn set_wakeup(&mut self, wakeup: &Wakeup) {
        match wakeup.due {
            Some(due) => self.wakeups.insert(wakeup.stream.clone(), (due, wakeup.version)),
            None => self.wakeups.remove(&wakeup.stream),
        };
    }

    fn bring_forward(&mut self, wakeup: &Wakeup) {
        let Some(due) = wakeup.due else { return };
        let row = self.wakeups.entry(wakeup.stream.clone()).or_insert((due, wakeup.version));
        *row = (row.0.min(due), row.1.max(wakeup.version));
    }
}

#[async_trait]
impl ReadModels for MemoryReadModels {
    async fn cursors(&self, shards: u16) -> Result<Vec<u64>, StoreError> {
        let contents = self.lock();
        let cursor = |shard| contents.cursors.get(&shard).copied().unwrap_or_default();
        Ok((0..shards).map(Shard).map(cursor).collect())
    }

    async fn apply(&self, changes: &Changes) -> Result<(), StoreError> {
        let mut contents = self.lock();
        let back = |(shard, to)| contents.cursors.get(shard).is_some_and(|at| to < at);
        if changes.cursors.iter().map(|(shard, to)| (shard, to)).any(back) {
            return Err(StoreError::Unavailable("another projector is ahead".into()));
        }
        for row in &changes.histories {
            let rows = contents.histories.entry(row.stream.clone()).or_default();
            rows.insert(row.last_version, row.positions.clone());
        }
        for row in &changes.orders {
            let place = (Reverse(row.created_at), Reverse(row.order));
            contents.newest_first.insert(place, *row);
        }
        for row in &changes.products {
            contents.products.insert(row.product.clone(), row.clone());
        }
        for row in &changes.entries {
            contents.entries.insert(row.stream.clone(), row.clone());
        }
        for stream in &changes.gone_entries {
            contents.entries.remove(stream);
        }
        for wakeup in &changes.wakeups {
            contents.set_wakeup(wakeup);
        }
        for wakeup in &changes.earlier_wakeups {
            contents.bring_forward(wakeup);
        }
        contents.cursors.extend(changes.cursors.iter().copied());
        Ok(())
    }

    async fn histories(&self, tails: &[HistoryTail]) -> Result<Vec<HistoryRow>, StoreError> {
        let contents = self.lock();
        let mut found = Vec::new();
        for HistoryTail { stream, after } in tails {
            let rows = contents.histories.get(stream).into_iter().flatten();
            found.extend(rows.filter(|(last, _)| after < last).map(|(last, positions)| {
                let (stream, positions) = (stream.clone(), positions.clone());
                HistoryRow { stream, last_version: *last, positions }
            }));
        }
        Ok(found)
    }

    async fn list_orders(&self, query: &OrderQuery) -> Result<OrderPage, StoreError> {
        let contents = self.lock();
        let matching = || {
            let rows = contents.newest_first.values();
            rows.filter(|row| query.status.is_none_or(|status| row.status == status))
        };
        let total = matching().count() as u64;
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let wanted = limit.saturating_add(1);
        let mut rows: Vec<OrderRow> = match query.start {
            PageStart::Offset(skip) => {
                let skip = usize::try_from(skip).unwrap_or(usize::MAX);
                matching().skip(skip).take(wanted).copied().collect()
            }
            PageStart::After(at, order) => {
                let place = (Reverse(at), Reverse(order));
                let later = |row: &&OrderRow| place < (Reverse(row.created_at), Reverse(row.order));
                matching().filter(later).take(wanted).copied().collect()
            }
        };
        let more = limit < rows.len();
        rows.truncate(limit);
        Ok(OrderPage { rows, total, more })
    }

    async fn products(&self, products: &[ProductId]) -> Result<Vec<ProductRow>, StoreError> {
        let contents = self.lock();
        Ok(products.iter().filter_map(|id| contents.products.get(id)).cloned().collect())
    }

    async fn list_products(
        &self,
        after: Option<&ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductRow>, StoreError> {
        let contents = self.lock();
        let later = |row: &&ProductRow| after.is_none_or(|after| *after < row.product);
        let rows = contents.products.values().filter(|row| row.listing.is_some()).filter(later);
        Ok(rows.take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned().collect())
    }

    async fn list_entries(&self, query: &EntryQuery) -> Result<EntryPage, StoreError> {
        let contents = self.lock();
        let wanted = |wanted: &Option<String>, is: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| is == Some(wanted))
        };
        let rows = contents.entries.values().filter(|row| {
            row.stream.kind() == query.kind
                && wanted(&query.status, Some(&row.status))
                && wanted(&query.owner, row.owner.as_deref())
        });
        let mut rows: Vec<&EntryRow> = rows.collect();
        rows.sort_by_key(|row| Reverse((row.at, row.stream.key())));
        let total = rows.len() as u64;
        let after = query.after.as_ref().map(|(at, key)| (*at, key.as_str()));
        let follows =
            |row: &&EntryRow| after.is_none_or(|after| (row.at, row.stream.key()) < after);
        let skip = usize::try_from(query.skip).unwrap_or(usize::MAX);
        let one_more = usize::try_from(query.limit).unwrap_or(usize::MAX).saturating_add(1);
        let rows = rows.into_iter().filter(follows).skip(skip).take(one_more).cloned().collect();
        Ok(EntryPage::of(rows, query.limit, total))
    }

    async fn due_wakeups(&self, now: Moment, limit: u32) -> Result<Vec<Wakeup>, StoreError> {
        let contents = self.lock();
        let rows = contents.wakeups.iter().filter(|(_, (due, _))| *due <= now);
        let mut due: Vec<Wakeup> = rows
            .map(|(stream, (due, version))| Wakeup {
                stream: stream.clone(),
                due: Some(*due),
                version: *version,
            })
            .collect();
        due.sort_by(|a, b| (a.due, &a.stream).cmp(&(b.due, &b.stream)));
        due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(due)
    }

    async fn set_wakeups(&self, wakeups: &[Wakeup]) -> Result<(), StoreError> {
        let mut contents = self.lock();
        for wakeup in wakeups {
            let newer = contents.wakeups.get(&wakeup.stream);
            if newer.is_none_or(|(_, version)| *version <= wakeup.version) {
                contents.set_wakeup(wakeup);
            }
        }
        Ok(())
    }

    async fn clear(&self) -> Result<(), StoreError> {
        *self.lock() = Contents::default();
        Ok(())
    }
}
