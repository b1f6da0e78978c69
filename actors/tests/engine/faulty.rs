//! A journal that misbehaves once, when told to.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use persistence::StoreError;
use persistence::journal::{
    AppendError, Batch, Fence, Journal, Record, Shard, StoredFrame, StreamId, Tenure,
};

/// How one append misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is written, but the acknowledgement is lost.
    WrittenButUnknown = 0,
    /// It is not written, and nobody can tell.
    LostAndUnknown = 1,
    /// It is not written, and that is known.
    Unavailable = 2,
}

/// The decorator.
pub(crate) struct FaultyJournal {
    inner: Arc<dyn Journal>,
    armed: Mutex<Option<(Fault, u32)>>,
    cut: AtomicBool,
    cut_next: AtomicBool,
    poisoned: Mutex<BTreeSet<StreamId>>,
}

impl FaultyJournal {
    pub(crate) fn over(inner: Arc<dyn Journal>) -> Self {
        Self {
            inner,
            armed: Mutex::new(None),
            cut: AtomicBool::new(false),
            cut_next: AtomicBool::new(false),
            poisoned: Mutex::default(),
        }
    }

    /// The next append misbehaves.
    pub(crate) fn arm(&self, fault: Fault) {
        self.arm_after(fault, 0);
    }

    /// An append misbehaves after `skip` good ones.
    pub(crate) fn arm_after(&self, fault: Fault, skip: u32) {
        *self.armed.lock().unwrap() = Some((fault, skip));
    }

    /// The next append is written, and then the journal is out of reach until it is mended.
    pub(crate) fn cut_at_next_append(&self) {
        self.cut_next.store(true, Ordering::Relaxed);
        self.arm(Fault::WrittenButUnknown);
    }

    /// The journal is within reach again.
    pub(crate) fn mend(&self) {
        self.cut.store(false, Ordering::Relaxed);
    }

    /// The stream's history cannot be folded.
    pub(crate) fn poison(&self, kind: &str, key: &str) {
        self.poisoned.lock().unwrap().insert(StreamId::new(kind, key));
    }

    fn draw(&self) -> Option<Fault> {
        let mut armed = self.armed.lock().unwrap();
        match &mut *armed {
            Some((fault, 0)) => {
                let fault = *fault;
                *armed = None;
                Some(fault)
            }
            Some((_, skip)) => {
                *skip -= 1;
                None
            }
            None => None,
        }
    }

    fn reach(&self) -> Result<(), StoreError> {
        if self.cut.load(Ordering::Relaxed) {
            Err(StoreError::Unavailable("cut".into()))
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Journal for FaultyJournal {
    fn shards(&self) -> u16 {
        self.inner.shards()
    }

    async fn acquire(&self, owner: &str) -> Result<Tenure, StoreError> {
        self.reach()?;
        self.inner.acquire(owner).await
    }

    async fn reacquire(&self, owner: &str) -> Result<Option<Tenure>, StoreError> {
        self.reach()?;
        self.inner.reacquire(owner).await
    }

    async fn append(&self, batch: &Batch) -> Result<(), AppendError> {
        match self.draw() {
            Some(Fault::WrittenButUnknown) => {
                self.inner.append(batch).await?;
                self.cut.store(self.cut_next.swap(false, Ordering::Relaxed), Ordering::Relaxed);
                Err(AppendError::Unknown("drill".into()))
            }
            Some(Fault::LostAndUnknown) => Err(AppendError::Unknown("drill".into())),
            Some(Fault::Unavailable) => Err(AppendError::Unavailable("drill".into())),
            None if self.reach().is_err() => Err(AppendError::Unavailable("cut".into())),
            None => self.inner.append(batch).await,
        }
    }

    async fn contains(&self, batch: &Batch) -> Result<bool, StoreError> {
        self.reach()?;
        self.inner.contains(batch).await
    }

    async fn read_places(&self, places: &[(Shard, u64)]) -> Result<Vec<Record>, StoreError> {
        self.reach()?;
        self.inner.read_places(places).await
    }

    async fn read_tail(
        &self,
        shard: Shard,
        after: u64,
        streams: &[StreamId],
    ) -> Result<Vec<Record>, StoreError> {
        self.reach()?;
        let mut records = self.inner.read_tail(shard, after, streams).await?;
        let poisoned = self.poisoned.lock().unwrap();
        for stream in streams.iter().filter(|stream| poisoned.contains(stream)) {
            records.push(poison(stream));
        }
        Ok(records)
    }

    async fn read_shard(
        &self,
        shard: Shard,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        self.reach()?;
        self.inner.read_shard(shard, after, limit).await
    }

    async fn read_frames(
        &self,
        shard: Shard,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredFrame>, StoreError> {
        self.inner.read_frames(shard, after, limit).await
    }

    async fn fences(&self) -> Result<Vec<Fence>, StoreError> {
        self.inner.fences().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.reach()
    }
}

fn poison(stream: &StreamId) -> Record {
    Record {
        shard: Shard(0),
        position: 1,
        epoch: 1,
        slot: stream.slot(),
        stream: stream.clone(),
        version: 1,
        event_id: uuid::Uuid::nil(),
        name: "order.placed".into(),
        schema: 1,
        at: engine::values::Moment::default(),
        meta: String::new(),
        payload: "{}".to_owned(),
        checksum: 0,
        hash: [0; 32],
    }
}
