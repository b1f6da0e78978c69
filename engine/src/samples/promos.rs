//! One sample of every event of promo codes.

use super::{seconds, usd};
use crate::promo::{NewPromo, PromoEvent, Rebate};
use crate::values::PromoCode;

pub(super) fn promos() -> Vec<PromoEvent> {
    let spring = NewPromo {
        code: PromoCode::parse("SPRING").unwrap(),
        rebate: Rebate::PercentBps(1_000),
        minimum: Some(usd(5_000)),
        starts_at: Some(seconds(60)),
        ends_at: Some(seconds(120)),
        uses_max: Some(100),
        uses_per_customer: Some(1),
    };
    vec![PromoEvent::Created(Box::new(spring)), PromoEvent::Ended]
}

/// The other form of a rebate, and a code without conditions.
pub(super) fn other_promos() -> [(&'static str, PromoEvent); 1] {
    let thanks = NewPromo {
        code: PromoCode::parse("THANKS").unwrap(),
        rebate: Rebate::Amount(usd(500)),
        minimum: None,
        starts_at: None,
        ends_at: None,
        uses_max: None,
        uses_per_customer: None,
    };
    [("promo.created.amount", PromoEvent::Created(Box::new(thanks)))]
}
