//! A checkout through the real actors over memory stores, on paused time.

use std::sync::Arc;
use std::time::Duration;

use crate::shop::{Shop, Wishing as _, order_id, place};
use crate::startled::Panics;
use actors::NotDone;
use engine::order::{OrderCommand, OrderRefusal, OrderStatus, PaymentStatus};
use engine::values::PaymentMethod;

fn cancel() -> OrderCommand {
    OrderCommand::Cancel { by: "customer".into(), as_operator: false, reason: None }
}

#[tokio::test(start_paused = true)]
async fn a_paid_order_sells_its_units() {
    let shop = Shop::open(&[("mouse", 10)]).await;

    let accepted = shop.place(1, place(1, "mouse", 3).card("tok_ok")).await.unwrap();

    let order = accepted.view.unwrap();
    assert!(accepted.changed);
    assert_eq!(order.status, OrderStatus::Pending);
    assert_eq!(order.payment.status, PaymentStatus::Paid);
    let stock = shop.stock("mouse").await;
    assert_eq!((stock.on_hand.units(), stock.held.units(), stock.sold.units()), (7, 0, 3));
}

#[tokio::test(start_paused = true)]
async fn repeating_a_key_names_the_same_order_and_sells_nothing_more() {
    let shop = Shop::open(&[("mouse", 10)]).await;
    let first = shop.place(1, place(1, "mouse", 3).card("tok_ok")).await.unwrap();

    let again = shop.place(1, place(1, "mouse", 3).card("tok_ok")).await.unwrap();

    assert!(!again.changed);
    assert_eq!(again.view.unwrap().placement, first.view.unwrap().placement);
    assert_eq!(shop.stock("mouse").await.sold.units(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_concurrent_repeat_waits_for_the_first() {
    let shop = Shop::open(&[("mouse", 10)]).await;

    let (first, again) = tokio::join!(
        shop.place(1, place(1, "mouse", 3).card("tok_ok")),
        shop.place(1, place(1, "mouse", 3).card("tok_ok")),
    );

    assert!(first.unwrap().changed);
    assert!(!again.unwrap().changed);
    assert_eq!(shop.stock("mouse").await.sold.units(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_declined_card_leaves_nothing_held_or_sold() {
    let shop = Shop::open(&[("mouse", 10)]).await;

    let declined = shop.place(1, place(1, "mouse", 3).card("tok_declined")).await.unwrap();

    let order = declined.view.unwrap();
    assert_eq!(order.status, OrderStatus::Cancelled);
    assert_eq!(order.payment.status, PaymentStatus::Failed);
    let stock = shop.stock("mouse").await;
    assert_eq!((stock.available.units(), stock.held.units(), stock.sold.units()), (10, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn cash_commits_at_once_and_no_method_holds() {
    let shop = Shop::open(&[("mouse", 10)]).await;

    shop.place(1, place(1, "mouse", 3).method(PaymentMethod::Cash)).await.unwrap();
    shop.place(2, place(2, "mouse", 4)).await.unwrap();

    let stock = shop.stock("mouse").await;
    assert_eq!((stock.on_hand.units(), stock.held.units(), stock.sold.units()), (7, 4, 3));
}

#[tokio::test(start_paused = true)]
async fn too_few_units_refuse_the_order_and_leave_its_key_free() {
    let shop = Shop::open(&[("mouse", 2)]).await;
    let refused = shop.place(1, place(1, "mouse", 3).card("tok_ok")).await.unwrap_err();
    assert!(
        matches!(refused, NotDone::Refused(OrderRefusal::InsufficientStock { .. })),
        "{refused:?}"
    );

    shop.receive("mouse", 5).await;

    assert!(shop.place(1, place(1, "mouse", 3).card("tok_ok")).await.unwrap().changed);
}

#[tokio::test(start_paused = true)]
async fn a_refused_line_gives_back_the_lines_that_were_granted() {
    let shop = Shop::open(&[("mouse", 5), ("laptop", 1)]).await;

    let both = place(1, "mouse", 2).and("laptop", 2).card("tok_ok");
    let refused = shop.place(1, both).await.unwrap_err();

    assert!(matches!(refused, NotDone::Refused(OrderRefusal::InsufficientStock { .. })));
    assert_eq!(shop.stock("mouse").await.held.units(), 0);
}

#[tokio::test(start_paused = true)]
async fn cancelling_gives_sold_units_and_money_back() {
    let shop = Shop::open(&[("mouse", 10)]).await;
    shop.place(1, place(1, "mouse", 3).card("tok_ok")).await.unwrap();

    let cancelled = shop.order(1, cancel()).await.unwrap();

    assert_eq!(cancelled.view.unwrap().status, OrderStatus::Cancelled);
    let stock = shop.stock("mouse").await;
    assert_eq!((stock.available.units(), stock.sold.units()), (10, 0));
    shop.until(|order| order.payment.status == PaymentStatus::Refunded, 1).await;
}

#[tokio::test(start_paused = true)]
async fn an_unpaid_hold_lapses_after_a_day_and_the_order_is_cancelled() {
    let shop = Shop::open(&[("mouse", 10)]).await;
    shop.place(1, place(1, "mouse", 4)).await.unwrap();

    tokio::time::sleep(Duration::from_hours(24) + Duration::from_secs(5)).await;

    shop.until(|order| order.status == OrderStatus::Cancelled, 1).await;
    assert_eq!(shop.stock("mouse").await.available.units(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_crowd_buys_exactly_what_there_is() {
    let shop = Arc::new(Shop::open(&[("mouse", 50)]).await);

    let crowd = (0..500).map(|shopper| {
        let shop = Arc::clone(&shop);
        async move { shop.place(shopper, place(shopper, "mouse", 1).card("tok_ok")).await }
    });
    let answers = futures::future::join_all(crowd).await;

    let sold = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(sold, 50);
    let told = answers.iter().filter(|answer| {
        matches!(answer, Err(NotDone::Refused(OrderRefusal::InsufficientStock { .. })))
    });
    assert_eq!(told.count(), 450);
    let stock = shop.stock("mouse").await;
    assert_eq!((stock.on_hand.units(), stock.held.units(), stock.sold.units()), (0, 0, 50));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_queues_the_order_and_is_asked_again() {
    let shop = Shop::open(&[("mouse", 10)]).await;
    shop.provider.faults().set_down(true);

    let queued = shop.place(1, place(1, "mouse", 3).card("tok_ok")).await.unwrap();

    let order = queued.view.unwrap();
    assert_eq!(order.payment.status, PaymentStatus::Queued);
    assert_eq!(shop.stock("mouse").await.held.units(), 3);

    shop.provider.faults().set_down(false);
    shop.until(|order| order.payment.status == PaymentStatus::Paid, 1).await;
    assert_eq!(shop.stock("mouse").await.sold.units(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_call_to_the_provider_that_panics_queues_the_order_and_is_made_again() {
    for panics in [Panics::AtOnce, Panics::Later] {
        let shop = Shop::open(&[("mouse", 10)]).await;
        shop.startled.set(panics);

        let queued = shop.place(1, place(1, "mouse", 3).card("tok_ok")).await.unwrap();

        assert_eq!(queued.view.unwrap().payment.status, PaymentStatus::Queued, "{panics:?}");
        shop.startled.set(Panics::Never);
        shop.until(|order| order.payment.status == PaymentStatus::Paid, 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn sleeping_orders_are_still_read_and_listed() {
    let shop = Shop::open(&[("mouse", 10)]).await;
    shop.place(1, place(1, "mouse", 3).card("tok_ok")).await.unwrap();

    tokio::time::sleep(Duration::from_mins(5)).await;

    assert_eq!(shop.system.live(), 0, "idle entities sleep");
    let order = shop.system.order(order_id(1)).await.unwrap().expect("order is known");
    assert_eq!(order.payment.status, PaymentStatus::Paid);
}

#[tokio::test(start_paused = true)]
async fn refunds_that_fail_keep_nobody_from_paying_and_are_tried_ever_more_seldom() {
    let shop = Shop::open(&[("mouse", 100)]).await;
    shop.provider.faults().set_refund_failures_per_million(1_000_000);
    for number in 1..=30 {
        shop.place(number, place(number, "mouse", 1).card("tok_ok")).await.unwrap();
    }
    for number in 1..=30 {
        shop.order(number, cancel()).await.unwrap();
    }
    tokio::time::sleep(Duration::from_mins(10)).await;

    let paid = shop.place(31, place(31, "mouse", 1).card("tok_ok")).await.unwrap();
    assert_eq!(paid.view.unwrap().payment.status, PaymentStatus::Paid);
    let owed = shop.system.order(order_id(1)).await.unwrap().unwrap();
    assert_eq!(owed.refund_due(), owed.payment.captured);
    assert!((5..=12).contains(&owed.payment.refund_failures), "{:?}", owed.payment);

    shop.provider.faults().set_refund_failures_per_million(0);
    tokio::time::sleep(Duration::from_hours(1)).await;
    for number in 1..=30 {
        shop.until(|order| order.payment.status == PaymentStatus::Refunded, number).await;
    }
}

#[tokio::test(start_paused = true)]
async fn refunds_that_wait_for_a_place_have_not_failed() {
    let shop = Arc::new(Shop::open(&[("mouse", 200)]).await);
    for number in 1..=200 {
        shop.place(number, place(number, "mouse", 1).card("tok_ok")).await.unwrap();
    }
    shop.provider.faults().set_latency(Duration::from_secs(1));
    let calls = (1..=200).map(|number| shop.order(number, cancel()));
    assert!(futures::future::join_all(calls).await.iter().all(Result::is_ok));

    for number in 1..=200 {
        shop.until(|order| order.payment.status == PaymentStatus::Refunded, number).await;
        let order = shop.system.order(order_id(number)).await.unwrap().unwrap();
        assert_eq!(order.payment.refund_failures, 0, "of order {number}");
    }
}
