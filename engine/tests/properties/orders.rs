//! The life of orders: whatever gets lost on the way, every unit and every cent finds its match.

use std::collections::BTreeMap;

use engine::Aggregate;
use engine::cart::CartCommand;
use engine::inventory::{Inventory, InventoryCommand};
use engine::order::{
    Order, OrderCommand, OrderEvent, OrderState, OrderStatus, OrderStock, PaymentStatus,
    RefundMethod,
};
use engine::process::ChargeOutcome;
use engine::values::{AdjustmentId, ChargeKey, Money, OrderId, PaymentMethod, ProductId, Quantity};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use uuid::Uuid;

use crate::provider::{Charge, Luck};
use crate::returns::{Act, RETURNS};
use crate::turns::{Turn, any_turn};
use crate::world::{CART, ORDERS, PRODUCTS, Shop, order_id, product, uses};

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
            Turn::Counter { order, takes: true } => {
                let Some(known) = Order::view(&self.lives[order].state) else { return };
                let (amount, by) = (known.placement.amounts.total, "till".into());
                let take = OrderCommand::TakePayment { amount, reference: None, by };
                let _refused = self.ask_order(order, &take);
            }
            Turn::Counter { order, takes: false } => {
                let _refused = self.ask_order(order, &OrderCommand::HandBack { by: "till".into() });
            }
            Turn::Deliver { order } => {
                self.take(Turn::Decide { order, approve: true }, number);
                self.take(Turn::Counter { order, takes: true }, number);
                for _piece in 0..4 {
                    self.work(order, 0, Luck::Good, false);
                }
                for status in
                    [OrderStatus::Processing, OrderStatus::Shipped, OrderStatus::Delivered]
                {
                    let step = OrderCommand::SetStatus { status, by: "operator".into() };
                    let _refused = self.ask_order(order, &step);
                }
            }
            Turn::Act { index, act, luck } => self.act(index, &act, luck),
            Turn::SendBack { index, units, method, luck } => {
                let acts = [
                    Act::Open { units },
                    Act::Authorize { units: None },
                    Act::Receive,
                    Act::Inspect { units: None },
                    Act::Refund { method },
                ];
                for act in acts {
                    self.act(index, &act, luck[0]);
                    self.return_work(index, luck[1]);
                }
                self.work(index / 2, 0, luck[2], false);
                for luck in luck {
                    self.return_work(index, luck);
                }
            }
            Turn::ReturnWork { index, luck } => {
                self.return_work(index, luck);
            }
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
        for index in 0..RETURNS {
            // The order of a return works with it.
            while self.return_work(index, Luck::Good) {
                while self.work(index / 2, 0, Luck::Good, false) {
                    done += 1;
                    prop_assert!(done <= 40 * ORDERS, "the work never ends");
                }
                done += 1;
                prop_assert!(done <= 40 * ORDERS, "{:?} never ends", self.parcels[index]);
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
            let by_orders = sold.remove(product).unwrap_or_default() - self.restocked(product);
            prop_assert_eq!(stock.sold().units(), by_orders, "{} sold", product);
            prop_assert!(Inventory::view(stock).held <= stock.on_hand());
        }
        prop_assert!(sold.is_empty());
        let closing = self.ledger.finish();
        prop_assert!(closing.is_quiescent(), "{:?}", closing);
        prop_assert_eq!(closing.missing_credit, []);
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
        let refunded = order.payment.refunded;
        let asked = |on_way: &dyn Fn(RefundMethod) -> bool| -> i64 {
            let parts = order.returns.iter().filter_map(|part| part.refund.as_ref());
            parts.filter(|part| on_way(part.method)).map(|part| part.amount.minor()).sum()
        };
        match self.provider.charges.get(&key) {
            Some(Charge::Captured { amount, refunded: back }) => {
                prop_assert_eq!(*amount, total);
                prop_assert_eq!(order.payment.captured, Some(total));
                // What a return gets in cash or as credit, the provider keeps.
                let by_provider =
                    asked(&|method| matches!(method, RefundMethod::Original | RefundMethod::Card));
                let owed = if is_cancelled { total.minor() } else { by_provider };
                prop_assert_eq!(back.map_or(0, Money::minor), owed);
            }
            Some(Charge::Declined) => {
                prop_assert!(is_cancelled);
                prop_assert_eq!(order.payment.status, PaymentStatus::Failed);
            }
            None => {
                let by = order.method();
                let by_card = by == Some(PaymentMethod::Card);
                let by_credit = by == Some(PaymentMethod::StoreCredit);
                prop_assert!(is_cancelled || !by_card, "a card order was given away");
                prop_assert!(!by_card || order.payment.captured.is_none());
                prop_assert!(is_cancelled || !by_credit || order.payment.captured.is_some());
                prop_assert!(order.payment.captured.is_none_or(|taken| taken == total));
                prop_assert!(!is_cancelled || order.payment.captured == refunded);
            }
        }
        let (back, parts) = (refunded.map_or(0, Money::minor), asked(&|_| true));
        prop_assert!(is_cancelled || back == parts, "{} refunded, {} asked back", back, parts);
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
        // No refund is put off for longer, and those of returns are asked for again.
        shop.pass(3_600);
        for index in 0..RETURNS {
            shop.refund_again(index);
        }
        shop.settle()?;
        shop.every_order_is_lawful()?;
        prop_assert_eq!(shop.settle()?, 0);
        // A day later nothing waits to be paid any more, and every orphaned hold has lapsed.
        shop.pass(24 * 3_600);
        shop.ring();
        shop.settle()?;
        shop.ring();
        for order in 0..ORDERS {
            shop.take(Turn::Counter { order, takes: false }, 0);
        }
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
