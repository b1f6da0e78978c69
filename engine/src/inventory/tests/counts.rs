//! On hand, held, available and sold, and changes by hand.

use super::*;
use crate::inventory::{Adjustment, InventoryRefusal, StockView};
use crate::testkit::given;
use crate::values::Quantity;

fn counts(history: &[InventoryEvent]) -> (u32, u32, u32, u32) {
    let given = given::<Inventory>(history);
    let StockView { on_hand, held, available, sold, version } = Inventory::view(given.state());
    assert_eq!(version, u64::try_from(history.len()).unwrap());
    (on_hand.units(), held.units(), available.units(), sold.units())
}

#[test]
fn a_delivery_is_available_at_once() {
    assert_eq!(counts(&[received(5)]), (5, 0, 5, 0));
}

#[test]
fn held_units_are_still_on_hand() {
    assert_eq!(counts(&[received(5), held(ALICE, 2)]), (5, 2, 3, 0));
}

#[test]
fn a_commit_moves_units_from_held_to_sold() {
    assert_eq!(counts(&[received(5), held(ALICE, 2), committed(ALICE, 2)]), (3, 0, 3, 2));
}

#[test]
fn a_release_makes_units_available_again() {
    assert_eq!(counts(&[received(5), held(ALICE, 2), released(ALICE, 2)]), (5, 0, 5, 0));
}

#[test]
fn an_expiry_makes_units_available_again() {
    assert_eq!(counts(&[received(5), held(ALICE, 2), expired(ALICE, 2)]), (5, 0, 5, 0));
}

#[test]
fn a_late_commit_takes_units_that_are_free() {
    let history = [received(5), held(ALICE, 2), expired(ALICE, 2), committed_late(ALICE, 2)];
    assert_eq!(counts(&history), (3, 0, 3, 2));
}

#[test]
fn a_restock_moves_units_from_sold_to_available() {
    let history = [received(5), held(ALICE, 2), committed(ALICE, 2), restocked(ALICE, 2)];
    assert_eq!(counts(&history), (5, 0, 5, 0));
}

#[test]
fn a_limit_moves_no_units() {
    assert_eq!(counts(&[received(5), limited(1)]), (5, 0, 5, 0));
}

#[test]
fn units_can_be_added_and_taken_by_hand() {
    let adjusted = InventoryEvent::Adjusted {
        adjustment: adjustment(2),
        delta: -5,
        reason: "delivery".to_owned(),
    };
    given::<Inventory>(&[received(5)]).when(adjust(2, -5)).then(&[adjusted]);
}

#[test]
fn held_units_cannot_be_taken_away_by_hand() {
    given::<Inventory>(&[received(5), held(ALICE, 3)]).when(adjust(2, -3)).then_refused(
        InventoryRefusal::NotEnoughStock { requested: units(3), available: units(2) },
    );
}

#[test]
fn a_change_of_nothing_is_refused() {
    given::<Inventory>(&[]).when(adjust(2, 0)).then_refused(InventoryRefusal::EmptyQuantity);
}

#[test]
fn repeating_a_change_changes_nothing_even_when_the_version_has_moved() {
    given::<Inventory>(&[received(5)]).when(adjust_if(1, 5, Some(0))).then(&[]);
}

#[test]
fn a_change_cannot_be_repeated_with_another_amount() {
    given::<Inventory>(&[received(5)])
        .when(adjust(1, 6))
        .then_refused(InventoryRefusal::AdjustmentMismatch(adjustment(1)));
}

#[test]
fn a_change_cannot_be_repeated_with_another_reason() {
    let other = InventoryCommand::Adjust {
        adjustment: adjustment(1),
        delta: 5,
        reason: "theft".to_owned(),
        if_version: None,
    };
    given::<Inventory>(&[received(5)])
        .when(other)
        .then_refused(InventoryRefusal::AdjustmentMismatch(adjustment(1)));
}

#[test]
fn a_change_in_older_books_is_known_without_its_reason() {
    let stored = r#"{"id":"00000000-0000-0000-0000-000000000001","delta":5}"#;
    let known: Adjustment = serde_json::from_str(stored).unwrap();
    assert!(known.says(5, "count"));
}

#[test]
fn a_change_with_a_version_is_refused_when_the_stock_has_moved() {
    given::<Inventory>(&[received(5), held(ALICE, 1)])
        .when(adjust_if(2, 1, Some(1)))
        .then_refused(InventoryRefusal::VersionMismatch { actual: 2 });
}

#[test]
fn a_change_with_the_present_version_is_made() {
    let given = given::<Inventory>(&[received(5), held(ALICE, 1)]);
    assert_eq!(
        Inventory::decide(given.state(), &adjust_if(2, 1, Some(2)), seconds(0)).unwrap().len(),
        1
    );
}

#[test]
fn more_units_than_can_be_counted_are_refused() {
    let most = i64::from(u32::MAX);
    for delta in [most, i64::MAX] {
        given::<Inventory>(&[received(1)])
            .when(adjust(2, delta))
            .then_refused(InventoryRefusal::CountOutOfRange);
    }
    given::<Inventory>(&[])
        .when(adjust(2, i64::MIN))
        .then_refused(InventoryRefusal::CountOutOfRange);
}

#[test]
fn sold_units_count_towards_what_can_be_counted() {
    let history = [received(i64::from(u32::MAX)), held(ALICE, 9), committed(ALICE, 9)];
    given::<Inventory>(&history).when(adjust(2, 1)).then_refused(InventoryRefusal::CountOutOfRange);
}

#[test]
fn an_empty_shelf_sells_nothing() {
    given::<Inventory>(&[]).when(take(ALICE, 1)).then_refused(InventoryRefusal::NotEnoughStock {
        requested: units(1),
        available: Quantity::ZERO,
    });
}

#[test]
#[should_panic(expected = "INVENTORY-1")]
fn a_history_that_holds_more_than_there_is_stops_the_stock() {
    given::<Inventory>(&[received(1), held(ALICE, 2)]);
}

#[test]
#[should_panic(expected = "INVENTORY-4")]
fn a_history_that_takes_a_live_hold_again_stops_the_stock() {
    given::<Inventory>(&[received(9), held(ALICE, 2), held_until(ALICE, 2, seconds(61))]);
}

fn count(number: u128, on_hand: u32) -> InventoryCommand {
    let (on_hand, reason) = (units(on_hand), "count".to_owned());
    InventoryCommand::Count { adjustment: adjustment(number), on_hand, reason }
}

fn counted(number: u128, delta: i64) -> InventoryEvent {
    let reason = "count".to_owned();
    InventoryEvent::Adjusted { adjustment: adjustment(number), delta, reason }
}

#[test]
fn a_count_makes_so_many_units_be_here() {
    given::<Inventory>(&[]).when(count(2, 7)).then(&[counted(2, 7)]);
    given::<Inventory>(&[received(5)]).when(count(2, 7)).then(&[counted(2, 2)]);
    given::<Inventory>(&[received(5)]).when(count(2, 0)).then(&[counted(2, -5)]);
    given::<Inventory>(&[received(5)]).when(count(2, 5)).then(&[]);
}

#[test]
fn a_count_that_comes_again_after_a_sale_brings_nothing_back() {
    let history = [counted(2, 5), held(ALICE, 2), committed(ALICE, 2)];
    given::<Inventory>(&history).when(count(2, 5)).then(&[]);
    let other = InventoryCommand::Count {
        adjustment: adjustment(2),
        on_hand: units(5),
        reason: "another".to_owned(),
    };
    given::<Inventory>(&history)
        .when(other)
        .then_refused(InventoryRefusal::AdjustmentMismatch(adjustment(2)));
}

#[test]
fn a_count_leaves_what_is_promised() {
    given::<Inventory>(&[received(5), held(ALICE, 3)]).when(count(2, 3)).then(&[counted(2, -2)]);
    given::<Inventory>(&[received(5), held(ALICE, 3)]).when(count(2, 2)).then_refused(
        InventoryRefusal::NotEnoughStock { requested: units(3), available: units(2) },
    );
}

#[test]
fn what_a_customer_returns_goes_into_stock_once_inv_10() {
    let rma = hold(7);
    let sold = [received(5), held(1, 2), committed(1, 2)];
    let back = InventoryEvent::TakenBack { hold: rma, quantity: units(1) };
    let take_back = |count| InventoryCommand::TakeBack { hold: rma, quantity: units(count) };
    given::<Inventory>(&sold).when(take_back(1)).then(std::slice::from_ref(&back));
    given::<Inventory>(&sold).when(take_back(0)).then(&[]);
    given::<Inventory>(&sold).when(take_back(3)).then_refused(InventoryRefusal::CountOutOfRange);
    let again = given::<Inventory>(&sold).and(&[back]);
    let view = Inventory::view(again.state());
    assert_eq!((view.on_hand, view.sold), (units(4), units(1)));
    again.when(take_back(1)).then(&[]);
}
