//! The contract of an aggregate: judge a command, keep the books, say what is still owed.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

use crate::process::{Answer, Intent};
use crate::values::Moment;

/// The wire name of an event; spelled out, so that renaming a type cannot change history.
pub trait EventName {
    /// For example `inventory.held`.
    fn name(&self) -> &'static str;
}

/// The place of an entity in the list of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands: one of a few words, for filters.
    pub status: &'static str,
    /// Whose it is, for filters.
    pub owner: Option<String>,
    /// Its moment: lists show the newest first.
    pub at: Moment,
}

/// What a command needs before it can be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// These must be answered first; each answer goes to [`Aggregate::supply`].
    Needs(Vec<Intent>),
    /// Everything is known: [`Aggregate::decide`] may be called.
    Ready,
}

/// One kind of thing that has a history, with its rules.
///
/// Synchronous and total on purpose: whatever must be looked up is looked up before and put into
/// the command. The same functions run in production, in simulation and in `verify`.
pub trait Aggregate: Sized + Send + Sync + 'static {
    /// First part of every stream name of this kind, for example `order`.
    const KIND: &'static str;

    /// Whether its view says something before the first event. A stock that never had a unit
    /// refuses; an order that does not exist has nothing to say.
    const SPEAKS_WHEN_EMPTY: bool = false;

    /// Whether the read models keep a list of this kind ([`Aggregate::entry`]) and its wake-ups
    /// ([`Aggregate::wake_at`]). For rare kinds: every change of one costs a row. Orders and stocks
    /// have read models of their own.
    const IS_LISTED: bool = false;

    /// What is remembered; its default is "does not exist".
    type State: Default + Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync;
    /// What somebody asks.
    type Command: Clone + Debug + Send;
    /// What happened; stored for ever.
    type Event: EventName
        + Clone
        + Debug
        + PartialEq
        + Serialize
        + DeserializeOwned
        + Send
        + Sync
        + 'static;
    /// The rules said no.
    type Refusal: std::error::Error + Clone + Send + Sync + 'static;
    /// What readers see of the state; cheap to take and to keep.
    type View: Clone + Debug + Send + Sync + 'static;

    /// Judges a command. No events means: nothing to do, it already holds.
    ///
    /// # Errors
    ///
    /// The refusal, with which nothing happens.
    fn decide(
        state: &Self::State,
        command: &Self::Command,
        now: Moment,
    ) -> Result<Vec<Self::Event>, Self::Refusal>;

    /// Books one event that was decided at `at`. Total: accepts every event ever stored.
    fn evolve(state: &mut Self::State, event: &Self::Event, at: Moment);

    /// What readers see.
    fn view(state: &Self::State) -> Self::View;

    /// What `command` still needs before it can be judged. Asked again after each round of answers.
    fn next_step(_state: &Self::State, _command: &Self::Command, _now: Moment) -> Step {
        Step::Ready
    }

    /// Puts the answer to a need into the command.
    fn supply(_command: &mut Self::Command, _need: &Intent, _answer: Answer) {}

    /// What must be undone when `command` was refused after its needs were met.
    fn compensate(_state: &Self::State, _command: &Self::Command) -> Vec<Intent> {
        Vec::new()
    }

    /// Work that the state owes to others: the process manager. Repeating any of it is free.
    fn outstanding(_state: &Self::State, _now: Moment) -> Vec<Intent> {
        Vec::new()
    }

    /// Turns the answer to an outstanding intent into the command that records it.
    ///
    /// `None` means that the answer changes nothing and the intent is to be tried again later.
    fn absorb(_intent: &Intent, _answer: Answer) -> Option<Self::Command> {
        None
    }

    /// Whether the state owes nothing that a client waits for; answers wait for this.
    fn is_settled(_state: &Self::State) -> bool {
        true
    }

    /// Whether nothing more is expected to happen, so that the actor may go to sleep at once.
    fn is_dormant(_state: &Self::State) -> bool {
        false
    }

    /// The command that a due timer brings, where the kind has timers.
    fn wake() -> Option<Self::Command> {
        None
    }

    /// When the state wants to be woken next.
    ///
    /// A moment in the past means open work: an entity that is not live is to be started at once.
    /// A live one retries by itself, so it need not be woken again until this moment changes.
    fn wake_at(_state: &Self::State) -> Option<Moment> {
        None
    }

    /// Its place in the list of a listed kind; `None` keeps it out, or takes it away.
    fn entry(_state: &Self::State) -> Option<Entry> {
        None
    }

    /// When the last event in the state was decided, as far as the state itself remembers. Kinds of
    /// which snapshots are kept must: no later moment may come before it, whatever the clock says.
    fn decided_at(_state: &Self::State) -> Moment {
        Moment::default()
    }

    /// Folds a whole history. Replay is the definition of state.
    fn replay<'a>(history: impl IntoIterator<Item = (&'a Self::Event, Moment)>) -> Self::State {
        let mut state = Self::State::default();
        for (event, at) in history {
            Self::evolve(&mut state, event, at);
        }
        state
    }
}
