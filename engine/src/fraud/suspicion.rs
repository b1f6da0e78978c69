//! The table of suspicions, and the rules that find them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::vetting::Vetting;
use crate::order::PlaceOrder;
use crate::validation::Rule;
use crate::values::{Moment, Money, PaymentMethod};

/// Why somebody has to look at an order. Journaled with it: add variants, never change one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suspicion {
    /// More is to be paid on delivery than the shop risks (FRAUD-1).
    CodAboveLimit,
    /// The buyer has placed many orders lately (FRAUD-5).
    ManyOrdersLately,
    /// Phone number and address are in different countries.
    AddressMismatch,
    /// The first order of a buyer is a large one.
    LargeFirstOrder,
}

impl Suspicion {
    /// Every suspicion, in the order of the table.
    pub const ALL: [Self; 4] =
        [Self::CodAboveLimit, Self::ManyOrdersLately, Self::AddressMismatch, Self::LargeFirstOrder];

    /// The stable word for machines.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CodAboveLimit => "cod_above_limit",
            Self::ManyOrdersLately => "many_orders_lately",
            Self::AddressMismatch => "address_mismatch",
            Self::LargeFirstOrder => "large_first_order",
        }
    }

    /// What it says, for people.
    pub const fn means(self) -> &'static str {
        match self {
            Self::CodAboveLimit => "More is to be paid on delivery than the shop risks.",
            Self::ManyOrdersLately => "The buyer has placed many orders lately.",
            Self::AddressMismatch => "Phone number and address are in different countries.",
            Self::LargeFirstOrder => "The first order of this buyer is a large one.",
        }
    }
}

/// How many orders a buyer may place in which time before somebody looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// So many are not suspicious.
    pub orders: u32,
    /// The time that is looked back.
    pub within: Duration,
}

/// What a shop suspects. Its default suspects nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FraudPolicy {
    /// The most that may be paid on delivery unseen; amounts in other currencies are not judged.
    pub cod_limit: Option<Money>,
    /// The most that a first order may cost unseen; amounts in other currencies are not judged.
    pub first_order_limit: Option<Money>,
    /// How fast a buyer may order unseen.
    pub pace: Option<Pace>,
    /// Whether phone number and address must be in one country.
    pub address_mismatch: bool,
}

/// Everything suspicious about an order whose listings are known. What has not been counted yet is
/// not suspected.
pub fn suspicions(place: &PlaceOrder, now: Moment) -> Vec<Suspicion> {
    let policy = &place.policy.fraud;
    let Ok(amounts) = place.amounts(now) else { return Vec::new() };
    let is_above = |limit: Option<Money>| {
        limit.is_some_and(|limit| {
            limit.currency() == amounts.total.currency() && limit < amounts.total
        })
    };
    let is_cod = place.payment.as_ref().is_some_and(|wish| wish.method == PaymentMethod::Cod);
    let Vetting { counted, .. } = &place.vetting;
    let is_fast = |pace: Pace| counted.is_some_and(|counted| pace.orders <= counted.recent);
    let is_first = || counted.is_some_and(|counted| !counted.has_earlier);
    let is_mismatch = || {
        let found = crate::validation::request(place);
        found.iter().any(|finding| finding.rule == Rule::PhoneFromElsewhere)
    };
    let judged = [
        (Suspicion::CodAboveLimit, is_cod && is_above(policy.cod_limit)),
        (Suspicion::ManyOrdersLately, policy.pace.is_some_and(is_fast)),
        (Suspicion::AddressMismatch, policy.address_mismatch && is_mismatch()),
        (Suspicion::LargeFirstOrder, is_above(policy.first_order_limit) && is_first()),
    ];
    judged.into_iter().filter(|(_, suspected)| *suspected).map(|(suspicion, _)| suspicion).collect()
}

impl FraudPolicy {
    /// How far back a buyer's orders are to be counted before one can be judged; nothing where they
    /// need not be. A limit for first orders needs every order noted, or a small one would not count.
    pub(crate) fn counts(&self) -> Option<Duration> {
        let first = || self.first_order_limit.map(|_| Duration::ZERO);
        self.pace.map(|pace| pace.within).or_else(first)
    }
}
