//! State, commands, events and refusals of a buyer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::aggregate::EventName;
use crate::fraud::Counted;
use crate::order::Actor;
use crate::values::{CustomerId, Moment, OrderId};

/// The aggregate of one buyer.
#[derive(Clone, Copy, Debug)]
pub struct Buyer;

/// The last word about a buyer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// Whose.
    pub customer: CustomerId,
    /// Whether their orders are not suspected.
    pub is_trusted: bool,
    /// Who said so.
    pub by: Actor,
    /// Why, in their words.
    pub reason: Option<String>,
    /// When.
    pub at: Moment,
    /// Counts the changes.
    pub version: u64,
}

/// Orders of a buyer that are remembered; further ones push the oldest out.
pub const RECENT_MAX: usize = 100;

/// What is known of a buyer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuyerState {
    /// The last word about their trust, if there was one.
    pub trust: Option<Arc<Trust>>,
    /// Their last orders, the oldest first.
    pub recent: Arc<VecDeque<(OrderId, Moment)>>,
    /// When it changed last.
    pub changed_at: Moment,
}

impl BuyerState {
    /// How many orders they placed within a time up to `now`, of those that are remembered.
    pub fn lately(&self, within: Duration, now: Moment) -> u32 {
        let recent = self.recent.iter().filter(|(_, at)| now.saturating_since(*at) < within);
        u32::try_from(recent.count()).unwrap_or(u32::MAX)
    }

    /// What they ordered before `order`, as of `now`.
    pub fn counted(&self, order: OrderId, within: Duration, now: Moment) -> Counted {
        let earlier = || self.recent.iter().take_while(|(known, _)| *known != order);
        let is_recent = |at: Moment| now.saturating_since(at) < within;
        let recent = earlier().filter(|(_, at)| is_recent(*at)).count();
        let recent = u32::try_from(recent).unwrap_or(u32::MAX);
        Counted { recent, has_earlier: earlier().next().is_some() }
    }
}

/// What can be asked of a buyer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuyerCommand {
    /// Do not suspect their orders.
    Trust(Trusted),
    /// Note an order that is about to be placed.
    Note {
        /// Which.
        order: OrderId,
    },
    /// Suspect them like everybody's.
    Distrust {
        /// Who asks.
        by: Actor,
        /// Why, in their words.
        reason: Option<String>,
    },
}

/// A word of trust. Journaled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trusted {
    /// Who is trusted.
    pub customer: CustomerId,
    /// By whom.
    pub by: Actor,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What happened to a buyer. Journaled: add variants, never change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuyerEvent {
    /// Their orders are not suspected any more.
    Trusted(Trusted),
    /// They are about to place an order.
    Ordered {
        /// Which.
        order: OrderId,
    },
    /// They are suspected again.
    Distrusted {
        /// By whom.
        by: Actor,
        /// Why, in their words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

impl EventName for BuyerEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Trusted(_) => "buyer.trusted",
            Self::Ordered { .. } => "buyer.ordered",
            Self::Distrusted { .. } => "buyer.distrusted",
        }
    }
}

/// Why a command was turned down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuyerRefusal {
    /// Nobody has ever spoken of such a buyer.
    #[error("buyer is unknown")]
    Unknown,
}
