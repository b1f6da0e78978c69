//! Money: captured, declined, queued, abandoned, reconciled, and what comes too late.

use std::time::Duration;

use super::*;
use crate::order::{Fate, PaymentStatus};

const HOUR: Duration = Duration::from_hours(1);

fn payment_after(history: &[OrderEvent]) -> (OrderStatus, PaymentStatus) {
    let order = Order::view(given::<Order>(history).state()).unwrap();
    (order.status, order.payment.status)
}

fn just_before(moment: Moment) -> Moment {
    Moment::from_unix_micros(moment.as_unix_micros().saturating_sub(1))
}

#[test]
fn a_capture_pays_the_order() {
    given::<Order>(&[placed_by_card()]).when(says_captured()).then(&[captured()]);
    let paid = [placed_by_card(), captured()];
    assert_eq!(payment_after(&paid), (OrderStatus::Pending, PaymentStatus::Paid));
}

#[test]
fn a_capture_that_is_told_twice_counts_once() {
    given::<Order>(&[placed_by_card(), captured()]).when(says_captured()).then(&[]);
}

#[test]
fn trouble_with_another_attempt_is_ignored() {
    let other = ORDER.charge(2);
    for command in [
        OrderCommand::RecordChargeTrouble { key: other },
        OrderCommand::RecordQueryTrouble { key: other },
    ] {
        given::<Order>(&[placed_by_card()]).at(queue_end()).when(command).then(&[]);
    }
}

#[test]
fn a_declined_order_is_cancelled_and_failed() {
    given::<Order>(&[placed_by_card()]).when(says_declined()).then(&[declined()]);
    let history = [placed_by_card(), declined()];
    assert_eq!(payment_after(&history), (OrderStatus::Cancelled, PaymentStatus::Failed));
}

#[test]
fn a_queued_payment_can_still_be_declined() {
    given::<Order>(&[placed_by_card(), queued()]).when(says_declined()).then(&[declined()]);
}

#[test]
fn a_payment_that_cannot_be_settled_now_is_queued_once() {
    given::<Order>(&[placed_by_card()]).when(trouble()).then(&[queued()]);
    given::<Order>(&[placed_by_card(), queued()]).at(seconds(5)).when(trouble()).then(&[]);
    let history = [placed_by_card(), queued()];
    assert_eq!(payment_after(&history), (OrderStatus::Pending, PaymentStatus::Queued));
}

#[test]
fn an_order_that_nobody_charges_is_never_queued() {
    for first in [placed_for_cash(), placed_unpaid()] {
        given::<Order>(&[first]).when(trouble()).then(&[]);
    }
    given::<Order>(&[placed_by_card(), declined()]).when(trouble()).then(&[]);
    given::<Order>(&[placed_by_card(), captured()]).when(trouble()).then(&[]);
}

#[test]
fn a_queued_payment_is_captured_when_the_provider_is_back() {
    let history = [placed_by_card(), queued()];
    given::<Order>(&history).at(seconds(100)).when(says_captured()).then(&[captured()]);
    let paid = [placed_by_card(), queued(), captured()];
    assert_eq!(payment_after(&paid), (OrderStatus::Pending, PaymentStatus::Paid));
}

#[test]
fn a_charge_that_was_never_made_is_abandoned_when_the_queue_ends() {
    let not_charged = || says(ChargeOutcome::NotCharged);
    let given = || given::<Order>(&[placed_by_card(), queued()]);
    let surely = queue_end().saturating_add(CHARGE_ARRIVES_WITHIN);
    given().at(just_before(queue_end())).when(not_charged()).then(&[]);
    // The last attempt may have been started at the end of the queue, and be on its way yet.
    for now in [queue_end(), just_before(surely)] {
        let until = now.saturating_add(RECONCILE_LONGEST);
        given().at(now).when(not_charged()).then(&[abandoned(Some(until))]);
    }
    given().at(surely).when(not_charged()).then(&[abandoned(None)]);
}

#[test]
fn a_charge_that_stays_unknown_is_abandoned_and_asked_about_for_a_day() {
    let now = queue_end();
    let given = || given::<Order>(&[placed_by_card(), queued()]);
    given().at(just_before(now)).when(query_trouble()).then(&[]);
    let until = now.saturating_add(RECONCILE_LONGEST);
    given().at(now).when(query_trouble()).then(&[abandoned(Some(until))]);
}

#[test]
fn an_abandoned_order_is_cancelled_and_failed() {
    for reconcile_until in [None, Some(reconcile_end())] {
        let history = [placed_by_card(), queued(), abandoned(reconcile_until)];
        assert_eq!(payment_after(&history), (OrderStatus::Cancelled, PaymentStatus::Failed));
    }
}

#[test]
fn an_abandoned_charge_is_reconciled_once_the_provider_knows() {
    let open = [placed_by_card(), queued(), abandoned(Some(reconcile_end()))];
    let surely = seconds(0).saturating_add(CHARGE_ARRIVES_WITHIN);
    for outcome in [ChargeOutcome::NotCharged, ChargeOutcome::Declined { reason: String::new() }] {
        given::<Order>(&open).at(surely).when(says(outcome.clone())).then(&[reconciled()]);
        given::<Order>(&open).at(surely).and(&[reconciled()]).when(says(outcome)).then(&[]);
    }
}

#[test]
fn that_nothing_was_charged_is_believed_once_no_request_can_be_on_its_way() {
    let surely = seconds(0).saturating_add(CHARGE_ARRIVES_WITHIN);
    for end in
        [vec![asked_off(Some(reconcile_end()))], vec![queued(), abandoned(Some(reconcile_end()))]]
    {
        let history = then(vec![placed_by_card()], &end);
        let given = || given::<Order>(&history);
        given().when(says(ChargeOutcome::NotCharged)).then(&[]);
        given().at(just_before(surely)).when(says(ChargeOutcome::NotCharged)).then(&[]);
        given().at(surely).when(says(ChargeOutcome::NotCharged)).then(&[reconciled()]);
        // A decline is an outcome: the key is decided.
        given().when(says_declined()).then(&[reconciled()]);
    }
}

#[test]
fn asking_about_an_abandoned_charge_ends_one_day() {
    let open = [placed_by_card(), queued(), abandoned(Some(reconcile_end()))];
    for command in [query_trouble(), OrderCommand::Wake] {
        let given = || given::<Order>(&open);
        given().at(just_before(reconcile_end())).when(command.clone()).then(&[]);
        given().at(reconcile_end()).when(command).then(&[reconciled()]);
    }
}

#[test]
fn money_that_arrives_after_the_end_is_recorded_and_goes_back() {
    let ends = [
        vec![declined()],
        vec![queued(), abandoned(None)],
        vec![queued(), abandoned(Some(reconcile_end()))],
        vec![queued(), abandoned(Some(reconcile_end())), reconciled()],
        vec![asked_off(Some(reconcile_end()))],
    ];
    for end in ends {
        let history = then(vec![placed_by_card()], &end);
        given::<Order>(&history).when(says_captured()).then(&[captured()]);
        let late = given::<Order>(&history).and(&[captured()]);
        let refund = Intent::Refund { key: KEY, amount: usd(199_998) };
        assert!(Order::outstanding(late.state(), seconds(0)).contains(&refund), "{end:?}");
        let order = Order::view(late.state()).unwrap();
        assert_eq!(order.payment.reconcile_until, None, "nothing is left to ask");
    }
}

#[test]
fn money_goes_back_once() {
    let history = [placed_by_card(), declined(), captured()];
    let went_back = || OrderCommand::RecordRefunded { key: KEY, amount: usd(199_998) };
    given::<Order>(&history).when(went_back()).then(&[refunded()]);
    given::<Order>(&history).and(&[refunded()]).when(went_back()).then(&[]);
    let end = then(history.to_vec(), &[refunded()]);
    assert_eq!(payment_after(&end), (OrderStatus::Cancelled, PaymentStatus::Refunded));
}

#[test]
fn a_refund_of_another_charge_is_ignored() {
    let other = OrderCommand::RecordRefunded { key: ORDER.charge(2), amount: usd(199_998) };
    given::<Order>(&[placed_by_card(), declined(), captured()]).when(other).then(&[]);
    let nothing_taken = OrderCommand::RecordRefunded { key: KEY, amount: usd(199_998) };
    given::<Order>(&[placed_by_card(), declined()]).when(nothing_taken).then(&[]);
}

#[test]
#[should_panic(expected = "ORDER-4")]
fn a_history_that_refunds_more_than_was_captured_stops_the_order() {
    let too_much = OrderEvent::PaymentRefunded { amount: usd(199_999) };
    given::<Order>(&[placed_by_card(), declined(), captured(), too_much]);
}

#[test]
fn money_for_an_order_that_was_to_be_paid_later_sells_its_units() {
    given::<Order>(&[placed_unpaid()]).when(says_captured()).then(&[captured_mouse()]);
    let paid = given::<Order>(&[placed_unpaid(), captured_mouse()]);
    let commit = Intent::Commit { units: vec![held("mouse", 1)] };
    assert_eq!(Order::outstanding(paid.state(), seconds(0)), [commit]);
}

#[test]
fn what_an_order_came_to_first_stays_so_whatever_comes_later() {
    let lost = || cancelled(CancelReason::StockLost, None);
    let back = OrderEvent::StockReturned;
    let paid_at_once = vec![placed_by_card(), captured()];
    let waiting = vec![placed_by_card(), queued(), extended(queue_end())];
    let asked = || asked_off(Some(reconcile_end()));
    let cases = [
        (vec![placed_by_card()], None),
        (waiting.clone(), None),
        (paid_at_once.clone(), None),
        (bought(), Some(Fate::Stands)),
        (then(bought(), &[asked_off(None), back.clone(), refunded()]), Some(Fate::Stands)),
        (vec![placed_for_cash()], None),
        (vec![placed_for_cash(), OrderEvent::StockCommitted], Some(Fate::Stands)),
        (vec![placed_unpaid()], None),
        (vec![placed_unpaid(), extended(unpaid_end())], Some(Fate::Stands)),
        (then(paid_at_once.clone(), &[lost(), back.clone()]), Some(Fate::StockLost)),
        (then(paid_at_once, &[asked_off(None), back]), Some(Fate::CalledOff)),
        (vec![placed_by_card(), asked(), captured(), refunded()], Some(Fate::CalledOff)),
        (vec![placed_by_card(), declined(), captured(), refunded()], Some(Fate::Declined)),
        (then(waiting, &[abandoned(None), captured(), refunded()]), Some(Fate::NotPaid)),
    ];
    for (history, fate) in cases {
        let order = Order::view(given::<Order>(&history).state()).unwrap();
        assert_eq!(order.fate, fate, "after {history:?}");
    }
}

#[test]
fn an_order_says_what_goes_back_until_it_has_gone_back() {
    let refund_due =
        |history: &[OrderEvent]| Order::view(given::<Order>(history).state()).unwrap().refund_due();
    assert_eq!(refund_due(&bought()), None);
    assert_eq!(refund_due(&[placed_by_card(), declined()]), None);
    let late = [placed_by_card(), declined(), captured()];
    assert_eq!(refund_due(&late), Some(usd(199_998)));
    assert_eq!(refund_due(&then(late.to_vec(), &[refunded()])), None);
}

#[test]
fn a_refund_that_fails_is_put_off_for_twice_as_long_each_time_up_to_an_hour() {
    let trouble = || OrderCommand::RecordRefundTrouble { key: KEY };
    let history = [placed_by_card(), declined(), OrderEvent::StockReturned, captured()];
    let mut given = given::<Order>(&history);
    let mut now = seconds(0);
    for failures in 0..14_u32 {
        given = given.at(now);
        let put_off = Order::decide(given.state(), &trouble(), now).unwrap();
        let [OrderEvent::RefundPostponed { until }] = put_off[..] else { panic!("{put_off:?}") };
        let longest = Duration::from_secs(4).saturating_mul(1 << failures).min(HOUR);
        let pause = until.saturating_since(now);
        assert!(longest / 2 <= pause && pause <= longest, "{pause:?} after {failures} failures");
        given = given.and(&put_off);
        assert!(Order::outstanding(given.state(), just_before(until)).is_empty());
        let refund = Intent::Refund { key: KEY, amount: usd(199_998) };
        assert!(Order::outstanding(given.state(), until).contains(&refund));
        // What was asked before the pause began says nothing new.
        assert_eq!(Order::decide(given.state(), &trouble(), now).unwrap(), []);
        now = until;
    }
    given.when(OrderCommand::RecordRefunded { key: KEY, amount: usd(199_998) }).then(&[refunded()]);
}

#[test]
fn a_refund_that_is_not_owed_is_not_put_off() {
    let trouble = || OrderCommand::RecordRefundTrouble { key: KEY };
    // Of what cost nothing nothing goes back, and nobody asks for it.
    let (nothing, reference) = (usd(0), "ch_1".to_owned());
    let for_nothing = [
        placed(placement_of(Some(card()), &[("mouse", 1, 0)])),
        OrderEvent::PaymentCaptured { attempt: 1, amount: nothing, reference },
        asked_off(None),
        OrderEvent::StockReturned,
    ];
    assert_eq!(Order::outstanding(given::<Order>(&for_nothing).state(), seconds(9)), []);
    for history in
        [bought(), vec![placed_by_card(), declined(), captured(), refunded()], for_nothing.to_vec()]
    {
        given::<Order>(&history).when(trouble()).then(&[]);
    }
}

#[test]
fn nobody_takes_money_through_the_provider_for_what_is_paid_elsewhere() {
    for method in [PaymentMethod::Cash, PaymentMethod::Cod, PaymentMethod::StoreCredit] {
        let wish = Some(Wish { method, token: None });
        let first = placed(placement_of(wish, &[("mouse", 1, 2_550)]));
        for told in [says_captured(), says_declined()] {
            given::<Order>(std::slice::from_ref(&first))
                .when(told)
                .then_refused(OrderRefusal::NotCharged);
        }
    }
}

#[test]
fn nobody_takes_money_under_a_key_that_was_never_asked_for() {
    let order = KEY.order;
    for history in [vec![placed_by_card(), queued()], bought()] {
        for attempt in [0, 2, u32::MAX] {
            let outcome = ChargeOutcome::Captured { reference: "ch_7".into() };
            let told = OrderCommand::RecordCharge { key: order.charge(attempt), outcome };
            given::<Order>(&history).when(told).then_refused(OrderRefusal::NotCharged);
        }
    }
}

#[test]
fn an_order_is_under_way_until_whoever_placed_it_has_an_answer() {
    let cases: [(&[OrderEvent], bool); 5] = [
        (&[placed_by_card()], true),
        (&[placed_by_card(), queued()], false),
        (&[placed_by_card(), captured()], true),
        (&[placed_by_card(), captured(), OrderEvent::StockCommitted], false),
        (&[placed_by_card(), declined()], false),
    ];
    for (history, expected) in cases {
        let order = Order::view(given::<Order>(history).state()).unwrap();
        assert_eq!(order.is_under_way(), expected, "{history:?}");
    }
}
