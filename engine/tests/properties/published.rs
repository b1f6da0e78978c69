//! The properties that the requirements ask for by number, TEST-1 to TEST-5.

use engine::Aggregate as _;
use engine::inventory::InventoryCommand;
use engine::order::{Order, OrderCommand, OrderEvent, OrderRefusal, OrderState, OrderStatus};
use engine::values::{AdjustmentId, Moment, PaymentMethod};
use proptest::prelude::*;
use uuid::Uuid;

use crate::provider::Luck;
use crate::turns::{any_items, any_luck, any_method};
use crate::world::{ORDERS, PRODUCTS, Shop, product};

type Items = Vec<(usize, i64)>;

/// A shop with enough of everything.
fn stocked() -> Shop {
    let mut shop = Shop::default();
    for which in 0..PRODUCTS.len() {
        let adjustment = AdjustmentId::new(Uuid::from_u128(7));
        let (delta, reason) = (100, String::new());
        let receive = InventoryCommand::Adjust { adjustment, delta, reason, if_version: None };
        shop.ask_stock(&product(which), &receive).unwrap();
    }
    shop
}

/// The same with an order that owes nothing; a suspicious one was let go on.
fn placed(items: &[(usize, i64)], method: Option<PaymentMethod>) -> Shop {
    let mut shop = stocked();
    shop.place(0, items, method, false, |_| Luck::Good);
    settle(&mut shop, 0);
    if Order::view(&shop.lives[0].state).is_some_and(|order| order.awaits_review()) {
        let approve = OrderCommand::DecideReview { approve: true, by: "ops".into(), reason: None };
        shop.ask_order(0, &approve).unwrap();
        settle(&mut shop, 0);
    }
    shop
}

fn settle(shop: &mut Shop, order: usize) {
    let turns = (0..100).take_while(|_| shop.work(order, 0, Luck::Good, false)).count();
    assert!(turns < 100, "the work never ends");
}

fn status(shop: &Shop, order: usize) -> Option<OrderStatus> {
    Order::view(&shop.lives[order].state).map(|order| order.status)
}

fn go(shop: &mut Shop, order: usize, status: OrderStatus) -> Result<(), OrderRefusal> {
    let done = shop.ask_order(order, &OrderCommand::SetStatus { status, by: "anybody".into() });
    settle(shop, order);
    done
}

/// What the job does with every order; how many moved on.
fn run_job(shop: &mut Shop) -> usize {
    let mut advanced = 0;
    for order in 0..ORDERS {
        if status(shop, order) == Some(OrderStatus::Pending) {
            let next = OrderStatus::Processing;
            let step = OrderCommand::SetStatus { status: next, by: "system".into() };
            advanced += usize::from(shop.ask_order(order, &step).is_ok());
        }
    }
    advanced
}

fn any_status() -> impl Strategy<Value = OrderStatus> {
    prop::sample::select(OrderStatus::ALL.to_vec())
}

fn any_order() -> impl Strategy<Value = (Items, Option<PaymentMethod>)> {
    (any_items(), any_method())
}

proptest! {
    #[test]
    fn the_total_is_the_sum_of_quantity_times_unit_price_test_1((items, method) in any_order()) {
        let shop = placed(&items, method);
        let order = Order::view(&shop.lives[0].state).unwrap();
        let lines = order.placement.lines.iter();
        let sum: i64 = lines.map(|line| i64::from(line.quantity.units()) * line.unit_price.minor()).sum();
        prop_assert_eq!(order.placement.amounts.total.minor(), sum);
        prop_assert_eq!(order.placement.lines.len(), items.len());
    }

    #[test]
    fn only_valid_status_transitions_succeed_test_2(
        (items, method) in any_order(),
        steps in prop::collection::vec(any_status(), 1..12),
    ) {
        let mut shop = placed(&items, method);
        for next in steps {
            let before = status(&shop, 0).unwrap();
            let is_allowed = before == next || before.may_become(next);
            let done = go(&mut shop, 0, next);
            prop_assert_eq!(done.is_ok(), is_allowed, "{:?} to {:?}: {:?}", before, next, done);
            prop_assert_eq!(status(&shop, 0), Some(if is_allowed { next } else { before }));
        }
    }

    #[test]
    fn only_pending_orders_can_be_cancelled_and_by_operators_until_shipped_test_3(
        (items, method) in any_order(),
        steps in prop::collection::vec(any_status(), 0..6),
        as_operator in any::<bool>(),
    ) {
        let mut shop = placed(&items, method);
        for next in steps {
            let _refused = go(&mut shop, 0, next);
        }
        let before = status(&shop, 0).unwrap();
        let cancel = OrderCommand::Cancel { by: "anybody".into(), as_operator, reason: None };
        let done = shop.ask_order(0, &cancel);
        let is_allowed = match before {
            // It already is.
            OrderStatus::Cancelled | OrderStatus::Pending => true,
            OrderStatus::Processing => as_operator,
            OrderStatus::Shipped | OrderStatus::Delivered => false,
        };
        prop_assert_eq!(done.is_ok(), is_allowed, "{:?}", before);
        prop_assert_eq!(status(&shop, 0), Some(if is_allowed { OrderStatus::Cancelled } else { before }));
    }

    #[test]
    fn an_order_reads_back_from_its_stored_events_as_it_is_test_4(
        (items, method) in any_order(),
        steps in prop::collection::vec(any_status(), 0..6),
    ) {
        let mut shop = placed(&items, method);
        for next in steps {
            let _refused = go(&mut shop, 0, next);
        }
        let life = &shop.lives[0];
        let stored = life.history.iter().map(|(event, at)| {
            let json = serde_json::to_string(event).unwrap();
            (serde_json::from_str::<OrderEvent>(&json).unwrap(), *at)
        });
        let stored: Vec<(OrderEvent, Moment)> = stored.collect();
        let read: OrderState = Order::replay(stored.iter().map(|(event, at)| (event, *at)));
        prop_assert_eq!(&read, &life.state);
    }

    #[test]
    fn running_the_job_many_times_gives_what_running_it_once_gave_test_5(
        orders in prop::collection::vec((any_order(), any_luck(), any::<bool>()), 1..ORDERS),
        again in 1_usize..5,
    ) {
        let mut shop = stocked();
        for (number, ((items, method), luck, declines)) in orders.into_iter().enumerate() {
            shop.place(number, &items, method, false, |_| Luck::Good);
            shop.work(number, 0, luck, declines);
        }
        run_job(&mut shop);
        let once: Vec<OrderState> = shop.lives.iter().map(|life| life.state.clone()).collect();
        for _ in 0..again {
            prop_assert_eq!(run_job(&mut shop), 0);
        }
        let many: Vec<OrderState> = shop.lives.iter().map(|life| life.state.clone()).collect();
        prop_assert_eq!(once, many);
    }
}
