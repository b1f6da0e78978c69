//! The ways back: from entities to whoever asked, and from the writer to whoever submitted.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use actors::answers;
use actors::outcome::Position;
use actors::writer::Notify;
use engine::process::Answer;

use super::names::Who;

/// Something that was said and is not heard yet. Shared with those who speak.
pub(super) struct Outbox<T>(Arc<Mutex<Vec<T>>>);

impl<T> Default for Outbox<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Outbox<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Outbox<T> {
    pub(super) fn put(&self, said: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(said);
    }

    pub(super) fn take(&self) -> Vec<T> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What the writer tells an incarnation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told {
    Written { version: u64, position: Position },
    Failed { unknown: bool },
    Settled,
}

/// One incarnation as the writer knows it.
pub(super) struct Seat {
    pub(super) who: Who,
    pub(super) life: u64,
    pub(super) told: Outbox<(Who, u64, Told)>,
    /// Whether it only wants to know when everything before it is settled.
    pub(super) is_barrier: bool,
}

impl Seat {
    fn tell(&self, told: Told) {
        self.told.put((self.who, self.life, told));
    }
}

impl Notify for Seat {
    fn written(&self, version: u64, position: Position) {
        self.tell(Told::Written { version, position });
    }

    fn settled(&self) {
        self.tell(Told::Settled);
    }

    fn failed(&self, unknown: bool) {
        self.tell(if self.is_barrier { Told::Settled } else { Told::Failed { unknown } });
    }
}

/// The entity that waits for the answer to an intent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    pub(super) who: Who,
    pub(super) life: u64,
    pub(super) ticket: u64,
}

/// Answers of several stocks on their way to one.
pub(super) struct Join {
    asker: Asker,
    open: usize,
    worst: Answer,
}

impl Join {
    pub(super) fn of(asker: Asker, open: usize) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self { asker, open, worst: Answer::StockDone }))
    }

    /// One more answer; the whole one when it was the last.
    pub(super) fn answered(&mut self, answer: Answer) -> Option<(Asker, Answer)> {
        self.open = self.open.saturating_sub(1);
        let worst = std::mem::replace(&mut self.worst, Answer::StockDone);
        self.worst = answers::worse(worst, answer);
        (self.open == 0).then(|| (self.asker, self.worst.clone()))
    }
}

/// Who waits for an answer.
#[derive(Clone)]
pub(super) enum Way {
    /// The attempt of a client.
    Client(usize),
    /// Another entity.
    Entity(Asker),
    /// Another entity, which waits for several.
    Together(Rc<RefCell<Join>>),
}

/// An answer that nobody gave: whoever waits hears it in its stead.
pub(super) struct Lost {
    pub(super) way: Way,
    pub(super) heard: bool,
    pub(super) place: Option<(Who, u64)>,
}

/// Answers that were dropped.
pub(super) type LostReplies = Rc<RefCell<Vec<Lost>>>;

/// The way back to whoever asked. Dropped unanswered, it is found among the lost.
pub(super) struct Reply {
    way: Option<Way>,
    heard: bool,
    /// The mailbox in which it keeps a place until it has left.
    place: Option<(Who, u64)>,
    lost: LostReplies,
}

impl Reply {
    pub(super) const fn new(way: Way, lost: LostReplies) -> Self {
        Self { way: Some(way), heard: false, place: None, lost }
    }

    pub(super) const fn keep(&mut self, place: (Who, u64)) {
        self.place = Some(place);
    }

    pub(super) const fn heard(&mut self) {
        self.heard = true;
    }

    /// Takes it apart in order to answer.
    pub(super) fn open(mut self) -> (Option<Way>, Option<(Who, u64)>) {
        (self.way.take(), self.place.take())
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(way) = self.way.take() {
            let (heard, place) = (self.heard, self.place.take());
            self.lost.borrow_mut().push(Lost { way, heard, place });
        }
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reply")
    }
}
