//! A broken promise: which, where, and what was seen.

use super::entry::{Entry, Origin, Place};

/// A promise that a stored event breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{promise} broken at {place} by {stream} version {version}: {sentence}")]
pub struct Violation {
    /// Which promise, for example `R1`.
    pub promise: &'static str,
    /// Where the event lies.
    pub place: Place,
    /// In which stream.
    pub stream: String,
    /// By the event with this version.
    pub version: u64,
    /// What was seen, for people.
    pub sentence: String,
}

/// A violation before anybody has said where it is.
#[derive(Debug)]
pub(super) struct Found {
    promise: &'static str,
    sentence: String,
}

impl Found {
    pub(super) fn at(self, entry: &Entry<'_>) -> Violation {
        self.by(entry.origin())
    }

    pub(super) fn by(self, Origin { place, stream, version }: Origin) -> Violation {
        let Self { promise, sentence } = self;
        Violation { promise, place, stream, version, sentence }
    }
}

pub(super) fn broken<T>(promise: &'static str, sentence: String) -> Result<T, Found> {
    Err(Found { promise, sentence })
}

/// `Ok` when the promise is kept.
pub(super) fn holds(
    promise: &'static str,
    kept: bool,
    sentence: impl FnOnce() -> String,
) -> Result<(), Found> {
    if kept { Ok(()) } else { broken(promise, sentence()) }
}
