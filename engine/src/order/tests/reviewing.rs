//! A suspicious order: kept, neither charged nor sold, until somebody has decided.

use std::sync::Arc;

use super::*;
use crate::fraud::{FraudPolicy, REVIEW_LONGEST, Suspicion};
use crate::order::{Fate, OrderState};
use crate::validation::Policy;

pub(super) fn review_end() -> Moment {
    seconds(0).saturating_add(REVIEW_LONGEST)
}

pub(super) fn suspicious(payment: Option<Wish>) -> OrderEvent {
    let mut placement = placement_of(payment, &[("laptop", 2, 99_999)]);
    placement.suspicions = vec![Suspicion::CodAboveLimit];
    placed(placement)
}

fn cod() -> Wish {
    Wish { method: PaymentMethod::Cod, token: None }
}

fn decide(approve: bool) -> OrderCommand {
    let reason = Some("called them".to_owned());
    OrderCommand::DecideReview { approve, by: "ops-1".into(), reason }
}

pub(super) fn approved() -> OrderEvent {
    OrderEvent::ReviewApproved { by: "ops-1".into(), reason: Some("called them".to_owned()) }
}

fn rejected() -> OrderEvent {
    let reason = CancelReason::ReviewRejected(Some("called them".to_owned()));
    OrderEvent::Cancelled { by: "ops-1".into(), reason, reconcile_until: None }
}

pub(super) fn noted(is_listed: bool) -> OrderEvent {
    OrderEvent::ReviewNoted { is_listed }
}

fn note(until: Option<Moment>) -> Intent {
    Intent::NoteReview { order: ORDER, customer: customer("alice"), until }
}

fn lapsed() -> OrderEvent {
    cancelled(CancelReason::ReviewLapsed, None)
}

fn state(history: &[OrderEvent]) -> OrderState {
    Order::replay(history.iter().map(|event| (event, seconds(0))))
}

/// What is owed, but for the note on the list.
fn owed(history: &[OrderEvent]) -> Vec<Intent> {
    let mut owed = Order::outstanding(&state(history), seconds(1));
    owed.retain(|intent| !matches!(intent, Intent::NoteReview { .. }));
    owed
}

fn fate(history: &[OrderEvent]) -> Option<Fate> {
    state(history).0.unwrap().fate
}

#[test]
fn a_suspicious_wish_is_placed_with_its_suspicions_fraud_6() {
    let limit = Some(usd(100_000));
    let fraud = FraudPolicy { cod_limit: limit, ..FraudPolicy::default() };
    let mut wish = wish_for(Some(cod()), &[("laptop", 2)]);
    wish.policy = Arc::new(Policy { fraud, ..Policy::default() });
    wish.vetting.is_trusted = Some(false);
    wish.personal.shipping_address = None;
    let placed = |wish: &PlaceOrder| {
        let command = answered(wish.clone(), all_granted);
        let events = Order::decide(&OrderState::default(), &command, seconds(0)).unwrap();
        let [OrderEvent::Placed(placement)] = events.as_slice() else { panic!("{events:?}") };
        Arc::clone(placement)
    };
    assert_eq!(placed(&wish).suspicions, [Suspicion::CodAboveLimit]);
    wish.vetting.is_trusted = Some(true);
    assert_eq!(placed(&wish).suspicions, []);
}

#[test]
fn while_it_waits_its_units_are_kept_and_nothing_is_charged_or_sold_order_7() {
    for payment in [Some(card()), Some(cash()), Some(cod()), None] {
        let placed = suspicious(payment);
        let extend = Intent::Extend { units: vec![held("laptop", 2)], expires_at: review_end() };
        assert_eq!(owed(std::slice::from_ref(&placed)), [extend]);
        let waiting = [placed, extended(review_end()), noted(true)];
        assert_eq!(owed(&waiting), []);
        let state = state(&waiting);
        assert!(Order::is_settled(&state) && !Order::is_dormant(&state));
        assert_eq!(Order::wake_at(&state), Some(review_end()));
        // It is not known yet what it comes to: its client is told 202, however often it asks.
        assert_eq!(fate(&waiting), None);
    }
}

#[test]
fn an_approved_card_order_is_charged_and_then_sold() {
    let history = [suspicious(Some(card())), extended(review_end()), approved()];
    assert!(matches!(owed(&history).as_slice(), [Intent::Charge { key: KEY, .. }]));
    let paid = then(history.to_vec(), &[captured()]);
    assert_eq!(owed(&paid), [Intent::Commit { units: vec![held("laptop", 2)] }]);
    assert_eq!(fate(&then(paid, &[OrderEvent::StockCommitted])), Some(Fate::Stands));
}

#[test]
fn an_approved_order_for_cash_is_sold_at_once() {
    let history = [suspicious(Some(cod())), extended(review_end()), approved()];
    assert_eq!(owed(&history), [Intent::Commit { units: vec![held("laptop", 2)] }]);
    assert_eq!(fate(&then(history.to_vec(), &[OrderEvent::StockCommitted])), Some(Fate::Stands));
}

#[test]
fn a_rejected_order_is_called_off_and_gives_back_what_was_never_sold() {
    for payment in [Some(card()), Some(cod()), None] {
        let history = [suspicious(payment), extended(review_end()), rejected()];
        assert_eq!(owed(&history), [Intent::Release { units: vec![held("laptop", 2)] }]);
        assert_eq!(fate(&history), Some(Fate::CalledOff));
        let order = state(&history).0.unwrap();
        assert_eq!(order.status, OrderStatus::Cancelled);
        assert_eq!(order.history[1].reason.as_deref(), Some("turned down by a review"));
    }
}

#[test]
fn somebody_decides_once_and_saying_it_again_changes_nothing() {
    let waiting = [suspicious(Some(card()))];
    given::<Order>(&waiting).when(decide(true)).then(&[approved()]);
    given::<Order>(&waiting).when(decide(false)).then(&[rejected()]);
    for (verdict, approve) in [(approved(), true), (rejected(), false)] {
        let decided = || given::<Order>(&[suspicious(Some(card())), verdict.clone()]);
        decided().when(decide(approve)).then(&[]);
        decided().when(decide(!approve)).then_refused(OrderRefusal::NotUnderReview);
    }
}

#[test]
fn an_order_that_nobody_suspects_cannot_be_decided() {
    let command = || decide(true);
    given::<Order>(&[placed_by_card()]).when(command()).then_refused(OrderRefusal::NotUnderReview);
    let off = [suspicious(Some(card())), asked_off(None)];
    given::<Order>(&off).when(command()).then_refused(OrderRefusal::NotUnderReview);
    given::<Order>(&[]).when(command()).then_refused(OrderRefusal::Unknown);
}

#[test]
fn while_it_waits_it_does_not_move_on_but_may_be_called_off() {
    let waiting = || given::<Order>(&[suspicious(Some(cash()))]);
    let moved = set_status(OrderStatus::Processing);
    waiting().when(moved).then_refused(OrderRefusal::UnderReview);
    waiting().when(cancel(false)).then(&[asked_off(None)]);
    let called_off = [suspicious(Some(cash())), asked_off(None)];
    assert_eq!(owed(&called_off), [Intent::Release { units: vec![held("laptop", 2)] }]);
}

#[test]
fn an_order_that_nobody_decides_about_is_called_off_a_day_later_and_says_so() {
    for payment in [Some(card()), Some(cod()), None] {
        let waiting = || given::<Order>(&[suspicious(payment.clone())]);
        let early = Moment::from_unix_micros(review_end().as_unix_micros().saturating_sub(1));
        waiting().at(early).when(OrderCommand::Wake).then(&[]);
        waiting().at(review_end()).when(OrderCommand::Wake).then(&[lapsed()]);
    }
    let order = state(&[suspicious(None), lapsed()]).0.unwrap();
    assert_eq!(order.history[1].reason.as_deref(), Some("suspicious, and nobody decided in time"));
    assert_eq!(order.review.as_ref().unwrap().verdict, None);
}

#[test]
fn a_hold_that_lapsed_meanwhile_does_not_lose_the_order() {
    let waiting = given::<Order>(&[suspicious(None)]);
    waiting.when(OrderCommand::RecordHoldLapsed).then(&[OrderEvent::HoldLapsed]);
    let waiting = [suspicious(Some(cod())), OrderEvent::HoldLapsed];
    assert_eq!(owed(&waiting), []);
    let commit = Intent::Commit { units: vec![held("laptop", 2)] };
    assert_eq!(owed(&then(waiting.to_vec(), &[approved()])), [commit]);
}

#[test]
fn money_that_comes_unasked_is_noted_and_goes_back_when_the_order_is_rejected() {
    let paid = [suspicious(Some(card())), captured()];
    let extend = Intent::Extend { units: vec![held("laptop", 2)], expires_at: review_end() };
    assert_eq!(owed(&paid), [extend]);
    let refund = Intent::Refund { key: KEY, amount: usd(199_998) };
    assert!(owed(&then(paid.to_vec(), &[rejected()])).contains(&refund));
}

#[test]
fn it_stands_on_the_list_while_it_waits_and_not_a_moment_longer() {
    let owes = |history: &[OrderEvent], expected: Option<Intent>| {
        let owed = Order::outstanding(&state(history), seconds(1));
        let notes = owed.into_iter().filter(|owed| matches!(owed, Intent::NoteReview { .. }));
        assert_eq!(notes.collect::<Vec<_>>(), Vec::from_iter(expected), "{history:?}");
    };
    let waiting = vec![suspicious(Some(cod()))];
    owes(&waiting, Some(note(Some(review_end()))));
    owes(&then(waiting.clone(), &[noted(true)]), None);
    for end in [approved(), rejected(), lapsed(), asked_off(None)] {
        // It may be on the list although nobody has said so.
        owes(&then(waiting.clone(), std::slice::from_ref(&end)), Some(note(None)));
        owes(&then(waiting.clone(), &[noted(true), end.clone()]), Some(note(None)));
        owes(&then(waiting.clone(), &[noted(true), end, noted(false)]), None);
    }
    owes(&[placed_by_card()], None);
    let record = |is_listed| OrderCommand::RecordReviewNoted { is_listed };
    given::<Order>(&waiting).when(record(true)).then(&[noted(true)]);
    given::<Order>(&then(waiting, &[noted(true)])).when(record(true)).then(&[]);
    given::<Order>(&[placed_by_card()]).when(record(true)).then(&[]);
}
