//! How much one customer may buy.

use super::*;
use crate::inventory::InventoryRefusal;
use crate::testkit::given;

/// Alice's second order.
const ALICE_AGAIN: u128 = 3;

fn take_for_alice(count: u32) -> InventoryCommand {
    alice_takes_at(seconds(0), count)
}

fn alice_takes_at(now: Moment, count: u32) -> InventoryCommand {
    let mut command = take_at(now, ALICE_AGAIN, count);
    if let InventoryCommand::Hold { customer, .. } = &mut command {
        *customer = who(ALICE);
    }
    command
}

fn alice_holds_again(count: u32, expires_at: Moment) -> InventoryEvent {
    InventoryEvent::Held {
        hold: hold(ALICE_AGAIN),
        quantity: units(count),
        customer: who(ALICE),
        expires_at,
    }
}

fn over(count: u32) -> InventoryRefusal {
    InventoryRefusal::OverLimit { limit: units(count) }
}

#[test]
fn a_limit_is_set_once() {
    let limit = Some(units(2));
    given::<Inventory>(&[]).when(InventoryCommand::SetLimit { limit }).then(&[limited(2)]);
    given::<Inventory>(&[limited(2)]).when(InventoryCommand::SetLimit { limit }).then(&[]);
}

#[test]
fn a_customer_may_buy_up_to_the_limit_over_several_orders() {
    let history = [received(9), limited(3), held(ALICE, 2), committed(ALICE, 2)];
    given::<Inventory>(&history).when(take_for_alice(1)).then(&[alice_holds_again(1, seconds(60))]);
    given::<Inventory>(&history).when(take_for_alice(2)).then_refused(over(3));
}

#[test]
fn the_limit_of_one_customer_is_not_that_of_another() {
    given::<Inventory>(&[received(9), limited(2), held(ALICE, 2)])
        .when(take(BOB, 2))
        .then(&[held(BOB, 2)]);
}

#[test]
fn units_that_go_back_do_not_count() {
    for ended in [released(ALICE, 2), expired(ALICE, 2)] {
        given::<Inventory>(&[received(9), limited(2), held(ALICE, 2), ended])
            .when(take_for_alice(2))
            .then(&[alice_holds_again(2, seconds(60))]);
    }
}

#[test]
fn a_customers_own_lapsed_hold_does_not_stand_in_the_way() {
    let now = seconds(60);
    given::<Inventory>(&[received(9), limited(2), held(ALICE, 2)])
        .at(now)
        .when(alice_takes_at(now, 2))
        .then(&[expired(ALICE, 2), alice_holds_again(2, seconds(120))]);
}

#[test]
fn somebody_elses_lapsed_hold_makes_no_room_under_the_limit() {
    let now = seconds(60);
    let history = [received(9), limited(2), held(BOB, 2), held_until(ALICE, 2, seconds(900))];
    given::<Inventory>(&history).at(now).when(alice_takes_at(now, 1)).then_refused(over(2));
}

#[test]
fn a_late_commit_counts_for_its_customer_again() {
    let history =
        [received(9), limited(2), held(ALICE, 2), expired(ALICE, 2), committed_late(ALICE, 2)];
    given::<Inventory>(&history).when(take_for_alice(1)).then_refused(over(2));
}

#[test]
fn a_late_commit_does_not_pass_the_limit() {
    let history = [
        received(9),
        limited(2),
        held(ALICE, 2),
        expired(ALICE, 2),
        alice_holds_again(1, seconds(60)),
    ];
    given::<Inventory>(&history).when(commit(ALICE, 2)).then_refused(over(2));
}

#[test]
fn a_new_limit_counts_live_holds_but_not_earlier_sales() {
    let before = [received(9), held(BOB, 2), committed(BOB, 2), held(ALICE, 2), limited(2)];
    given::<Inventory>(&before).when(take_for_alice(1)).then_refused(over(2));
    given::<Inventory>(&before)
        .and(&[released(ALICE, 2)])
        .when(take_for_alice(2))
        .then(&[alice_holds_again(2, seconds(60))]);
}

#[test]
fn another_limit_starts_counting_afresh() {
    let history = [received(9), limited(2), held(ALICE, 2), committed(ALICE, 2), limited(3)];
    given::<Inventory>(&history).when(take_for_alice(3)).then(&[alice_holds_again(3, seconds(60))]);
    let live = [received(9), limited(2), held(ALICE, 2), limited(3)];
    given::<Inventory>(&live).when(take_for_alice(2)).then_refused(over(3));
    given::<Inventory>(&live).when(take_for_alice(1)).then(&[alice_holds_again(1, seconds(60))]);
}

#[test]
fn a_hold_from_before_the_limit_gives_back_no_more_than_itself() {
    let history = [
        received(9),
        held(ALICE, 2),
        limited(4),
        alice_holds_again(2, seconds(60)),
        released(ALICE, 2),
    ];
    let given = given::<Inventory>(&history);
    let more = |count| {
        let mut command = take_for_alice(count);
        if let InventoryCommand::Hold { hold, .. } = &mut command {
            *hold = crate::samples::hold(4);
        }
        Inventory::decide(given.state(), &command, seconds(0))
    };
    assert_eq!(more(3), Err(over(4)));
    assert!(more(2).is_ok());
}

#[test]
fn a_lifted_limit_limits_nothing() {
    let lifted = InventoryEvent::LimitSet { limit: None };
    given::<Inventory>(&[received(9), limited(1), held(ALICE, 1), lifted])
        .when(take_for_alice(8))
        .then(&[alice_holds_again(8, seconds(60))]);
}
