//! What an order owes after each event, whether a client still waits, and when it wakes.

use std::collections::BTreeSet;
use std::time::Duration;

use super::reviewing::{approved, noted, review_end, suspicious};
use super::*;
use crate::EventName;
use crate::fraud::REVIEW_LONGEST;
use crate::order::RefundMethod;
use crate::samples::{RMA, back as back_units};

/// Work in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owed {
    Note(bool),
    Commit,
    Release,
    Restock,
    Extend(Moment),
    Charge,
    Query,
    Refund,
    RefundPart,
}

use Owed::{Charge, Commit, Extend, Note, Query, Refund, RefundPart, Release, Restock};

/// What the order at the end of `history` owes at `now`.
fn owed(history: &[OrderEvent], now: Moment) -> Vec<Owed> {
    let given = given::<Order>(history);
    let order = Order::view(given.state()).unwrap();
    let total = order.placement.amounts.total;
    let all = order.held_units();
    let in_one_word = |intent: Intent| match intent {
        Intent::Commit { units } => (units == all).then_some(Commit),
        Intent::Release { units } => (units == all).then_some(Release),
        Intent::Restock { units } => (units == all).then_some(Restock),
        Intent::Extend { units, expires_at } => (units == all).then_some(Extend(expires_at)),
        Intent::Charge { key, order, amount, token } => {
            assert_eq!(token.expose(), "tok_ok");
            ((key, order, amount) == (KEY, ORDER, total)).then_some(Charge)
        }
        Intent::QueryCharge { key } => (key == KEY).then_some(Query),
        Intent::Refund { key, amount } => ((key, amount) == (KEY, total)).then_some(Refund),
        Intent::NoteReview { until, .. } => Some(Note(until.is_some())),
        Intent::RefundPart { key, rma, amount } => {
            ((key, rma, amount) == (KEY, RMA, usd(99_999))).then_some(RefundPart)
        }
        Intent::Lookup { .. }
        | Intent::LookupPromo { .. }
        | Intent::NoteOrder { .. }
        | Intent::AskTrust { .. }
        | Intent::Hold { .. }
        | Intent::ClaimCart { .. }
        | Intent::ReopenCart { .. }
        | Intent::Deposit { .. }
        | Intent::TakeBack { .. }
        | Intent::ForReturn { .. } => None,
    };
    Order::outstanding(given.state(), now)
        .into_iter()
        .map(|intent| in_one_word(intent).unwrap())
        .collect()
}

/// A life, told event by event: what is owed after each, and whether a client's answer can leave.
type Life = Vec<(OrderEvent, Vec<Owed>, bool)>;

fn lives() -> Vec<Life> {
    [paid_at_once(), queued_first(), not_by_card()].concat()
}

const fn back() -> OrderEvent {
    OrderEvent::StockReturned
}

fn by_card() -> (OrderEvent, Vec<Owed>, bool) {
    (placed_by_card(), vec![Charge], false)
}

fn paid_at_once() -> Vec<Life> {
    vec![
        // Bought, delivered.
        vec![
            by_card(),
            (captured(), vec![Commit], false),
            (sold(), vec![], true),
            (moved_to(OrderStatus::Processing), vec![], true),
            (moved_to(OrderStatus::Shipped), vec![], true),
            (moved_to(OrderStatus::Delivered), vec![], true),
        ],
        // Bought, called off.
        vec![
            by_card(),
            (captured(), vec![Commit], false),
            (sold(), vec![], true),
            (off(), vec![Restock, Refund], false),
            (back(), vec![Refund], true),
            (postponed(64), vec![], true),
            (refunded(), vec![], true),
        ],
        // Called off between the money and the units.
        vec![
            by_card(),
            (captured(), vec![Commit], false),
            (off(), vec![Restock, Refund], false),
            (refunded(), vec![Restock], false),
            (back(), vec![], true),
        ],
        vec![by_card(), (declined(), vec![Release], false), (back(), vec![], true)],
        // Called off while the provider was being asked.
        vec![
            by_card(),
            (asked_off(Some(reconcile_end())), vec![Release, Query], false),
            (back(), vec![Query], true),
            (reconciled(), vec![], true),
        ],
    ]
}

fn queued_first() -> Vec<Life> {
    let until = reconcile_end();
    let in_queue = || (queued(), vec![Extend(queue_end()), Charge], true);
    vec![
        // The provider came back in time.
        vec![
            by_card(),
            in_queue(),
            (extended(queue_end()), vec![Charge], true),
            (captured(), vec![Commit], false),
            (sold(), vec![], true),
        ],
        // The hold lapsed in the queue, and somebody else took the units.
        vec![
            by_card(),
            in_queue(),
            (OrderEvent::HoldLapsed, vec![Charge], true),
            (captured(), vec![Commit], false),
            (lost(), vec![Restock, Refund], false),
            (back(), vec![Refund], true),
            (refunded(), vec![], true),
        ],
        // Never answered, then found not to have happened.
        vec![
            by_card(),
            in_queue(),
            (abandoned(Some(until)), vec![Release, Query], false),
            (back(), vec![Query], true),
            (reconciled(), vec![], true),
        ],
        // Never answered, then found to have happened.
        vec![
            by_card(),
            in_queue(),
            (abandoned(Some(until)), vec![Release, Query], false),
            (captured(), vec![Restock, Refund], false),
            (back(), vec![Refund], true),
            (refunded(), vec![], true),
        ],
        vec![
            by_card(),
            in_queue(),
            (abandoned(None), vec![Release], false),
            (back(), vec![], true),
        ],
    ]
}

/// Delivered, then one laptop comes back.
fn coming_back() -> Life {
    let (rma, one) = (RMA, back_units("laptop", 1));
    let amount = usd(99_999);
    let asked = || {
        let (units, method) = (one.clone(), RefundMethod::Original);
        let event = OrderEvent::PartRefundAsked { rma, units, amount, method };
        (event, vec![RefundPart], false)
    };
    let mut life = vec![
        (placed_by_card(), vec![Charge], false),
        (captured(), vec![Commit], false),
        (sold(), vec![], true),
        (moved_to(OrderStatus::Processing), vec![], true),
        (moved_to(OrderStatus::Shipped), vec![], true),
        (moved_to(OrderStatus::Delivered), vec![], true),
    ];
    let two = OrderEvent::ReturnSetApart { rma, units: back_units("laptop", 2) };
    let narrowed = OrderEvent::ReturnNarrowed { rma, units: one.clone() };
    life.extend([
        (two, vec![], true),
        (narrowed, vec![], true),
        asked(),
        (OrderEvent::PartRefundFailed { rma }, vec![], true),
        asked(),
        (OrderEvent::PartRefunded { rma, amount }, vec![], true),
    ]);
    life
}

fn not_by_card() -> Vec<Life> {
    let unpaid_for_a_day = || (placed_unpaid(), vec![Extend(unpaid_end())], false);
    vec![
        coming_back(),
        vec![(placed_for_cash(), vec![Commit], false), (sold(), vec![], true)],
        vec![
            (placed_for_cash(), vec![Commit], false),
            (lost(), vec![Restock], false),
            (back(), vec![], true),
        ],
        // To be paid later: the hold is made to last before anybody is told that it does.
        vec![
            unpaid_for_a_day(),
            (extended(unpaid_end()), vec![], true),
            (captured_mouse(), vec![Commit], false),
            (sold(), vec![], true),
        ],
        // Paid by hand, called off, handed back: no provider hears of it.
        vec![
            unpaid_for_a_day(),
            (taken("ops-1"), vec![Commit], false),
            (sold(), vec![], true),
            (off(), vec![Restock], false),
            (back(), vec![], true),
            (handed_back("ops-1"), vec![], true),
        ],
        vec![
            unpaid_for_a_day(),
            (OrderEvent::HoldLapsed, vec![], true),
            (moved_to(OrderStatus::Processing), vec![Commit], false),
            (sold(), vec![], true),
        ],
        // Somebody has to look at it first, and lets it go on.
        vec![
            (suspicious(Some(cash())), vec![Extend(review_end()), Note(true)], false),
            (extended(review_end()), vec![Note(true)], true),
            (noted(true), vec![], true),
            (approved(), vec![Commit, Note(false)], false),
            (OrderEvent::StockCommitted, vec![Note(false)], true),
            (noted(false), vec![], true),
        ],
        // Confirmed and then called off: the commit may have arrived.
        vec![
            unpaid_for_a_day(),
            (moved_to(OrderStatus::Processing), vec![Commit], false),
            (off(), vec![Restock], false),
            (back(), vec![], true),
        ],
        vec![
            unpaid_for_a_day(),
            (extended(unpaid_end()), vec![], true),
            (cancelled(CancelReason::NotPaidInTime, None), vec![Release], false),
            (back(), vec![], true),
        ],
    ]
}

#[test]
fn each_event_leaves_exactly_the_work_that_is_still_owed() {
    for life in lives() {
        let mut history = Vec::new();
        for (event, expected, _) in life {
            history.push(event);
            assert_eq!(owed(&history, seconds(0)), expected, "after {history:?}");
        }
    }
}

#[test]
fn an_answer_leaves_once_the_units_are_placed_and_the_money_is_known_or_queued() {
    for life in lives() {
        let mut history = Vec::new();
        for (event, _, settled) in life {
            history.push(event);
            let given = given::<Order>(&history);
            assert_eq!(Order::is_settled(given.state()), settled, "after {history:?}");
        }
    }
}

#[test]
fn open_work_is_resumed_after_two_seconds_and_an_order_without_any_sleeps() {
    for life in lives() {
        let mut given = given::<Order>(&[]);
        for (event, expected, _) in life {
            // Time passes after the placement, so that the last change is told from the first.
            let now = if matches!(event, OrderEvent::Placed(_)) { 0 } else { 3 };
            given = given.at(seconds(now)).and(&[event]);
            let order = Order::view(given.state()).unwrap();
            let waits = order.method().is_none()
                && order.status == OrderStatus::Pending
                && order.payment.captured.is_none();
            let wake_at = if !expected.is_empty() {
                Some(order.updated_at.saturating_add(Duration::from_secs(2)))
            } else if order.refund_due().is_some() {
                order.payment.refund_after
            } else if order.awaits_review() {
                Some(order.created_at.saturating_add(REVIEW_LONGEST))
            } else if waits {
                Some(order.created_at.saturating_add(UNPAID_HOLD))
            } else {
                None
            };
            assert_eq!(Order::wake_at(given.state()), wake_at, "{order:?}");
            assert_eq!(Order::is_dormant(given.state()), wake_at.is_none(), "{order:?}");
        }
    }
}

#[test]
fn the_lives_above_know_every_event() {
    let told: BTreeSet<&str> = lives().iter().flatten().map(|(event, _, _)| event.name()).collect();
    let all: BTreeSet<&str> = crate::samples::order_events().iter().map(EventName::name).collect();
    assert_eq!(told, all);
}

#[test]
fn when_the_queue_ends_the_provider_is_asked_instead_of_charged() {
    let history = [placed_by_card(), queued(), extended(queue_end())];
    let last = Moment::from_unix_micros(queue_end().as_unix_micros().saturating_sub(1));
    assert_eq!(owed(&history, last), [Charge]);
    assert_eq!(owed(&history, queue_end()), [Query]);
}

#[test]
fn an_order_that_does_not_exist_owes_nothing_and_keeps_nobody_waiting() {
    let nothing = super::super::OrderState::default();
    assert_eq!(Order::outstanding(&nothing, seconds(0)), []);
    assert!(Order::is_settled(&nothing));
    assert!(!Order::is_dormant(&nothing), "it may be about to be placed");
    assert_eq!(Order::wake_at(&nothing), None);
    assert_eq!(Order::wake(), Some(OrderCommand::Wake));
}

#[test]
fn every_answer_is_turned_into_the_command_that_records_it() {
    let units = || vec![held("laptop", 2)];
    let charge = || Intent::Charge {
        key: KEY,
        order: ORDER,
        amount: usd(199_998),
        token: PaymentToken::new("tok_ok"),
    };
    let query = || Intent::QueryCharge { key: KEY };
    let commit = || Intent::Commit { units: units() };
    let extend = || Intent::Extend { units: units(), expires_at: queue_end() };
    let refund = || Intent::Refund { key: KEY, amount: usd(199_998) };
    let failed = || Answer::Failed;
    let busy = || Answer::NotAccepted(Unavailable::Overloaded);
    let lapsed = || Answer::StockRefused(StockRefusal::Lapsed);
    let outcome = || ChargeOutcome::NotCharged;
    let recorded = [
        (charge(), Answer::Charge(outcome()), Some(says(outcome()))),
        (query(), Answer::Charge(outcome()), Some(says(outcome()))),
        (charge(), failed(), Some(trouble())),
        (query(), failed(), Some(query_trouble())),
        (commit(), Answer::StockDone, Some(OrderCommand::RecordStockCommitted)),
        (commit(), lapsed(), Some(OrderCommand::RecordStockLost)),
        (
            Intent::Release { units: units() },
            Answer::StockDone,
            Some(OrderCommand::RecordStockReturned),
        ),
        (
            Intent::Restock { units: units() },
            Answer::StockDone,
            Some(OrderCommand::RecordStockReturned),
        ),
        (
            extend(),
            Answer::StockDone,
            Some(OrderCommand::RecordHoldsExtended { until: queue_end() }),
        ),
        (extend(), lapsed(), Some(OrderCommand::RecordHoldLapsed)),
        (
            refund(),
            Answer::Refunded,
            Some(OrderCommand::RecordRefunded { key: KEY, amount: usd(199_998) }),
        ),
        (refund(), failed(), Some(OrderCommand::RecordRefundTrouble { key: KEY })),
        // Nobody took it, so nobody failed; a client is told of its queued payment all the same.
        (charge(), busy(), Some(trouble())),
        (query(), busy(), None),
        (refund(), busy(), None),
        (commit(), busy(), None),
        // Nothing is known to have happened: the work stays owed.
        (commit(), failed(), None),
        (extend(), failed(), None),
        (Intent::Release { units: units() }, failed(), None),
        (Intent::Restock { units: units() }, failed(), None),
    ];
    for (intent, answer, expected) in recorded {
        assert_eq!(Order::absorb(&intent, answer.clone()), expected, "{intent:?}: {answer:?}");
    }
}
