//! Who is who: entities by kind and number, and the names under which the engine knows them.

use engine::Aggregate as _;
use engine::cart::Cart;
use engine::catalog::Product;
use engine::inventory::Inventory;
use engine::order::Order;
use engine::values::{CartId, OrderId, ProductId};
use persistence::journal::StreamId;
use uuid::Uuid;

use super::options::Options;

/// Order ids are so far apart that their items get ids in between.
const ORDER_STRIDE: u128 = 1 << 16;

/// Keeps ids of carts apart from those of orders.
const CART_BASE: u128 = 1 << 100;

/// The kinds of entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Product,
    Stock,
    Cart,
    Order,
}

/// One entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Who {
    pub(super) kind: Kind,
    pub(super) index: usize,
}

impl Who {
    pub(super) const fn new(kind: Kind, index: usize) -> Self {
        Self { kind, index }
    }
}

/// The names of everybody in a world.
pub(super) struct Names {
    products: Vec<StreamId>,
    stocks: Vec<StreamId>,
    carts: Vec<StreamId>,
    orders: Vec<StreamId>,
    shards: u16,
}

impl Names {
    pub(super) fn of(options: &Options) -> Self {
        let products = |kind: &str| -> Vec<StreamId> {
            let key = |index| StreamId::new(kind, &format!("p{index}"));
            (0..options.products).map(key).collect()
        };
        let carts = (0..options.carts).map(|i| StreamId::new(Cart::KIND, &cart(i).to_string()));
        let orders = (0..options.visits).map(|i| StreamId::new(Order::KIND, &order(i).to_string()));
        Self {
            products: products(Product::KIND),
            stocks: products(Inventory::KIND),
            carts: carts.collect(),
            orders: orders.collect(),
            shards: options.shards,
        }
    }

    fn of_kind(&self, kind: Kind) -> &[StreamId] {
        match kind {
            Kind::Product => &self.products,
            Kind::Stock => &self.stocks,
            Kind::Cart => &self.carts,
            Kind::Order => &self.orders,
        }
    }

    /// Shards of the journal.
    pub(super) const fn shards(&self) -> u16 {
        self.shards
    }

    /// How many there are of a kind.
    pub(super) fn count(&self, kind: Kind) -> usize {
        self.of_kind(kind).len()
    }

    /// The stream of an entity.
    pub(super) fn stream(&self, who: Who) -> Option<&StreamId> {
        self.of_kind(who.kind).get(who.index)
    }

    /// Whose stream this is.
    pub(super) fn who(&self, stream: &StreamId) -> Option<Who> {
        let (kind, index) = match stream.kind() {
            Product::KIND => (Kind::Product, product_index(stream.key())?),
            Inventory::KIND => (Kind::Stock, product_index(stream.key())?),
            Cart::KIND => {
                (Kind::Cart, cart_index(CartId::new(Uuid::parse_str(stream.key()).ok()?))?)
            }
            Order::KIND => {
                (Kind::Order, order_index(OrderId::new(Uuid::parse_str(stream.key()).ok()?))?)
            }
            _ => return None,
        };
        (index < self.count(kind)).then_some(Who { kind, index })
    }
}

/// The product of that number.
pub(super) fn product(index: usize) -> Option<ProductId> {
    ProductId::parse(&format!("p{index}")).ok()
}

/// The number of a product.
pub(super) fn product_index(key: &str) -> Option<usize> {
    key.strip_prefix('p')?.parse().ok()
}

/// The cart of that number.
pub(super) const fn cart(index: usize) -> CartId {
    CartId::new(Uuid::from_u128(CART_BASE + index as u128))
}

/// The number of a cart.
pub(super) fn cart_index(cart: CartId) -> Option<usize> {
    usize::try_from(cart.as_uuid().as_u128().checked_sub(CART_BASE)?).ok()
}

/// The order of that number.
pub(super) const fn order(index: usize) -> OrderId {
    OrderId::new(Uuid::from_u128((index as u128 + 1) * ORDER_STRIDE))
}

/// The number of an order.
pub(super) fn order_index(order: OrderId) -> Option<usize> {
    let number = order.as_uuid().as_u128().checked_div(ORDER_STRIDE)?;
    usize::try_from(number.checked_sub(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_whom_they_name() {
        let names = Names::of(&Options { products: 3, carts: 2, ..Options::of(1) });
        for kind in [Kind::Product, Kind::Stock, Kind::Cart, Kind::Order] {
            for index in 0..names.count(kind) {
                let who = Who::new(kind, index);
                assert_eq!(names.who(names.stream(who).unwrap()), Some(who));
            }
        }
    }
}
