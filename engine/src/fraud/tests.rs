//! What is suspected, and what is asked about the buyer before.

use std::sync::Arc;
use std::time::Duration;

use super::{Counted, FraudPolicy, Pace, Suspicion, Vetting, suspicions};
use crate::aggregate::{Aggregate as _, Step};
use crate::order::{HOLD_FIRST, Order, OrderCommand, OrderState, PlaceOrder, Wish, WishedItem};
use crate::process::{Answer, Intent, Unavailable};
use crate::samples::{ORDER, customer, listing, product, seconds};
use crate::validation::{Policy, Region};
use crate::values::{Currency, Fingerprint, Moment, Money, PaymentMethod, PostalAddress};

const fn pesos(minor: i64) -> Money {
    Money::new(minor, Currency::PHP)
}

/// The policy of a shop that suspects everything that can be suspected.
fn wary() -> FraudPolicy {
    FraudPolicy {
        cod_limit: Some(pesos(5_000_000)),
        first_order_limit: Some(pesos(2_000_000)),
        pace: Some(Pace { orders: 3, within: Duration::from_mins(10) }),
        address_mismatch: true,
    }
}

/// A named buyer's order of one thing at `price`, looked up.
fn place(method: PaymentMethod, price: Money, fraud: FraudPolicy) -> PlaceOrder {
    let mut item = WishedItem::new(product("thing"), 1, None);
    item.listing = Some(Some(listing("thing", price)));
    let token = (method == PaymentMethod::Card).then(|| crate::values::PaymentToken::new("tok_ok"));
    PlaceOrder {
        order: ORDER,
        customer: customer("alice"),
        channel: "web".to_owned(),
        items: vec![item],
        payment: Some(Wish { method, token }),
        cart: None,
        promo: None,
        personal: crate::order::Personal::default(),
        trusted_price: false,
        policy: Arc::new(Policy { region: Region::Philippines, fraud, ..Policy::default() }),
        vetting: Vetting { is_named: true, ..Vetting::default() },
        fingerprint: Fingerprint::from_bytes([7; 16]),
        hold_for: HOLD_FIRST,
        credit: None,
        held_until: None,
    }
}

const fn counted(recent: u32) -> Counted {
    Counted { recent, has_earlier: true }
}

/// The one thing that is wanted next.
fn next(command: &OrderCommand) -> Intent {
    match Order::next_step(&OrderState::default(), command, seconds(0)) {
        Step::Needs(mut needs) if needs.len() == 1 => needs.remove(0),
        other @ (Step::Needs(_) | Step::Ready) => panic!("{other:?}"),
    }
}

fn is_hold(intent: &Intent) -> bool {
    matches!(intent, Intent::Hold { .. })
}

#[test]
fn cash_on_delivery_above_the_limit_is_suspicious_fraud_1() {
    let cod = |price| suspicions(&place(PaymentMethod::Cod, price, wary()), Moment::default());
    assert_eq!(cod(pesos(5_000_000)), []);
    assert_eq!(cod(pesos(5_000_001)), [Suspicion::CodAboveLimit]);
    // A limit in pesos says nothing about dollars.
    assert_eq!(cod(Money::new(5_000_001, Currency::USD)), []);
    assert_eq!(
        suspicions(&place(PaymentMethod::Cash, pesos(5_000_001), wary()), Moment::default()),
        []
    );
}

#[test]
fn many_orders_lately_are_suspicious_fraud_5() {
    let mut order = place(PaymentMethod::Card, pesos(100), wary());
    assert_eq!(suspicions(&order, Moment::default()), []);
    for (recent, expected) in
        [(2, &[][..]), (3, &[Suspicion::ManyOrdersLately]), (9, &[Suspicion::ManyOrdersLately])]
    {
        order.vetting.counted = Some(counted(recent));
        assert_eq!(suspicions(&order, Moment::default()), expected, "{recent}");
    }
}

#[test]
fn a_large_first_order_is_suspicious() {
    let mut order = place(PaymentMethod::Card, pesos(2_000_001), wary());
    order.vetting.counted = Some(Counted::default());
    assert_eq!(suspicions(&order, Moment::default()), [Suspicion::LargeFirstOrder]);
    order.vetting.counted = Some(counted(1));
    assert_eq!(suspicions(&order, Moment::default()), []);
}

#[test]
fn a_phone_number_from_elsewhere_is_suspicious_where_the_shop_says_so() {
    let mut order = place(PaymentMethod::Card, pesos(100), wary());
    order.personal.shipping_address = Some(PostalAddress {
        name: "Juan".to_owned(),
        lines: vec!["12 Mabini St".to_owned()],
        city: "Makati".to_owned(),
        postal_code: Some("1200".to_owned()),
        country: "PH".to_owned(),
        phone: Some("+4930123456".to_owned()),
    });
    assert_eq!(suspicions(&order, Moment::default()), [Suspicion::AddressMismatch]);
    let calm = FraudPolicy { address_mismatch: false, ..wary() };
    order.policy = Arc::new(Policy { fraud: calm, ..(*order.policy).clone() });
    assert_eq!(suspicions(&order, Moment::default()), []);
}

#[test]
fn nothing_is_asked_about_anybody_where_nothing_is_suspected_c_41() {
    let order = place(PaymentMethod::Cod, pesos(9_000_000), FraudPolicy::default());
    assert!(is_hold(&next(&OrderCommand::Place(Box::new(order)))));
}

#[test]
fn orders_are_counted_before_units_are_held_and_trust_is_asked_for_a_suspect_only() {
    let order = place(PaymentMethod::Card, pesos(100), wary());
    let mut command = OrderCommand::Place(Box::new(order));
    let count = next(&command);
    let within = Duration::from_mins(10);
    assert_eq!(count, Intent::NoteOrder { customer: customer("alice"), order: ORDER, within });
    let few = Counted { recent: 1, has_earlier: true };
    let mut calm = command.clone();
    Order::supply(&mut calm, &count, Answer::Counted(few));
    assert!(is_hold(&next(&calm)));
    Order::supply(&mut command, &count, Answer::Counted(Counted { recent: 5, ..few }));
    let trust = next(&command);
    assert_eq!(trust, Intent::AskTrust { customer: customer("alice") });
    Order::supply(&mut command, &trust, Answer::Trust(true));
    assert!(is_hold(&next(&command)));
}

#[test]
fn every_order_is_noted_where_first_orders_have_a_limit_be_it_small() {
    let only_first = FraudPolicy { pace: None, ..wary() };
    let order = place(PaymentMethod::Card, pesos(100), only_first);
    let note = next(&OrderCommand::Place(Box::new(order)));
    let (customer, within) = (customer("alice"), Duration::ZERO);
    assert_eq!(note, Intent::NoteOrder { customer, order: ORDER, within });
}

#[test]
fn the_account_of_a_key_is_no_buyer_whose_orders_are_counted() {
    let mut order = place(PaymentMethod::Card, pesos(100), wary());
    order.vetting.is_named = false;
    assert!(is_hold(&next(&OrderCommand::Place(Box::new(order)))));
}

#[test]
fn what_cannot_be_counted_is_not_suspected_and_who_cannot_be_asked_about_is_not_trusted() {
    let order = place(PaymentMethod::Cod, pesos(6_000_000), wary());
    let mut command = OrderCommand::Place(Box::new(order));
    let count = next(&command);
    Order::supply(&mut command, &count, Answer::Failed);
    let trust = next(&command);
    Order::supply(&mut command, &trust, Answer::NotAccepted(Unavailable::Overloaded));
    assert!(is_hold(&next(&command)));
    let OrderCommand::Place(place) = command else { panic!("not a placement") };
    assert_eq!(place.vetting.is_trusted, Some(false));
    assert_eq!(suspicions(&place, Moment::default()), [Suspicion::CodAboveLimit]);
}

#[test]
fn every_suspicion_is_a_word_of_its_own() {
    let codes: std::collections::BTreeSet<&str> = Suspicion::ALL.map(Suspicion::code).into();
    assert_eq!(codes.len(), Suspicion::ALL.len());
    for suspicion in Suspicion::ALL {
        assert_eq!(serde_json::to_value(suspicion).unwrap(), suspicion.code());
        assert!(suspicion.means().ends_with('.'));
    }
}
