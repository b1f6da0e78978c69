//! Reads histories for new incarnations, many in one query: a crowd of new orders costs one look.

use std::collections::BTreeMap;
use std::sync::Arc;

use persistence::journal::{Record, StreamId};
use persistence::read_models::HistoryTail;
use persistence::snapshots::{Snapshot, Snapshots};
use persistence::{StoreError, Stores};
use tokio::sync::{mpsc, oneshot};
use tracing::warn;

use crate::background::Background;
use crate::histories::Histories;

/// Streams read in one query.
const STREAMS_MAX: usize = 256;

/// Requests that may wait; entities wait when it is full.
const QUEUE_MAX: usize = 4_096;

/// Who reads; each has one query under way at a time.
const READERS: [&str; 2] = ["history-loader-1", "history-loader-2"];

/// One stream as it is stored.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// The newest readable snapshot.
    pub(crate) snapshot: Option<Snapshot>,
    /// The events after it, in order.
    pub(crate) records: Vec<Record>,
}

struct Request {
    stream: StreamId,
    with_snapshot: bool,
    reply: oneshot::Sender<Result<History, Unreadable>>,
}

/// Why a history could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// The store did not answer.
    Unavailable,
    /// What is stored cannot be true.
    Corrupt,
}

/// The address of the loader.
#[derive(Clone)]
pub(crate) struct Loader {
    requests: mpsc::Sender<Request>,
}

impl Loader {
    /// Starts reading.
    pub(crate) fn start(
        stores: &Stores,
        histories: &Histories,
        background: &Arc<Background>,
    ) -> Self {
        let (requests, queue) = mpsc::channel(QUEUE_MAX);
        let queue = Arc::new(tokio::sync::Mutex::new(queue));
        for name in READERS {
            let reader = Reader {
                histories: histories.clone(),
                snapshots: Arc::clone(&stores.snapshots),
                queue: Arc::clone(&queue),
            };
            background.keep(name, move || reader.clone().run());
        }
        Self { requests }
    }

    /// The history of a stream.
    pub(crate) async fn load(
        &self,
        stream: StreamId,
        with_snapshot: bool,
    ) -> Result<History, Unreadable> {
        let (reply, answer) = oneshot::channel();
        let request = Request { stream, with_snapshot, reply };
        self.requests.send(request).await.map_err(|_| Unreadable::Unavailable)?;
        answer.await.unwrap_or(Err(Unreadable::Unavailable))
    }
}

#[derive(Clone)]
struct Reader {
    histories: Histories,
    snapshots: Arc<dyn Snapshots>,
    queue: Arc<tokio::sync::Mutex<mpsc::Receiver<Request>>>,
}

impl Reader {
    async fn run(self) {
        loop {
            let mut requests = Vec::new();
            if self.queue.lock().await.recv_many(&mut requests, STREAMS_MAX).await == 0 {
                return;
            }
            self.serve(requests).await;
        }
    }

    async fn serve(&self, requests: Vec<Request>) {
        match self.read(&requests).await {
            Ok(mut histories) => {
                for request in requests {
                    let history = histories.remove(&request.stream).unwrap_or_default();
                    // Its incarnation may have been dropped meanwhile.
                    let _ = request.reply.send(Ok(history));
                }
            }
            // One bad row must not keep its neighbours from being read.
            Err(StoreError::Corrupt(_)) if 1 < requests.len() => {
                for request in requests {
                    Box::pin(self.serve(vec![request])).await;
                }
            }
            Err(error) => {
                warn!(error = %error, streams = requests.len(), "histories cannot be read");
                let reason = match error {
                    StoreError::Corrupt(_) => Unreadable::Corrupt,
                    StoreError::Unavailable(_) | StoreError::Unsafe(_) => Unreadable::Unavailable,
                };
                for request in requests {
                    let _ = request.reply.send(Err(reason));
                }
            }
        }
    }

    async fn read(&self, requests: &[Request]) -> Result<BTreeMap<StreamId, History>, StoreError> {
        let mut histories: BTreeMap<StreamId, History> = BTreeMap::new();
        let cached: Vec<StreamId> =
            requests.iter().filter(|r| r.with_snapshot).map(|r| r.stream.clone()).collect();
        if !cached.is_empty() {
            for snapshot in readable(&*self.snapshots, &cached).await {
                let stream = snapshot.stream.clone();
                histories.entry(stream).or_default().snapshot = Some(snapshot);
            }
        }
        let after = |stream: &StreamId| {
            let history = histories.get(stream).and_then(|history| history.snapshot.as_ref());
            history.map_or(0, |snapshot| snapshot.version)
        };
        let tails: BTreeMap<&StreamId, u64> =
            requests.iter().map(|r| (&r.stream, after(&r.stream))).collect();
        let tails: Vec<HistoryTail> = tails
            .into_iter()
            .map(|(stream, after)| HistoryTail { stream: stream.clone(), after })
            .collect();
        for (stream, records) in self.histories.read(&tails).await? {
            histories.entry(stream).or_default().records = records;
        }
        Ok(histories)
    }
}

/// The snapshots that can be read. A cache that cannot is no cache; the journal has everything.
async fn readable(snapshots: &dyn Snapshots, streams: &[StreamId]) -> Vec<Snapshot> {
    match snapshots.load(streams).await {
        Ok(found) => found,
        // One bad row must not cost its neighbours theirs.
        Err(StoreError::Corrupt(_)) if 1 < streams.len() => {
            let mut found = Vec::new();
            for stream in streams.chunks(1) {
                found.extend(Box::pin(readable(snapshots, stream)).await);
            }
            found
        }
        Err(error) => {
            warn!(error = %error, streams = streams.len(), "snapshots cannot be read");
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use persistence::journal::Shard;
    use persistence::snapshots::MemorySnapshots;

    use super::*;

    /// One of them is damaged.
    struct Damaged {
        inner: MemorySnapshots,
        damaged: StreamId,
    }

    #[async_trait]
    impl Snapshots for Damaged {
        async fn load(&self, streams: &[StreamId]) -> Result<Vec<Snapshot>, StoreError> {
            if streams.contains(&self.damaged) {
                return Err(StoreError::Corrupt("a drill".into()));
            }
            self.inner.load(streams).await
        }

        async fn list(&self) -> Result<Vec<(String, u64)>, StoreError> {
            self.inner.list().await
        }

        async fn save(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
            self.inner.save(snapshot).await
        }

        async fn clear(&self) -> Result<(), StoreError> {
            self.inner.clear().await
        }
    }

    #[tokio::test]
    async fn a_damaged_snapshot_costs_nobody_else_theirs() {
        let stream = |number: u32| StreamId::new("inventory", &number.to_string());
        let damaged = stream(2);
        let snapshots = Damaged { inner: MemorySnapshots::default(), damaged };
        for number in 0..5 {
            let (stream, body) = (stream(number), String::new());
            let snapshot = Snapshot { stream, version: 1, place: (Shard(0), 1), body };
            snapshots.save(&snapshot).await.unwrap();
        }

        let all: Vec<StreamId> = (0..5).map(stream).collect();
        let found = readable(&snapshots, &all).await;

        let found: Vec<StreamId> = found.into_iter().map(|snapshot| snapshot.stream).collect();
        assert_eq!(found, [stream(0), stream(1), stream(3), stream(4)]);
    }
}
