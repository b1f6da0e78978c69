//! What is remembered of ended holds, for how long, and what a snapshot keeps.

use super::*;
use crate::inventory::{
    ADJUSTMENT_REMEMBERED, ADJUSTMENTS_REMEMBERED_MAX, ADJUSTMENTS_REMEMBERED_MIN,
    EXCEPTIONAL_END_REMEMBERED, HOLD_COMMAND_VALID, HoldEnd,
};

fn end_of(stock: &StockLevel, by: u128) -> Option<HoldEnd> {
    stock.ended().get(&hold(by)).map(|ended| ended.how)
}

fn just_after(moment: Moment) -> Moment {
    Moment::from_unix_micros(moment.as_unix_micros().saturating_add(1))
}

/// The books after `ended` at second 1, and another change at `later`.
fn after(ended: InventoryEvent, later: Moment) -> StockLevel {
    let sale = [committed(ALICE, 2), restocked(ALICE, 2)];
    let mut history = vec![(received(9), seconds(0)), (held(ALICE, 2), seconds(0))];
    if matches!(ended, InventoryEvent::Restocked { .. }) {
        let [sold, _] = sale;
        history.push((sold, seconds(1)));
    }
    history.push((ended, seconds(1)));
    history.push((limited(9), later));
    books(&history)
}

#[test]
fn every_end_is_remembered_at_first() {
    let ends = [
        (committed(ALICE, 2), HoldEnd::Committed),
        (released(ALICE, 2), HoldEnd::Released),
        (expired(ALICE, 2), HoldEnd::Expired),
        (restocked(ALICE, 2), HoldEnd::Restocked),
    ];
    for (ended, how) in ends {
        assert_eq!(end_of(&after(ended, seconds(1)), ALICE), Some(how));
    }
}

#[test]
fn a_sale_is_remembered_while_its_hold_command_is_valid_and_forgotten_after() {
    let last = seconds(0).saturating_add(HOLD_COMMAND_VALID);
    let at_last = after(committed(ALICE, 2), last);
    assert_eq!(end_of(&at_last, ALICE), Some(HoldEnd::Committed));
    // The command's last moment: a copy that is still on its way takes nothing.
    assert!(Inventory::decide(&at_last, &take(ALICE, 2), last).is_err());
    assert_eq!(end_of(&after(committed(ALICE, 2), just_after(last)), ALICE), None);
}

#[test]
fn a_forgotten_sale_can_still_be_repeated_and_restocked() {
    let stock = after(committed(ALICE, 2), seconds(9));
    assert_eq!(Inventory::decide(&stock, &commit(ALICE, 2), seconds(9)), Ok(vec![]));
    let back = Inventory::decide(&stock, &restock(ALICE, 2), seconds(9));
    assert_eq!(back, Ok(vec![restocked(ALICE, 2)]));
}

#[test]
fn exceptional_ends_are_remembered_for_two_days() {
    let last = seconds(1).saturating_add(EXCEPTIONAL_END_REMEMBERED);
    for ended in [released(ALICE, 2), expired(ALICE, 2), restocked(ALICE, 2)] {
        assert!(end_of(&after(ended.clone(), last), ALICE).is_some());
        assert_eq!(end_of(&after(ended, just_after(last)), ALICE), None);
    }
}

#[test]
fn taking_a_hold_again_forgets_how_it_ended_before() {
    let history = [
        (received(9), seconds(0)),
        (held(ALICE, 2), seconds(0)),
        (released(ALICE, 2), seconds(1)),
        (held_until(ALICE, 2, seconds(62)), seconds(2)),
    ];
    let stock = books(&history);
    assert_eq!(end_of(&stock, ALICE), None);
    assert_eq!(stock.held(), units(2));
}

#[test]
fn a_hold_lost_to_a_late_commit_is_remembered_anew() {
    let late = seconds(100);
    let mut history = vec![
        (received(9), seconds(0)),
        (held(ALICE, 2), seconds(0)),
        (expired(ALICE, 2), seconds(60)),
        (committed_late(ALICE, 2), late),
    ];
    assert_eq!(end_of(&books(&history), ALICE), Some(HoldEnd::Committed));
    history.push((limited(1), just_after(late.saturating_add(HOLD_COMMAND_VALID))));
    assert_eq!(end_of(&books(&history), ALICE), None);
}

#[test]
fn a_snapshot_keeps_everything_and_rebuilds_what_it_leaves_out() {
    let history = [
        (received(9), seconds(0)),
        (limited(3), seconds(0)),
        (held(ALICE, 2), seconds(0)),
        (expired(ALICE, 2), seconds(60)),
        (held_until(BOB, 3, seconds(120)), seconds(60)),
    ];
    let stock = books(&history);
    let json = serde_json::to_string(&stock).unwrap();
    let back: StockLevel = serde_json::from_str(&json).unwrap();
    assert_eq!(back, stock);
    assert_eq!(back.next_expiry(), Some(seconds(120)));
    assert!(!json.contains("expiries") && !json.contains("forget_at"));
}

#[test]
fn a_snapshot_that_does_not_say_when_it_was_decided_is_none() {
    let mut json = serde_json::to_value(books(&[(received(9), seconds(7))])).unwrap();
    json.as_object_mut().unwrap().remove("decided_at").unwrap();
    assert!(serde_json::from_value::<StockLevel>(json).is_err());
}

/// A shelf after so many changes by hand, the first at the epoch and the others at `later`.
fn changed_by_hand(count: usize, later: Moment) -> StockLevel {
    let change = |number: usize| InventoryEvent::Adjusted {
        adjustment: adjustment(u128::try_from(number).unwrap()),
        delta: 1,
        reason: "delivery".to_owned(),
    };
    let history: Vec<_> = (0..count)
        .map(|number| (change(number), if number == 0 { seconds(0) } else { later }))
        .collect();
    books(&history)
}

#[test]
fn a_change_by_hand_is_remembered_for_two_days_and_while_few_came_after() {
    let last = seconds(0).saturating_add(ADJUSTMENT_REMEMBERED);
    let (few, many) = (ADJUSTMENTS_REMEMBERED_MIN, ADJUSTMENTS_REMEMBERED_MAX);
    let first_again = |stock: &StockLevel, now| Inventory::decide(stock, &adjust(0, 1), now);
    for (count, now) in [(few, just_after(last)), (few + 1, last), (many, last)] {
        let known = first_again(&changed_by_hand(count, now), now);
        assert_eq!(known, Ok(vec![]), "{count} changes until {now:?}");
    }
    for (count, now) in [(few + 1, just_after(last)), (many + 1, last)] {
        let stock = changed_by_hand(count, now);
        assert_eq!(first_again(&stock, now).unwrap().len(), 1, "{count} changes until {now:?}");
        let second = Inventory::decide(&stock, &adjust(1, 1), now);
        assert_eq!(second, Ok(vec![]), "only the first is forgotten");
    }
}
