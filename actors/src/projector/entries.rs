//! Events of listed kinds on their way into the lists and wake-ups of their kinds.

use std::collections::BTreeMap;

use engine::aggregate::{Aggregate, Entry};
use engine::values::Moment;
use persistence::journal::{Record, StreamId};
use persistence::read_models::{Changes, EntryRow, Wakeup};
use persistence::{StoreError, codec};

use crate::histories::Histories;
use crate::kinds::state_of;
use crate::latest::Latest;

/// States of listed entities that are kept for later rounds.
pub(super) const STATES_MAX: usize = 4_096;

/// The state of an entity whose kind is known by name only.
pub(crate) trait Folded: Send + Sync {
    /// Folds an event in; one that is in already changes nothing.
    fn book(&mut self, record: &Record) -> Result<(), StoreError>;
    /// The version of the last event in it.
    fn version(&self) -> u64;
    /// Its place in the list of its kind.
    fn entry(&self) -> Option<Entry>;
    /// When it wants to be woken.
    fn wake_at(&self) -> Option<Moment>;
}

/// The state of an entity of a kind, and the version of the last event in it.
#[derive(Clone)]
pub(crate) struct StateOf<A: Aggregate> {
    pub(super) state: A::State,
    pub(super) version: u64,
}

impl<A: Aggregate> Default for StateOf<A> {
    fn default() -> Self {
        Self { state: A::State::default(), version: 0 }
    }
}

impl<A: Aggregate> Folded for StateOf<A> {
    fn book(&mut self, record: &Record) -> Result<(), StoreError> {
        if record.version <= self.version {
            return Ok(());
        }
        if self.version.saturating_add(1) < record.version {
            let (stream, version) = (&record.stream, record.version);
            return Err(StoreError::Corrupt(format!("{stream} has a gap before {version}")));
        }
        A::evolve(&mut self.state, &codec::decode::<A>(record)?, record.at);
        self.version = record.version;
        Ok(())
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn entry(&self) -> Option<Entry> {
        A::entry(&self.state)
    }

    fn wake_at(&self) -> Option<Moment> {
        A::wake_at(&self.state)
    }
}

/// States from earlier rounds.
pub(super) type KeptStates = Latest<StreamId, Box<dyn Folded>>;

/// Rows of lists in the making.
pub(super) struct Entries {
    kept: KeptStates,
    touched: BTreeMap<StreamId, Box<dyn Folded>>,
}

impl Entries {
    /// Starts from what earlier rounds kept.
    pub(super) const fn new(kept: KeptStates) -> Self {
        Self { kept, touched: BTreeMap::new() }
    }

    /// Fetches the states that the records will change.
    pub(super) async fn load(
        &mut self,
        histories: &Histories,
        records: &[&Record],
    ) -> Result<(), StoreError> {
        let mut unknown = BTreeMap::new();
        for record in records {
            let stream = &record.stream;
            if self.touched.contains_key(stream) || unknown.contains_key(stream) {
                continue;
            }
            let Some(state) = state_of(stream.kind()) else { continue };
            if let Some(kept) = self.kept.take(stream) {
                self.touched.insert(stream.clone(), kept);
            } else if record.version == 1 {
                self.touched.insert(stream.clone(), state);
            } else {
                unknown.insert(stream.clone(), state);
            }
        }
        let mut found = histories.read_folded(unknown.keys().cloned()).await?;
        for (stream, mut state) in unknown {
            for record in found.remove(&stream).unwrap_or_default() {
                state.book(&record)?;
            }
            self.touched.insert(stream, state);
        }
        Ok(())
    }

    /// Folds an event in; those of other kinds are nobody's business here.
    pub(super) fn book(&mut self, record: &Record) -> Result<(), StoreError> {
        let touched = self.touched.get_mut(&record.stream);
        touched.map_or(Ok(()), |state| state.book(record))
    }

    /// The rows, and the states to start the next round from.
    pub(super) fn finish(self, changes: &mut Changes) -> KeptStates {
        let mut kept = self.kept;
        for (stream, state) in self.touched {
            let (due, version) = (state.wake_at(), state.version());
            changes.wakeups.push(Wakeup { stream: stream.clone(), due, version });
            if let Some(Entry { status, owner, at }) = state.entry() {
                let (stream, status) = (stream.clone(), status.to_owned());
                changes.entries.push(EntryRow { stream, status, owner, at, version });
            } else {
                changes.gone_entries.push(stream.clone());
            }
            kept.keep(stream, state);
        }
        kept
    }
}
