//! What the HTTP edge does with a request, in a simulated process: it makes a command of it and asks.

use actors::entity::Asked;
use engine::cart::CartCommand;
use engine::catalog::ProductCommand;
use engine::inventory::InventoryCommand;
use engine::order::{
    HOLD_FIRST, OrderCommand, OrderStatus, Personal, PlaceOrder, WishedCart, WishedItem,
};
use engine::values::{
    AdjustmentId, Currency, CustomerId, KeyedRequest, Money, PaymentMethod, PaymentToken, Quantity,
};

use super::cast::Cast;
use super::clients::{DEADLINE, Outcome, Request, answered, fingerprint, next_status};
use super::names::{self, cart, order, product};
use super::outside::{Event, Outside};
use super::plan::{Pays, Wish};
use super::process::Process;
use super::provider::DECLINED_TOKEN;
use super::reply::{Reply, Way};

/// What one unit costs at first, and after it was repriced.
const PRICES: [i64; 2] = [1_999, 2_499];

/// What a client believes that a unit costs, if it says so.
pub(super) fn believed(wish: &Wish) -> Option<Money> {
    wish.believes.then(|| price(PRICES[0]))
}

impl Process {
    /// A request has reached the edge.
    pub(super) fn request(&mut self, attempt: usize, outside: &mut Outside) {
        let Some(open) = outside.clients.attempts.get_mut(attempt) else { return };
        open.process = Some(self.id);
        let request = open.request.clone();
        outside.agenda.after(DEADLINE, Event::GiveUp { attempt });
        match request {
            Request::Publish { product: index } => {
                let (Some(id), price) = (product(index), price(PRICES[0])) else { return };
                let command = ProductCommand::Publish { name: id.to_string(), product: id, price };
                self.ask::<engine::catalog::Product>(index, command, attempt, outside);
            }
            Request::Reprice { product: index } => {
                let price = Some(price(PRICES[1]));
                let command = ProductCommand::Revise { name: None, price, status: None };
                self.ask::<engine::catalog::Product>(index, command, attempt, outside);
            }
            Request::Adjust { product: index, delta, adjustment } => {
                let command = InventoryCommand::Adjust {
                    adjustment: AdjustmentId::new(adjustment),
                    delta,
                    reason: "counted".to_owned(),
                    if_version: None,
                };
                self.ask::<engine::inventory::Inventory>(index, command, attempt, outside);
            }
            Request::SetLimit { product: index, units } => {
                let command = InventoryCommand::SetLimit { limit: Some(Quantity::new(units)) };
                self.ask::<engine::inventory::Inventory>(index, command, attempt, outside);
            }
            Request::OpenCart { cart: index } => {
                let command = CartCommand::Open { cart: cart(index), customer: None };
                self.ask::<engine::cart::Cart>(index, command, attempt, outside);
            }
            Request::AddToCart { cart: index, product: wanted, quantity, key } => {
                let Some(product) = product(wanted) else { return };
                let quantity = Quantity::new(quantity);
                let command = Box::new(CartCommand::AddUnits { product, quantity });
                let fingerprint = engine::values::Fingerprint::from_bytes(*key.as_bytes());
                let request = KeyedRequest { key, fingerprint };
                let command = CartCommand::Once { request, command };
                self.ask::<engine::cart::Cart>(index, command, attempt, outside);
            }
            Request::FreeCart { cart: index } => self.free_cart(index, attempt, outside),
            Request::Place { wish, other } => {
                let index = wish.order;
                let Some(place) = place(&wish, other) else { return };
                let command = OrderCommand::Place(Box::new(place));
                self.ask::<engine::order::Order>(index, command, attempt, outside);
            }
            Request::Cancel { order: index, as_operator } => {
                let by = if as_operator { "operator" } else { "client" };
                let command = OrderCommand::Cancel { by: by.into(), as_operator, reason: None };
                self.ask::<engine::order::Order>(index, command, attempt, outside);
            }
            Request::MoveOn { order: index } => {
                let shown = self.orders.view(index).and_then(|published| published.view.clone());
                let status = shown.map_or(OrderStatus::Processing, |o| next_status(o.status));
                let command = OrderCommand::SetStatus { status, by: "operator".into() };
                self.ask::<engine::order::Order>(index, command, attempt, outside);
            }
            Request::CallBack { order: index, key, outcome } => {
                let command = OrderCommand::RecordCharge { key, outcome };
                self.ask::<engine::order::Order>(index, command, attempt, outside);
            }
            Request::Read { order: index } => self.read(index, attempt, outside),
        }
    }

    fn ask<A: Cast>(
        &mut self,
        index: usize,
        command: A::Command,
        attempt: usize,
        outside: &mut Outside,
    ) {
        self.ask_or_read::<A>(index, Some(command), attempt, outside);
    }

    fn ask_or_read<A: Cast>(
        &mut self,
        index: usize,
        command: Option<A::Command>,
        attempt: usize,
        outside: &mut Outside,
    ) {
        let Some(open) = outside.clients.attempts.get(attempt) else { return };
        let cause = open.cause.clone();
        let reply = Reply::new(Way::Client(attempt), self.lost.clone());
        let deadline = outside.now().saturating_add(DEADLINE);
        let asked = Asked { command, cause, reply, from: None };
        self.send::<A>(index, asked, deadline, true, outside);
    }

    /// A read looks at the published view, else it wakes the entity.
    fn read(&mut self, index: usize, attempt: usize, outside: &mut Outside) {
        if let Some(published) = self.orders.view(index) {
            let (version, order) = (published.version, published.view.clone());
            let outcome = Outcome::Done { version, changed: false, order };
            return answered(attempt, outcome, outside);
        }
        self.ask_or_read::<engine::order::Order>(index, None, attempt, outside);
    }

    /// Frees a cart whose order came to nothing, as the edge does for whoever finds it taken.
    fn free_cart(&mut self, index: usize, attempt: usize, outside: &mut Outside) {
        let owner =
            self.carts.view(index).and_then(|published| published.view.as_ref()?.ordered_as);
        let nothing = Outcome::Done { version: 0, changed: false, order: None };
        let Some(owner) = owner else { return answered(attempt, nothing, outside) };
        let known = names::order_index(owner).and_then(|order| self.orders.view(order));
        let command = match known.map(|published| published.view.as_ref()) {
            None | Some(None) => CartCommand::Abandon { order: owner },
            Some(Some(order)) if order.status == OrderStatus::Cancelled => {
                CartCommand::Reopen { order: owner }
            }
            Some(Some(order)) if order.fate.is_some() => CartCommand::Empty { order: owner },
            Some(Some(_)) => return answered(attempt, nothing, outside),
        };
        self.ask::<engine::cart::Cart>(index, command, attempt, outside);
    }
}

const fn price(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

fn place(wish: &Wish, other: bool) -> Option<PlaceOrder> {
    let payment = match wish.pays {
        Pays::Later => None,
        Pays::Cod => Some(engine::order::Wish { method: PaymentMethod::Cod, token: None }),
        Pays::Card | Pays::BadCard => {
            let token = if wish.pays == Pays::Card { "tok_ok" } else { DECLINED_TOKEN };
            let token = Some(PaymentToken::new(token));
            Some(engine::order::Wish { method: PaymentMethod::Card, token })
        }
    };
    let item = |(index, units): &(usize, u32)| {
        let units = i64::from(*units).saturating_add(i64::from(other));
        Some(WishedItem::new(product(*index)?, units, believed(wish)))
    };
    Some(PlaceOrder {
        order: order(wish.order),
        customer: CustomerId::parse(&format!("c{}", wish.customer)).ok()?,
        channel: "web".to_owned(),
        items: wish.items.iter().map(item).collect::<Option<_>>()?,
        cart: wish.cart.map(|index| WishedCart::new(cart(index), None)),
        payment,
        promo_code: None,
        personal: Personal::default(),
        trusted_price: false,
        fingerprint: fingerprint(wish, other),
        hold_for: HOLD_FIRST,
        held_until: None,
    })
}
