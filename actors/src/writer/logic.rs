//! What the writer does with each input, as effects.
//!
//! It assigns positions, seals the hash chain, keeps one batch in flight and gathers the next
//! meanwhile. When the outcome of an append is unknown it answers nobody until it has fenced and
//! looked (reliability before speed).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use engine::planted::{Bug, planted};
use persistence::journal::{
    AppendError, Batch, Digest, Holding, NewEvent, Record, Shard, ShardMove, Tenure, event_id, seal,
};

use super::effect::{Notify, Publish, Submission, WriterEffect, WriterInput};
use super::recent::Recent;
use crate::outcome::Position;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Serving,
    Resolving,
    Unowned,
    Stopped,
}

/// What is to be done for a submission once it has landed.
struct Notice {
    publish: Publish,
    notify: Arc<dyn Notify>,
    version: u64,
    position: Position,
}

impl Notice {
    /// What tells one submitter from another.
    fn submitter(notify: &Arc<dyn Notify>) -> usize {
        Arc::as_ptr(notify).cast::<()>().addr()
    }
}

struct Flight {
    batch: Arc<Batch>,
    hashes: BTreeMap<Shard, Digest>,
    notices: Vec<Notice>,
    barriers: Vec<Arc<dyn Notify>>,
}

/// Where the next event of a shard goes, while a batch is gathered.
struct Tail {
    expected: u64,
    next: u64,
    hash: Digest,
}

/// The state of one writer.
pub struct WriterLogic {
    epoch: u64,
    holdings: BTreeMap<Shard, Holding>,
    shards: u16,
    generation: u64,
    phase: Phase,
    pending: VecDeque<Submission>,
    pending_events: usize,
    recent: Recent,
    flight: Option<Flight>,
    batch_events_max: usize,
}

impl WriterLogic {
    /// Starts with what was acquired.
    pub fn new(tenure: Tenure, shards: u16, batch_events_max: usize) -> Self {
        let mut logic = Self {
            epoch: 0,
            holdings: BTreeMap::new(),
            shards,
            generation: 1,
            phase: Phase::Serving,
            pending: VecDeque::new(),
            pending_events: 0,
            recent: Recent::default(),
            flight: None,
            batch_events_max,
        };
        logic.take(tenure);
        logic
    }

    /// The generation under which histories read now may be continued.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether events submitted now would be written.
    pub fn is_serving(&self) -> bool {
        matches!(self.phase, Phase::Serving | Phase::Resolving)
    }

    /// Events that wait for the next batch.
    pub const fn pending(&self) -> usize {
        self.pending_events
    }

    /// Takes one input.
    pub fn on(&mut self, input: WriterInput) -> Vec<WriterEffect> {
        let mut effects = Vec::new();
        match input {
            WriterInput::Submit(submission) => self.submit(submission, &mut effects),
            // What comes to an end now was given up before.
            _ if self.phase == Phase::Stopped => {}
            WriterInput::Appended(Ok(())) => self.landed(&mut effects),
            WriterInput::Appended(Err(_)) if planted(Bug::UnknownIsSuccess) => {
                self.landed(&mut effects);
            }
            WriterInput::Appended(Err(AppendError::Unknown(_)))
                if planted(Bug::UnknownIsFailure) =>
            {
                self.abandon(false, &mut effects);
            }
            WriterInput::Appended(Err(AppendError::Unknown(_))) => {
                self.phase = Phase::Resolving;
                let batch = self.flight.as_ref().map(|flight| Arc::clone(&flight.batch));
                effects.extend(batch.map(WriterEffect::Resolve));
            }
            WriterInput::Appended(Err(AppendError::Unavailable(_))) => {
                self.abandon(false, &mut effects);
                self.phase = Phase::Serving;
            }
            WriterInput::Appended(Err(AppendError::Fenced)) => self.stop(false, &mut effects),
            WriterInput::TakenOver => self.stop(true, &mut effects),
            WriterInput::Resolved { tenure, present } => {
                self.resolved(tenure, present, &mut effects);
            }
            WriterInput::Unresolved => {
                self.abandon(true, &mut effects);
                self.phase = Phase::Unowned;
                effects.push(WriterEffect::Reacquire);
            }
            WriterInput::Reacquired(tenure) => {
                self.take(tenure);
                self.phase = Phase::Serving;
            }
        }
        self.launch(&mut effects);
        effects
    }

    fn take(&mut self, tenure: Tenure) {
        self.epoch = tenure.epoch;
        self.holdings = tenure.holdings.into_iter().map(|h| (h.shard, h)).collect();
    }

    fn submit(&mut self, submission: Submission, effects: &mut Vec<WriterEffect>) {
        let is_outdated = submission.generation != self.generation && !planted(Bug::TakesOutdated);
        if is_outdated || !self.is_serving() {
            effects.push(WriterEffect::Failed(submission.notify, false));
            return;
        }
        let follows = self.recent.follow(&submission.events);
        self.pending_events = self.pending_events.saturating_add(submission.events.len());
        self.pending.push_back(submission);
        if !follows {
            // Counts as fenced: two incarnations believe to be the one. Nothing that either has
            // said can be trusted, and others may have built upon it.
            self.stop(true, effects);
        }
    }

    /// For good. `unknown` says whether the batch in flight may have been written.
    fn stop(&mut self, unknown: bool, effects: &mut Vec<WriterEffect>) {
        self.abandon(unknown, effects);
        self.phase = Phase::Stopped;
        effects.push(WriterEffect::Stop);
    }

    fn landed(&mut self, effects: &mut Vec<WriterEffect>) {
        self.phase = Phase::Serving;
        let Some(flight) = self.flight.take() else { return };
        for moved in &flight.batch.moves {
            if let Some(holding) = self.holdings.get_mut(&moved.shard) {
                holding.next_position = moved.next;
            }
        }
        for (shard, hash) in flight.hashes {
            if let Some(holding) = self.holdings.get_mut(&shard)
                && !planted(Bug::ForgetsChain)
            {
                holding.last_hash = hash;
            }
        }
        // First every view, then every answer: whoever is told can see what it was told.
        let mut told = Vec::with_capacity(flight.notices.len());
        for Notice { publish, notify, version, position } in flight.notices {
            effects.push(WriterEffect::Publish(publish, version, position));
            told.push(WriterEffect::Written(notify, version, position));
        }
        effects.append(&mut told);
        effects.extend(flight.barriers.into_iter().map(WriterEffect::Settled));
    }

    fn resolved(&mut self, tenure: Tenure, present: bool, effects: &mut Vec<WriterEffect>) {
        if present || planted(Bug::AbsentIsPresent) {
            self.landed(effects);
            // The journal tells positions and hashes itself, the batch included.
            self.take(tenure);
            return;
        }
        self.take(tenure);
        let Some(mut flight) = self.flight.take() else { return };
        // Absent, and no older append can land any more: the same events once more, found again
        // under their ids, sealed under the new epoch.
        let mut batch = Arc::unwrap_or_clone(flight.batch);
        batch.epoch = self.epoch;
        let mut hashes = BTreeMap::new();
        for record in &mut batch.records {
            record.epoch = self.epoch;
            let last = self.holdings.get(&record.shard).map_or([0; 32], |h| h.last_hash);
            let before = hashes.get(&record.shard).copied().unwrap_or(last);
            seal(&before, record);
            hashes.insert(record.shard, record.hash);
        }
        let batch = Arc::new(batch);
        flight.batch = Arc::clone(&batch);
        flight.hashes = hashes;
        self.flight = Some(flight);
        effects.push(WriterEffect::Append(batch));
    }

    /// Nothing that is not durable may be built upon any more.
    fn abandon(&mut self, unknown: bool, effects: &mut Vec<WriterEffect>) {
        self.generation = self.generation.saturating_add(u64::from(!planted(Bug::KeepsGeneration)));
        if let Some(flight) = self.flight.take() {
            for notice in flight.notices {
                effects.push(WriterEffect::Failed(notice.notify, unknown));
            }
            effects.extend(flight.barriers.into_iter().map(WriterEffect::Settled));
        }
        let unwritten = |s: Submission| WriterEffect::Failed(s.notify, false);
        effects.extend(self.pending.drain(..).map(unwritten));
        self.pending_events = 0;
        self.recent = Recent::default();
        effects.push(WriterEffect::Abandon { generation: self.generation });
    }

    fn launch(&mut self, effects: &mut Vec<WriterEffect>) {
        if self.phase != Phase::Serving || self.flight.is_some() || self.pending.is_empty() {
            return;
        }
        let flight = self.gather();
        if flight.batch.records.is_empty() {
            effects.extend(flight.barriers.into_iter().map(WriterEffect::Settled));
            return;
        }
        effects.push(WriterEffect::Append(Arc::clone(&flight.batch)));
        self.flight = Some(flight);
    }

    fn gather(&mut self) -> Flight {
        if planted(Bug::LastComesFirst) {
            self.pending.make_contiguous().reverse();
        }
        let mut tails: BTreeMap<Shard, Tail> = BTreeMap::new();
        let mut records = Vec::new();
        let mut notices: Vec<Notice> = Vec::new();
        let mut barriers = Vec::new();
        let mut by_submitter: BTreeMap<usize, usize> = BTreeMap::new();
        while let Some(submission) = self.pending.front() {
            let total = records.len().saturating_add(submission.events.len());
            if !records.is_empty() && self.batch_events_max < total {
                break;
            }
            let Some(Submission { events, publish, notify, .. }) = self.pending.pop_front() else {
                break;
            };
            self.pending_events = self.pending_events.saturating_sub(events.len());
            let Some((version, position)) = self.seal_all(events, &mut tails, &mut records) else {
                barriers.push(notify);
                continue;
            };
            let notice = Notice { publish, notify, version, position };
            // Who submitted twice hears of both at once, and readers see the later view only.
            match by_submitter.entry(Notice::submitter(&notice.notify)) {
                Entry::Vacant(place) => {
                    place.insert(notices.len());
                    notices.push(notice);
                }
                Entry::Occupied(place) => {
                    if let Some(earlier) = notices.get_mut(*place.get())
                        && !planted(Bug::TellsFirst)
                    {
                        *earlier = notice;
                    }
                }
            }
        }
        let moves = tails
            .iter()
            .map(|(shard, tail)| ShardMove {
                shard: *shard,
                expected: tail.expected,
                next: tail.next,
            })
            .collect();
        let hashes = tails.iter().map(|(shard, tail)| (*shard, tail.hash)).collect();
        let batch = Arc::new(Batch { epoch: self.epoch, moves, records });
        Flight { batch, hashes, notices, barriers }
    }

    /// Gives the events of one stream their places; version and place of the last.
    fn seal_all(
        &self,
        events: Vec<NewEvent>,
        tails: &mut BTreeMap<Shard, Tail>,
        records: &mut Vec<Record>,
    ) -> Option<(u64, Position)> {
        let slot = events.first()?.stream.slot();
        let shard = slot.shard(self.shards);
        let tail = tails.entry(shard).or_insert_with(|| {
            let holding = self.holdings.get(&shard);
            let (next, hash) = holding.map_or((1, [0; 32]), |h| (h.next_position, h.last_hash));
            Tail { expected: next, next, hash }
        });
        let mut last = None;
        for event in events {
            let position = tail.next;
            let mut record = Record {
                shard,
                position,
                epoch: self.epoch,
                slot,
                stream: event.stream,
                version: event.version,
                event_id: event_id(self.epoch, shard, position),
                name: event.name.into(),
                schema: event.schema,
                at: event.at,
                meta: event.meta,
                payload: event.payload,
                checksum: 0,
                hash: [0; 32],
            };
            seal(&tail.hash, &mut record);
            tail.hash = record.hash;
            tail.next = position.saturating_add(1);
            last = Some((record.version, Position { shard, position }));
            records.push(record);
        }
        last
    }
}
