//! How an incarnation lives in a simulated process: what the directory and the shell do in
//! production, without their threads.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use actors::entity::{Asked, Effect, Entity, Loaded, NextWake, fold};
use actors::outcome::{NotAccepted, NotDone};
use persistence::codec;
use persistence::journal::Record;

use super::books::{Verdict, Violation, holds};
use super::cast::{Cast, Life, Message, Stage};
use super::names::{Kind, Who};
use super::outside::{Event, Outside};
use super::process::Process;
use super::reply::{Reply, Seat, Told};
use super::sights::Sight;

/// A history is read within so many commits: a store that is slow to write is slow to read.
const READING: u64 = 20;

impl Process {
    /// Puts a command into an entity's mailbox; where it cannot, the reply says so.
    pub(super) fn send<A: Cast>(
        &mut self,
        index: usize,
        mut asked: Asked<A, Reply>,
        deadline: u64,
        takes_place: bool,
        outside: &mut Outside,
    ) {
        if let Err(reason) = self.begin_if_needed::<A>(index, outside) {
            let verdict = Err(NotDone::NotAccepted(reason));
            return self.deliver::<A>(asked.reply, verdict, outside);
        }
        let Some(life) = A::hosts(self).life(index) else { return };
        if takes_place {
            if outside.options.slots <= life.places {
                outside.see(Sight::MailboxFull);
                let verdict = Err(NotDone::NotAccepted(NotAccepted::Overloaded));
                return self.deliver::<A>(asked.reply, verdict, outside);
            }
            life.places = life.places.saturating_add(1);
            asked.reply.keep((Who::new(A::SORT, index), life.number));
        }
        let number = life.number;
        self.post_if::<A>(index, number, Message::Ask { asked, deadline }, outside);
    }

    /// Starts an incarnation where there is none.
    pub(super) fn begin_if_needed<A: Cast>(
        &mut self,
        index: usize,
        outside: &mut Outside,
    ) -> Result<(), NotAccepted> {
        if A::hosts(self).life(index).is_some() {
            return Ok(());
        }
        if A::hosts(self).is_quarantined(index, outside.now()) {
            return Err(NotAccepted::Quarantined);
        }
        let number = self.next_life();
        let who = Who::new(A::SORT, index);
        let notify =
            Arc::new(Seat { who, life: number, told: self.told.clone(), is_barrier: false });
        let life = Life {
            number,
            stage: Stage::Starting,
            entity: None,
            generation: 0,
            mailbox: VecDeque::new(),
            places: 0,
            has_turn: true,
            notify,
        };
        if let Some(place) = A::hosts(self).lives.get_mut(index) {
            *place = Some(life);
        }
        let longest = outside.options.turn;
        outside.agenda.within(longest, Event::Turn { process: self.id, who, life: number });
        Ok(())
    }

    /// Puts a message into the mailbox of one life, if it is that one still.
    pub(super) fn post_if<A: Cast>(
        &mut self,
        index: usize,
        number: u64,
        message: Message<A>,
        outside: &mut Outside,
    ) {
        if let Some(life) = A::hosts(self).life(index)
            && life.number == number
        {
            life.mailbox.push_back(message);
            self.give_turn::<A>(index, outside);
        }
    }

    fn give_turn<A: Cast>(&mut self, index: usize, outside: &mut Outside) {
        let process = self.id;
        let Some(life) = A::hosts(self).life(index) else { return };
        if life.stage == Stage::Living && !life.has_turn && !life.mailbox.is_empty() {
            life.has_turn = true;
            let (who, life) = (Who::new(A::SORT, index), life.number);
            let longest = outside.options.turn;
            outside.agenda.within(longest, Event::Turn { process, who, life });
        }
    }

    pub(super) fn turn_of<A: Cast>(&mut self, index: usize, number: u64, outside: &mut Outside) {
        let Some(life) = A::hosts(self).life(index).filter(|life| life.number == number) else {
            return;
        };
        life.has_turn = false;
        match life.stage {
            Stage::Starting => self.load::<A>(index, outside),
            Stage::Living => {
                if let Some(message) = life.mailbox.pop_front() {
                    self.hear::<A>(index, message, outside);
                }
                self.give_turn::<A>(index, outside);
            }
            Stage::Loading | Stage::Dying { .. } => {}
        }
    }

    fn load<A: Cast>(&mut self, index: usize, outside: &mut Outside) {
        let Some(generation) = self.desk.generation() else {
            return self.die::<A>(index, false, outside);
        };
        let is_new = A::SORT == Kind::Order && {
            let seen = self.seen.get_mut(index).map(|seen| std::mem::replace(seen, true));
            seen == Some(false)
        };
        let process = self.id;
        let Some(life) = A::hosts(self).life(index) else { return };
        life.generation = generation;
        life.stage = Stage::Loading;
        if is_new {
            return self.start::<A>(index, Loaded::default(), outside);
        }
        let (who, life) = (Who::new(A::SORT, index), life.number);
        let longest = outside.options.commit.saturating_mul(READING);
        outside.agenda.within(longest, Event::Loaded { process, who, life });
    }

    pub(super) fn loaded_of<A: Cast>(&mut self, index: usize, number: u64, outside: &mut Outside) {
        if A::hosts(self).life(index).is_none_or(|life| life.number != number) {
            return;
        }
        if !outside.store.is_up(outside.now()) {
            outside.see(Sight::Unreadable);
            return self.die::<A>(index, false, outside);
        }
        let Some(stream) = outside.names.stream(Who::new(A::SORT, index)).cloned() else { return };
        let mut loaded = Loaded::<A>::default();
        if A::SNAPSHOTS
            && let Some(snapshot) = outside.store.snapshot(&stream)
        {
            if let Ok(state) = codec::decode_state::<A>(&snapshot.body) {
                let whole = outside.store.history(&stream, 0);
                outside.judge(stands_for::<A>(&state, snapshot.version, whole));
                loaded.state = state;
                loaded.version = snapshot.version;
                loaded.snapshot = snapshot.version;
                outside.see(Sight::SnapshotUsed);
            } else {
                outside.see(Sight::SnapshotIgnored);
            }
        }
        let after = loaded.version;
        match fold::<A>(loaded, outside.store.history(&stream, after)) {
            Ok(loaded) => self.start::<A>(index, loaded, outside),
            Err(error) => {
                outside.judge(Err(Violation::new("R16", format!("{stream}: {error}"))));
            }
        }
    }

    fn start<A: Cast>(&mut self, index: usize, loaded: Loaded<A>, outside: &mut Outside) {
        let generation = self.generation_in::<A>(index);
        let mut entity = Entity::new(loaded, outside.options.snapshot_every, generation);
        let effects = entity.start(self.wall(outside));
        if let Some(life) = A::hosts(self).life(index) {
            life.entity = Some(entity);
            life.stage = Stage::Living;
        }
        self.carry_out::<A>(index, effects, outside);
        self.give_turn::<A>(index, outside);
    }

    fn hear<A: Cast>(&mut self, index: usize, message: Message<A>, outside: &mut Outside) {
        let generation = self.generation_in::<A>(index);
        let unknown = match message {
            Message::Failed { unknown } => Some(unknown),
            Message::Outdated { generation: begun } => (generation < begun).then_some(false),
            _ => None,
        };
        if let Some(unknown) = unknown {
            outside.see(Sight::DiedOfUnwritten);
            return self.fail::<A>(index, unknown, outside);
        }
        let panics = outside.strikes(|faults| faults.panics);
        let (now, wall) = (outside.now(), self.wall(outside));
        let who = Who::new(A::SORT, index);
        let Some(life) = A::hosts(self).life(index) else { return };
        let Some(entity) = &mut life.entity else { return };
        let mut woken = None;
        let effects = match message {
            Message::Ask { mut asked, deadline } => {
                asked.reply.heard();
                if deadline < now {
                    let late = Err(NotDone::NotAccepted(NotAccepted::DeadlinePassed));
                    outside.see(Sight::TooLate);
                    return self.deliver::<A>(asked.reply, late, outside);
                }
                if asked.is_outdated(generation) {
                    outside.see(Sight::Outdated);
                }
                let left = Duration::from_micros(deadline.saturating_sub(now));
                entity.ask(asked, wall.saturating_add(left), wall)
            }
            Message::Answered { ticket, answer } => entity.answered(ticket, answer, wall),
            Message::Written { version, position } => entity.written(version, position, wall),
            Message::Pursue => entity.pursue(wall),
            Message::Sleep => vec![Effect::Rest],
            Message::Wake => {
                let effects = entity.wake(wall);
                let (due, version) = (A::wake_at(entity.state()), entity.version());
                woken = Some(entity.is_durable().then_some(NextWake { due, version }));
                effects
            }
            Message::Failed { .. } | Message::Outdated { .. } => Vec::new(),
        };
        if panics {
            // What it wanted is not carried out, and its state is never used again.
            outside.see(Sight::Panicked);
            drop(effects);
            return self.die::<A>(index, true, outside);
        }
        if let Some(next) = woken {
            self.woken(who, next, outside);
        }
        self.carry_out::<A>(index, effects, outside);
    }

    /// Whether the entity went to sleep.
    pub(super) fn rest<A: Cast>(&mut self, index: usize, outside: &mut Outside) -> bool {
        let process = self.id;
        // As if the directory were crowded: then those go too that only pause.
        let pauses_too = outside.strikes(|faults| faults.sleeps);
        let hosts = A::hosts(self);
        // Messages that needed no place may be in the mailbox still; they are dropped unheard.
        let may_sleep = hosts.life(index).is_some_and(|life| {
            let entity = life.entity.as_ref();
            life.places == 0 && entity.is_some_and(|entity| entity.may_sleep(pauses_too))
        });
        if may_sleep {
            hosts.lives.get_mut(index).map(Option::take);
            let version = hosts.view(index).map_or(0, |published| published.version);
            let who = Who::new(A::SORT, index);
            outside.see(Sight::Slept);
            outside.agenda.within(1_000_000, Event::Evict { process, who, version });
        }
        may_sleep
    }

    /// Its events did not become durable: everybody who waits hears it, and it ends.
    fn fail<A: Cast>(&mut self, index: usize, unknown: bool, outside: &mut Outside) {
        let not_written = NotDone::NotAccepted(NotAccepted::NotWritten);
        let failure = if unknown { NotDone::Unknown } else { not_written };
        let entity = A::hosts(self).life(index).and_then(|life| life.entity.take());
        for effect in entity.map(|mut entity| entity.fail(&failure)).unwrap_or_default() {
            if let Effect::Reply { to, answer } = effect {
                self.deliver::<A>(to, answer, outside);
            }
        }
        self.end::<A>(index, false, outside);
    }

    /// It dies. What it has submitted is settled before anybody may begin anew.
    pub(super) fn die<A: Cast>(&mut self, index: usize, own_fault: bool, outside: &mut Outside) {
        let told = self.told.clone();
        let Some(life) = A::hosts(self).life(index) else { return };
        let is_ahead = life.entity.as_ref().is_some_and(|entity| !entity.is_durable());
        if !is_ahead {
            return self.end::<A>(index, own_fault, outside);
        }
        outside.see(Sight::DiedAhead);
        life.stage = Stage::Dying { own_fault };
        let (who, number, generation) = (Who::new(A::SORT, index), life.number, life.generation);
        let barrier = Seat { who, life: number, told, is_barrier: true };
        if !self.submit_barrier(generation, barrier, outside) {
            self.end::<A>(index, own_fault, outside);
        }
    }

    fn end<A: Cast>(&mut self, index: usize, own_fault: bool, outside: &mut Outside) {
        let hosts = A::hosts(self);
        let gone = hosts.lives.get_mut(index).and_then(Option::take);
        if own_fault && hosts.book_death(index, outside.now()) {
            outside.see(Sight::Quarantined);
        }
        // Its mailbox goes with it; whoever waits hears of it as silence.
        drop(gone);
    }

    pub(super) fn told_to<A: Cast>(
        &mut self,
        index: usize,
        number: u64,
        told: Told,
        outside: &mut Outside,
    ) {
        match told {
            Told::Written { version, position } => {
                let message = Message::Written { version, position };
                self.post_if::<A>(index, number, message, outside);
            }
            Told::Failed { unknown } => {
                self.post_if::<A>(index, number, Message::Failed { unknown }, outside);
            }
            Told::Settled => {
                let life = A::hosts(self).life(index).filter(|life| life.number == number);
                if let Some(Life { stage: Stage::Dying { own_fault }, .. }) = life {
                    let own_fault = *own_fault;
                    self.end::<A>(index, own_fault, outside);
                }
            }
        }
    }

    pub(super) fn generation_in<A: Cast>(&mut self, index: usize) -> u64 {
        A::hosts(self).life(index).map_or(0, |life| life.generation)
    }

    pub(super) fn free_of<A: Cast>(&mut self, index: usize, number: u64) {
        if let Some(life) = A::hosts(self).life(index)
            && life.number == number
        {
            life.places = life.places.saturating_sub(1);
        }
    }

    pub(super) fn nudge_of<A: Cast>(&mut self, index: usize, outside: &mut Outside) {
        if let Some(life) = A::hosts(self).life(index) {
            let number = life.number;
            self.post_if::<A>(index, number, Message::Sleep, outside);
        }
    }

    pub(super) fn evict_of<A: Cast>(&mut self, index: usize, version: u64) {
        let hosts = A::hosts(self);
        if hosts.life(index).is_none()
            && let Some(view) = hosts.views.get_mut(index)
            && view.as_ref().is_some_and(|published| published.version <= version)
        {
            *view = None;
        }
    }
}

/// A snapshot is nothing but a cache of what the history tells.
fn stands_for<A: Cast>(state: &A::State, version: u64, whole: &[Record]) -> Verdict {
    let upto = usize::try_from(version).unwrap_or(usize::MAX);
    let told = whole.get(..upto).and_then(|told| fold::<A>(Loaded::default(), told).ok());
    holds("R15", told.is_some_and(|told| told.state == *state), || {
        format!("a snapshot of a {} at version {version} tells something else", A::KIND)
    })
}
