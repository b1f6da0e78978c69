//! Storage ports and their adapters; nothing here knows actors, and no rule of the shop lives here.

pub mod codec;
pub mod crash_points;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod database;
pub mod followers;
pub mod journal;
pub mod media;
pub mod pubsub;
pub mod read_models;
pub mod snapshots;
pub mod stores;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod tasks;

pub use stores::Stores;

/// Any cause from below, kept for the one place that logs it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A store could not be read or prepared.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store could not be reached or answered with an error.
    #[error("store unavailable")]
    Unavailable(#[source] BoxError),
    /// What is stored cannot be true; nothing may be served from it.
    #[error("stored data is corrupt: {0}")]
    Corrupt(String),
    /// The store does not keep the promises that we make on its behalf.
    #[error("store refused: {0}")]
    Unsafe(String),
}
