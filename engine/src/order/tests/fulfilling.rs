//! Units and goods: sold, returned, extended, and the public status.

use super::*;
use crate::order::{Fate, OrderStock};

/// An order with its units that stands at `status`.
fn standing_at(status: OrderStatus) -> Vec<OrderEvent> {
    let steps = match status {
        OrderStatus::Pending => 0,
        OrderStatus::Processing => 1,
        OrderStatus::Shipped => 2,
        OrderStatus::Delivered => 3,
        OrderStatus::Cancelled => return then(bought(), &[asked_off(None)]),
    };
    let path = [OrderStatus::Processing, OrderStatus::Shipped, OrderStatus::Delivered];
    let mut history = bought();
    history.extend(path.into_iter().take(steps).map(moved_to));
    history
}

fn stock_after(history: &[OrderEvent]) -> OrderStock {
    Order::view(given::<Order>(history).state()).unwrap().stock
}

#[test]
fn the_status_moves_only_along_the_published_edges() {
    use OrderStatus::{Cancelled, Delivered, Pending, Processing, Shipped};
    let edges = [
        (Pending, Processing),
        (Pending, Cancelled),
        (Processing, Shipped),
        (Processing, Cancelled),
        (Shipped, Delivered),
    ];
    for from in OrderStatus::ALL {
        for to in OrderStatus::ALL {
            let given = given::<Order>(&standing_at(from));
            let decision = Order::decide(given.state(), &set_status(to), seconds(0));
            if from == to {
                assert_eq!(decision, Ok(vec![]), "{from:?} again");
            } else if edges.contains(&(from, to)) {
                assert_eq!(decision.map(|events| events.len()), Ok(1), "{from:?} to {to:?}");
            } else {
                assert_eq!(decision, Err(OrderRefusal::InvalidTransition { from, to }));
            }
        }
    }
}

#[test]
fn each_step_is_kept_with_who_and_when() {
    let given = given::<Order>(&bought()).at(seconds(9)).and(&[moved_to(OrderStatus::Processing)]);
    let order = Order::view(given.state()).unwrap();
    assert_eq!(order.status, OrderStatus::Processing);
    let step = order.history.last().unwrap();
    assert_eq!((step.from, step.at), (Some(OrderStatus::Pending), seconds(9)));
    assert_eq!(&*step.by, "ops-1");
    assert_eq!((order.version, order.updated_at), (4, seconds(9)));
}

#[test]
fn goods_do_not_move_while_nobody_knows_whether_they_are_paid() {
    let refusal =
        OrderRefusal::InvalidTransition { from: OrderStatus::Pending, to: OrderStatus::Processing };
    for history in [vec![placed_by_card()], vec![placed_by_card(), queued()]] {
        given::<Order>(&history)
            .when(set_status(OrderStatus::Processing))
            .then_refused(refusal.clone());
    }
}

#[test]
fn an_unpaid_order_may_be_confirmed_and_then_its_units_are_sold() {
    let confirmed = moved_to(OrderStatus::Processing);
    given::<Order>(&[placed_unpaid()])
        .when(set_status(OrderStatus::Processing))
        .then(std::slice::from_ref(&confirmed));
    let given = given::<Order>(&[placed_unpaid(), confirmed]);
    let commit = Intent::Commit { units: vec![held("mouse", 1)] };
    assert_eq!(Order::outstanding(given.state(), seconds(0)), [commit]);
}

#[test]
fn goods_do_not_leave_before_they_are_sold() {
    let unsold = [placed_unpaid(), moved_to(OrderStatus::Processing)];
    given::<Order>(&unsold).when(set_status(OrderStatus::Shipped)).then_refused(
        OrderRefusal::InvalidTransition { from: OrderStatus::Processing, to: OrderStatus::Shipped },
    );
    given::<Order>(&unsold)
        .and(&[OrderEvent::StockCommitted])
        .when(set_status(OrderStatus::Shipped))
        .then(&[moved_to(OrderStatus::Shipped)]);
}

#[test]
fn units_are_sold_once() {
    let sold = || OrderCommand::RecordStockCommitted;
    for before in [vec![], vec![OrderEvent::HoldLapsed]] {
        let history = then(vec![placed_by_card(), captured()], &before);
        given::<Order>(&history).when(sold()).then(&[OrderEvent::StockCommitted]);
    }
    given::<Order>(&bought()).when(sold()).then(&[]);
    let over = then(bought(), &[asked_off(None), OrderEvent::StockReturned]);
    given::<Order>(&over).when(sold()).then(&[]);
}

#[test]
fn units_go_back_once_and_only_from_a_cancelled_order() {
    let back = || OrderCommand::RecordStockReturned;
    given::<Order>(&bought()).when(back()).then(&[]);
    let off = then(bought(), &[asked_off(None)]);
    given::<Order>(&off).when(back()).then(&[OrderEvent::StockReturned]);
    given::<Order>(&off).and(&[OrderEvent::StockReturned]).when(back()).then(&[]);
}

#[test]
fn a_hold_only_ever_gets_longer() {
    let until = |moment| OrderCommand::RecordHoldsExtended { until: moment };
    given::<Order>(&[placed_by_card(), queued()])
        .when(until(queue_end()))
        .then(&[extended(queue_end())]);
    given::<Order>(&[placed_by_card(), queued()]).when(until(seconds(60))).then(&[]);
    given::<Order>(&bought()).when(until(queue_end())).then(&[]);
    given::<Order>(&[placed_by_card(), OrderEvent::HoldLapsed]).when(until(queue_end())).then(&[]);
}

#[test]
fn a_hold_lapses_once_and_only_while_it_is_held() {
    let lapsed = || OrderCommand::RecordHoldLapsed;
    given::<Order>(&[placed_by_card(), queued()]).when(lapsed()).then(&[OrderEvent::HoldLapsed]);
    given::<Order>(&[placed_by_card(), OrderEvent::HoldLapsed]).when(lapsed()).then(&[]);
    given::<Order>(&bought()).when(lapsed()).then(&[]);
}

#[test]
fn an_order_to_be_paid_later_whose_hold_lapses_before_it_was_promised_for_a_day_is_called_off() {
    let lost = cancelled(CancelReason::StockLost, None);
    given::<Order>(&[placed_unpaid()])
        .when(OrderCommand::RecordHoldLapsed)
        .then(std::slice::from_ref(&lost));
    let called_off = given::<Order>(&[placed_unpaid(), lost]);
    assert_eq!(Order::view(called_off.state()).unwrap().fate, Some(Fate::StockLost));

    let promised = [placed_unpaid(), extended(unpaid_end())];
    given::<Order>(&promised).when(OrderCommand::RecordHoldLapsed).then(&[OrderEvent::HoldLapsed]);
}

#[test]
fn the_units_are_where_the_last_event_says() {
    let mut history = vec![placed_by_card()];
    assert_eq!(stock_after(&history), OrderStock::Held(seconds(60)));
    history.extend([queued(), extended(queue_end())]);
    assert_eq!(stock_after(&history), OrderStock::Held(queue_end()));
    history.push(OrderEvent::HoldLapsed);
    assert_eq!(stock_after(&history), OrderStock::Lapsed);
    history.extend([captured(), OrderEvent::StockCommitted]);
    assert_eq!(stock_after(&history), OrderStock::Committed);
    history.extend([asked_off(None), OrderEvent::StockReturned]);
    assert_eq!(stock_after(&history), OrderStock::Returned);
}

#[test]
fn an_event_before_the_placement_is_kept_as_nothing() {
    assert_eq!(Order::view(given::<Order>(&[captured()]).state()), None);
}
