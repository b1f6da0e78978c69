//! What an entity does with each input, as effects: no I/O, no clock, no actor.
//!
//! Judging runs ahead of the journal, answering does not: an answer leaves when every event that
//! it has seen is durable and, where the aggregate owes others something first, when that is done.

use std::collections::VecDeque;

use engine::Aggregate;
use engine::planted::{Bug, planted};
use engine::process::{Answer, Intent};
use engine::values::Moment;

use super::effect::{Asked, Effect, Loaded};
use super::gathering::Gathering;
use super::pursuit::Pursuit;
use super::waiting::{Outcome, Waiting, WaitingRoom};
use crate::outcome::{Accepted, Cause, NotAccepted, NotDone, Position};

/// What an open ticket is for.
pub(super) enum Ticket {
    Need(Intent),
    Owed,
    Undo(Intent),
}

/// One live entity.
pub struct Entity<A: Aggregate, R> {
    pub(super) state: A::State,
    version: u64,
    written: u64,
    position: Option<Position>,
    view: A::View,
    views: VecDeque<(u64, A::View)>,
    waiting: WaitingRoom<A, R>,
    pub(super) gathering: Option<Gathering<A, R>>,
    /// What waits for the gathering to end, and until when it is worth starting.
    pub(super) stash: VecDeque<(Moment, Asked<A, R>)>,
    /// A handful at most, so that it is looked through.
    pub(super) tickets: Vec<(u64, Ticket)>,
    next_ticket: u64,
    pursuit: Pursuit,
    last_at: Moment,
    snapshot_every: u64,
    snapshot_after: u64,
    snapshot: Option<(u64, Box<A::State>)>,
    generation: u64,
}

pub(super) type Effects<A, R> = Vec<Effect<A, R>>;

impl<A: Aggregate, R> Entity<A, R> {
    /// Starts an incarnation from what the journal tells, under the writer's generation.
    pub fn new(loaded: Loaded<A>, snapshot_every: u64, generation: u64) -> Self {
        Self {
            view: A::view(&loaded.state),
            last_at: loaded.at.max(A::decided_at(&loaded.state)),
            state: loaded.state,
            version: loaded.version,
            written: loaded.version,
            position: loaded.position,
            views: VecDeque::new(),
            waiting: WaitingRoom::default(),
            gathering: None,
            stash: VecDeque::new(),
            tickets: Vec::new(),
            next_ticket: 0,
            pursuit: Pursuit::default(),
            snapshot_every,
            snapshot_after: loaded.snapshot.saturating_add(snapshot_every),
            snapshot: None,
            generation,
        }
    }

    /// The state that judging sees.
    pub const fn state(&self) -> &A::State {
        &self.state
    }

    /// Version of the last event, durable or not.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Whether every event is durable.
    pub const fn is_durable(&self) -> bool {
        self.version == self.written
    }

    /// Begins what a new incarnation owes: the work that a crash interrupted.
    pub fn start(&mut self, now: Moment) -> Effects<A, R> {
        let mut effects = Vec::new();
        if 0 < self.version {
            let (view, position) = (self.view.clone(), self.position);
            effects.push(Effect::Publish { view, version: self.version, position });
        }
        self.pursue_into(now, &mut effects);
        effects
    }

    /// Somebody asks for something that is not worth starting after `until`.
    pub fn ask(&mut self, asked: Asked<A, R>, until: Moment, now: Moment) -> Effects<A, R> {
        let mut effects = Vec::new();
        if asked.is_outdated(self.generation) {
            let outdated = Err(NotDone::NotAccepted(NotAccepted::Restarting));
            effects.push(Effect::Reply { to: asked.reply, answer: outdated });
            return effects;
        }
        if self.gathering.is_some() {
            // One placement at a time: a concurrent repeat waits for the first.
            self.stash.push_back((until, asked));
        } else {
            self.begin(asked, now, &mut effects);
            self.settle(now, &mut effects);
        }
        effects
    }

    /// An intent was answered.
    pub fn answered(&mut self, ticket: u64, answer: Answer, now: Moment) -> Effects<A, R> {
        let mut effects = Vec::new();
        let open = self.tickets.iter().position(|(number, _)| *number == ticket);
        match open.map(|index| self.tickets.swap_remove(index).1) {
            Some(Ticket::Need(intent)) => self.supply(&intent, answer, now, &mut effects),
            Some(Ticket::Undo(intent)) => self.undone(intent, &answer, now, &mut effects),
            Some(Ticket::Owed) => self.absorb(ticket, answer, now, &mut effects),
            None => {}
        }
        self.settle(now, &mut effects);
        effects
    }

    /// Every event up to `version` is durable.
    pub fn written(&mut self, version: u64, position: Position, now: Moment) -> Effects<A, R> {
        let mut effects = Vec::new();
        self.position = Some(position);
        // Step by step, so that an answer shows what was settled, not what came of it since.
        while let Some((at, view)) = self.views.pop_front_if(|(at, _)| *at <= version) {
            self.view = view;
            self.written = at;
            self.let_leave(&mut effects);
        }
        self.written = version;
        let is_in = |at: u64| at <= version || planted(Bug::SnapshotAhead);
        if let Some((version, state)) = self.snapshot.take_if(|(at, _)| is_in(*at)) {
            effects.push(Effect::Snapshot { version, position, state });
        }
        self.pursue_into(now, &mut effects);
        self.settle(now, &mut effects);
        effects
    }

    /// A timer is due.
    pub fn wake(&mut self, now: Moment) -> Effects<A, R> {
        let mut effects = Vec::new();
        if self.gathering.is_none()
            && let Some(command) = A::wake()
        {
            self.judge_internal(&command, now, &mut effects);
        }
        self.pursue_into(now, &mut effects);
        self.settle(now, &mut effects);
        effects
    }

    /// Takes up outstanding work whose pause is over.
    pub fn pursue(&mut self, now: Moment) -> Effects<A, R> {
        let mut effects = Vec::new();
        self.pursuit.rang();
        self.undo_again(&mut effects);
        self.pursue_into(now, &mut effects);
        self.settle(now, &mut effects);
        effects
    }

    /// The incarnation ends because its events did not become durable: everybody waiting hears it.
    pub fn fail(&mut self, failure: &NotDone<A::Refusal>) -> Effects<A, R> {
        let untouched = NotDone::NotAccepted(NotAccepted::NotWritten);
        // What an answer speaks of may be durable already, though more was to come, and so may what
        // was taken for it: then "nothing happened" would be a lie, and whoever asked has to look.
        let written = self.written;
        let verdict = |waiting: &Waiting<A, R>| {
            let (unchanged, took) = match waiting.outcome {
                Outcome::Accepted { changed, took } => (!changed, took),
                Outcome::Refused(_) => (false, false),
            };
            let stands = waiting.until <= written || (unchanged && 0 < written);
            let denies = planted(Bug::DeniesDurable);
            if (stands || took) && !denies { NotDone::Unknown } else { failure.clone() }
        };
        let mut effects: Effects<A, R> = self
            .waiting
            .drain()
            .map(|waiting| {
                let answer = Err(verdict(&waiting));
                Effect::Reply { to: waiting.reply, answer }
            })
            .collect();
        self.drop_gathering(&mut effects);
        for (_, asked) in self.stash.drain(..) {
            effects.push(Effect::Reply { to: asked.reply, answer: Err(untouched.clone()) });
        }
        effects
    }

    fn judge_internal(
        &mut self,
        command: &A::Command,
        now: Moment,
        effects: &mut Effects<A, R>,
    ) -> bool {
        // A refusal of one's own bookkeeping means that the world has moved on.
        self.decide(command, &Cause::default(), now, effects).unwrap_or(false)
    }

    pub(super) fn decide(
        &mut self,
        command: &A::Command,
        cause: &Cause,
        now: Moment,
        effects: &mut Effects<A, R>,
    ) -> Result<bool, A::Refusal> {
        // Moments within one history never go back, whatever the wall clock does.
        let at = now.max(self.last_at);
        let events = A::decide(&self.state, command, at)?;
        if events.is_empty() {
            return Ok(false);
        }
        self.last_at = at;
        let first_version = self.version.saturating_add(1);
        for event in &events {
            A::evolve(&mut self.state, event, at);
            self.version = self.version.saturating_add(1);
        }
        if A::is_settled(&self.state) {
            self.waiting.settled(self.version);
        }
        let view = A::view(&self.state);
        self.views.push_back((self.version, view.clone()));
        if self.snapshot_after <= self.version {
            let claimed = self.version.saturating_add(u64::from(planted(Bug::SnapshotMisses)));
            self.snapshot = Some((claimed, Box::new(self.state.clone())));
            self.snapshot_after = self.version.saturating_add(self.snapshot_every);
        }
        effects.push(Effect::Append { events, first_version, at, cause: cause.clone(), view });
        Ok(true)
    }

    fn absorb(&mut self, ticket: u64, answer: Answer, now: Moment, effects: &mut Effects<A, R>) {
        let Some(intent) = self.pursuit.ended(ticket) else { return };
        let command = A::absorb(&intent, answer);
        let progress = command.is_some_and(|command| self.judge_internal(&command, now, effects));
        // Without progress the same work is owed still; a pause keeps it from spinning.
        self.pursuit.finished(intent, progress, now);
        self.pursue_into(now, effects);
    }

    fn pursue_into(&mut self, now: Moment, effects: &mut Effects<A, R>) {
        let outstanding = A::outstanding(&self.state, now);
        // The world outside is asked only on the strength of what is durable; other entities write
        // through the same writer, hence after everything that this one has written.
        let may_leave = self.is_durable() || planted(Bug::CallsEarly);
        for intent in self.pursuit.take_up(outstanding, may_leave, now) {
            let ticket = self.perform(intent.clone(), Ticket::Owed, effects);
            self.pursuit.started(ticket, intent);
        }
        if let Some(pause) = self.pursuit.pause(now) {
            effects.push(Effect::PursueIn(pause));
        }
    }

    pub(super) fn perform(
        &mut self,
        intent: Intent,
        ticket: Ticket,
        effects: &mut Effects<A, R>,
    ) -> u64 {
        let number = self.next_ticket;
        self.next_ticket = number.wrapping_add(1);
        // After giving back there is a refusal to tell, and nothing to write.
        let ahead = !matches!(ticket, Ticket::Undo(_)) || planted(Bug::RefusesEarly);
        self.tickets.push((number, ticket));
        effects.push(Effect::Perform { ticket: number, intent, ahead });
        number
    }

    pub(super) fn wait(&mut self, reply: R, outcome: Outcome<A>, settle: bool) {
        let settled_at = (!settle).then_some(self.version);
        self.waiting.push(Waiting { until: self.version, settled_at, reply, outcome });
    }

    pub(super) fn answer(&self, reply: R, outcome: Outcome<A>, effects: &mut Effects<A, R>) {
        let answer = match outcome {
            Outcome::Refused(refusal) => Err(NotDone::Refused(refusal)),
            Outcome::Accepted { changed, .. } => Ok(Accepted {
                view: self.view.clone(),
                version: self.written,
                position: self.position,
                changed,
            }),
        };
        effects.push(Effect::Reply { to: reply, answer });
    }

    fn let_leave(&mut self, effects: &mut Effects<A, R>) {
        for Waiting { reply, outcome, .. } in self.waiting.leave(self.written) {
            self.answer(reply, outcome, effects);
        }
    }

    /// Lets go every answer that may leave, and says when nothing is left to do.
    fn settle(&mut self, now: Moment, effects: &mut Effects<A, R>) {
        self.let_leave(effects);
        let idle = self.is_durable()
            && self.waiting.is_empty()
            && self.gathering.is_none()
            && self.tickets.is_empty();
        let is_done = || {
            self.version == 0
                || (A::is_dormant(&self.state) && A::outstanding(&self.state, now).is_empty())
        };
        if idle && is_done() {
            effects.push(Effect::Rest);
        }
    }

    /// Whether the entity could be put to sleep now without anybody noticing. When the engine goes
    /// down or is crowded, work that pauses sleeps too: a wake-up takes it up again.
    pub fn may_sleep(&self, while_it_pauses: bool) -> bool {
        self.is_durable()
            && self.waiting.is_empty()
            && self.gathering.is_none()
            && self.tickets.is_empty()
            && (while_it_pauses || self.pursuit.is_idle())
    }
}
