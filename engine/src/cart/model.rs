//! State, commands, events and refusals of a cart.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::aggregate::EventName;
use crate::values::{CartId, CustomerId, Moment, OrderId, ProductId, Quantity};

/// Most lines in one cart, and in one order (ORD-17).
pub const CART_LINES_MAX: usize = 50;

/// Most units in one line (ORD-17).
pub const LINE_UNITS_MAX: u32 = 100;

/// The aggregate of one cart.
#[derive(Clone, Copy, Debug)]
pub struct Cart;

/// A cart that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenCart {
    /// Its id.
    pub id: CartId,
    /// Whose it is, if anybody said so.
    pub customer: Option<CustomerId>,
    /// Units by product.
    pub lines: BTreeMap<ProductId, Quantity>,
    /// The order that it became.
    pub ordered_as: Option<OrderId>,
    /// When it was opened.
    pub created_at: Moment,
    /// When it last changed.
    pub updated_at: Moment,
    /// Counts the changes.
    pub version: u64,
}

/// A cart, once there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CartState(pub Option<Arc<OpenCart>>);

/// What can be asked of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CartCommand {
    /// Start a cart.
    Open {
        /// Its id.
        cart: CartId,
        /// Whose it is.
        customer: Option<CustomerId>,
    },
    /// Make the line of a product have this many units; zero takes the line away.
    SetLine {
        /// Which product.
        product: ProductId,
        /// How many units.
        quantity: Quantity,
    },
    /// Take all lines away.
    Clear,
    /// Note the order that the cart became.
    CheckOut {
        /// That order.
        order: OrderId,
    },
}

/// What happened to a cart. Journaled: add variants, never change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartEvent {
    /// It was started.
    Opened {
        /// Its id.
        cart: CartId,
        /// Whose it is.
        customer: Option<CustomerId>,
    },
    /// A line now has this many units.
    LineSet {
        /// Which product.
        product: ProductId,
        /// How many units; at least one.
        quantity: Quantity,
    },
    /// A line was taken away.
    LineRemoved {
        /// Which product.
        product: ProductId,
    },
    /// All lines were taken away.
    Cleared,
    /// It became an order.
    CheckedOut {
        /// That order.
        order: OrderId,
    },
}

impl EventName for CartEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "cart.opened",
            Self::LineSet { .. } => "cart.line_set",
            Self::LineRemoved { .. } => "cart.line_removed",
            Self::Cleared => "cart.cleared",
            Self::CheckedOut { .. } => "cart.checked_out",
        }
    }
}

/// Why a command was turned down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CartRefusal {
    /// There is no such cart.
    #[error("cart is unknown")]
    Unknown,
    /// Another cart has this id.
    #[error("cart exists and belongs to somebody else")]
    Exists,
    /// It has become an order.
    #[error("cart was checked out as order {0}")]
    CheckedOut(OrderId),
    /// Too many units in one line.
    #[error("a line has at most {LINE_UNITS_MAX} units")]
    TooManyUnits,
    /// Too many lines.
    #[error("a cart has at most {CART_LINES_MAX} lines")]
    TooManyLines,
}
