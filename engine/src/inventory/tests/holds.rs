//! Taking, extending, committing, releasing, restocking and lapsing.

use super::*;
use crate::inventory::{HOLD_COMMAND_VALID, InventoryRefusal};
use crate::testkit::given;
use crate::values::Quantity;

fn lapsed(by: u128) -> InventoryRefusal {
    InventoryRefusal::Lapsed(hold(by))
}

fn mismatch(by: u128) -> InventoryRefusal {
    InventoryRefusal::HoldMismatch(hold(by))
}

#[test]
fn grants_a_hold_while_stock_lasts() {
    given::<Inventory>(&[received(5)]).when(take(ALICE, 5)).then(&[held(ALICE, 5)]);
}

#[test]
fn refuses_the_unit_that_is_already_held() {
    given::<Inventory>(&[received(5), held(ALICE, 5)]).when(take(BOB, 1)).then_refused(
        InventoryRefusal::NotEnoughStock { requested: units(1), available: Quantity::ZERO },
    );
}

#[test]
fn a_hold_is_all_or_nothing() {
    given::<Inventory>(&[received(5), held(ALICE, 3)]).when(take(BOB, 3)).then_refused(
        InventoryRefusal::NotEnoughStock { requested: units(3), available: units(2) },
    );
}

#[test]
fn a_hold_of_nothing_is_refused() {
    given::<Inventory>(&[received(5)])
        .when(take(ALICE, 0))
        .then_refused(InventoryRefusal::EmptyQuantity);
}

#[test]
fn repeating_a_hold_takes_nothing_more() {
    given::<Inventory>(&[received(5), held(ALICE, 2)]).when(take(ALICE, 2)).then(&[]);
}

#[test]
fn a_hold_asked_for_again_later_lives_longer() {
    let now = seconds(3);
    given::<Inventory>(&[received(5), held(ALICE, 2)])
        .at(now)
        .when(take_at(now, ALICE, 2))
        .then(&[extended(ALICE, seconds(63))]);
}

#[test]
fn a_hold_cannot_be_repeated_with_another_quantity() {
    given::<Inventory>(&[received(5), held(ALICE, 2)])
        .when(take(ALICE, 3))
        .then_refused(mismatch(ALICE));
}

#[test]
fn a_hold_command_is_void_after_its_time_and_good_until_then() {
    let last = seconds(0).saturating_add(HOLD_COMMAND_VALID);
    given::<Inventory>(&[received(5)]).at(last).when(take(ALICE, 1)).then(&[held(ALICE, 1)]);
    let after = Moment::from_unix_micros(last.as_unix_micros().saturating_add(1));
    given::<Inventory>(&[received(5)])
        .at(after)
        .when(take(ALICE, 1))
        .then_refused(InventoryRefusal::Stale);
}

#[test]
fn a_released_hold_can_be_taken_again() {
    given::<Inventory>(&[received(5), held(ALICE, 2), released(ALICE, 2)])
        .when(take(ALICE, 3))
        .then(&[held(ALICE, 3)]);
}

#[test]
fn a_lapsed_hold_can_be_taken_again() {
    given::<Inventory>(&[received(5), held(ALICE, 2), expired(ALICE, 2)])
        .when(take(ALICE, 2))
        .then(&[held(ALICE, 2)]);
}

#[test]
fn a_hold_taken_again_ends_like_any_other() {
    given::<Inventory>(&[received(5), held(ALICE, 2), released(ALICE, 2), held(ALICE, 3)])
        .when(commit(ALICE, 3))
        .then(&[committed(ALICE, 3)]);
}

#[test]
fn a_sold_or_restocked_hold_cannot_be_taken_again() {
    let mut history = vec![received(5), held(ALICE, 2), committed(ALICE, 2)];
    given::<Inventory>(&history).when(take(ALICE, 2)).then_refused(mismatch(ALICE));
    history.push(restocked(ALICE, 2));
    given::<Inventory>(&history).when(take(ALICE, 2)).then_refused(mismatch(ALICE));
}

#[test]
fn a_buyer_need_not_wait_for_the_timer_of_a_lapsed_hold() {
    given::<Inventory>(&[received(5), held(ALICE, 5)])
        .at(seconds(60))
        .when(take_at(seconds(60), BOB, 1))
        .then(&[expired(ALICE, 5), held_until(BOB, 1, seconds(120))]);
}

#[test]
fn a_hold_that_lives_is_not_given_to_another_buyer() {
    given::<Inventory>(&[received(5), held(ALICE, 5)])
        .at(seconds(59))
        .when(take_at(seconds(59), BOB, 1))
        .then_refused(InventoryRefusal::NotEnoughStock {
            requested: units(1),
            available: Quantity::ZERO,
        });
}

#[test]
fn an_extension_moves_the_end_and_never_back() {
    let given = || given::<Inventory>(&[received(5), held(ALICE, 2)]);
    given().when(extend(ALICE, seconds(61))).then(&[extended(ALICE, seconds(61))]);
    given().when(extend(ALICE, seconds(60))).then(&[]);
    given().when(extend(ALICE, seconds(10))).then(&[]);
}

#[test]
fn an_extended_hold_outlives_its_first_deadline() {
    let history = [received(5), held(ALICE, 2), extended(ALICE, seconds(900))];
    given::<Inventory>(&history).at(seconds(899)).when(InventoryCommand::Expire).then(&[]);
    given::<Inventory>(&history)
        .at(seconds(900))
        .when(InventoryCommand::Expire)
        .then(&[expired(ALICE, 2)]);
}

#[test]
fn a_hold_that_is_gone_cannot_be_extended() {
    let history = [received(5), held(ALICE, 2), held(BOB, 2), expired(ALICE, 2), released(BOB, 2)];
    given::<Inventory>(&history).when(extend(ALICE, seconds(900))).then_refused(lapsed(ALICE));
    given::<Inventory>(&history).when(extend(BOB, seconds(900))).then_refused(lapsed(BOB));
}

#[test]
fn extending_a_sold_hold_changes_nothing() {
    given::<Inventory>(&[received(5), held(ALICE, 2), committed(ALICE, 2)])
        .when(extend(ALICE, seconds(900)))
        .then(&[]);
}

#[test]
fn a_commit_sells_what_is_held() {
    given::<Inventory>(&[received(5), held(ALICE, 2)])
        .when(commit(ALICE, 2))
        .then(&[committed(ALICE, 2)]);
}

#[test]
fn repeating_a_commit_sells_nothing_more() {
    given::<Inventory>(&[received(5), held(ALICE, 2), committed(ALICE, 2)])
        .when(commit(ALICE, 2))
        .then(&[]);
}

#[test]
fn a_lapsed_hold_is_committed_while_enough_units_are_free() {
    given::<Inventory>(&[received(2), held(ALICE, 2), expired(ALICE, 2)])
        .when(commit(ALICE, 2))
        .then(&[committed_late(ALICE, 2)]);
}

#[test]
fn a_lapsed_hold_is_lost_once_its_units_are_taken() {
    given::<Inventory>(&[received(2), held(ALICE, 2), expired(ALICE, 2), held(BOB, 1)])
        .when(commit(ALICE, 2))
        .then_refused(lapsed(ALICE));
}

#[test]
fn a_released_hold_is_never_committed() {
    given::<Inventory>(&[received(5), held(ALICE, 2), released(ALICE, 2)])
        .when(commit(ALICE, 2))
        .then_refused(lapsed(ALICE));
}

#[test]
fn releasing_gives_back_what_is_held_and_nothing_else() {
    given::<Inventory>(&[received(5), held(ALICE, 2)])
        .when(release(ALICE))
        .then(&[released(ALICE, 2)]);
    let ended = [received(5), held(ALICE, 2), committed(ALICE, 2)];
    given::<Inventory>(&ended).when(release(ALICE)).then(&[]);
    given::<Inventory>(&[received(5)]).when(release(ALICE)).then(&[]);
}

#[test]
fn a_restock_gives_back_what_is_held() {
    given::<Inventory>(&[received(5), held(ALICE, 2)])
        .when(restock(ALICE, 2))
        .then(&[released(ALICE, 2)]);
}

#[test]
fn a_restock_gives_back_what_was_sold_once() {
    let sold = [received(5), held(ALICE, 2), committed(ALICE, 2)];
    given::<Inventory>(&sold).when(restock(ALICE, 2)).then(&[restocked(ALICE, 2)]);
    given::<Inventory>(&sold).and(&[restocked(ALICE, 2)]).when(restock(ALICE, 2)).then(&[]);
}

#[test]
fn restocking_a_released_hold_changes_nothing() {
    given::<Inventory>(&[received(5), held(ALICE, 2), released(ALICE, 2)])
        .when(restock(ALICE, 2))
        .then(&[]);
}

#[test]
fn a_lapsed_hold_that_was_given_up_cannot_be_committed_by_an_overtaken_command() {
    let history = [received(5), held(ALICE, 2), expired(ALICE, 2)];
    given::<Inventory>(&history).when(restock(ALICE, 2)).then(&[restocked(ALICE, 0)]);
    given::<Inventory>(&history)
        .and(&[restocked(ALICE, 0)])
        .when(commit(ALICE, 2))
        .then_refused(lapsed(ALICE));
}

#[test]
fn more_than_was_sold_cannot_go_back() {
    given::<Inventory>(&[received(5), held(ALICE, 2), committed(ALICE, 2)])
        .when(restock(ALICE, 3))
        .then_refused(InventoryRefusal::CountOutOfRange);
}

#[test]
fn holds_lapse_at_their_deadline_in_its_order() {
    let history = [received(9), held_until(ALICE, 1, seconds(70)), held_until(BOB, 2, seconds(60))];
    let expire_at = |now| given::<Inventory>(&history).at(now).when(InventoryCommand::Expire);
    expire_at(seconds(59)).then(&[]);
    expire_at(seconds(60)).then(&[expired(BOB, 2)]);
    expire_at(seconds(70)).then(&[expired(BOB, 2), expired(ALICE, 1)]);
}

#[test]
fn the_stock_wakes_for_the_next_hold_that_lapses() {
    let wake_at =
        |history: &[InventoryEvent]| Inventory::wake_at(given::<Inventory>(history).state());
    assert_eq!(wake_at(&[received(9)]), None);
    let two = [received(9), held_until(ALICE, 1, seconds(70)), held_until(BOB, 2, seconds(60))];
    assert_eq!(wake_at(&two), Some(seconds(60)));
    let [delivery, first, second] = two;
    assert_eq!(wake_at(&[delivery, first, second, committed(BOB, 2)]), Some(seconds(70)));
    assert_eq!(Inventory::wake(), Some(InventoryCommand::Expire));
}
