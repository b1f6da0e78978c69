//! What a return does, rule by rule.

use std::sync::Arc;
use std::time::Duration;

use super::{OpenReturn, Return, ReturnCommand, ReturnEvent, ReturnRefusal, ReturnStatus};
use crate::aggregate::{Aggregate, Step};
use crate::order::{NotReturnable, Order, OrderEvent, RefundMethod, ReturnWish, Units};
use crate::process::{Answer, Intent, Unavailable};
use crate::samples::{
    ORDER, RMA, back, order_events, picture, placement, return_request, seconds, units, usd,
};
use crate::testkit::given;
use crate::values::{Fingerprint, Picture};

fn requested() -> ReturnEvent {
    ReturnEvent::Requested(Arc::new(return_request()))
}

fn authorized(count: u32) -> ReturnEvent {
    let (number, approved) = (RMA.number(), back("laptop", count));
    ReturnEvent::Authorized { by: "ops-1".into(), number, approved, reason: None }
}

fn received() -> ReturnEvent {
    ReturnEvent::Received { by: "ops-1".into() }
}

fn inspected(count: u32) -> ReturnEvent {
    let passed = if count == 0 { Units::new() } else { back("laptop", count) };
    ReturnEvent::Inspected { by: "ops-1".into(), passed, reason: None }
}

fn asked(method: RefundMethod) -> ReturnEvent {
    ReturnEvent::RefundAsked { by: "ops-1".into(), method }
}

fn refund(method: RefundMethod) -> ReturnCommand {
    ReturnCommand::Refund { method, by: "ops-1".into() }
}

fn authorize(approved: Option<Units>) -> ReturnCommand {
    ReturnCommand::Authorize { approved, by: "ops-1".into(), reason: None }
}

fn refuses(from: ReturnStatus, wish: &'static str) -> ReturnRefusal {
    ReturnRefusal::InvalidTransition { from, wish }
}

/// Everything up to the inspection of both laptops.
fn looked_at() -> Vec<ReturnEvent> {
    vec![requested(), ReturnEvent::SetApart, authorized(2), received(), inspected(2)]
}

fn open() -> OpenReturn {
    let request = return_request();
    OpenReturn {
        id: request.id,
        order: request.order,
        customer: None,
        lines: request.lines,
        note: request.note,
        number: None,
        within: Duration::from_hours(24),
        by: request.by,
        fingerprint: request.fingerprint,
        answer: None,
    }
}

/// The sample order, paid by card.
fn order() -> Arc<Order> {
    let placed = OrderEvent::Placed(Arc::new(placement()));
    let (amount, reference) = (crate::samples::usd(199_998), "ch_1".to_owned());
    let captured = OrderEvent::PaymentCaptured { attempt: 1, amount, reference };
    Order::replay([&placed, &captured].map(|event| (event, seconds(0)))).0.unwrap()
}

fn owed(history: &[ReturnEvent]) -> Vec<Intent> {
    Return::outstanding(given::<Return>(history).state(), seconds(0))
}

fn wish(wish: ReturnWish) -> Intent {
    Intent::ForReturn { order: ORDER, rma: RMA, wish }
}

#[test]
fn a_request_is_judged_by_its_order_before_anything_is_written() {
    let mut command = ReturnCommand::Open(Box::new(open()));
    let state = given::<Return>(&[]);
    let (units, within) = (back("laptop", 2), Duration::from_hours(24));
    let check = wish(ReturnWish::Check { customer: None, units, within });
    let step = Return::next_step(state.state(), &command, seconds(0));
    assert_eq!(step, Step::Needs(vec![check.clone()]));
    Return::supply(&mut command, &check, Answer::OrderDone(order()));
    assert_eq!(Return::next_step(state.state(), &command, seconds(0)), Step::Ready);
    state.when(command).then(&[requested()]);
}

#[test]
fn what_the_order_refuses_is_refused_and_writes_nothing() {
    let days = NotReturnable::WindowOver { days: 30 };
    for (answer, refusal) in [
        (Answer::OrderRefused(days.clone()), ReturnRefusal::NotReturnable(days)),
        (
            Answer::NotAccepted(Unavailable::Overloaded),
            ReturnRefusal::OrderUnavailable { why: Unavailable::Overloaded },
        ),
        (Answer::Failed, ReturnRefusal::OrderUnavailable { why: Unavailable::Unreachable }),
    ] {
        let mut asked = open();
        asked.supply(answer);
        given::<Return>(&[]).when(ReturnCommand::Open(Box::new(asked))).then_refused(refusal);
    }
}

#[test]
fn nothing_goes_back_to_a_card_that_was_not_charged_ret_5() {
    let mut by_hand = (*order()).clone();
    by_hand.payment.captured_by = None;
    let mut asked = open();
    asked.supply(Answer::OrderDone(Arc::new(by_hand)));
    let request = crate::rma::ReturnRequest { by_card: false, ..return_request() };
    let requested = ReturnEvent::Requested(Arc::new(request));
    given::<Return>(&[])
        .when(ReturnCommand::Open(Box::new(asked)))
        .then(std::slice::from_ref(&requested));
    given::<Return>(&[requested])
        .when(ReturnCommand::Refund { method: RefundMethod::Card, by: "ops-1".into() })
        .then_refused(ReturnRefusal::NotReturnable(NotReturnable::NoCard));
}

#[test]
fn the_same_key_names_the_same_return_and_no_other() {
    given::<Return>(&[requested()]).when(ReturnCommand::Open(Box::new(open()))).then(&[]);
    let other = OpenReturn { fingerprint: Fingerprint::from_bytes([8; 16]), ..open() };
    given::<Return>(&[requested()])
        .when(ReturnCommand::Open(Box::new(other)))
        .then_refused(ReturnRefusal::KeyReused);
}

#[test]
fn a_return_that_comes_second_ends_rejected() {
    let why = NotReturnable::NotPaid(crate::order::PaymentStatus::Refunded);
    let lost = ReturnEvent::NotSetApart { why: why.to_string() };
    given::<Return>(&[requested()])
        .when(ReturnCommand::RecordNotSetApart { why })
        .then(std::slice::from_ref(&lost));
    let state = given::<Return>(&[requested(), lost.clone()]);
    assert_eq!(state.state().0.as_ref().unwrap().status, ReturnStatus::Rejected);
    assert_eq!(owed(&[requested(), lost]), []);
}

#[test]
fn a_part_of_a_return_can_be_approved_and_the_rest_is_given_up_ret_6() {
    let pending = [requested(), ReturnEvent::SetApart];
    given::<Return>(&pending).when(authorize(Some(back("laptop", 1)))).then(&[authorized(1)]);
    let narrow = wish(ReturnWish::Narrow { units: back("laptop", 1) });
    assert_eq!(owed(&[requested(), ReturnEvent::SetApart, authorized(1)]), [narrow]);
    let too_many = ReturnRefusal::TooMany {
        product: crate::samples::product("laptop"),
        units: units(3),
        most: units(2),
    };
    given::<Return>(&pending).when(authorize(Some(back("laptop", 3)))).then_refused(too_many);
}

#[test]
fn all_is_approved_where_nothing_is_said_and_nothing_approved_is_a_rejection() {
    let pending = [requested(), ReturnEvent::SetApart];
    given::<Return>(&pending).when(authorize(None)).then(&[authorized(2)]);
    let rejected = ReturnEvent::Rejected { by: "ops-1".into(), reason: None };
    given::<Return>(&pending).when(authorize(Some(back("laptop", 0)))).then(&[rejected]);
}

#[test]
fn a_rejected_or_cancelled_return_gives_its_units_up() {
    let by = || "ops-1".into();
    for end in [
        ReturnEvent::Rejected { by: by(), reason: None },
        ReturnEvent::Cancelled { by: by(), reason: None },
    ] {
        let history = [requested(), ReturnEvent::SetApart, end];
        assert_eq!(owed(&history), [wish(ReturnWish::Narrow { units: Units::new() })]);
    }
}

#[test]
fn a_return_is_cancelled_only_while_nobody_has_allowed_it() {
    let cancel = || ReturnCommand::Cancel { by: "alice".into(), reason: None };
    let cancelled = ReturnEvent::Cancelled { by: "alice".into(), reason: None };
    let pending = [requested(), ReturnEvent::SetApart];
    given::<Return>(&pending).when(cancel()).then(std::slice::from_ref(&cancelled));
    given::<Return>(&pending).and(&[cancelled]).when(cancel()).then(&[]);
    given::<Return>(&pending)
        .and(&[authorized(2)])
        .when(cancel())
        .then_refused(refuses(ReturnStatus::Authorized, "be cancelled"));
}

#[test]
fn no_step_of_a_return_is_left_out() {
    let pending = [requested(), ReturnEvent::SetApart];
    let at = ReturnStatus::PendingAuthorization;
    let by = || "ops-1".into();
    for (command, wish) in [
        (ReturnCommand::Ship { tracking: None, by: by() }, "be sent"),
        (ReturnCommand::Receive { by: by() }, "be received"),
        (ReturnCommand::Inspect { passed: None, by: by(), reason: None }, "be inspected"),
        (refund(RefundMethod::Original), "be refunded"),
    ] {
        given::<Return>(&pending).when(command).then_refused(refuses(at, wish));
    }
}

#[test]
fn units_that_did_not_pass_end_a_return_without_money() {
    let history = [requested(), ReturnEvent::SetApart, authorized(2), received(), inspected(0)];
    let closed = given::<Return>(&history);
    assert_eq!(closed.state().0.as_ref().unwrap().status, ReturnStatus::Closed);
    closed
        .when(refund(RefundMethod::Original))
        .then_refused(refuses(ReturnStatus::Closed, "be refunded"));
    assert_eq!(owed(&history), []);
}

#[test]
fn a_refund_that_failed_leaves_the_stock_alone_and_is_tried_again_on_the_same_way_ret_19() {
    let mut history = looked_at();
    history.extend([asked(RefundMethod::Card), ReturnEvent::RefundFailed]);
    assert_eq!(owed(&history), [], "neither stock nor order is asked");
    let other = ReturnRefusal::OtherMethod(RefundMethod::Card);
    given::<Return>(&history).when(refund(RefundMethod::Cash)).then_refused(other);
    given::<Return>(&history).when(refund(RefundMethod::Card)).then(&[asked(RefundMethod::Card)]);
}

#[test]
fn units_go_into_stock_after_their_money_is_back_and_once_c_32() {
    let mut history = looked_at();
    assert_eq!(owed(&history), []);
    history.push(asked(RefundMethod::Original));
    let (units, method) = (back("laptop", 2), RefundMethod::Original);
    assert_eq!(owed(&history), [wish(ReturnWish::Refund { units: units.clone(), method })]);
    history.push(ReturnEvent::Refunded { amount: usd(199_998) });
    assert!(matches!(&owed(&history)[..], [Intent::TakeBack { units }] if units.len() == 1));
    let restocked = ReturnEvent::Restocked { units };
    given::<Return>(&history)
        .when(ReturnCommand::RecordRestocked)
        .then(std::slice::from_ref(&restocked));
    history.push(restocked);
    assert_eq!(owed(&history), []);
    given::<Return>(&history).when(ReturnCommand::RecordRestocked).then(&[]);
}

#[test]
#[should_panic(expected = "RETURN-4 violated")]
fn a_history_that_restocks_before_the_refund_stops_the_return() {
    let mut history = looked_at();
    history.push(ReturnEvent::Restocked { units: back("laptop", 2) });
    given::<Return>(&history);
}

#[test]
fn the_answer_of_the_order_says_what_became_of_the_money() {
    let mut history = vec![OrderEvent::Placed(Arc::new(placement()))];
    let is_about_returns = |event: &OrderEvent| {
        matches!(
            event,
            OrderEvent::PaymentCaptured { .. }
                | OrderEvent::ReturnSetApart { .. }
                | OrderEvent::PartRefundAsked { .. }
        )
    };
    history.extend(order_events().into_iter().filter(is_about_returns));
    let intent = wish(ReturnWish::Refund { units: Units::new(), method: RefundMethod::Original });
    let says = |history: &[OrderEvent]| {
        let order = Order::replay(history.iter().map(|event| (event, seconds(0)))).0.unwrap();
        Return::absorb(&intent, Answer::OrderDone(order))
    };
    assert_eq!(says(&history), None, "it is on its way");
    let mut failed = history.clone();
    failed.push(OrderEvent::PartRefundFailed { rma: RMA });
    assert_eq!(says(&failed), Some(ReturnCommand::RecordRefundFailed));
    history.push(OrderEvent::PartRefunded { rma: RMA, amount: usd(99_999) });
    assert_eq!(says(&history), Some(ReturnCommand::RecordRefunded { amount: usd(99_999) }));
    assert_eq!(Return::absorb(&intent, Answer::Failed), None, "it is asked again");
}

fn photo(digest: u8) -> Picture {
    picture("laptop", digest)
}

fn shown(digest: u8) -> ReturnEvent {
    ReturnEvent::PhotoAdded { photo: photo(digest) }
}

fn show(digest: u8) -> ReturnCommand {
    ReturnCommand::AddPhoto { photo: photo(digest) }
}

#[test]
fn the_same_photo_is_shown_once_ret_3() {
    given::<Return>(&[requested()]).when(show(1)).then(&[shown(1)]);
    given::<Return>(&[requested(), shown(1)]).when(show(1)).then(&[]);
    given::<Return>(&[requested(), shown(1)]).when(show(2)).then(&[shown(2)]);
    given::<Return>(&[]).when(show(1)).then_refused(ReturnRefusal::Unknown);
}

#[test]
fn a_return_has_at_most_twenty_photos_ret_10() {
    let mut history = vec![requested()];
    history.extend((0..20).map(shown));
    given::<Return>(&history).when(show(19)).then(&[]);
    given::<Return>(&history).when(show(20)).then_refused(ReturnRefusal::TooManyPhotos);
}

#[test]
fn nobody_needs_photos_of_units_that_were_looked_at() {
    let refusal = refuses(ReturnStatus::Inspected, "be shown");
    given::<Return>(&looked_at()).when(show(1)).then_refused(refusal);
    let rejected = ReturnEvent::Rejected { by: "ops-1".into(), reason: None };
    let refusal = refuses(ReturnStatus::Rejected, "be shown");
    let history = [requested(), ReturnEvent::SetApart, rejected];
    given::<Return>(&history).when(show(1)).then_refused(refusal);
}
