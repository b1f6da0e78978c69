//! What an order does, rule by rule.

mod cancelling;
mod fulfilling;
mod owing;
mod paying;
mod placing;
mod promos;
mod returning;
mod reviewing;
mod taking;
mod validating;

use std::sync::Arc;

use super::{
    CHARGE_ARRIVES_WITHIN, CancelReason, HOLD_FIRST, Order, OrderCommand, OrderEvent, OrderRefusal,
    OrderStatus, PlaceOrder, Placement, QUEUE_LONGEST, RECONCILE_LONGEST, UNPAID_HOLD, Wish,
    WishedItem,
};
use crate::aggregate::Aggregate;
use crate::catalog::Listing;
use crate::process::{Answer, ChargeOutcome, HeldUnits, Intent, StockRefusal, Unavailable};
use crate::samples::{
    ORDER, customer, listing, placement, placement_of, product, seconds, units, usd,
};
use crate::testkit::given;
use crate::values::{ChargeKey, Fingerprint, Moment, PaymentMethod, PaymentToken};

/// The first and only attempt to charge.
const KEY: ChargeKey = ORDER.charge(1);

/// When a payment that was queued at the epoch is given up.
fn queue_end() -> Moment {
    seconds(0).saturating_add(QUEUE_LONGEST)
}

/// When asking about a charge ends that was abandoned at the epoch.
fn reconcile_end() -> Moment {
    seconds(0).saturating_add(RECONCILE_LONGEST)
}

/// When an order that was placed at the epoch without a payment method is called off.
fn unpaid_end() -> Moment {
    seconds(0).saturating_add(UNPAID_HOLD)
}

fn card() -> Wish {
    Wish { method: PaymentMethod::Card, token: Some(PaymentToken::new("tok_ok")) }
}

fn cash() -> Wish {
    Wish { method: PaymentMethod::Cash, token: None }
}

fn placed(placement: Placement) -> OrderEvent {
    OrderEvent::Placed(Arc::new(placement))
}

/// Two laptops by card.
fn placed_by_card() -> OrderEvent {
    placed(placement())
}

/// One mouse, paid at the counter.
fn placed_for_cash() -> OrderEvent {
    placed(placement_of(Some(cash()), &[("mouse", 1, 2_550)]))
}

/// One mouse, nobody has said how it is paid.
fn placed_unpaid() -> OrderEvent {
    placed(placement_of(None, &[("mouse", 1, 2_550)]))
}

fn captured() -> OrderEvent {
    OrderEvent::PaymentCaptured { attempt: 1, amount: usd(199_998), reference: "ch_1".to_owned() }
}

fn captured_mouse() -> OrderEvent {
    OrderEvent::PaymentCaptured { attempt: 1, amount: usd(2_550), reference: "ch_1".to_owned() }
}

/// The mouse, paid without the provider.
fn taken(by: &str) -> OrderEvent {
    OrderEvent::PaymentTaken { amount: usd(2_550), by: by.into(), reference: None }
}

fn handed_back(by: &str) -> OrderEvent {
    OrderEvent::PaymentHandedBack { amount: usd(2_550), by: by.into() }
}

fn declined() -> OrderEvent {
    OrderEvent::PaymentDeclined { attempt: 1, reason: "no funds".to_owned() }
}

fn queued() -> OrderEvent {
    OrderEvent::PaymentQueued { attempt: 1, until: queue_end() }
}

fn extended(until: Moment) -> OrderEvent {
    OrderEvent::HoldsExtended { until }
}

fn abandoned(reconcile_until: Option<Moment>) -> OrderEvent {
    OrderEvent::PaymentAbandoned { attempt: 1, reconcile_until }
}

fn reconciled() -> OrderEvent {
    OrderEvent::PaymentReconciled { attempt: 1 }
}

fn refunded() -> OrderEvent {
    OrderEvent::PaymentRefunded { amount: usd(199_998) }
}

fn moved_to(status: OrderStatus) -> OrderEvent {
    OrderEvent::StatusChanged { status, by: "ops-1".into() }
}

fn cancelled(reason: CancelReason, reconcile_until: Option<Moment>) -> OrderEvent {
    OrderEvent::Cancelled { by: "system".into(), reason, reconcile_until }
}

fn asked_off(reconcile_until: Option<Moment>) -> OrderEvent {
    OrderEvent::Cancelled {
        by: "alice".into(),
        reason: CancelReason::Asked(Some("changed my mind".to_owned())),
        reconcile_until,
    }
}

fn off() -> OrderEvent {
    asked_off(None)
}

const fn sold() -> OrderEvent {
    OrderEvent::StockCommitted
}

fn lost() -> OrderEvent {
    cancelled(CancelReason::StockLost, None)
}

fn postponed(second: i64) -> OrderEvent {
    OrderEvent::RefundPostponed { until: seconds(second) }
}

fn cancel(as_operator: bool) -> OrderCommand {
    OrderCommand::Cancel {
        by: "alice".into(),
        as_operator,
        reason: Some("changed my mind".to_owned()),
    }
}

fn set_status(status: OrderStatus) -> OrderCommand {
    OrderCommand::SetStatus { status, by: "ops-1".into() }
}

fn says(outcome: ChargeOutcome) -> OrderCommand {
    OrderCommand::RecordCharge { key: KEY, outcome }
}

fn says_captured() -> OrderCommand {
    says(ChargeOutcome::Captured { reference: "ch_1".to_owned() })
}

fn says_declined() -> OrderCommand {
    says(ChargeOutcome::Declined { reason: "no funds".to_owned() })
}

fn trouble() -> OrderCommand {
    OrderCommand::RecordChargeTrouble { key: KEY }
}

fn query_trouble() -> OrderCommand {
    OrderCommand::RecordQueryTrouble { key: KEY }
}

fn held(name: &str, count: u32) -> HeldUnits {
    HeldUnits { product: product(name), hold: ORDER.hold(), quantity: units(count) }
}

/// The history of an order that is paid and has its units.
fn bought() -> Vec<OrderEvent> {
    vec![placed_by_card(), captured(), OrderEvent::StockCommitted]
}

/// `history`, then `more`.
fn then(mut history: Vec<OrderEvent>, more: &[OrderEvent]) -> Vec<OrderEvent> {
    history.extend_from_slice(more);
    history
}

/// A wish to buy two laptops by card, about which nothing was looked up yet.
fn wish() -> PlaceOrder {
    wish_for(Some(card()), &[("laptop", 2)])
}

fn wish_for(payment: Option<Wish>, items: &[(&str, i64)]) -> PlaceOrder {
    let item = |(name, count): &(&str, i64)| WishedItem::new(product(name), *count, None);
    PlaceOrder {
        order: ORDER,
        customer: customer("alice"),
        channel: "web".to_owned(),
        items: items.iter().map(item).collect(),
        payment,
        cart: None,
        promo: None,
        personal: super::Personal::default(),
        trusted_price: false,
        policy: Arc::default(),
        vetting: crate::fraud::Vetting::default(),
        fingerprint: Fingerprint::from_bytes([7; 16]),
        hold_for: HOLD_FIRST,
        credit: None,
        held_until: None,
    }
}

/// What the shelf of the tests offers.
fn catalogue(name: &str) -> Option<Listing> {
    match name {
        "laptop" => Some(listing("laptop", usd(99_999))),
        "mouse" => Some(listing("mouse", usd(2_550))),
        _ => None,
    }
}

/// Answers every need of `command` until it is ready; listings come from [`catalogue`].
fn answered(place: PlaceOrder, stock: impl Fn(&HeldUnits) -> Answer) -> OrderCommand {
    let mut command = OrderCommand::Place(Box::new(place));
    let nothing = super::OrderState::default();
    for _round in 0..3 {
        let crate::aggregate::Step::Needs(needs) = Order::next_step(&nothing, &command, seconds(0))
        else {
            return command;
        };
        for need in needs {
            let answer = if let Intent::Lookup { product } = &need {
                Answer::Listing(catalogue(product.as_str()))
            } else if let Intent::Hold { units, .. } = &need {
                stock(units)
            } else {
                panic!("a placement does not need {need:?}")
            };
            Order::supply(&mut command, &need, answer);
        }
    }
    panic!("still not ready: {command:?}");
}

fn all_granted(_: &HeldUnits) -> Answer {
    Answer::StockDone
}
