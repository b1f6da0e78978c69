//! From records to the state of an entity: replay, checked.

use engine::Aggregate;
use engine::planted::{Bug, planted};
use persistence::journal::Record;
use persistence::{StoreError, codec};

use super::effect::Loaded;
use crate::outcome::Position;

/// Folds events on top of what was loaded.
///
/// # Errors
///
/// [`StoreError::Corrupt`] for a gap in the versions or an event that cannot be read.
pub fn fold<A: Aggregate>(mut loaded: Loaded<A>, tail: &[Record]) -> Result<Loaded<A>, StoreError> {
    for record in tail {
        if planted(Bug::ReadsShort) && tail.last() == Some(record) {
            break;
        }
        if record.version != loaded.version.saturating_add(1) {
            let place = format!("shard {} position {}", record.shard, record.position);
            return Err(StoreError::Corrupt(format!("version gap at {place}")));
        }
        let event = codec::decode::<A>(record)?;
        A::evolve(&mut loaded.state, &event, record.at);
        loaded.version = record.version;
        loaded.at = record.at;
        loaded.position = Some(Position { shard: record.shard, position: record.position });
    }
    Ok(loaded)
}
