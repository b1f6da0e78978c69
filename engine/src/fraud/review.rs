//! The hold on an order that somebody has to look at, and how it ends.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::order::Actor;
use crate::values::Moment;

/// How long a suspicious order waits for a decision, its units held. Then it is called off: nothing
/// was charged, its units go back, and its history says why.
pub const REVIEW_LONGEST: Duration = Duration::from_hours(24);

/// The review of one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// When waiting ends.
    pub until: Moment,
    /// What was decided; nothing while it waits, or when it was called off before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Whether the list of reviews has it, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_listed: Option<bool>,
}

/// What somebody decided about a suspicious order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether it goes on.
    pub approved: bool,
    /// Who decided.
    pub by: Actor,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub at: Moment,
}
