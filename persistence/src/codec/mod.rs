//! Between events and the bytes that the journal keeps: the one place that knows both.

use engine::{Aggregate, EventName};

use crate::StoreError;
use crate::journal::Record;

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
    if record.schema != SCHEMA {
        let place = format!("shard {} position {}", record.shard, record.position);
        return Err(StoreError::Corrupt(format!("unknown schema {} at {place}", record.schema)));
    }
    serde_json::from_str(&record.payload).map_err(|error| {
        let place = format!("shard {} position {}", record.shard, record.position);
        StoreError::Corrupt(format!("{} at {place}: {error}", record.name))
    })
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
