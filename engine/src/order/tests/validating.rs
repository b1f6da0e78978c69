//! How a placement meets the rules: everything is told at once, and warnings do not block.

use super::*;
use crate::aggregate::Step;
use crate::catalog::ProductStatus;
use crate::order::OrderState;
use crate::validation::Warning;

fn decided(place: PlaceOrder) -> Result<Vec<OrderEvent>, OrderRefusal> {
    Order::decide(&OrderState::default(), &answered(place, all_granted), seconds(0))
}

fn codes(refusal: OrderRefusal) -> Vec<&'static str> {
    let OrderRefusal::Invalid(findings) = refusal else { panic!("not refused by a rule") };
    findings.iter().map(crate::validation::Finding::code).collect()
}

#[test]
fn what_the_request_says_and_what_the_catalogue_says_is_told_together_val_12() {
    let refused = decided(wish_for(Some(card()), &[("laptop", 0), ("unicorn", 1)])).unwrap_err();
    assert_eq!(codes(refused), ["quantity_out_of_range", "unknown_product"]);
}

#[test]
fn no_units_are_held_for_a_request_with_faults() {
    let mut place = wish_for(Some(card()), &[("laptop", 0)]);
    place.items[0].listing = Some(catalogue("laptop"));
    let command = OrderCommand::Place(Box::new(place));
    assert_eq!(Order::next_step(&OrderState::default(), &command, seconds(0)), Step::Ready);
}

#[test]
fn a_product_is_looked_up_once_and_a_list_that_is_too_long_not_at_all() {
    let step = |place| {
        let command = OrderCommand::Place(Box::new(place));
        Order::next_step(&OrderState::default(), &command, seconds(0))
    };
    let twice = wish_for(None, &[("laptop", 1), ("laptop", 2)]);
    assert_eq!(step(twice), Step::Needs(vec![Intent::Lookup { product: product("laptop") }]));
    let names: Vec<String> = (0..51).map(|number| format!("p{number}")).collect();
    let items: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 1)).collect();
    assert_eq!(step(wish_for(None, &items)), Step::Ready);
}

#[test]
fn a_fault_in_the_request_is_told_even_when_a_listing_cannot_be_read() {
    let mut command = OrderCommand::Place(Box::new(wish_for(Some(card()), &[("laptop", 0)])));
    let lookup = Intent::Lookup { product: product("laptop") };
    Order::supply(&mut command, &lookup, Answer::NotAccepted(Unavailable::Overloaded));
    let refused = Order::decide(&OrderState::default(), &command, seconds(0)).unwrap_err();
    assert_eq!(codes(refused), ["quantity_out_of_range"]);
}

#[test]
fn a_warning_does_not_block_and_is_kept_with_the_order_val_13() {
    let mut place = wish();
    place.channel = "carrier-1".to_owned();
    let events = decided(place).unwrap();
    let [OrderEvent::Placed(placement)] = events.as_slice() else { panic!("{events:?}") };
    let warning = Warning { code: "channel_unknown".to_owned(), field: "channel".to_owned() };
    assert_eq!(placement.warnings, [warning]);
}

#[test]
fn an_order_for_an_inactive_product_is_refused_val_3() {
    let mut place = wish_for(Some(card()), &[("laptop", 1)]);
    let inactive = Listing { status: ProductStatus::Inactive, ..listing("laptop", usd(99_999)) };
    place.items[0].listing = Some(Some(inactive));
    assert_eq!(codes(decided(place).unwrap_err()), ["product_unavailable"]);
}

#[test]
fn a_right_claim_is_accepted() {
    let mut wish = wish();
    wish.items[0].unit_price = Some(usd(99_999));
    given::<Order>(&[]).when(answered(wish, all_granted)).then(&[placed_by_card()]);
}
