//! Runs the writer's logic over a journal, in one owned task.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use engine::values::Moment;
use futures::FutureExt as _;
use metrics::{counter, gauge, histogram};
use persistence::crash_points::{CrashPoint, crash_point};
use persistence::journal::{AppendError, Batch, Journal, Tenure};
use persistence::{BoxError, StoreError};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::{debug, error, info, warn};

use super::address::{Shared, Writer};
use super::effect::{Submission, WriterEffect, WriterInput};
use super::logic::WriterLogic;
use crate::admission::health::{Dependency, PROBE_EVERY, Report, ServiceHealth};
use crate::background::Background;
use crate::config::EngineConfig;
use crate::feed::Feeds;
use crate::metrics::{
    JOURNAL_EVENTS_TOTAL, WRITER_BATCH_EVENTS, WRITER_COMMIT_SECONDS, WRITER_OUTCOMES_TOTAL,
    WRITER_QUEUE_EVENTS,
};
use crate::returns;
use crate::runtime::spawn_named;

/// How long an unknown outcome is looked into before its waiters are told so.
const RESOLVE_WITHIN: Duration = Duration::from_secs(4);

/// Pause between two tries to reach the journal again.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// How often a writer that has nothing to write looks whether the journal is still its own.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Called when a generation ends: every incarnation of it is to be dropped.
type OnAbandon = Box<dyn Fn(u64) + Send + Sync>;

impl Writer {
    /// Acquires the journal and starts writing; says also which moment the journal tells of last.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the journal cannot be acquired.
    pub(crate) async fn start(
        journal: Arc<dyn Journal>,
        config: &EngineConfig,
        owner: String,
        health: Arc<ServiceHealth>,
        background: Arc<Background>,
        on_abandon: Box<dyn Fn(u64) + Send + Sync>,
    ) -> Result<(Self, Option<Moment>), StoreError> {
        let tenure = journal.acquire(&owner).await?;
        crash_point(CrashPoint::JournalAcquired);
        info!(epoch = tenure.epoch, "journal acquired");
        let heads = tenure
            .holdings
            .iter()
            .map(|h| AtomicU64::new(h.next_position.saturating_sub(1)))
            .collect();
        let newest = tenure.newest();
        let logic = WriterLogic::new(tenure, journal.shards(), config.batch_events_max);
        let shared = Arc::new(Shared {
            generation: AtomicU64::new(logic.generation()),
            serving: AtomicBool::new(true),
            stopped: AtomicBool::new(false),
            heads,
            feeds: Feeds::default(),
        });
        let (submissions, queue) = mpsc::channel(config.writer_queue_max);
        let (committed, commits) = watch::channel(0);
        let task = Task {
            journal,
            owner,
            logic,
            shared: Arc::clone(&shared),
            health,
            on_abandon,
            committed,
        };
        let fate = Arc::clone(&shared);
        spawn_named("journal-writer", async move {
            if AssertUnwindSafe(task.run(queue)).catch_unwind().await.is_err() {
                // What it had in flight nobody knows any more, so nothing can be built upon it.
                fate.serving.store(false, Ordering::Release);
                fate.stopped.store(true, Ordering::Release);
                background.give_up("journal-writer");
            }
        });
        Ok((Self { submissions, shared, commits }, newest))
    }
}

struct Task {
    journal: Arc<dyn Journal>,
    owner: String,
    logic: WriterLogic,
    shared: Arc<Shared>,
    health: Arc<ServiceHealth>,
    on_abandon: OnAbandon,
    committed: watch::Sender<u64>,
}

/// What the task does next.
enum Next {
    Wait,
    Append(Arc<Batch>),
    Resolve(Arc<Batch>),
    Reacquire,
    Stop,
}

impl Task {
    async fn run(mut self, mut queue: mpsc::Receiver<Submission>) {
        let mut drained = Vec::new();
        loop {
            // Wait for one, then take everything that is there: no linger, no empty commits. What
            // waits here and what waits in the queue are bounded by the same number.
            let limit = queue.max_capacity();
            let mut next = Next::Wait;
            let is_out = self.health.is_out(Dependency::Store);
            let idle = if is_out { PROBE_EVERY } else { LOOK_EVERY };
            match timeout(idle, queue.recv_many(&mut drained, limit)).await {
                Ok(0) => return,
                Ok(_) => {}
                // Nobody is let in who would find out that it is back, so it is looked for here.
                Err(_) if is_out => next = self.probe(next).await,
                Err(_) => next = self.look_whose(next).await,
            }
            for submission in drained.drain(..) {
                let effects = self.logic.on(WriterInput::Submit(submission));
                next = self.carry_out(effects, next);
            }
            while let Some(input) = self.step(next).await {
                // What arrived during the commit goes into the next batch.
                next = Next::Wait;
                while self.logic.pending() < limit
                    && let Ok(submission) = queue.try_recv()
                {
                    let effects = self.logic.on(WriterInput::Submit(submission));
                    next = self.carry_out(effects, next);
                }
                let effects = self.logic.on(input);
                next = self.carry_out(effects, next);
            }
            if self.shared.stopped.load(Ordering::Acquire) {
                queue.close();
                while let Some(submission) = queue.recv().await {
                    submission.notify.failed(false);
                }
                return;
            }
        }
    }

    /// Looks whether a store that is out of service can be written again.
    async fn probe(&mut self, next: Next) -> Next {
        match self.journal.reacquire(&self.owner).await {
            Ok(Some(tenure)) => {
                self.works(&tenure);
                let effects = self.logic.on(WriterInput::Reacquired(tenure));
                self.carry_out(effects, next)
            }
            Ok(None) => {
                let effects = self.logic.on(WriterInput::TakenOver);
                self.carry_out(effects, next)
            }
            Err(cause) => {
                debug!(error = %cause, "journal still out of reach");
                next
            }
        }
    }

    /// Looks whether the journal is still ours. Whoever writes is told by the fence; whoever only
    /// reads and refuses would go on for ever about what is long past.
    async fn look_whose(&mut self, next: Next) -> Next {
        // What comes in meanwhile waits for it, so it must not take long.
        match timeout(LOOK_EVERY, self.journal.fences()).await {
            Ok(Ok(fences)) if fences.iter().any(|fence| fence.owner != self.owner) => {
                let effects = self.logic.on(WriterInput::TakenOver);
                self.carry_out(effects, next)
            }
            Ok(Ok(_)) => next,
            Ok(Err(_)) | Err(_) => {
                debug!("nobody can tell now whose the journal is");
                next
            }
        }
    }

    /// The journal was moved to another epoch, which is written as durably as an event. What landed
    /// before without being acknowledged has to be read from it by those who follow.
    fn works(&self, tenure: &Tenure) {
        self.health.report(Dependency::Store, Report::Working);
        for holding in &tenure.holdings {
            self.shared.reach(holding.shard, holding.next_position);
        }
        self.committed.send_modify(|commits| *commits = commits.wrapping_add(1));
    }

    async fn step(&mut self, next: Next) -> Option<WriterInput> {
        match next {
            Next::Wait => None,
            Next::Append(batch) => Some(WriterInput::Appended(self.append(&batch).await)),
            Next::Resolve(batch) => Some(self.resolve(&batch).await),
            Next::Reacquire => Some(self.reacquire().await),
            Next::Stop => {
                error!("another writer owns the journal; this one stops for good");
                self.shared.stopped.store(true, Ordering::Release);
                None
            }
        }
    }

    fn carry_out(&self, effects: Vec<WriterEffect>, mut next: Next) -> Next {
        for effect in effects {
            match effect {
                WriterEffect::Append(batch) => next = Next::Append(batch),
                WriterEffect::Resolve(batch) => next = Next::Resolve(batch),
                WriterEffect::Reacquire => next = Next::Reacquire,
                WriterEffect::Stop => next = Next::Stop,
                WriterEffect::Publish(publish, version, position) => publish(version, position),
                WriterEffect::Written(notify, version, position) => {
                    notify.written(version, position);
                }
                WriterEffect::Settled(notify) => notify.settled(),
                WriterEffect::Failed(notify, unknown) => notify.failed(unknown),
                WriterEffect::Abandon { generation } => {
                    // In this order: nothing is read, everybody hears that it has ended, and only
                    // then may something new begin. So no new incarnation can be answered by one
                    // that does not know yet that it is ahead of the journal.
                    self.shared.serving.store(false, Ordering::Release);
                    (self.on_abandon)(generation);
                    self.shared.generation.store(generation, Ordering::Release);
                }
            }
        }
        self.shared.serving.store(self.logic.is_serving(), Ordering::Release);
        next
    }

    async fn append(&self, batch: &Arc<Batch>) -> Result<(), AppendError> {
        crash_point(CrashPoint::JournalSending);
        let began = Instant::now();
        let outcome = self.journal.append(batch).await;
        let label = match &outcome {
            Ok(()) => {
                crash_point(CrashPoint::JournalCommitted);
                histogram!(WRITER_COMMIT_SECONDS).record(began.elapsed());
                count_by_kind(batch);
                // Handed over first: whoever saw the head before would read it back.
                self.shared.feeds.offer(batch);
                for moved in &batch.moves {
                    self.shared.reach(moved.shard, moved.next);
                }
                self.committed.send_modify(|commits| *commits = commits.wrapping_add(1));
                "ok"
            }
            Err(AppendError::Fenced) => "fenced",
            Err(AppendError::Unavailable(cause)) => {
                warn!(error = %cause, "journal unavailable, nothing was written");
                "unavailable"
            }
            Err(AppendError::Unknown(cause)) => {
                warn!(error = %cause, "outcome of an append is unknown");
                "unknown"
            }
        };
        // A store that fails is taken out before further requests fail on it.
        let report = if outcome.is_ok() { Report::Working } else { Report::Failing(label) };
        self.health.report(Dependency::Store, report);
        counter!(WRITER_OUTCOMES_TOTAL, "outcome" => label).increment(1);
        #[expect(clippy::cast_precision_loss, reason = "a gauge shows magnitudes")]
        {
            histogram!(WRITER_BATCH_EVENTS).record(batch.records.len() as f64);
            gauge!(WRITER_QUEUE_EVENTS).set(self.logic.pending() as f64);
        }
        outcome
    }

    /// Fence first, then look: the other way round an old commit could still land after the look.
    async fn resolve(&self, batch: &Batch) -> WriterInput {
        let give_up_at = Instant::now() + RESOLVE_WITHIN;
        loop {
            let looked = timeout_at(give_up_at, self.look(batch)).await;
            match looked.unwrap_or_else(|elapsed| Err(elapsed.into())) {
                Ok(Some((tenure, present))) => {
                    self.works(&tenure);
                    info!(epoch = tenure.epoch, present, "unknown append resolved");
                    return WriterInput::Resolved { tenure, present };
                }
                Ok(None) => return WriterInput::TakenOver,
                Err(cause) if give_up_at <= Instant::now() => {
                    warn!(error = %cause, "unknown append stays unresolved");
                    return WriterInput::Unresolved;
                }
                Err(cause) => warn!(error = %cause, "cannot resolve an unknown append yet"),
            }
            sleep(RETRY_PAUSE).await;
        }
    }

    /// None when somebody else has taken over: then it is no longer ours to ask.
    async fn look(&self, batch: &Batch) -> Result<Option<(Tenure, bool)>, BoxError> {
        let Some(tenure) = self.journal.reacquire(&self.owner).await? else { return Ok(None) };
        let present = self.journal.contains(batch).await?;
        Ok(Some((tenure, present)))
    }

    async fn reacquire(&self) -> WriterInput {
        loop {
            match self.journal.reacquire(&self.owner).await {
                Ok(Some(tenure)) => {
                    self.works(&tenure);
                    info!(epoch = tenure.epoch, "journal acquired again");
                    return WriterInput::Reacquired(tenure);
                }
                Ok(None) => return WriterInput::TakenOver,
                Err(StoreError::Corrupt(words)) => {
                    error!(error = words, "the journal is damaged, nothing is written to it");
                    sleep(PROBE_EVERY).await;
                }
                Err(cause) => warn!(error = %cause, "journal still out of reach"),
            }
            sleep(RETRY_PAUSE).await;
        }
    }
}

fn count_by_kind(batch: &Batch) {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for record in &batch.records {
        let count = counts.entry(record.stream.kind()).or_default();
        *count = count.saturating_add(1);
        returns::tell(record);
    }
    for (kind, count) in counts {
        counter!(JOURNAL_EVENTS_TOTAL, "kind" => kind.to_owned()).increment(count);
    }
}
