//! The life of orders: whatever gets lost on the way, every unit and every cent finds its match.

use std::collections::BTreeMap;

use engine::Aggregate;
use engine::cart::CartCommand;
use engine::inventory::{Inventory, InventoryCommand};
use engine::order::{
    Order, OrderCommand, OrderEvent, OrderState, OrderStatus, OrderStock, PaymentStatus,
};
use engine::process::ChargeOutcome;
use engine::values::{AdjustmentId, ChargeKey, OrderId, PaymentMethod, ProductId, Quantity};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use uuid::Uuid;

use crate::provider::{Charge, Luck};
use crate::world::{CART, ORDERS, PRODUCTS, Shop, order_id, product, uses};

/// What happens next.
#[derive(Clone, Debug)]
enum Turn {
    Receive {
        product: usize,
        count: i64,
    },
    Limit {
        product: usize,
        limit: Option<u32>,
    },
    Place {
        order: usize,
        items: Vec<(usize, i64)>,
        method: Option<PaymentMethod>,
        from_cart: bool,
        luck: [Luck; 2],
    },
    /// Somebody finds the cart taken and looks whether it has to be.
    FreeCart,
    Work {
        order: usize,
        pick: usize,
        luck: Luck,
        declines: bool,
    },
    Cancel {
        order: usize,
        as_operator: bool,
    },
    Move {
        order: usize,
        status: OrderStatus,
    },
    Decide {
        order: usize,
        approve: bool,
    },
    Callback {
        order: usize,
    },
    Provider {
        is_down: bool,
    },
    Wake {
        order: usize,
    },
    Expire {
        product: usize,
    },
    /// A copy of an earlier message to the stocks arrives; nobody hears the answer.
    LateCopy {
        pick: usize,
    },
    Pass {
        seconds: u64,
    },
}

pub(crate) fn any_luck() -> impl Strategy<Value = Luck> {
    prop_oneof![
        5 => Just(Luck::Good),
        1 => Just(Luck::NotAccepted),
        1 => Just(Luck::RequestLost),
        2 => Just(Luck::AnswerLost),
        2 => (1_u64..50).prop_map(Luck::Delayed),
    ]
}

pub(crate) fn any_method() -> impl Strategy<Value = Option<PaymentMethod>> {
    prop_oneof![
        4 => Just(Some(PaymentMethod::Card)),
        1 => Just(Some(PaymentMethod::Cash)),
        1 => Just(Some(PaymentMethod::Cod)),
        2 => Just(None),
    ]
}

pub(crate) fn any_items() -> impl Strategy<Value = Vec<(usize, i64)>> {
    let count = || 1_i64..3;
    prop_oneof![
        count().prop_map(|cups| vec![(0, cups)]),
        count().prop_map(|pans| vec![(1, pans)]),
        (count(), count()).prop_map(|(cups, pans)| vec![(0, cups), (1, pans)]),
    ]
}

fn any_turn() -> impl Strategy<Value = Turn> {
    let order = || 0..ORDERS;
    let product = || 0..PRODUCTS.len();
    let status = prop::sample::select(OrderStatus::ALL.to_vec());
    prop_oneof![
        2 => (product(), 1_i64..4).prop_map(|(product, count)| Turn::Receive { product, count }),
        1 => (product(), prop::option::weighted(0.3, 1_u32..4))
            .prop_map(|(product, limit)| Turn::Limit { product, limit }),
        8 => (order(), any_items(), any_method(), any::<bool>(), [any_luck(), any_luck()]).prop_map(
            |(order, items, method, from_cart, luck)| Turn::Place {
                order, items, method, from_cart, luck
            }
        ),
        2 => Just(Turn::FreeCart),
        20 => (order(), 0_usize..3, any_luck(), prop::bool::weighted(0.2)).prop_map(
            |(order, pick, luck, declines)| Turn::Work { order, pick, luck, declines }
        ),
        2 => (order(), any::<bool>())
            .prop_map(|(order, as_operator)| Turn::Cancel { order, as_operator }),
        3 => (order(), status).prop_map(|(order, status)| Turn::Move { order, status }),
        3 => (order(), any::<bool>())
            .prop_map(|(order, approve)| Turn::Decide { order, approve }),
        1 => order().prop_map(|order| Turn::Callback { order }),
        2 => any::<bool>().prop_map(|is_down| Turn::Provider { is_down }),
        2 => order().prop_map(|order| Turn::Wake { order }),
        3 => product().prop_map(|product| Turn::Expire { product }),
        2 => any::<usize>().prop_map(|pick| Turn::LateCopy { pick }),
        5 => prop_oneof![0_u64..4, 20_u64..70, 300_u64..500, 800_u64..1_000]
            .prop_map(|seconds| Turn::Pass { seconds }),
    ]
}

impl Shop {
    fn take(&mut self, turn: Turn, number: usize) {
        match turn {
            Turn::Receive { product: which, count } => {
                let adjustment =
                    AdjustmentId::new(Uuid::from_u128(u128::try_from(number).unwrap()));
                let reason = String::new();
                let command =
                    InventoryCommand::Adjust { adjustment, delta: count, reason, if_version: None };
                self.ask_stock(&product(which), &command).unwrap();
            }
            Turn::Limit { product: which, limit } => {
                let command = InventoryCommand::SetLimit { limit: limit.map(Quantity::new) };
                self.ask_stock(&product(which), &command).unwrap();
            }
            Turn::Place { order, items, method, from_cart, luck } => {
                self.place(order, &items, method, from_cart, |number| luck[number % luck.len()]);
            }
            Turn::FreeCart => self.free_cart(),
            Turn::Work { order, pick, luck, declines } => {
                self.work(order, pick, luck, declines);
            }
            Turn::Cancel { order, as_operator } => {
                let by = "somebody".into();
                let command = OrderCommand::Cancel { by, as_operator, reason: None };
                let _refused = self.ask_order(order, &command);
            }
            Turn::Move { order, status } => {
                let command = OrderCommand::SetStatus { status, by: "operator".into() };
                let _refused = self.ask_order(order, &command);
            }
            Turn::Decide { order, approve } => {
                let by = "operator".into();
                let command = OrderCommand::DecideReview { approve, by, reason: None };
                let _refused = self.ask_order(order, &command);
            }
            Turn::Callback { order } => self.call_back(order),
            Turn::Provider { is_down } => self.provider.is_down = is_down,
            Turn::Wake { order } => {
                let _unknown = self.ask_order(order, &OrderCommand::Wake);
            }
            Turn::Expire { product: which } => {
                self.ask_stock(&product(which), &InventoryCommand::Expire).unwrap();
            }
            Turn::LateCopy { pick } => {
                if let Some(intent) = self.sent.get(pick % self.sent.len().max(1)).cloned() {
                    let _answer = self.carry_out(&intent, Luck::Good, false);
                }
            }
            Turn::Pass { seconds } => self.pass(seconds),
        }
    }

    /// The provider tells what it did, asked or not.
    fn call_back(&mut self, order: usize) {
        let key = order_id(order).charge(1);
        let outcome = self.provider.outcome(key);
        if matches!(outcome, ChargeOutcome::Captured { .. }) {
            self.ask_order(order, &OrderCommand::RecordCharge { key, outcome }).unwrap();
        }
    }

    /// Everything works again: does all work until none is left. Returns the pieces done. The provider
    /// tells nothing unasked.
    fn settle(&mut self) -> Result<usize, TestCaseError> {
        let mut done = 0;
        for order in 0..ORDERS {
            while self.work(order, 0, Luck::Good, false) {
                done += 1;
                prop_assert!(done <= 20 * ORDERS, "the work never ends: {:?}", self.lives[order]);
                // Work that is to be tried again pauses before.
                self.pass(10);
            }
        }
        Ok(done)
    }

    /// Wakes everybody whose time has come.
    fn ring(&mut self) {
        for index in 0..PRODUCTS.len() {
            self.ask_stock(&product(index), &InventoryCommand::Expire).unwrap();
        }
        self.ask_stock(&uses(), &InventoryCommand::Expire).unwrap();
        for order in 0..ORDERS {
            let _unknown = self.ask_order(order, &OrderCommand::Wake);
        }
    }

    /// ORDER-1 to ORDER-4, at any moment.
    fn every_order_is_lawful(&self) -> Result<(), TestCaseError> {
        for life in &self.lives {
            let placements =
                life.history.iter().filter(|(event, _)| matches!(event, OrderEvent::Placed(_)));
            let Some(order) = Order::view(&life.state) else { continue };
            // ORDER-1
            prop_assert_eq!(placements.count(), 1);
            let (OrderEvent::Placed(first), _) = &life.history[0] else {
                return Err(TestCaseError::fail("something came before the placement"));
            };
            prop_assert_eq!(first, &order.placement);
            // ORDER-2
            for steps in order.history.windows(2) {
                prop_assert_eq!(steps[1].from, Some(steps[0].to));
                prop_assert!(steps[0].to.may_become(steps[1].to), "{:?}", steps);
            }
            // ORDER-7
            let is_free =
                order.review.is_none() || order.review.as_ref().unwrap().verdict.is_some();
            let is_sold = order.stock == OrderStock::Committed;
            prop_assert!(is_free || !is_sold, "sold before anybody looked: {:?}", order);
            // ORDER-4
            prop_assert!(order.payment.refunded <= order.payment.captured);
            let replayed = Order::replay(life.history.iter().map(|(event, at)| (event, *at)));
            prop_assert_eq!(&replayed, &life.state);
        }
        Ok(())
    }

    /// CART-B: whatever gets lost, a cart is bought once.
    fn the_cart_became_one_order_at_most(&self) -> Result<(), TestCaseError> {
        let lives = self.lives.iter().filter(|life| life.from_cart);
        let orders = lives.filter_map(|life| Order::view(&life.state));
        let standing: Vec<OrderId> = orders
            .filter(|order| order.status != OrderStatus::Cancelled)
            .map(|order| order.placement.order)
            .collect();
        prop_assert!(standing.len() <= 1, "{:?}", standing);
        let belongs_to = self.cart.0.as_ref().and_then(|cart| cart.ordered_as);
        prop_assert!(standing.iter().all(|order| belongs_to == Some(*order)), "{:?}", belongs_to);
        Ok(())
    }

    /// ORDER-3 and ORDER-5, once nothing is owed any more.
    fn every_unit_and_cent_has_its_match(&self) -> Result<(), TestCaseError> {
        let mut sold: BTreeMap<ProductId, u32> = BTreeMap::new();
        for (index, life) in self.lives.iter().enumerate() {
            let key = order_id(index).charge(1);
            let Some(order) = Order::view(&life.state) else {
                prop_assert_eq!(self.provider.charges.get(&key), None);
                continue;
            };
            prop_assert!(Order::is_settled(&life.state) && Order::is_dormant(&life.state));
            let is_cancelled = order.status == OrderStatus::Cancelled;
            prop_assert_eq!(is_cancelled, order.stock == OrderStock::Returned);
            prop_assert_eq!(!is_cancelled, order.stock == OrderStock::Committed);
            if !is_cancelled {
                for units in order.held_units() {
                    *sold.entry(units.product).or_default() += units.quantity.units();
                }
            }
            self.money_has_its_match(key, is_cancelled, &life.state)?;
        }
        for (product, (stock, _)) in &self.stocks {
            prop_assert_eq!(stock.held(), Quantity::ZERO);
            let by_orders = sold.remove(product).unwrap_or_default();
            prop_assert_eq!(stock.sold().units(), by_orders, "{} sold", product);
            prop_assert!(Inventory::view(stock).held <= stock.on_hand());
        }
        prop_assert!(sold.is_empty());
        let closing = self.ledger.finish();
        prop_assert!(closing.is_quiescent(), "{:?}", closing);
        Ok(())
    }

    fn money_has_its_match(
        &self,
        key: ChargeKey,
        is_cancelled: bool,
        state: &OrderState,
    ) -> Result<(), TestCaseError> {
        let order = Order::view(state).unwrap();
        let total = order.placement.amounts.total;
        match self.provider.charges.get(&key) {
            Some(Charge::Captured { amount, refunded }) => {
                prop_assert_eq!(*amount, total);
                prop_assert_eq!(order.payment.captured, Some(total));
                prop_assert_eq!(*refunded, is_cancelled.then_some(total));
                prop_assert_eq!(order.payment.refunded, *refunded);
            }
            Some(Charge::Declined) => {
                prop_assert!(is_cancelled);
                prop_assert_eq!(order.payment.status, PaymentStatus::Failed);
            }
            None => {
                prop_assert_eq!(order.payment.captured, None);
                let by_card = order.method() == Some(PaymentMethod::Card);
                prop_assert!(is_cancelled || !by_card, "a card order was given away");
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn captured_money_ends_with_sold_units_or_goes_back(
        turns in prop::collection::vec(any_turn(), 1..250),
    ) {
        let mut shop = Shop::default();
        shop.ask_cart(&CartCommand::Open { cart: CART, customer: None }).unwrap();
        for product in 0..PRODUCTS.len() {
            shop.take(Turn::Receive { product, count: 3 }, usize::MAX - product);
        }
        for (number, turn) in turns.into_iter().enumerate() {
            shop.take(turn, number);
            shop.every_order_is_lawful()?;
            shop.the_cart_became_one_order_at_most()?;
        }
        // Everything heals: the work that is left is done, and doing it again is free.
        shop.provider.is_down = false;
        shop.settle()?;
        // No refund is put off for longer.
        shop.pass(3_600);
        shop.settle()?;
        shop.every_order_is_lawful()?;
        prop_assert_eq!(shop.settle()?, 0);
        // A day later nothing waits to be paid any more, and every orphaned hold has lapsed.
        shop.pass(24 * 3_600);
        shop.ring();
        shop.settle()?;
        shop.ring();
        shop.every_order_is_lawful()?;
        shop.every_unit_and_cent_has_its_match()?;
        for life in &shop.lives {
            let json = serde_json::to_string(&life.state)?;
            prop_assert_eq!(&serde_json::from_str::<OrderState>(&json)?, &life.state);
            for (event, _) in &life.history {
                let json = serde_json::to_string(event)?;
                prop_assert_eq!(&serde_json::from_str::<OrderEvent>(&json)?, event);
            }
        }
    }
}
