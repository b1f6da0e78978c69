//! Who hears what, and that words of others cannot do more than be read.

use std::collections::BTreeSet;

use super::{Template, about, compose};
use crate::order::{OrderEvent, OrderStatus};
use crate::samples::{order_events, placement, placement_of, usd};

fn moved(status: OrderStatus) -> OrderEvent {
    OrderEvent::StatusChanged { status, by: "ops-1".into() }
}

#[test]
fn every_message_is_given_by_some_event() {
    let events = order_events()
        .into_iter()
        .chain([moved(OrderStatus::Shipped), moved(OrderStatus::Delivered)]);
    let given: BTreeSet<Template> = events.filter_map(|event| about(&event)).collect();
    assert_eq!(given, Template::ALL.into());
}

#[test]
fn what_is_told_has_words_and_what_is_not_has_none() {
    for event in order_events() {
        let letter = compose(&placement(), &event);
        assert_eq!(letter.is_some(), about(&event).is_some(), "{event:?}");
        if let Some(letter) = letter {
            assert!(letter.subject.contains(&placement().order.to_string()), "{letter:?}");
            assert!(!letter.subject.contains(['\r', '\n']), "{letter:?}");
            assert!(letter.text.starts_with("Hello alice,"), "{letter:?}");
        }
    }
}

#[test]
fn a_customer_reads_what_was_ordered_and_what_was_paid() {
    let placed = compose(&placement(), &order_events()[0]).unwrap();
    assert!(placed.text.contains("2 x laptop, 999.99 USD each"), "{}", placed.text);
    assert!(placed.text.contains("Total: 1999.98 USD"), "{}", placed.text);
    let paid = OrderEvent::PaymentCaptured {
        attempt: 1,
        amount: usd(199_998),
        reference: "ch_1".to_owned(),
    };
    let paid = compose(&placement(), &paid).unwrap();
    assert!(paid.text.contains("We have received 1999.98 USD."), "{}", paid.text);
    assert!(!paid.text.contains("ch_1"), "the provider's name for it is nobody's business");
}

#[test]
fn a_long_order_is_told_in_few_lines() {
    let lines: Vec<(String, u32, i64)> = (0..50).map(|n| (format!("p{n}"), 1, 100)).collect();
    let lines: Vec<(&str, u32, i64)> = lines.iter().map(|(n, q, p)| (n.as_str(), *q, *p)).collect();
    let long = placement_of(None, &lines);
    let placed = OrderEvent::Placed(std::sync::Arc::new(long.clone()));
    let letter = compose(&long, &placed).unwrap();
    assert!(letter.text.contains("and 30 more"), "{}", letter.text);
}

#[test]
fn no_message_tells_where_somebody_lives() {
    for event in order_events() {
        let told = format!("{:?}", compose(&placement(), &event));
        assert!(!told.contains("High Street") && !told.contains("ops-1"), "{told}");
    }
}
