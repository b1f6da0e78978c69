//! What the outside may hear, and what it may not.

use std::collections::BTreeSet;

use super::{Facts, PublicName, of_order, of_product};
use crate::order::{CancelReason, OrderEvent};
use crate::samples::{ORDER, order_events, product, product_events};

#[test]
fn every_name_is_made_of_some_stored_event() {
    let orders = order_events().into_iter().chain([
        moved(crate::order::OrderStatus::Shipped),
        moved(crate::order::OrderStatus::Delivered),
    ]);
    let active = crate::catalog::ProductEvent::StatusChanged {
        status: crate::catalog::ProductStatus::Active,
    };
    let products = product_events().into_iter().chain([active]);
    let made: BTreeSet<PublicName> = orders
        .filter_map(|event| of_order(ORDER, &event))
        .chain(products.filter_map(|event| of_product(product("laptop"), &event)))
        .map(|event| event.name)
        .collect();
    assert_eq!(made, PublicName::ALL.iter().copied().collect());
}

fn moved(status: crate::order::OrderStatus) -> OrderEvent {
    OrderEvent::StatusChanged { status, by: "ops-1".into() }
}

#[test]
fn nothing_that_belongs_to_a_person_is_told() {
    for event in order_events() {
        let told = format!("{:?}", of_order(ORDER, &event));
        for personal in ["Alice", "High Street", "Springfield", "+1555", "changed my mind", "ops-1"]
        {
            assert!(!told.contains(personal), "{told}");
        }
    }
}

#[test]
fn the_words_of_a_customer_become_a_kind_of_reason() {
    let asked = OrderEvent::Cancelled {
        by: "alice".into(),
        reason: CancelReason::Asked(Some("I am ill".to_owned())),
        reconcile_until: None,
    };
    let told = of_order(ORDER, &asked).unwrap();
    assert_eq!(told.facts, Facts::Reason("asked"));
}

#[test]
fn a_name_is_read_as_it_is_written_and_says_its_version() {
    for name in PublicName::ALL {
        assert_eq!(PublicName::parse(name.as_str()), Some(*name));
        assert_eq!(name.as_str().rsplit('.').next(), Some("v1"), "{}", name.as_str());
    }
    assert_eq!(PublicName::parse("order.placed"), None);
}
