//! R1, R6 and R13 in the history of a stock.

use super::*;

#[test]
fn every_life_of_a_hold_is_sound() {
    let lives = [
        vec![committed(2), restocked(2)],
        vec![released(2), held(3), committed(3)],
        vec![expired(2), committed_late(2), restocked(2)],
        vec![expired(2), held(2), released(2)],
        vec![expired(2), restocked(0)],
    ];
    for life in lives {
        let mut journal = Journal { now: seconds(60), ..Journal::default() };
        journal.sound([received(5), held(2)]);
        journal.sound(life);
        assert_eq!(journal.ledger.finish().open_holds, []);
    }
}

#[test]
fn no_more_is_held_than_there_is() {
    breaks(&[received(5), held(2), taken(hold(2), 4)], "R1", "-1 units available");
}

#[test]
fn no_more_is_taken_away_than_is_free() {
    breaks(&[received(5), held(2), adjusted(2, -4)], "R1", "below zero");
}

#[test]
fn a_late_commit_takes_only_what_is_free() {
    let history = [received(2), held(2), expired(2), taken(hold(2), 1), committed_late(2)];
    breaks(&history, "R1", "below zero");
}

#[test]
fn a_hold_ends_with_as_many_units_as_it_has() {
    for ended in [committed(1), released(3), expired(1)] {
        breaks(&[received(5), held(2), ended], "R1", "hold");
    }
    breaks(&[received(5), held(2), expired(2), committed_late(1)], "R1", "of 2 units");
}

#[test]
fn a_live_hold_is_not_taken_again() {
    breaks(&[received(5), held(2), held(2)], "R6", "while it lives");
}

#[test]
fn a_sold_hold_is_not_taken_again() {
    breaks(&[received(5), held(2), committed(2), held(2)], "R6", "again after it was sold");
    let back = [received(5), held(2), committed(2), restocked(2), held(2)];
    breaks(&back, "R6", "again after it was sold");
}

#[test]
fn a_hold_sets_something_aside() {
    breaks(&[received(5), held(0)], "R6", "sets nothing aside");
}

#[test]
fn a_hold_ends_once() {
    let ends = [committed(2), released(2), expired(2)];
    for first in &ends {
        for second in &ends {
            breaks(&[received(5), held(2), first.clone(), second.clone()], "R6", "but");
        }
    }
    breaks(&[received(5), committed(2)], "R6", "is not held");
    breaks(&[received(5), held(2), committed(2), extended()], "R6", "is sold");
}

#[test]
fn a_hold_does_not_lapse_before_its_time() {
    breaks(&[received(5), held(2), extended(), expired(2)], "R6", "before its time");
    let mut journal = Journal { now: seconds(900), ..Journal::default() };
    journal.sound([received(5), held(2), extended(), expired(2)]);
}

#[test]
fn only_a_lapsed_hold_is_committed_late() {
    breaks(&[received(5), committed_late(2)], "R6", "without having lapsed");
    breaks(&[received(5), held(2), committed_late(2)], "R6", "without having lapsed");
    breaks(&[received(5), held(2), expired(2), restocked(0), committed_late(2)], "R6", "lapsed");
}

#[test]
fn units_go_back_once_and_as_many_as_were_sold() {
    let sold = [received(5), held(2), committed(2)];
    let and = |more: &[InventoryEvent]| {
        let mut history = sold.to_vec();
        history.extend_from_slice(more);
        history
    };
    breaks(&and(&[restocked(2), restocked(2)]), "R13", "twice");
    breaks(&and(&[restocked(3)]), "R13", "3 units went back of the 2");
    breaks(&[received(5), held(2), restocked(2)], "R13", "without being sold");
    breaks(&[received(5), held(2), released(2), restocked(2)], "R13", "without being sold");
    breaks(&[received(5), held(2), expired(2), restocked(2)], "R13", "which had lapsed");
}

#[test]
fn a_change_by_hand_counts_once() {
    breaks(&[received(5), held(2), received(5)], "R3", "made twice");
    let mut journal = Journal::default();
    journal.sound((0..=1_024).map(|number| adjusted(number, 1)));
    // What the stock has forgotten is new to it.
    journal.sound([adjusted(0, 1)]);
}

#[test]
fn a_stock_counts_no_more_than_it_can() {
    let most = i64::from(u32::MAX);
    Journal::default().sound([received(most)]);
    breaks(&[received(most), adjusted(2, 1)], "R1", "more than a stock can count");
}
