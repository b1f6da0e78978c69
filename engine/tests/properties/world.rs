//! A small shop around the real rules: a few orders, two stocks, a cart, a provider, and no clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::cart::{Cart, CartCommand, CartRefusal, CartState};
use engine::catalog::{Listing, ProductStatus};
use engine::fraud::{Counted, FraudPolicy, Vetting};
use engine::inventory::{Inventory, InventoryCommand, InventoryRefusal, StockLevel};
use engine::ledger::{Ledger, LedgerEvent};
use engine::order::{
    HOLD_FIRST, Order, OrderCommand, OrderEvent, OrderRefusal, OrderState, PaymentStatus, Personal,
    PlaceOrder, Wish, WishedCart, WishedItem, WishedPromo,
};
use engine::process::{Answer, HeldUnits, Intent, StockRefusal};
use engine::promo::{NewPromo, OpenPromo, Rebate};
use engine::validation::Policy;
use engine::values::{
    AdjustmentId, CartId, CreditAccount, Currency, CustomerId, Fingerprint, Moment, Money, OrderId,
    PaymentMethod, PaymentToken, ProductId, PromoCode, Quantity,
};
use engine::{Aggregate, Step};
use uuid::Uuid;

use crate::entry;
use crate::provider::{Luck, Provider};
use crate::returns::{Parcel, RETURNS};

pub(crate) const ORDERS: usize = 6;
/// The one cart, which every order may come from.
pub(crate) const CART: CartId = CartId::new(Uuid::from_u128(1));
pub(crate) const PRODUCTS: [&str; 2] = ["cup", "pan"];

/// One order with its whole history.
#[derive(Debug, Default)]
pub(crate) struct Life {
    pub(crate) state: OrderState,
    pub(crate) history: Vec<(OrderEvent, Moment)>,
    /// Whether it was placed from the cart.
    pub(crate) from_cart: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Shop {
    pub(crate) now: Moment,
    pub(crate) stocks: BTreeMap<ProductId, (StockLevel, u64)>,
    pub(crate) lives: [Life; ORDERS],
    pub(crate) parcels: [Parcel; RETURNS],
    pub(crate) provider: Provider,
    pub(crate) cart: CartState,
    cart_version: u64,
    pub(crate) ledger: Ledger,
    /// Stock intents that were carried out, for late copies of them.
    pub(crate) sent: Vec<Intent>,
}

pub(crate) fn product(index: usize) -> ProductId {
    ProductId::parse(PRODUCTS[index]).unwrap()
}

pub(crate) fn order_id(index: usize) -> OrderId {
    OrderId::new(Uuid::from_u128(u128::try_from(index).unwrap() * 1_000 + 1))
}

fn listing(product: &ProductId) -> Listing {
    Listing {
        product: product.clone(),
        name: product.to_string(),
        price: Money::new(if product.as_str() == "cup" { 250 } else { 1_999 }, Currency::EUR),
        status: ProductStatus::Active,
        terms: None,
        version: 3,
        pictures: [].into(),
    }
}

/// The code that every third order uses: often enough that the last use is fought for.
const PROMO: &str = "SPRING";
/// How many orders can use it.
pub(crate) const USES: i64 = 1;

const fn uses_promo(order: usize) -> bool {
    order % 3 == 1
}

/// The stock of its uses.
pub(crate) fn uses() -> ProductId {
    PromoCode::parse(PROMO).unwrap().uses()
}

/// The stock of a customer's credit.
pub(crate) fn credit(customer: &str) -> ProductId {
    CreditAccount::new(CustomerId::parse(customer).unwrap(), Currency::EUR).stock()
}

fn promo() -> Arc<OpenPromo> {
    let made = NewPromo {
        code: PromoCode::parse(PROMO).unwrap(),
        rebate: Rebate::PercentBps(1_500),
        minimum: None,
        starts_at: None,
        ends_at: None,
        uses_max: Some(1),
        uses_per_customer: Some(1),
    };
    let at = Moment::default();
    Arc::new(OpenPromo { made, is_active: true, created_at: at, updated_at: at, version: 1 })
}

/// Somebody looks at large first orders.
fn wary() -> Policy {
    let first_order_limit = Some(Money::new(2_000, Currency::EUR));
    let fraud = FraudPolicy { first_order_limit, ..FraudPolicy::default() };
    Policy { fraud, ..Policy::default() }
}

pub(crate) fn wish(method: Option<PaymentMethod>) -> Option<Wish> {
    let token = (method == Some(PaymentMethod::Card)).then(|| PaymentToken::new("tok_ok"));
    method.map(|method| Wish { method, token })
}

impl Shop {
    pub(crate) fn pass(&mut self, seconds: u64) {
        self.now = self.now.saturating_add(Duration::from_secs(seconds));
        self.provider.pass(self.now);
    }

    /// Judges a command for a stock and books what comes of it.
    pub(crate) fn ask_stock(
        &mut self,
        product: &ProductId,
        command: &InventoryCommand,
    ) -> Result<(), InventoryRefusal> {
        let (stock, version) = self.stocks.entry(product.clone()).or_default();
        for event in Inventory::decide(stock, command, self.now)? {
            Inventory::evolve(stock, &event, self.now);
            *version += 1;
            let stream = format!("inventory/{product}");
            let event = LedgerEvent::Inventory(&event);
            self.ledger.book(&entry(&stream, *version, self.now, event)).expect("a sound journal");
        }
        Ok(())
    }

    /// Judges a command for an order and books what comes of it.
    pub(crate) fn ask_order(
        &mut self,
        index: usize,
        command: &OrderCommand,
    ) -> Result<(), OrderRefusal> {
        let life = &mut self.lives[index];
        for event in Order::decide(&life.state, command, self.now)? {
            Order::evolve(&mut life.state, &event, self.now);
            life.history.push((event, self.now));
            let (event, at) = life.history.last().unwrap();
            let version = u64::try_from(life.history.len()).unwrap();
            let stream = format!("order/{}", order_id(index));
            let event = LedgerEvent::Order(event);
            self.ledger.book(&entry(&stream, version, *at, event)).expect("a sound journal");
        }
        Ok(())
    }

    /// Judges a command for the cart and books what comes of it.
    pub(crate) fn ask_cart(&mut self, command: &CartCommand) -> Result<(), CartRefusal> {
        for event in Cart::decide(&self.cart, command, self.now)? {
            Cart::evolve(&mut self.cart, &event, self.now);
            self.cart_version += 1;
            let event = LedgerEvent::Cart(&event);
            let entry = entry("cart/1", self.cart_version, self.now, event);
            self.ledger.book(&entry).expect("a sound journal");
        }
        Ok(())
    }

    /// Opens the cart again if its order came to nothing, as somebody does who finds it taken.
    pub(crate) fn free_cart(&mut self) {
        let Some(order) = self.cart.0.as_ref().and_then(|cart| cart.ordered_as) else { return };
        let life = (0..ORDERS).find(|index| order_id(*index) == order).unwrap();
        let command = match Order::view(&self.lives[life].state) {
            None => CartCommand::Abandon { order },
            Some(found) if found.payment.status == PaymentStatus::Failed => {
                CartCommand::Reopen { order }
            }
            Some(_) => return,
        };
        let _still_claimed = self.ask_cart(&command);
    }

    /// Makes the uses of the promo code, and gives both customers some credit; a repeat changes nothing.
    fn supply(&mut self) {
        for (name, delta) in [("alice", 2_100), ("bob", 600)] {
            let supply = InventoryCommand::Adjust {
                adjustment: AdjustmentId::new(Uuid::from_u128(8)),
                delta,
                reason: String::new(),
                if_version: None,
            };
            self.ask_stock(&credit(name), &supply).unwrap();
        }
        let limit = InventoryCommand::SetLimit { limit: Some(Quantity::new(1)) };
        self.ask_stock(&uses(), &limit).unwrap();
        let supply = InventoryCommand::Adjust {
            adjustment: AdjustmentId::new(Uuid::from_u128(7)),
            delta: USES,
            reason: String::new(),
            if_version: None,
        };
        self.ask_stock(&uses(), &supply).unwrap();
    }

    /// Wishes, looks up, holds, places; gives back what was held when it is refused.
    pub(crate) fn place(
        &mut self,
        index: usize,
        items: &[(usize, i64)],
        method: Option<PaymentMethod>,
        from_cart: bool,
        luck: impl Fn(usize) -> Luck,
    ) {
        self.supply();
        let item = |(which, count): &(usize, i64)| WishedItem::new(product(*which), *count, None);
        let place = PlaceOrder {
            order: order_id(index),
            customer: CustomerId::parse(if index.is_multiple_of(2) { "alice" } else { "bob" })
                .unwrap(),
            channel: "web".to_owned(),
            items: items.iter().map(item).collect(),
            payment: wish(method),
            cart: from_cart.then(|| WishedCart::new(CART, None)),
            promo: uses_promo(index).then(|| WishedPromo::new(PROMO)),
            personal: Personal::default(),
            trusted_price: false,
            policy: Arc::new(wary()),
            vetting: Vetting { is_named: true, ..Vetting::default() },
            fingerprint: Fingerprint::from_bytes([u8::try_from(items.len()).unwrap(); 16]),
            hold_for: HOLD_FIRST,
            credit: None,
            held_until: None,
        };
        let mut command = OrderCommand::Place(Box::new(place));
        let mut rounds = 0;
        while let Step::Needs(needs) =
            Order::next_step(&self.lives[index].state, &command, self.now)
        {
            rounds += 1;
            assert!(rounds <= 5, "listings, the buyer's orders, their trust, holds, the cart");
            for (number, need) in needs.into_iter().enumerate() {
                let answer = self.carry_out(&need, luck(number), false);
                Order::supply(&mut command, &need, answer);
            }
        }
        let before = self.lives[index].history.len();
        if self.ask_order(index, &command).is_ok() {
            let is_new = before < self.lives[index].history.len();
            self.lives[index].from_cart |= is_new && from_cart;
        } else {
            for intent in Order::compensate(&self.lives[index].state, &command) {
                let _answer = self.carry_out(&intent, luck(0), false);
            }
        }
    }

    /// Does one piece of the order's work; whether something was owed.
    pub(crate) fn work(&mut self, index: usize, pick: usize, luck: Luck, declines: bool) -> bool {
        let owed = Order::outstanding(&self.lives[index].state, self.now);
        let Some(intent) = owed.get(pick % owed.len().max(1)) else { return false };
        let answer = self.carry_out(intent, luck, declines);
        if let Some(command) = Order::absorb(intent, answer) {
            self.ask_order(index, &command).expect("an answer is never refused");
        }
        true
    }

    /// Carries one intent out.
    pub(crate) fn carry_out(&mut self, intent: &Intent, luck: Luck, declines: bool) -> Answer {
        match intent {
            Intent::Lookup { product } => luck.carry(|| Answer::Listing(Some(listing(product)))),
            Intent::LookupPromo { .. } => luck.carry(|| Answer::Promo(Some(promo()))),
            // Alice's orders are always her first, so that her large ones are looked at.
            Intent::NoteOrder { customer, .. } => {
                let has_earlier = customer.as_str() != "alice";
                luck.carry(|| Answer::Counted(Counted { recent: 0, has_earlier }))
            }
            Intent::NoteReview { .. } => luck.carry(|| Answer::ReviewNoted),
            Intent::AskTrust { .. } => luck.carry(|| Answer::Trust(false)),
            Intent::Hold { units, .. } => {
                let command = InventoryCommand::of(intent, units).unwrap();
                luck.carry(|| self.stock_answer(&units.product, &command))
            }
            Intent::ClaimCart { order, contents, .. } => {
                let claim = CartCommand::CheckOut { order: *order, contents: *contents };
                luck.carry(|| self.cart_answer(&claim))
            }
            Intent::ReopenCart { order, .. } => {
                luck.carry(|| self.cart_answer(&CartCommand::Reopen { order: *order }))
            }
            Intent::Charge { key, amount, .. } => {
                let luck = self.provider.luck(luck);
                if let Luck::Delayed(seconds) = luck {
                    let arrives_at = self.now.saturating_add(Duration::from_secs(seconds));
                    self.provider.charge_at(arrives_at, *key, *amount, declines);
                }
                luck.carry(|| self.provider.charge(*key, *amount, declines))
            }
            Intent::QueryCharge { key } => {
                let luck = self.provider.luck(luck);
                luck.carry(|| Answer::Charge(self.provider.outcome(*key)))
            }
            Intent::Refund { key, amount } => {
                let luck = self.provider.luck(luck);
                luck.carry(|| self.provider.refund(*key, *amount))
            }
            Intent::Extend { units, .. }
            | Intent::Commit { units }
            | Intent::Release { units }
            | Intent::Restock { units } => {
                self.sent.push(intent.clone());
                luck.carry(|| self.for_each(units, intent))
            }
            Intent::RefundPart { key, rma, amount } => {
                let luck = self.provider.luck(luck);
                luck.carry(|| self.provider.refund_part(*key, *rma, *amount))
            }
            Intent::Deposit { units, .. } => {
                luck.carry(|| self.for_each(std::slice::from_ref(units), intent))
            }
            Intent::TakeBack { units } => luck.carry(|| self.for_each(units, intent)),
            Intent::ForReturn { order, rma, wish } => {
                let command = OrderCommand::ForReturn { rma: *rma, wish: wish.clone() };
                luck.carry(|| self.order_answer(*order, &command))
            }
        }
    }

    fn cart_answer(&mut self, command: &CartCommand) -> Answer {
        self.ask_cart(command).map_or_else(Answer::CartRefused, |()| Answer::CartDone)
    }

    /// Asks every stock; the answer is the worst one.
    fn for_each(&mut self, units: &[HeldUnits], intent: &Intent) -> Answer {
        let mut worst = Answer::StockDone;
        for unit in units {
            let command = InventoryCommand::of(intent, unit).unwrap();
            let answer = self.stock_answer(&unit.product, &command);
            if answer != Answer::StockDone {
                worst = answer;
            }
        }
        worst
    }

    fn stock_answer(&mut self, product: &ProductId, command: &InventoryCommand) -> Answer {
        match self.ask_stock(product, command) {
            Ok(()) => Answer::StockDone,
            Err(InventoryRefusal::NotEnoughStock { available, .. }) => {
                Answer::StockRefused(StockRefusal::NotEnough { available })
            }
            Err(InventoryRefusal::OverLimit { limit }) => {
                Answer::StockRefused(StockRefusal::OverLimit { limit })
            }
            Err(InventoryRefusal::Lapsed(_)) => Answer::StockRefused(StockRefusal::Lapsed),
            Err(_) => Answer::StockRefused(StockRefusal::Invalid),
        }
    }
}
