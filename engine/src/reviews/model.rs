//! State, commands, events and refusals of the list of reviews.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::aggregate::EventName;
use crate::values::{CustomerId, Moment, OrderId};

/// Orders that may wait at once; one more is put on the list when another is decided.
pub const WAITING_MAX: usize = 1_000;

/// The aggregate of the one list.
#[derive(Clone, Copy, Debug)]
pub struct Reviews;

impl Reviews {
    /// The key of the one list.
    pub const KEY: &'static str = "open";
}

/// An order that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Who buys.
    pub customer: CustomerId,
    /// When it is called off unless somebody has decided.
    pub until: Moment,
}

/// Everything that waits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewsState {
    /// By order; shared with readers.
    pub waiting: Arc<BTreeMap<OrderId, Waiting>>,
    /// When it changed last.
    pub changed_at: Moment,
}

/// What can be asked of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReviewsCommand {
    /// Put an order on it.
    Open {
        /// Which.
        order: OrderId,
        /// What is to be known of it.
        waiting: Waiting,
    },
    /// Take it off.
    Close {
        /// Which.
        order: OrderId,
    },
}

/// What happened to the list. Journaled: add variants, never change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewsEvent {
    /// An order waits.
    Opened {
        /// Which.
        order: OrderId,
        /// What is to be known of it.
        waiting: Waiting,
    },
    /// It does not wait any more.
    Closed {
        /// Which.
        order: OrderId,
    },
}

impl EventName for ReviewsEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "reviews.opened",
            Self::Closed { .. } => "reviews.closed",
        }
    }
}

/// Why a command was turned down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReviewsRefusal {
    /// There is no room.
    #[error("{WAITING_MAX} orders wait already")]
    Full,
}
