//! Follows the journal into the read models, behind a cursor per shard; it cannot slow a sale.
//!
//! Each round folds what each shard has gained since its cursor; several events of one entity
//! become one row. Wake-ups that come and go within a round are never written at all.

pub(crate) mod entries;
mod fold;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics::gauge;
use persistence::crash_points::{CrashPoint, crash_point};
use persistence::journal::{Record, Shard};
use persistence::pubsub::Announcement;
use persistence::read_models::Changes;
use persistence::{StoreError, Stores};
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::warn;

use self::fold::{Fold, Left};
use crate::histories::Histories;
use crate::metrics::PROJECTION_LAG_EVENTS;
use crate::trail::{Gained, Gathered, Trail};
use crate::writer::Writer;

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
    trail: Trail,
    left: Left,
    interval: Duration,
    cursors: Cursors,
    moved: watch::Sender<u64>,
    lag: Arc<AtomicU64>,
}

impl Projector {
    /// Opens the cursors and folds in everything that is there: nothing is served before.
    pub(crate) async fn open(
        stores: Stores,
        writer: Writer,
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
            trail: Trail::new(Arc::clone(&stores.journal), writer, ROUND_EVENTS_MAX),
            left: Left::default(),
            stores,
            histories,
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
        // A run that panicked may have lost that it was to be woken.
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
        let fresh = self.trail.fresh();
        let Gained { records, moves } =
            self.trail.gather(&fresh, |shard| self.cursors.at(shard)).await?;
        if records.is_empty() {
            return Ok(false);
        }
        crash_point(CrashPoint::ProjectorRead);
        let records: Vec<&Record> = records.iter().map(Gathered::record).collect();
        let (mut changes, left) = self.fold(&records).await?;
        changes.cursors.clone_from(&moves);
        self.stores.read_models.apply(&changes).await?;
        crash_point(CrashPoint::ProjectorApplied);
        // Only now: what was not applied is folded again, from what is stored.
        self.left = left;
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

    fn count_lag(&self) -> u64 {
        let lag = self.trail.lag(|shard| self.cursors.at(shard));
        self.lag.store(lag, Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "a gauge shows magnitudes")]
        gauge!(PROJECTION_LAG_EVENTS).set(lag as f64);
        lag
    }

    /// Folds records in; returned is what the next round may start from.
    async fn fold(&mut self, records: &[&Record]) -> Result<(Changes, Left), StoreError> {
        let mut fold = Fold::new(std::mem::take(&mut self.left));
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
