//! Follows the journal into the read models, behind a cursor per shard; it cannot slow a sale.
//!
//! Each round folds what each shard has gained since its cursor; several events of one entity
//! become one row. Wake-ups that come and go within a round are never written at all.

mod fold;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics::gauge;
use persistence::crash_points::{CrashPoint, crash_point};
use persistence::journal::{Batch, Record, Shard};
use persistence::pubsub::Announcement;
use persistence::read_models::Changes;
use persistence::{StoreError, Stores};
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::warn;

use self::fold::{Fold, OpenOrders};
use crate::feed::Feed;
use crate::histories::Histories;
use crate::metrics::PROJECTION_LAG_EVENTS;

/// Events of one shard in one round.
const ROUND_EVENTS_MAX: u32 = 2_000;

/// Events folded in one go before others get their turn.
const RUN_EVENTS: usize = 64;

/// Pause after a failed round.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Up to which position each shard is folded into the read models.
#[derive(Clone)]
pub(crate) struct Cursors(Arc<Vec<AtomicU64>>);

impl Cursors {
    /// The cursor of a shard; 0 where nothing is folded in.
    pub(crate) fn at(&self, shard: Shard) -> u64 {
        self.0.get(usize::from(shard.0)).map_or(0, |cursor| cursor.load(Ordering::Acquire))
    }

    fn advance(&self, shard: Shard, position: u64) {
        if let Some(cursor) = self.0.get(usize::from(shard.0)) {
            cursor.store(position, Ordering::Release);
        }
    }
}

/// How far each shard is folded into the read models, for those who wait for it.
#[derive(Clone)]
pub(crate) struct Progress {
    cursors: Cursors,
    moved: watch::Receiver<u64>,
    lag: Arc<AtomicU64>,
}

impl Progress {
    /// Whether the read models hold everything up to this place.
    pub(crate) fn has_passed(&self, shard: Shard, position: u64) -> bool {
        position <= self.cursors.at(shard)
    }

    /// Up to where each shard is folded in.
    pub(crate) fn cursors(&self) -> Cursors {
        self.cursors.clone()
    }

    /// Changes with every round that moved a cursor.
    pub(crate) fn moved(&self) -> watch::Receiver<u64> {
        self.moved.clone()
    }

    /// Events that the journal has and the read models have not, as of the last round.
    pub(crate) fn lag(&self) -> u64 {
        self.lag.load(Ordering::Relaxed)
    }
}

/// The follower.
pub(crate) struct Projector {
    stores: Stores,
    histories: Histories,
    feed: Arc<Feed>,
    open: OpenOrders,
    /// The last position that each shard is known to have.
    heads: Vec<u64>,
    /// Whether the journal may have more than that.
    stale: bool,
    interval: Duration,
    cursors: Cursors,
    moved: watch::Sender<u64>,
    lag: Arc<AtomicU64>,
}

impl Projector {
    /// Opens the cursors and folds in everything that is there: nothing is served before.
    pub(crate) async fn open(
        stores: Stores,
        feed: Arc<Feed>,
        interval: Duration,
    ) -> Result<(Self, Progress), StoreError> {
        let folded = stores.read_models.cursors(stores.journal.shards()).await?;
        let cursors = Cursors(Arc::new(folded.into_iter().map(AtomicU64::new).collect()));
        let (moved, receiver) = watch::channel(0);
        let lag = Arc::new(AtomicU64::new(0));
        let progress =
            Progress { cursors: cursors.clone(), moved: receiver, lag: Arc::clone(&lag) };
        let histories = Histories::new(&stores, cursors.clone());
        let mut projector = Self {
            heads: Vec::new(),
            stale: true,
            open: OpenOrders::default(),
            stores,
            histories,
            feed,
            interval,
            cursors,
            moved,
            lag,
        };
        while projector.round().await? {}
        crash_point(CrashPoint::ProjectorCaughtUp);
        Ok((projector, progress))
    }

    /// Follows for ever, a round at a time.
    pub(crate) async fn run(&mut self, mut commits: watch::Receiver<u64>) {
        // A run that panicked may have lost what it was fed, and that it was to be woken for it.
        self.stale = true;
        commits.mark_changed();
        loop {
            if commits.changed().await.is_err() {
                return;
            }
            // Lets what belongs together come together: most orders are done within a round.
            sleep(self.interval).await;
            commits.mark_unchanged();
            loop {
                match self.round().await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        warn!(error = %error, "read models cannot be brought up to date");
                        sleep(RETRY_PAUSE).await;
                    }
                }
            }
        }
    }

    /// Folds in up to a bounded number of events per shard; whether more may be waiting.
    async fn round(&mut self) -> Result<bool, StoreError> {
        let fed = self.feed.take();
        // Before anything can fail: what is not folded now is read from the journal next time.
        for moved in fed.batches.iter().flat_map(|batch| &batch.moves) {
            if let Some(head) = self.heads.get_mut(usize::from(moved.shard.0)) {
                *head = moved.next.saturating_sub(1).max(*head);
            }
        }
        self.stale |= fed.has_gap;
        if self.stale {
            self.heads = self.stores.journal.heads().await?;
            self.stale = false;
        }
        let (records, moves) = self.gather(&fed.batches).await?;
        if records.is_empty() {
            return Ok(false);
        }
        crash_point(CrashPoint::ProjectorRead);
        let records: Vec<&Record> = records.iter().map(Gathered::record).collect();
        let (mut changes, open) = self.fold(&records).await?;
        changes.cursors.clone_from(&moves);
        self.stores.read_models.apply(&changes).await?;
        crash_point(CrashPoint::ProjectorApplied);
        // Only now: what was not applied is folded again, from what is stored.
        self.open = open;
        for (shard, position) in &moves {
            self.cursors.advance(*shard, *position);
        }
        let lag = self.count_lag();
        self.moved.send_modify(|rounds| *rounds = rounds.wrapping_add(1));
        let announcements: Vec<Announcement> =
            moves.into_iter().map(|(shard, position)| Announcement { shard, position }).collect();
        self.stores.pubsub.announce(&announcements).await;
        crash_point(CrashPoint::ProjectorAnnounced);
        Ok(0 < lag)
    }

    /// What each shard has gained since its cursor: from the feed where it joins on, else from
    /// the journal.
    async fn gather<'a>(
        &self,
        fed: &'a [Arc<Batch>],
    ) -> Result<(Vec<Gathered<'a>>, Vec<(Shard, u64)>), StoreError> {
        let mut by_shard: BTreeMap<Shard, Vec<&'a Record>> = BTreeMap::new();
        for record in fed.iter().flat_map(|batch| &batch.records) {
            by_shard.entry(record.shard).or_default().push(record);
        }
        let mut gathered = Vec::new();
        let mut moves = Vec::new();
        for (shard, head) in (0_u16..).map(Shard).zip(&self.heads) {
            let after = self.cursors.at(shard);
            let fresh = by_shard.remove(&shard).unwrap_or_default();
            let joins = fresh.first().is_some_and(|first| first.position <= after + 1);
            let last = if joins {
                // Only as far as they join on: what is missing in between is read next time.
                let mut last = after;
                for record in fresh.into_iter().skip_while(|record| record.position <= after) {
                    if record.position != last.saturating_add(1) {
                        break;
                    }
                    last = record.position;
                    gathered.push(Gathered::Fed(record));
                }
                last
            } else if after < *head {
                let journal = &self.stores.journal;
                let read = journal.read_shard(shard, after, ROUND_EVENTS_MAX).await?;
                let last = read.last().map_or(after, |last| last.position);
                gathered.extend(read.into_iter().map(Gathered::Read));
                last
            } else {
                after
            };
            if after < last {
                moves.push((shard, last));
            }
        }
        Ok((gathered, moves))
    }

    fn count_lag(&self) -> u64 {
        let behind =
            |(shard, head): (u16, &u64)| head.saturating_sub(self.cursors.at(Shard(shard)));
        let lag = (0_u16..).zip(&self.heads).map(behind).sum();
        self.lag.store(lag, Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "a gauge shows magnitudes")]
        gauge!(PROJECTION_LAG_EVENTS).set(lag as f64);
        lag
    }

    /// Folds records in; returned is what the next round may start from.
    async fn fold(&mut self, records: &[&Record]) -> Result<(Changes, OpenOrders), StoreError> {
        let mut fold = Fold::new(std::mem::take(&mut self.open));
        fold.load(&self.stores, &self.histories, records).await?;
        for (index, record) in records.iter().enumerate() {
            fold.book(record)?;
            if index % RUN_EVENTS == 0 {
                // A crowd of events must not hold up the orders that are under way.
                tokio::task::yield_now().await;
            }
        }
        Ok(fold.finish())
    }
}

/// An event on its way into the rows.
enum Gathered<'a> {
    Fed(&'a Record),
    Read(Record),
}

impl Gathered<'_> {
    const fn record(&self) -> &Record {
        match self {
            Self::Fed(record) => record,
            Self::Read(record) => record,
        }
    }
}
