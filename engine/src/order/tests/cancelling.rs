//! Calling an order off: by its customer, by an operator, by a timer, and for want of stock.

use super::*;

fn refused(from: OrderStatus) -> OrderRefusal {
    OrderRefusal::InvalidTransition { from, to: OrderStatus::Cancelled }
}

fn processing() -> Vec<OrderEvent> {
    then(bought(), &[moved_to(OrderStatus::Processing)])
}

fn shipped() -> Vec<OrderEvent> {
    then(processing(), &[moved_to(OrderStatus::Shipped)])
}

fn delivered() -> Vec<OrderEvent> {
    then(shipped(), &[moved_to(OrderStatus::Delivered)])
}

#[test]
fn a_customer_may_cancel_a_pending_order() {
    given::<Order>(&bought()).when(cancel(false)).then(&[asked_off(None)]);
}

#[test]
fn a_customer_may_not_cancel_an_order_that_is_being_made_ready() {
    given::<Order>(&processing())
        .when(cancel(false))
        .then_refused(refused(OrderStatus::Processing));
}

#[test]
fn an_operator_may_cancel_until_the_goods_have_left() {
    given::<Order>(&bought()).when(cancel(true)).then(&[asked_off(None)]);
    given::<Order>(&processing()).when(cancel(true)).then(&[asked_off(None)]);
    given::<Order>(&shipped()).when(cancel(true)).then_refused(refused(OrderStatus::Shipped));
    given::<Order>(&delivered()).when(cancel(true)).then_refused(refused(OrderStatus::Delivered));
}

#[test]
fn cancelling_again_changes_nothing() {
    for history in [then(bought(), &[asked_off(None)]), vec![placed_by_card(), declined()]] {
        given::<Order>(&history).when(cancel(false)).then(&[]);
        given::<Order>(&history).when(set_status(OrderStatus::Cancelled)).then(&[]);
    }
}

#[test]
fn moving_to_cancelled_is_what_an_operator_does() {
    let by_operator = OrderEvent::Cancelled {
        by: "ops-1".into(),
        reason: CancelReason::Asked(None),
        reconcile_until: None,
    };
    given::<Order>(&processing()).when(set_status(OrderStatus::Cancelled)).then(&[by_operator]);
    given::<Order>(&shipped())
        .when(set_status(OrderStatus::Cancelled))
        .then_refused(refused(OrderStatus::Shipped));
}

#[test]
fn cancelling_while_a_charge_may_be_under_way_asks_what_became_of_it() {
    for history in [vec![placed_by_card()], vec![placed_by_card(), queued()]] {
        given::<Order>(&history).when(cancel(false)).then(&[asked_off(Some(reconcile_end()))]);
    }
    for history in [vec![placed_for_cash()], vec![placed_unpaid()]] {
        given::<Order>(&history).when(cancel(false)).then(&[asked_off(None)]);
    }
}

#[test]
fn an_order_that_nobody_pays_for_is_called_off_after_a_day() {
    let off = || cancelled(CancelReason::NotPaidInTime, None);
    let last = Moment::from_unix_micros(unpaid_end().as_unix_micros().saturating_sub(1));
    for history in [
        vec![placed_unpaid()],
        vec![placed_unpaid(), extended(unpaid_end())],
        vec![placed_unpaid(), OrderEvent::HoldLapsed],
    ] {
        given::<Order>(&history).at(last).when(OrderCommand::Wake).then(&[]);
        given::<Order>(&history).at(unpaid_end()).when(OrderCommand::Wake).then(&[off()]);
    }
}

#[test]
fn an_order_that_somebody_pays_for_or_confirms_is_not_called_off() {
    for history in [
        vec![placed_by_card()],
        vec![placed_for_cash()],
        vec![placed_unpaid(), captured_mouse()],
        vec![placed_unpaid(), moved_to(OrderStatus::Processing)],
        vec![placed_unpaid(), asked_off(None)],
    ] {
        given::<Order>(&history).at(unpaid_end()).when(OrderCommand::Wake).then(&[]);
    }
}

#[test]
fn a_cash_order_that_slept_past_its_hold_is_not_called_off() {
    given::<Order>(&[placed_for_cash()]).at(seconds(3_600)).when(OrderCommand::Wake).then(&[]);
}

#[test]
fn an_order_whose_units_are_lost_is_called_off() {
    let lost = || cancelled(CancelReason::StockLost, None);
    for history in [
        vec![placed_by_card(), captured()],
        vec![placed_for_cash()],
        vec![placed_unpaid(), moved_to(OrderStatus::Processing)],
    ] {
        given::<Order>(&history).when(OrderCommand::RecordStockLost).then(&[lost()]);
        given::<Order>(&history).and(&[lost()]).when(OrderCommand::RecordStockLost).then(&[]);
    }
}

#[test]
fn units_that_are_sold_to_the_order_cannot_be_lost() {
    given::<Order>(&bought()).when(OrderCommand::RecordStockLost).then(&[]);
}

#[test]
fn the_history_says_who_called_it_off_and_why() {
    let last_step = |end: OrderEvent| {
        let given = given::<Order>(&[placed_by_card()]).at(seconds(7)).and(&[end]);
        let order = Order::view(given.state()).unwrap();
        let step = order.history.last().unwrap().clone();
        assert_eq!((step.from, step.to), (Some(OrderStatus::Pending), OrderStatus::Cancelled));
        assert_eq!(step.at, seconds(7));
        (step.by.to_string(), step.reason.unwrap_or_default())
    };
    let system = |reason| last_step(cancelled(reason, None));
    let words = |by: &str, reason: &str| (by.to_owned(), reason.to_owned());
    assert_eq!(last_step(asked_off(None)), words("alice", "changed my mind"));
    assert_eq!(last_step(declined()), words("system", "payment declined"));
    assert_eq!(last_step(abandoned(None)), words("system", "payment timed out"));
    assert_eq!(system(CancelReason::Asked(None)), words("system", ""));
    assert_eq!(system(CancelReason::NotPaidInTime), words("system", "not paid in time"));
    let lost = "stock lost while the payment was open";
    assert_eq!(system(CancelReason::StockLost), words("system", lost));
}
