//! What the HTTP edge does with a request, in a simulated process: it makes a command of it and asks.

use actors::entity::Asked;
use engine::cart::CartCommand;
use engine::catalog::ProductCommand;
use engine::inventory::InventoryCommand;
use engine::order::{
    HOLD_FIRST, Order, OrderCommand, OrderStatus, Personal, PlaceOrder, WishedCart, WishedItem,
};
use engine::values::{
    AdjustmentId, Currency, CustomerId, KeyedRequest, Money, OrderId, PaymentMethod, PaymentToken,
    Quantity,
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

/// What the edge makes of a request.
pub(super) enum Errand {
    Product(ProductCommand),
    Stock(InventoryCommand),
    Cart(CartCommand),
    Order(OrderCommand),
    /// The order is moved to whatever status comes next.
    MoveOn,
    /// The cart is freed if its order came to nothing.
    FreeCart,
    /// The order is read.
    Read,
}

impl Request {
    /// What the edge makes of it.
    pub(super) fn errand(&self) -> Option<Errand> {
        Some(match self {
            Self::Publish { product: index } => {
                let (id, price) = (product(*index)?, price(PRICES[0]));
                let name = id.to_string();
                Errand::Product(ProductCommand::Publish { name, product: id, price })
            }
            Self::Reprice { .. } => {
                let price = Some(price(PRICES[1]));
                Errand::Product(ProductCommand::Revise { name: None, price, status: None })
            }
            Self::Adjust { delta, adjustment, .. } => Errand::Stock(InventoryCommand::Adjust {
                adjustment: AdjustmentId::new(*adjustment),
                delta: *delta,
                reason: "counted".to_owned(),
                if_version: None,
            }),
            Self::SetLimit { units, .. } => {
                let limit = Some(Quantity::new(*units));
                Errand::Stock(InventoryCommand::SetLimit { limit })
            }
            Self::OpenCart { cart: index } => {
                Errand::Cart(CartCommand::Open { cart: cart(*index), customer: None })
            }
            Self::AddToCart { product: wanted, quantity, key, .. } => {
                let (product, quantity) = (product(*wanted)?, Quantity::new(*quantity));
                let command = Box::new(CartCommand::AddUnits { product, quantity });
                let fingerprint = engine::values::Fingerprint::from_bytes(*key.as_bytes());
                let request = KeyedRequest { key: *key, fingerprint };
                Errand::Cart(CartCommand::Once { request, command })
            }
            Self::FreeCart { .. } => Errand::FreeCart,
            Self::Place { wish, other } => {
                Errand::Order(OrderCommand::Place(Box::new(place(wish, *other)?)))
            }
            Self::Cancel { as_operator, .. } => {
                let as_operator = *as_operator;
                let by = if as_operator { "operator" } else { "client" };
                Errand::Order(OrderCommand::Cancel { by: by.into(), as_operator, reason: None })
            }
            Self::MoveOn { .. } => Errand::MoveOn,
            Self::CallBack { key, outcome, .. } => {
                Errand::Order(OrderCommand::RecordCharge { key: *key, outcome: outcome.clone() })
            }
            Self::Read { .. } => Errand::Read,
        })
    }
}

/// The order is moved on from the status that an operator sees.
pub(super) fn move_on(shown: Option<&Order>) -> OrderCommand {
    let status = shown.map_or(OrderStatus::Processing, |order| next_status(order.status));
    OrderCommand::SetStatus { status, by: "operator".into() }
}

/// What frees a cart that belongs to an order, by what is known of it; nothing while that is under
/// way.
pub(super) fn free(owner: OrderId, order: Option<&Order>) -> Option<CartCommand> {
    match order {
        None => Some(CartCommand::Abandon { order: owner }),
        Some(order) if order.status == OrderStatus::Cancelled => {
            Some(CartCommand::Reopen { order: owner })
        }
        Some(order) if order.fate.is_some() => Some(CartCommand::Empty { order: owner }),
        Some(_) => None,
    }
}

impl Process {
    /// A request has reached the edge.
    pub(super) fn request(&mut self, attempt: usize, outside: &mut Outside) {
        let Some(open) = outside.clients.attempts.get_mut(attempt) else { return };
        open.process = Some(self.id);
        let (index, errand) = (open.request.of().index, open.request.errand());
        outside.agenda.after(DEADLINE, Event::GiveUp { attempt });
        match errand {
            Some(Errand::Product(command)) => {
                self.ask::<engine::catalog::Product>(index, command, attempt, outside);
            }
            Some(Errand::Stock(command)) => {
                self.ask::<engine::inventory::Inventory>(index, command, attempt, outside);
            }
            Some(Errand::Cart(command)) => {
                self.ask::<engine::cart::Cart>(index, command, attempt, outside);
            }
            Some(Errand::Order(command)) => {
                self.ask::<engine::order::Order>(index, command, attempt, outside);
            }
            Some(Errand::MoveOn) => {
                let shown = self.orders.view(index).and_then(|published| published.view.clone());
                let command = move_on(shown.as_deref());
                self.ask::<engine::order::Order>(index, command, attempt, outside);
            }
            Some(Errand::FreeCart) => self.free_cart(index, attempt, outside),
            Some(Errand::Read) => self.read(index, attempt, outside),
            None => {}
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
        let order = known.and_then(|published| published.view.as_deref());
        let Some(command) = free(owner, order) else {
            return answered(attempt, nothing, outside);
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
        promo: None,
        personal: Personal::default(),
        trusted_price: false,
        policy: std::sync::Arc::default(),
        vetting: engine::fraud::Vetting::default(),
        fingerprint: fingerprint(wish, other),
        hold_for: HOLD_FIRST,
        credit: None,
        held_until: None,
    })
}
