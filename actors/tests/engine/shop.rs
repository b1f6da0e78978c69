//! A small shop for tests: products in stock, a sandbox provider, and short words for orders.

use std::sync::Arc;
use std::time::Duration;

use actors::admission::ServiceHealth;
use actors::payments::{PaymentProvider, PaymentsConfig, SandboxConfig, SandboxProvider};
use actors::{
    Accepted, Asking, Cause, Clock, EngineConfig, NotDone, OrderSystem, Ports, TokioClock,
};
use engine::catalog::{Product, ProductCommand};
use engine::inventory::{Inventory, InventoryCommand, StockView};
use engine::order::{
    HOLD_FIRST, Order, OrderCommand, OrderRefusal, Personal, PlaceOrder, Wish, WishedItem,
};
use engine::values::{
    AdjustmentId, Currency, CustomerId, Fingerprint, Moment, Money, OrderId, PaymentMethod,
    PaymentToken, ProductId,
};
use persistence::Stores;
use tokio::time::Instant;
use uuid::Uuid;

use crate::startled::StartledProvider;

/// An open shop.
pub(crate) struct Shop {
    pub(crate) system: Arc<OrderSystem>,
    pub(crate) provider: Arc<SandboxProvider>,
    pub(crate) startled: Arc<StartledProvider>,
    pub(crate) health: Arc<ServiceHealth>,
}

pub(crate) fn order_id(number: u32) -> OrderId {
    OrderId::new(Uuid::from_u128(u128::from(number) << 64))
}

/// A wish to buy, without a payment method at first.
pub(crate) fn place(number: u32, product: &str, quantity: i64) -> PlaceOrder {
    PlaceOrder {
        order: order_id(number),
        customer: CustomerId::parse("alice").unwrap(),
        channel: "test".to_owned(),
        items: vec![WishedItem::new(ProductId::parse(product).unwrap(), quantity, None)],
        payment: None,
        cart: None,
        promo: None,
        personal: Personal::default(),
        trusted_price: false,
        policy: Arc::default(),
        vetting: engine::fraud::Vetting::default(),
        fingerprint: Fingerprint::from_bytes([1; 16]),
        hold_for: HOLD_FIRST,
        credit: None,
        held_until: None,
    }
}

/// Short words for wishes.
pub(crate) trait Wishing: Sized {
    fn and(self, product: &str, quantity: i64) -> Self;
    fn card(self, token: &str) -> Self;
    fn method(self, method: PaymentMethod) -> Self;
}

impl Wishing for PlaceOrder {
    fn and(mut self, product: &str, quantity: i64) -> Self {
        self.items.push(WishedItem::new(ProductId::parse(product).unwrap(), quantity, None));
        self
    }

    fn card(mut self, token: &str) -> Self {
        let token = Some(PaymentToken::new(token));
        self.payment = Some(Wish { method: PaymentMethod::Card, token });
        self
    }

    fn method(mut self, method: PaymentMethod) -> Self {
        self.payment = Some(Wish { method, token: None });
        self
    }
}

impl Shop {
    /// Opens over empty memory stores, with these products.
    pub(crate) async fn open(products: &[(&str, i64)]) -> Self {
        let shop = Self::over(Stores::in_memory()).await;
        for (product, units) in products {
            shop.publish(product).await;
            shop.receive(product, *units).await;
        }
        shop
    }

    /// Opens over these stores.
    pub(crate) async fn over(stores: Stores) -> Self {
        Self::with(EngineConfig::default(), stores).await
    }

    /// The same with other bounds.
    pub(crate) async fn with(config: EngineConfig, stores: Stores) -> Self {
        let clock = TokioClock::starting_at(Moment::from_unix_micros(1_000_000));
        Self::by(Arc::new(clock), config, stores).await
    }

    /// The same by another clock.
    pub(crate) async fn by(clock: Arc<dyn Clock>, config: EngineConfig, stores: Stores) -> Self {
        let provider = Arc::new(SandboxProvider::new(SandboxConfig::default()));
        let inner = Arc::clone(&provider) as Arc<dyn PaymentProvider>;
        let startled = Arc::new(StartledProvider::over(inner));
        let health = Arc::new(ServiceHealth::new(clock.clone()));
        let ports = Ports {
            provider: Arc::clone(&startled) as Arc<dyn PaymentProvider>,
            payments: PaymentsConfig::default(),
            health: Arc::clone(&health),
        };
        let system = OrderSystem::start(config, stores, ports, clock).await;
        Self { system: system.unwrap(), provider, startled, health }
    }

    pub(crate) async fn publish(&self, product: &str) {
        let id = ProductId::parse(product).unwrap();
        let price = Money::new(2_550, Currency::USD);
        let publish = ProductCommand::Publish { product: id, name: product.to_owned(), price };
        self.system.ask::<Product>(product, publish, asking()).await.unwrap();
    }

    pub(crate) async fn receive(&self, product: &str, units: i64) {
        let adjustment = AdjustmentId::new(Uuid::from_u128(u128::from(units.unsigned_abs())));
        let adjust = InventoryCommand::Adjust {
            adjustment,
            delta: units,
            reason: "delivery".to_owned(),
            if_version: None,
        };
        self.system.ask::<Inventory>(product, adjust, asking()).await.unwrap();
    }

    pub(crate) async fn place(
        &self,
        number: u32,
        wish: PlaceOrder,
    ) -> Result<Accepted<Order>, NotDone<OrderRefusal>> {
        self.order(number, OrderCommand::Place(Box::new(wish))).await
    }

    pub(crate) async fn order(
        &self,
        number: u32,
        command: OrderCommand,
    ) -> Result<Accepted<Order>, NotDone<OrderRefusal>> {
        let key = order_id(number).to_string();
        self.system.ask::<Order>(&key, command, asking()).await
    }

    pub(crate) async fn stock(&self, product: &str) -> StockView {
        let id = ProductId::parse(product).unwrap();
        self.system.product(&id).await.unwrap().unwrap().1
    }

    /// Lets time pass until the order looks as wanted.
    pub(crate) async fn until(&self, wanted: impl Fn(&Order) -> bool, number: u32) {
        for _ in 0..1_000 {
            let order = self.system.order(order_id(number)).await.unwrap().unwrap();
            if wanted(&order) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let order = self.system.order(order_id(number)).await.unwrap().unwrap();
        unreachable!("never as wanted: {order:?}");
    }
}

pub(crate) fn asking() -> Asking {
    Asking { deadline: Instant::now() + Duration::from_secs(5), cause: Cause::default() }
}
