//! Carts that belong to orders, and get free when nobody will get anything for it.
//!
//! The order itself claims its cart before it is placed. What is done here afterwards may fail or
//! never happen; whoever finds the cart taken does it again.

use std::time::Duration;

use actors::outcome::{Accepted, Asking, NotDone};
use engine::cart::{Cart, CartCommand, CartRefusal};
use engine::order::WishedCart;
use engine::values::{CartId, OrderId};
use tokio::time::Instant;

use crate::call::Call;
use crate::problem::Problem;
use crate::routes::Edge;
use crate::routes::orders::place::stands;

/// How long the cart of an order that has its answer is waited for, whatever the order took.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// A cart that an order is to have for itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TakenCart {
    pub(crate) cart: CartId,
    /// The contents that the order is made of; absent when it is made of something else.
    pub(crate) contents: Option<u64>,
    pub(crate) life: CartLife,
}

/// What becomes of a cart whose order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CartLife {
    /// It stays as it was ordered.
    Once,
    /// It is emptied, to be filled anew.
    Again,
}

impl TakenCart {
    /// As the order asks for it.
    pub(crate) const fn wished(&self) -> WishedCart {
        WishedCart::new(self.cart, self.contents)
    }

    /// Tells the cart what came of its order. The order's answer does not hang on it.
    pub(crate) async fn settle(&self, edge: &Edge, call: &Call, order: OrderId, stands: bool) {
        let Some(command) = self.life.after(order, stands) else { return };
        let deadline = Instant::now() + AFTERWARDS;
        let asking = Asking { deadline, ..call.asking(None, None) };
        if let Err(error) = edge.shop.ask_cart(self.cart, command, asking).await {
            let cart = self.cart;
            tracing::warn!(%cart, %order, ?error, request_id = %call.request_id,
                "cart {cart} was not told of the end of order {order}");
        }
    }
}

impl CartLife {
    fn after(self, order: OrderId, stands: bool) -> Option<CartCommand> {
        match (stands, self) {
            (false, Self::Once | Self::Again) => Some(CartCommand::Reopen { order }),
            (true, Self::Again) => Some(CartCommand::Empty { order }),
            (true, Self::Once) => None,
        }
    }
}

/// Frees a cart that was found to belong to `order`, if it needs not; whether it did.
///
/// # Errors
///
/// Whatever keeps the order or the cart from being asked.
pub(crate) async fn free(
    edge: &Edge,
    call: &Call,
    cart: CartId,
    order: OrderId,
    life: CartLife,
) -> Result<bool, Problem> {
    let command = match edge.shop.order(order).await? {
        None => Some(CartCommand::Abandon { order }),
        // What comes of it is not known yet.
        Some(found) if found.is_under_way() => None,
        Some(found) => life.after(order, stands(&found)),
    };
    let Some(command) = command else { return Ok(false) };
    match edge.shop.ask_cart(cart, command, call.asking(None, None)).await {
        Ok(_) => Ok(true),
        Err(NotDone::Refused(_)) => Ok(false),
        Err(not_done) => Err(not_done.into()),
    }
}

/// Asks a cart; once more when it belonged to an order that came to nothing.
///
/// # Errors
///
/// What the cart says, or what keeps it from being asked.
pub(crate) async fn ask_free(
    edge: &Edge,
    call: &Call,
    cart: CartId,
    command: CartCommand,
    asking: Asking,
    life: CartLife,
) -> Result<Accepted<Cart>, Problem> {
    match edge.shop.ask_cart(cart, command.clone(), asking.clone()).await {
        Err(NotDone::Refused(CartRefusal::CheckedOut(order)))
            if free(edge, call, cart, order, life).await? =>
        {
            Ok(edge.shop.ask_cart(cart, command, asking).await?)
        }
        asked => Ok(asked?),
    }
}
