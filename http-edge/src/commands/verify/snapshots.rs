//! R15: a snapshot is what its stream's history comes to at its version.

use std::collections::BTreeMap;

use engine::Aggregate;
use engine::ledger::Place;
use engine::values::Moment;
use persistence::StoreError;
use persistence::codec::decode_state;
use persistence::journal::{Shard, StreamId};
use persistence::snapshots::Snapshots;

use super::findings::Told;

/// A stream that has a snapshot, folded up to the snapshot's version.
#[derive(Debug)]
struct Refold<S> {
    /// The version of the snapshot.
    until: u64,
    /// The version of the state.
    version: u64,
    /// Where the last event in the state lies.
    position: u64,
    state: S,
}

/// The streams of one shard that have snapshots.
#[derive(Debug)]
pub(super) struct Refolds<A: Aggregate> {
    shard: Shard,
    streams: BTreeMap<String, Refold<A::State>>,
}

impl<A: Aggregate> Refolds<A> {
    /// Those of `listed` that belong to the shard. A name that cannot be read belongs to the first.
    pub(super) fn of(listed: &[(String, u64)], shard: Shard, shards: u16) -> Self {
        let belongs = |name: &str| {
            StreamId::parse(name).map_or(Shard(0), |stream| stream.slot().shard(shards)) == shard
        };
        let streams = listed.iter().filter(|(name, _)| belongs(name)).map(|(name, until)| {
            let state = A::State::default();
            (name.clone(), Refold { until: *until, version: 0, position: 0, state })
        });
        Self { shard, streams: streams.collect() }
    }

    /// Books an event that the ledger has found sound.
    pub(super) fn follow(&mut self, stream: &str, position: u64, event: &A::Event, at: Moment) {
        let Some(refold) = self.streams.get_mut(stream) else { return };
        if refold.version < refold.until {
            A::evolve(&mut refold.state, event, at);
            refold.version = refold.version.saturating_add(1);
            refold.position = position;
        }
    }

    /// Judges nothing of a stream whose history is broken.
    pub(super) fn forget(&mut self, stream: &str) {
        self.streams.remove(stream);
    }

    /// Compares the snapshots with what was folded; returns how many could be compared.
    pub(super) async fn compare(
        self,
        snapshots: &dyn Snapshots,
        told: &mut Told,
    ) -> Result<u64, StoreError> {
        let mut compared = 0_u64;
        for (name, refold) in &self.streams {
            let place = Place { shard: self.shard.0, position: refold.position };
            match judge::<A>(snapshots, name, refold).await? {
                Verdict::Same => compared = compared.saturating_add(1),
                Verdict::NotComparable => {}
                Verdict::Broken(words) => {
                    told.broken("R15", place, &format!("the snapshot of {name} {words}"));
                }
            }
        }
        Ok(compared)
    }
}

enum Verdict {
    Same,
    /// Of another build, which is ignored, or replaced meanwhile by a newer one.
    NotComparable,
    Broken(String),
}

async fn judge<A: Aggregate>(
    snapshots: &dyn Snapshots,
    name: &str,
    refold: &Refold<A::State>,
) -> Result<Verdict, StoreError> {
    let Refold { until, version, state, .. } = refold;
    let broken = |words: String| Ok(Verdict::Broken(words));
    let Some(stream) = StreamId::parse(name).filter(|stream| stream.kind() == A::KIND) else {
        return broken("belongs to nothing that has snapshots".to_owned());
    };
    if version < until {
        return broken(format!("is at version {until}, its history ends at version {version}"));
    }
    let found = match snapshots.load(&[stream]).await {
        Err(StoreError::Corrupt(words)) => {
            return broken(format!("names what is damaged: {words}"));
        }
        found => found?,
    };
    let Some(snapshot) = found.first() else {
        return broken("fails its checksum, or its event is not in the journal".to_owned());
    };
    match decode_state::<A>(&snapshot.body) {
        Ok(_) if snapshot.version != *until => Ok(Verdict::NotComparable),
        Err(_) => Ok(Verdict::NotComparable),
        Ok(kept) if kept == *state => Ok(Verdict::Same),
        Ok(_) => broken(format!("differs from its history at version {until}")),
    }
}
