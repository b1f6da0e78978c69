//! Drills: faults are let loose, lifted and written down.
//!
//! A fault is durable in the log before it goes off, and its end is written down after it has come.
//! So the log never knows less than what happened, and a journal that stalls on purpose can be let
//! go although nothing can be written meanwhile.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use engine::Aggregate as _;
use engine::drill::{
    ActorKind, Asker, Drill, DrillCommand, DrillEvent, DrillRefusal, Ending, Fault, FaultName,
    Injection, LOG,
};
use engine::values::Moment;
use metrics::counter;
use persistence::codec;
use persistence::journal::StreamId;
use persistence::read_models::HistoryTail;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{info, warn};

use super::Faults;
use crate::background::Background;
use crate::directory::Hosted;
use crate::histories::Histories;
use crate::kinds::WithKind;
use crate::metrics::FAULTS_INJECTED_TOTAL;
use crate::outcome::{Accepted, Asking, Cause, NotDone};
use crate::reads::ReadError;
use crate::system::{OrderSystem, World};

/// How often it is looked whether a fault is over, and whether its end is still to be written down.
const TICK: Duration = Duration::from_millis(250);
/// Longest time for one entry that nobody waits for.
const ENTRY_WITHIN: Duration = Duration::from_secs(5);
/// The label of actors that were killed, beside the names of faults.
const ACTOR_KILL: &str = "actor_kill";

/// Lets faults loose and ends them.
pub struct Drills {
    world: Arc<World>,
    histories: Histories,
    faults: Arc<Faults>,
    book: Mutex<Book>,
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Counts the entries, from 1.
    pub number: u64,
    /// When.
    pub at: Moment,
    /// What happened.
    pub event: DrillEvent,
}

/// What is known of the log, and what it does not know yet.
#[derive(Debug, Default)]
struct Book {
    /// How far the log is known.
    version: u64,
    injected: BTreeMap<FaultName, Injection>,
    /// Faults that are over, though the log has them still, by when they were injected.
    over: BTreeMap<FaultName, (Moment, Ending)>,
}

impl Book {
    /// The log reads like this, as of a version.
    fn follow(&mut self, version: u64, injected: &BTreeMap<FaultName, Injection>) {
        if self.version < version {
            self.version = version;
            self.injected.clone_from(injected);
        }
        let injected = &self.injected;
        self.over.retain(|name, (since, _)| {
            injected.get(name).is_some_and(|injection| injection.since == *since)
        });
    }

    /// The fault is over, however long it takes to write that down.
    fn end(&mut self, name: FaultName, how: Ending) {
        if let Some(injection) = self.injected.get(&name) {
            self.over.insert(name, (injection.since, how));
        }
    }

    /// Ends what has had its time.
    fn expire(&mut self, now: Moment) {
        let has_ended = |injection: &&Injection| injection.until.is_some_and(|until| until <= now);
        let expired: Vec<FaultName> =
            self.active().filter(has_ended).map(|injection| injection.fault.name()).collect();
        for name in expired {
            self.end(name, Ending::Expired);
        }
    }

    fn active(&self) -> impl Iterator<Item = &Injection> {
        let is_over = |name| self.over.contains_key(&name);
        self.injected.values().filter(move |injection| !is_over(injection.fault.name()))
    }
}

impl OrderSystem {
    /// Starts drills with these faults. What an earlier process injected has ended with it.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when the log cannot be read.
    pub async fn start_drills(&self, faults: Arc<Faults>) -> Result<Arc<Drills>, ReadError> {
        let (world, histories) = (Arc::clone(&self.world), self.histories.clone());
        let drills = Arc::new(Drills { world, histories, faults, book: Mutex::default() });
        let asking = entry();
        let log = drills.world.kinds.drills.ask(&drills.world, LOG, None, asking).await;
        let log = log.map_err(|_| ReadError::Entity)?;
        {
            let mut book = drills.book();
            book.follow(log.version, &log.view);
            for name in log.view.keys() {
                book.end(*name, Ending::Restarted);
            }
        }
        drills.keep(self.background());
        Ok(drills)
    }
}

impl Drills {
    /// The faults that can be injected here.
    pub fn available(&self) -> impl Iterator<Item = FaultName> {
        self.faults.available()
    }

    /// What goes wrong now.
    pub fn active(&self) -> Vec<Injection> {
        self.book().active().cloned().collect()
    }

    /// Lets a fault loose, once that is written down.
    ///
    /// # Errors
    ///
    /// [`NotDone`]. After `Unknown` it goes off as soon as it turns out to be written down.
    pub async fn inject(
        &self,
        fault: Fault,
        until: Option<Moment>,
        asker: Asker,
        asking: Asking,
    ) -> Result<Accepted<Drill>, NotDone<DrillRefusal>> {
        // What is over but not written down would be taken for what is asked for now.
        self.write_down_ends(&asking).await?;
        let injected = self.ask(DrillCommand::Inject { fault, until, asker }, asking).await?;
        if injected.changed {
            counter!(FAULTS_INJECTED_TOTAL, "fault" => fault.name().as_str()).increment(1);
        }
        Ok(injected)
    }

    /// Lifts faults at once, all of them together, and writes that down.
    ///
    /// # Errors
    ///
    /// [`NotDone`], when it is not written down yet. They are lifted all the same, and it will be.
    pub async fn lift(
        &self,
        faults: &[FaultName],
        asker: Asker,
        asking: Asking,
    ) -> Result<Option<Accepted<Drill>>, NotDone<DrillRefusal>> {
        let how = Ending::Lifted(asker);
        self.change(|book| faults.iter().for_each(|fault| book.end(*fault, how.clone())));
        let mut lifted = None;
        for fault in faults {
            let end = DrillCommand::End { fault: *fault, since: None, how: how.clone() };
            lifted = Some(self.ask(end, asking.clone()).await?);
        }
        Ok(lifted)
    }

    /// Kills a live actor, once that is written down; `None` when it is not live. Its next command
    /// rebuilds it, and what it had submitted is not lost.
    ///
    /// # Errors
    ///
    /// [`NotDone`]; then it was not killed.
    pub async fn kill(
        &self,
        kind: ActorKind,
        key: &str,
        asker: Asker,
        asking: Asking,
    ) -> Result<Option<Accepted<Drill>>, NotDone<DrillRefusal>> {
        if self.world.with_kind(kind.as_str(), IsLive(key)) != Some(true) {
            return Ok(None);
        }
        let deadline = asking.deadline;
        let noted = DrillCommand::KillActor { kind, key: key.to_owned(), asker };
        let noted = self.ask(noted, asking).await?;
        if let Some(heard) = self.world.with_kind(kind.as_str(), Kill(key)).flatten() {
            // Unheard in time it waits in the mailbox, and is heard later.
            let _ = timeout_at(deadline, heard).await;
            counter!(FAULTS_INJECTED_TOTAL, "fault" => ACTOR_KILL).increment(1);
            warn!(kind = kind.as_str(), key, "{}/{key} was killed on purpose", kind.as_str());
        }
        Ok(Some(noted))
    }

    /// Everything that was ever written down, oldest first.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when it cannot be read now.
    pub async fn log(&self) -> Result<Vec<Logged>, ReadError> {
        let stream = StreamId::new(Drill::KIND, LOG);
        let mut found =
            self.histories.read(&[HistoryTail { stream: stream.clone(), after: 0 }]).await?;
        let records = found.remove(&stream).unwrap_or_default();
        let mut log = Vec::with_capacity(records.len());
        for record in records {
            let event = codec::decode::<Drill>(&record)?;
            log.push(Logged { number: record.version, at: record.at, event });
        }
        Ok(log)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is known, and lets the decorators know.
    fn change(&self, change: impl FnOnce(&mut Book)) {
        let mut book = self.book();
        let before: BTreeMap<FaultName, Fault> = faults_of(&book);
        change(&mut book);
        let now = faults_of(&book);
        for (name, fault) in &now {
            if before.get(name) != Some(fault) {
                let name = name.as_str();
                warn!(fault = name, settings = ?fault, "fault {name} is injected");
            }
        }
        for name in before.keys().filter(|name| !now.contains_key(name)) {
            let name = name.as_str();
            info!(fault = name, "fault {name} has ended");
        }
        // While the lock is held, so that nobody sets what is older.
        self.faults.set(now);
    }

    async fn ask(
        &self,
        command: DrillCommand,
        asking: Asking,
    ) -> Result<Accepted<Drill>, NotDone<DrillRefusal>> {
        let asked = self.world.kinds.drills.ask(&self.world, LOG, Some(command), asking).await?;
        self.change(|book| book.follow(asked.version, &asked.view));
        Ok(asked)
    }

    fn keep(self: &Arc<Self>, background: &Arc<Background>) {
        let drills = Arc::downgrade(self);
        background.keep("drills", move || attend(Weak::clone(&drills)));
    }

    /// Writes down the end of whatever is over.
    async fn write_down_ends(&self, asking: &Asking) -> Result<(), NotDone<DrillRefusal>> {
        let over = self.book().over.clone();
        for (fault, (since, how)) in over {
            let end = DrillCommand::End { fault, since: Some(since), how };
            self.ask(end, asking.clone()).await?;
        }
        Ok(())
    }

    /// Follows the log, ends what has had its time, and writes down what ended.
    async fn look(&self) {
        let now = self.world.clock.now();
        // Also what turned out to be written down after nobody waited for it any more.
        let published = self.world.kinds.drills.view(LOG);
        self.change(|book| {
            if let Some(published) = published {
                book.follow(published.version, &published.view);
            }
            book.expire(now);
        });
        if let Err(error) = self.write_down_ends(&entry()).await {
            warn!(?error, "the end of a fault is not written down yet");
        }
    }
}

async fn attend(drills: Weak<Drills>) {
    while let Some(drills) = drills.upgrade() {
        drills.look().await;
        drop(drills);
        sleep(TICK).await;
    }
}

fn entry() -> Asking {
    let cause = Cause { by: "system".into(), ..Cause::default() };
    Asking { deadline: Instant::now() + ENTRY_WITHIN, cause }
}

fn faults_of(book: &Book) -> BTreeMap<FaultName, Fault> {
    book.active().map(|injection| (injection.fault.name(), injection.fault)).collect()
}

struct IsLive<'a>(&'a str);

impl WithKind for IsLive<'_> {
    type Output = bool;

    fn call<A: Hosted>(self, world: &World) -> bool {
        A::directory(world).is_live(self.0)
    }
}

struct Kill<'a>(&'a str);

impl WithKind for Kill<'_> {
    type Output = Option<oneshot::Receiver<()>>;

    fn call<A: Hosted>(self, world: &World) -> Self::Output {
        A::directory(world).kill(self.0)
    }
}
