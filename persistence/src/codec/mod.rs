//! Between events and the bytes that the journal keeps: the one place that knows both.

use engine::{Aggregate, EventName};

use crate::StoreError;
use crate::journal::{Record, Stored};

/// The shape version that events are written with.
pub const SCHEMA: u16 = 1;

/// An event as JSON.
///
/// # Errors
///
/// When the event cannot be told in JSON, which a test excludes for every event.
pub fn encode<A: Aggregate>(event: &A::Event) -> Result<(&'static str, String), StoreError> {
    let payload = serde_json::to_string(event)
        .map_err(|error| StoreError::Corrupt(format!("{} as JSON: {error}", event.name())))?;
    Ok((event.name(), payload))
}

/// The event that a record stores.
///
/// # Errors
///
/// [`StoreError::Corrupt`] for an event that this build does not know: it must not be skipped.
pub fn decode<A: Aggregate>(record: &Record) -> Result<A::Event, StoreError> {
    decode_stored::<A>(&record.as_stored())
}

/// The same for one that was not copied from where it lies.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_stored<A: Aggregate>(event: &Stored<'_>) -> Result<A::Event, StoreError> {
    let place = || format!("shard {} position {}", event.shard, event.position);
    if event.schema != SCHEMA {
        return Err(StoreError::Corrupt(format!("unknown schema {} at {}", event.schema, place())));
    }
    serde_json::from_str(event.payload)
        .map_err(|error| StoreError::Corrupt(format!("{} at {}: {error}", event.name, place())))
}

/// A state as JSON, for snapshots and read models.
///
/// # Errors
///
/// When the state cannot be told in JSON.
pub fn encode_state<A: Aggregate>(state: &A::State) -> Result<String, StoreError> {
    serde_json::to_string(state).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// A state from JSON.
///
/// # Errors
///
/// When the text is not such a state, for example one of an older build.
pub fn decode_state<A: Aggregate>(text: &str) -> Result<A::State, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(error.to_string()))
}
