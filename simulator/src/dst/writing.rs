//! The writer of a simulated process: the real logic over the simulated store, whose answers get
//! lost, come late, or never come.

use std::collections::VecDeque;
use std::sync::Arc;

use actors::directory::Published;
use actors::writer::{Submission, WriterEffect, WriterInput, WriterLogic};
use persistence::journal::{AppendError, Batch, NewEvent};

use super::cast::Cast;
use super::outside::{Appended, Event, Outside};
use super::process::Process;
use super::reply::Seat;
use super::sights::Sight;

/// Pause between two tries to reach the store.
const RETRY_PAUSE: u64 = 500_000;

/// How long an unknown append may stay unresolved.
const RESOLVE_WITHIN: u64 = 4_000_000;

/// What the writer of a process holds.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the task in production")]
pub(super) struct Desk {
    logic: WriterLogic,
    queue: VecDeque<Submission>,
    /// What is under way outside; nothing else is begun meanwhile.
    busy: bool,
    serving: bool,
    generation: u64,
    pub(super) stopped: bool,
    pub(super) flight: u64,
    resolving: Option<Arc<Batch>>,
    has_turn: bool,
}

enum Next {
    Wait,
    Append(Arc<Batch>),
    Resolve(Arc<Batch>),
    Reacquire,
    Stop,
}

impl Desk {
    pub(super) const fn new(logic: WriterLogic) -> Self {
        let generation = logic.generation();
        Self {
            logic,
            queue: VecDeque::new(),
            busy: false,
            serving: true,
            generation,
            stopped: false,
            flight: 0,
            resolving: None,
            has_turn: false,
        }
    }

    /// The generation under which a history read from now on may be continued.
    pub(super) fn generation(&self) -> Option<u64> {
        self.serving.then_some(self.generation)
    }

    /// Whether something of it is under way at the store.
    pub(super) const fn is_busy(&self) -> bool {
        self.busy
    }
}

impl Process {
    /// Hands events of an entity over.
    pub(super) fn submit<A: Cast>(
        &mut self,
        index: usize,
        events: Vec<NewEvent>,
        view: A::View,
        outside: &mut Outside,
    ) {
        let hosts = A::hosts(self);
        let published = hosts.published.clone();
        let Some(life) = hosts.life(index) else { return };
        let (generation, notify) = (life.generation, Arc::clone(&life.notify));
        let publish = Box::new(move |version, position| {
            published.put((index, Published { view, version, position: Some(position) }));
        });
        let submission = Submission { generation, events, publish, notify };
        if !self.put(submission, outside) {
            self.die::<A>(index, false, outside);
        }
    }

    /// Asks to be told when everything that was submitted so far is settled.
    pub(super) fn submit_barrier(
        &mut self,
        generation: u64,
        barrier: Seat,
        outside: &mut Outside,
    ) -> bool {
        let (publish, notify) = (Box::new(|_, _| {}), Arc::new(barrier));
        self.put(Submission { generation, events: Vec::new(), publish, notify }, outside)
    }

    fn put(&mut self, submission: Submission, outside: &mut Outside) -> bool {
        if self.desk.stopped {
            return false;
        }
        self.desk.queue.push_back(submission);
        if !self.desk.busy && !self.desk.has_turn {
            self.desk.has_turn = true;
            outside.agenda.within(outside.options.turn, Event::Write { process: self.id });
        }
        true
    }

    /// The writer looks into its queue.
    pub(super) fn write(&mut self, outside: &mut Outside) {
        self.desk.has_turn = false;
        if self.desk.busy || self.desk.stopped {
            return;
        }
        let next = self.hear_queue(Next::Wait, outside);
        self.go_on(next, outside);
    }

    fn hear_queue(&mut self, mut next: Next, outside: &mut Outside) -> Next {
        while let Some(submission) = self.desk.queue.pop_front() {
            let effects = self.desk.logic.on(WriterInput::Submit(submission));
            next = self.carry_out_for_writer(effects, next, outside);
        }
        next
    }

    /// What was under way has come to an end.
    fn ended(&mut self, input: WriterInput, outside: &mut Outside) {
        self.desk.busy = false;
        // What arrived meanwhile goes into the next batch.
        let next = self.hear_queue(Next::Wait, outside);
        let effects = self.desk.logic.on(input);
        let next = self.carry_out_for_writer(effects, next, outside);
        self.go_on(next, outside);
    }

    fn carry_out_for_writer(
        &mut self,
        effects: Vec<WriterEffect>,
        mut next: Next,
        outside: &mut Outside,
    ) -> Next {
        for effect in effects {
            match effect {
                WriterEffect::Append(batch) => next = Next::Append(batch),
                WriterEffect::Resolve(batch) => next = Next::Resolve(batch),
                WriterEffect::Reacquire => next = Next::Reacquire,
                WriterEffect::Stop => next = Next::Stop,
                WriterEffect::Publish(publish, version, position) => {
                    publish(version, position);
                    self.show();
                }
                WriterEffect::Written(notify, version, position) => {
                    notify.written(version, position);
                }
                WriterEffect::Settled(notify) => notify.settled(),
                WriterEffect::Failed(notify, unknown) => notify.failed(unknown),
                WriterEffect::Abandon { generation } => {
                    self.desk.serving = false;
                    // Their mailboxes get it in this order: first what failed, then the end.
                    self.settle(outside);
                    self.abandon_all(generation, outside);
                    self.desk.generation = generation;
                }
            }
        }
        self.desk.serving = self.desk.logic.is_serving();
        next
    }

    fn go_on(&mut self, next: Next, outside: &mut Outside) {
        let process = self.id;
        match next {
            Next::Wait => {}
            Next::Append(batch) => {
                self.desk.busy = true;
                self.desk.flight = self.desk.flight.saturating_add(1);
                send_append(process, self.desk.flight, batch, outside);
            }
            Next::Resolve(batch) => {
                self.desk.busy = true;
                self.desk.resolving = Some(batch);
                let until = outside.now().saturating_add(RESOLVE_WITHIN);
                let longest = outside.options.commit;
                outside.agenda.within(longest, Event::Resolve { process, until });
            }
            Next::Reacquire => {
                self.desk.busy = true;
                let longest = outside.options.commit;
                outside.agenda.within(longest, Event::Reacquire { process });
            }
            Next::Stop => {
                outside.see(Sight::TakenOver);
                self.desk.stopped = true;
                self.desk.serving = false;
                for submission in std::mem::take(&mut self.desk.queue) {
                    submission.notify.failed(false);
                }
                // The process is to end.
                outside.agenda.within(50_000, Event::Exit { process });
            }
        }
    }

    /// The writer hears what came of its append.
    pub(super) fn appended(&mut self, flight: u64, outcome: Appended, outside: &mut Outside) {
        if flight != self.desk.flight || !self.desk.busy {
            return;
        }
        self.ended(WriterInput::Appended(outcome.told()), outside);
    }

    /// Fences first, then looks for the batch.
    pub(super) fn resolve(&mut self, until: u64, outside: &mut Outside) {
        let process = self.id;
        let reached =
            outside.store.is_up(outside.now()) && !outside.strikes(|faults| faults.append_unknown);
        if !reached {
            if until <= outside.now() {
                outside.see(Sight::Unresolved);
                self.desk.resolving = None;
                return self.ended(WriterInput::Unresolved, outside);
            }
            return outside.agenda.after(RETRY_PAUSE, Event::Resolve { process, until });
        }
        let Some(batch) = self.desk.resolving.take() else { return };
        let looked = outside.store.reacquire(&self.owner()).and_then(|tenure| {
            let Some(tenure) = tenure else { return Ok(None) };
            Ok(Some((tenure, outside.store.contains(&batch)?)))
        });
        match looked {
            Ok(Some((tenure, present))) => {
                let acquired = outside.books.acquired(tenure.epoch, process);
                outside.judge(acquired);
                outside.see(if present { Sight::ResolvedPresent } else { Sight::ResolvedAbsent });
                self.ended(WriterInput::Resolved { tenure, present }, outside);
            }
            Ok(None) => self.ended(WriterInput::TakenOver, outside),
            Err(_) => {
                self.desk.resolving = Some(batch);
                outside.agenda.after(RETRY_PAUSE, Event::Resolve { process, until });
            }
        }
    }

    /// Takes the journal again after it was out of reach.
    pub(super) fn reacquire(&mut self, outside: &mut Outside) {
        let process = self.id;
        if !outside.store.is_up(outside.now()) {
            return outside.agenda.after(RETRY_PAUSE, Event::Reacquire { process });
        }
        match outside.store.reacquire(&self.owner()) {
            Ok(Some(tenure)) => {
                let acquired = outside.books.acquired(tenure.epoch, process);
                outside.judge(acquired);
                outside.see(Sight::Reacquired);
                self.ended(WriterInput::Reacquired(tenure), outside);
            }
            Ok(None) => self.ended(WriterInput::TakenOver, outside),
            Err(_) => outside.agenda.after(RETRY_PAUSE, Event::Reacquire { process }),
        }
    }
}

impl Appended {
    /// As the port tells it.
    pub(super) fn told(self) -> Result<(), AppendError> {
        match self {
            Self::Done => Ok(()),
            Self::Fenced => Err(AppendError::Fenced),
            Self::Unavailable => Err(AppendError::Unavailable("simulated".into())),
            Self::Unknown => Err(AppendError::Unknown("simulated".into())),
        }
    }
}

/// An append leaves for the store, and fate decides what becomes of it.
pub(super) fn send_append(process: u32, flight: u64, batch: Arc<Batch>, outside: &mut Outside) {
    let longest = outside.options.commit;
    let streams = batch.records.iter().map(|record| &record.stream);
    if 1 < streams.collect::<std::collections::BTreeSet<_>>().len() {
        outside.see(Sight::BatchOfMany);
    }
    if outside.strikes(|faults| faults.append_unavailable) {
        outside.see(Sight::Unavailable);
        let outcome = Appended::Unavailable;
        return outside.agenda.within(longest, Event::Appended { process, flight, outcome });
    }
    let outcome = Appended::Unknown;
    if outside.strikes(|faults| faults.append_late) {
        // It arrives long after the writer has given up on it; by then its epoch is over.
        outside.agenda.within(longest, Event::Appended { process, flight, outcome });
        let land = Event::Land { process, flight, batch, reports: false };
        return outside.agenda.within(8_000_000, land);
    }
    if outside.strikes(|faults| faults.append_unknown) {
        outside
            .agenda
            .within(longest.saturating_mul(2), Event::Appended { process, flight, outcome });
        if outside.luck.permille(500) {
            outside.see(Sight::UnknownThatLanded);
            let land = Event::Land { process, flight, batch, reports: false };
            return outside.agenda.within(longest, land);
        }
        return outside.see(Sight::UnknownThatDidNot);
    }
    outside.agenda.within(longest, Event::Land { process, flight, batch, reports: true });
}

/// A batch reaches the store.
pub(super) fn land(process: u32, flight: u64, batch: &Batch, reports: bool, outside: &mut Outside) {
    let outcome = if outside.store.is_up(outside.now()) {
        if outside.store.append(batch).is_ok() {
            follow(batch, outside);
            Appended::Done
        } else {
            if !reports {
                outside.see(Sight::LateAppendFenced);
            }
            Appended::Fenced
        }
    } else {
        // The connection breaks on the way; this one did not arrive.
        Appended::Unknown
    };
    if reports {
        let longest = outside.options.commit;
        outside.agenda.within(longest, Event::Appended { process, flight, outcome });
    }
}

/// Books what has become durable.
fn follow(batch: &Batch, outside: &mut Outside) {
    let lagged = outside.rows.lags();
    for record in &batch.records {
        let who = outside.names.who(&record.stream);
        match outside.books.landed(who, record) {
            Ok(happened) => {
                super::watch::durable(&happened, outside);
                if let Some(who) = who {
                    outside.rows.follow(who, record.version, record.at, happened);
                }
            }
            Err(violation) => outside.judge(Err(violation)),
        }
    }
    if !lagged {
        outside.agenda.within(100_000, Event::Project);
    }
}
