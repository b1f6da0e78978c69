//! State, commands, events and refusals of a promo code.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::rebate::Rebate;
use crate::aggregate::EventName;
use crate::values::{Moment, Money, PromoCode};

/// The uses of a code whose uses nobody counts: more than there can be orders.
pub const USES_UNLIMITED: u32 = 1_000_000_000;

/// The aggregate of one promo code.
#[derive(Clone, Copy, Debug)]
pub struct Promo;

/// What is settled when a code is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPromo {
    /// The code.
    pub code: PromoCode,
    /// What it takes off.
    pub rebate: Rebate,
    /// What the goods have to cost at least, rebates of their listings taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Money>,
    /// The first moment at which it can be used; at once when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Moment>,
    /// The first moment at which it can be used no more; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Moment>,
    /// How many orders can use it; [`USES_UNLIMITED`] when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses_max: Option<u32>,
    /// How many orders of one customer can use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses_per_customer: Option<u32>,
}

/// A code that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPromo {
    /// What was settled.
    pub made: NewPromo,
    /// Whether nobody has ended it.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Moment,
    /// When it last changed.
    pub updated_at: Moment,
    /// Counts the changes.
    pub version: u64,
}

/// A code, once there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PromoState(pub Option<Arc<OpenPromo>>);

/// The use of a code by an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromoUse {
    /// The code.
    pub code: PromoCode,
    /// What it takes off; a part of the order's discount.
    pub amount: Money,
}

/// What can be asked of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromoCommand {
    /// Make it.
    Create(Box<NewPromo>),
    /// Let nobody use it any more. Orders that use it keep it.
    End,
}

/// What happened to a code. Journaled: add variants, never change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromoEvent {
    /// It was made.
    Created(Box<NewPromo>),
    /// It was ended.
    Ended,
}

impl EventName for PromoEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Created(_) => "promo.created",
            Self::Ended => "promo.ended",
        }
    }
}

/// Why a command was turned down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromoRefusal {
    /// There is no such code.
    #[error("there is no such promo code")]
    Unknown,
    /// The code takes something else off.
    #[error("the promo code exists and says something else")]
    Exists,
    /// No sale can be made with it.
    #[error("no sale can be made with this {0}")]
    Unsound(&'static str),
}
