//! The one seam to the engine: every call of a route goes through here; what is read in pages in `lists`.

mod lists;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actors::clock::Clock;
use actors::directory::Hosted;
use actors::outcome::{Accepted, Asking, NotDone, Position};
use actors::system::OrderSystem;
use engine::Aggregate;
use engine::buyer::{Buyer, BuyerCommand, BuyerState};
use engine::cart::{Cart, CartCommand, OpenCart};
use engine::catalog::{Listing, Product, ProductCommand};
use engine::endpoint::{BOOK, EndpointCommand, Endpoints};
use engine::inventory::{Inventory, InventoryCommand, StockLevel, StockView};
use engine::order::{Order, OrderCommand};
use engine::promo::{Promo, PromoCommand};
use engine::reviews::Waiting;
use engine::rma::{Return, ReturnCommand};
use engine::toggle::Toggle;
use engine::validation::Policy;
use engine::values::{CartId, CustomerId, Moment, OrderId, ProductId, PromoCode, ReturnId};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::call::Fresh;
use crate::problem::{Code, Problem};

/// Longest time that a read waits for a position.
const FRESHNESS_WAIT: Duration = Duration::from_secs(1);
/// Longest time that a durable view is waited for after the deadline of a mutation.
const LAST_LOOK: Duration = Duration::from_millis(250);

/// For how long after its arrival an order is taken back, where nothing else is said (RET-7).
const RETURN_WINDOW: Duration = Duration::from_hours(30 * 24);

/// The engine as routes see it.
#[derive(Clone)]
pub struct Shop {
    system: Arc<OrderSystem>,
    clock: Arc<dyn Clock>,
    hold_for: Duration,
    policy: Arc<Policy>,
    /// The same while flash sales are switched off.
    without_sales: Arc<Policy>,
    return_window: Duration,
}

impl std::fmt::Debug for Shop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shop").finish_non_exhaustive()
    }
}

/// A UUID as an entity's key, written into `buffer`.
fn key_of(id: Uuid, buffer: &mut [u8; 36]) -> &str {
    id.hyphenated().encode_lower(buffer)
}

impl Shop {
    /// A shop over a started system, whose orders hold stock for so long at first.
    pub fn new(system: Arc<OrderSystem>, clock: Arc<dyn Clock>, hold_for: Duration) -> Self {
        let (policy, without_sales) = Default::default();
        let shop =
            Self { system, clock, hold_for, policy, without_sales, return_window: RETURN_WINDOW };
        shop.demanding(Policy::default())
    }

    /// The same shop, with what it demands of orders.
    #[must_use]
    pub fn demanding(self, policy: Policy) -> Self {
        let without_sales = Arc::new(Policy { sales_are_off: true, ..policy.clone() });
        Self { policy: Arc::new(policy), without_sales, ..self }
    }

    /// The same shop, which takes orders back for so long after they have arrived.
    #[must_use]
    pub fn taking_back_within(self, return_window: Duration) -> Self {
        Self { return_window, ..self }
    }

    /// For how long after its arrival an order is taken back.
    pub const fn return_window(&self) -> Duration {
        self.return_window
    }

    /// What it demands of orders, and how it sells, at this moment.
    pub fn policy(&self) -> &Arc<Policy> {
        let has_sales = self.system.toggles().is_on(Toggle::FlashSale);
        if has_sales { &self.policy } else { &self.without_sales }
    }

    /// How long an order holds stock at first.
    pub const fn hold_for(&self) -> Duration {
        self.hold_for
    }

    /// The engine itself, for health and drain.
    pub fn system(&self) -> &Arc<OrderSystem> {
        &self.system
    }

    /// The present moment.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Asks an order, and does not wait for longer than the caller has; likewise below.
    ///
    /// # Errors
    ///
    /// [`NotDone`], whether anything happened.
    pub async fn ask_order(
        &self,
        id: OrderId,
        command: OrderCommand,
        asking: Asking,
    ) -> Result<Accepted<Order>, NotDone<<Order as Aggregate>::Refusal>> {
        let mut buffer = [0; 36];
        self.system.ask(key_of(id.as_uuid(), &mut buffer), command, asking).await
    }

    /// Asks a cart.
    ///
    /// # Errors
    ///
    /// [`NotDone`].
    pub async fn ask_cart(
        &self,
        id: CartId,
        command: CartCommand,
        asking: Asking,
    ) -> Result<Accepted<Cart>, NotDone<<Cart as Aggregate>::Refusal>> {
        let mut buffer = [0; 36];
        self.system.ask(key_of(id.as_uuid(), &mut buffer), command, asking).await
    }

    /// Asks a return.
    ///
    /// # Errors
    ///
    /// [`NotDone`].
    pub async fn ask_return(
        &self,
        id: ReturnId,
        command: ReturnCommand,
        asking: Asking,
    ) -> Result<Accepted<Return>, NotDone<<Return as Aggregate>::Refusal>> {
        let mut buffer = [0; 36];
        self.system.ask(key_of(id.as_uuid(), &mut buffer), command, asking).await
    }

    /// A return.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn rma(&self, id: ReturnId) -> Result<Accepted<Return>, Problem> {
        self.system.rma(id).await.map_err(|error| unreadable(&error))
    }

    /// Asks a product.
    ///
    /// # Errors
    ///
    /// [`NotDone`].
    pub async fn ask_product(
        &self,
        id: &ProductId,
        command: ProductCommand,
        asking: Asking,
    ) -> Result<Accepted<Product>, NotDone<<Product as Aggregate>::Refusal>> {
        self.system.ask(id.as_str(), command, asking).await
    }

    /// Asks a stock.
    ///
    /// # Errors
    ///
    /// [`NotDone`].
    pub async fn ask_stock(
        &self,
        id: &ProductId,
        command: InventoryCommand,
        asking: Asking,
    ) -> Result<Accepted<Inventory>, NotDone<<Inventory as Aggregate>::Refusal>> {
        self.system.ask(id.as_str(), command, asking).await
    }

    /// An order.
    ///
    /// # Errors
    ///
    /// `unavailable` when it cannot be read now.
    pub async fn order(&self, id: OrderId) -> Result<Option<Arc<Order>>, Problem> {
        self.system.order(id).await.map_err(|error| unreadable(&error))
    }

    /// An order with its version and its place in the journal.
    ///
    /// # Errors
    ///
    /// `unavailable` when it cannot be read now.
    pub async fn order_as_it_stands(&self, id: OrderId) -> Result<Accepted<Order>, Problem> {
        self.system.order_as_it_stands(id).await.map_err(|error| unreadable(&error))
    }

    /// An order that may have been placed by a request whose deadline has passed.
    pub async fn order_at_last(&self, id: OrderId) -> Option<Accepted<Order>> {
        let until = Instant::now() + LAST_LOOK;
        timeout_at(until, self.order_as_it_stands(id)).await.ok()?.ok()
    }

    /// A cart.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn cart(&self, id: CartId) -> Result<Option<Arc<OpenCart>>, Problem> {
        self.system.cart(id).await.map_err(|error| unreadable(&error))
    }

    /// Asks a buyer.
    ///
    /// # Errors
    ///
    /// [`NotDone`].
    pub async fn ask_buyer(
        &self,
        id: &CustomerId,
        command: BuyerCommand,
        asking: Asking,
    ) -> Result<Accepted<Buyer>, NotDone<<Buyer as Aggregate>::Refusal>> {
        self.system.ask(id.as_str(), command, asking).await
    }

    /// What is known of a buyer.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn buyer(&self, id: &CustomerId) -> Result<BuyerState, Problem> {
        self.system.buyer(id).await.map_err(|error| unreadable(&error))
    }

    /// The orders that somebody has to look at.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn reviews(&self) -> Result<Arc<BTreeMap<OrderId, Waiting>>, Problem> {
        self.system.reviews().await.map_err(|error| unreadable(&error))
    }

    /// A product with its stock.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn product(&self, id: &ProductId) -> Result<Option<(Listing, StockView)>, Problem> {
        self.system.product(id).await.map_err(|error| unreadable(&error))
    }

    /// Any entity.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn entity<A: Hosted>(&self, key: &str) -> Result<Accepted<A>, Problem> {
        self.system.entity(key).await.map_err(|error| unreadable(&error))
    }

    /// The whole books of a product's stock, holds included.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn stock_books(&self, id: &ProductId) -> Result<StockLevel, Problem> {
        self.system.stock_books(id).await.map_err(|error| unreadable(&error))
    }

    /// Asks the webhook endpoints.
    ///
    /// # Errors
    ///
    /// [`NotDone`].
    pub async fn ask_endpoints(
        &self,
        command: EndpointCommand,
        asking: Asking,
    ) -> Result<Accepted<Endpoints>, NotDone<<Endpoints as Aggregate>::Refusal>> {
        self.system.ask(BOOK, command, asking).await
    }

    /// Asks a promo code.
    ///
    /// # Errors
    ///
    /// [`NotDone`].
    pub async fn ask_promo(
        &self,
        code: &PromoCode,
        command: PromoCommand,
        asking: Asking,
    ) -> Result<Accepted<Promo>, NotDone<<Promo as Aggregate>::Refusal>> {
        self.system.ask(code.as_str(), command, asking).await
    }

    /// All webhook endpoints.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn endpoints(&self) -> Result<<Endpoints as Aggregate>::View, Problem> {
        self.system.endpoints().await.map_err(|error| unreadable(&error))
    }

    /// When the event at a place was decided.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn moment_of(&self, place: Position) -> Result<Option<Moment>, Problem> {
        self.system.moment_of(place).await.map_err(|error| unreadable(&error))
    }

    /// Waits until reads are at least as fresh as `position`.
    ///
    /// # Errors
    ///
    /// `invalid_header` when there is no such shard, `not_fresh_yet` when it takes longer than a
    /// second, or the journal has not come so far.
    pub async fn wait_for(&self, Fresh(position): Fresh) -> Result<(), Problem> {
        let Some(position) = position else { return Ok(()) };
        if self.system.shards() <= position.shard.0 {
            let detail =
                format!("x-min-position names shard {}, which is not there", position.shard);
            return Err(Problem::new(Code::InvalidHeader, detail));
        }
        if self.system.wait_for(position, Instant::now() + FRESHNESS_WAIT).await {
            return Ok(());
        }
        Err(Problem::new(Code::NotFreshYet, "reads have not reached the position"))
    }
}

/// What cannot be read now is told as that, and logged with its causes.
pub(crate) fn unreadable(error: &dyn std::error::Error) -> Problem {
    tracing::error!(error = %Chain(error), "read failed");
    Problem::new(Code::Unavailable, "it cannot be read now")
}

/// An error with everything that caused it.
struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
