//! Everything that an engine stores, as one set of ports.

use std::sync::Arc;

use crate::journal::{Journal, MemoryJournal};
use crate::pubsub::{MemoryPubSub, PubSub};
use crate::read_models::{MemoryReadModels, ReadModels};
use crate::snapshots::{MemorySnapshots, Snapshots};

/// How many shards a new journal gets.
pub const SHARDS_DEFAULT: u16 = 16;

/// The stores of one engine.
#[derive(Clone)]
pub struct Stores {
    /// The truth.
    pub journal: Arc<dyn Journal>,
    /// A cache of folded states.
    pub snapshots: Arc<dyn Snapshots>,
    /// What lists show.
    pub read_models: Arc<dyn ReadModels>,
    /// Hints to others.
    pub pubsub: Arc<dyn PubSub>,
}

impl Stores {
    /// Stores that live and die with the process.
    pub fn in_memory() -> Self {
        Self {
            journal: Arc::new(MemoryJournal::new(SHARDS_DEFAULT)),
            snapshots: Arc::new(MemorySnapshots::default()),
            read_models: Arc::new(MemoryReadModels::default()),
            pubsub: Arc::new(MemoryPubSub::default()),
        }
    }
}
