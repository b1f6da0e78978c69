//! Trust is given and taken by somebody, and saying it again changes nothing.

use std::time::Duration;

use uuid::Uuid;

use super::{Buyer, BuyerCommand, BuyerEvent, BuyerRefusal, BuyerState, RECENT_MAX, Trusted};
use crate::aggregate::Aggregate as _;
use crate::fraud::Counted;
use crate::samples::{customer, seconds};
use crate::testkit::given;
use crate::values::OrderId;

fn word() -> Trusted {
    let reason = Some("a regular of ten years".to_owned());
    Trusted { customer: customer("alice"), by: "ops-1".into(), reason }
}

fn trust() -> BuyerCommand {
    BuyerCommand::Trust(word())
}

fn distrust() -> BuyerCommand {
    BuyerCommand::Distrust { by: "ops-2".into(), reason: None }
}

fn trusted() -> BuyerEvent {
    BuyerEvent::Trusted(word())
}

fn distrusted() -> BuyerEvent {
    BuyerEvent::Distrusted { by: "ops-2".into(), reason: None }
}

#[test]
fn a_buyer_is_trusted_once_somebody_says_so_fraud_2() {
    given::<Buyer>(&[]).when(trust()).then(&[trusted()]);
    given::<Buyer>(&[trusted(), distrusted()]).when(trust()).then(&[trusted()]);
}

#[test]
fn saying_it_again_changes_nothing() {
    given::<Buyer>(&[trusted()]).when(trust()).then(&[]);
    given::<Buyer>(&[trusted(), distrusted()]).when(distrust()).then(&[]);
}

#[test]
fn trust_that_was_never_given_cannot_be_taken() {
    given::<Buyer>(&[]).when(distrust()).then_refused(BuyerRefusal::Unknown);
}

#[test]
fn the_view_says_who_spoke_last_and_when() {
    let history = [(trusted(), seconds(1)), (distrusted(), seconds(2))];
    let state = Buyer::replay(history.iter().map(|(event, at)| (event, *at)));
    let trust = Buyer::view(&state).trust.unwrap();
    assert_eq!((trust.is_trusted, &*trust.by, trust.version), (false, "ops-2", 2));
    assert_eq!((Buyer::decided_at(&state), trust.reason.as_deref()), (seconds(2), None));
}

fn order(number: usize) -> OrderId {
    OrderId::new(Uuid::from_u128(u128::try_from(number).unwrap()))
}

/// A buyer who places an order each second.
fn ordering(count: usize) -> BuyerState {
    let history: Vec<_> = (0..count)
        .map(|number| {
            let at = seconds(i64::try_from(number).unwrap());
            (BuyerEvent::Ordered { order: order(number) }, at)
        })
        .collect();
    Buyer::replay(history.iter().map(|(event, at)| (event, *at)))
}

#[test]
fn an_order_is_noted_once_however_often_it_is_told_fraud_5() {
    let ordered = BuyerEvent::Ordered { order: order(1) };
    let note = || BuyerCommand::Note { order: order(1) };
    given::<Buyer>(&[]).when(note()).then(std::slice::from_ref(&ordered));
    given::<Buyer>(&[ordered]).when(note()).then(&[]);
}

#[test]
fn earlier_orders_are_counted_and_of_those_the_recent_ones_fraud_5() {
    let buyer = ordering(10);
    let counted =
        |which, within| buyer.counted(order(which), Duration::from_secs(within), seconds(9));
    assert_eq!(counted(9, 60), Counted { recent: 9, has_earlier: true });
    assert_eq!(counted(9, 5), Counted { recent: 4, has_earlier: true });
    assert_eq!(counted(9, 0), Counted { recent: 0, has_earlier: true });
    assert_eq!(counted(0, 60), Counted { recent: 0, has_earlier: false });
}

#[test]
fn only_the_last_orders_are_remembered() {
    let buyer = ordering(RECENT_MAX.saturating_add(7));
    assert_eq!(buyer.recent.len(), RECENT_MAX);
    assert_eq!(buyer.recent.front().map(|(first, _)| *first), Some(order(7)));
    let stored = serde_json::to_string(&buyer).unwrap();
    assert_eq!(serde_json::from_str::<BuyerState>(&stored).unwrap(), buyer);
}
