//! State, commands, events and refusals of a cart.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::aggregate::EventName;
use crate::values::{
    Answered, CartId, CustomerId, KeyedRequest, Moment, OrderId, ProductId, PromoCode, Quantity,
};

/// Most lines in one cart, and in one order (ORD-17).
pub const CART_LINES_MAX: usize = 50;

/// Most units in one line (ORD-17).
pub const LINE_UNITS_MAX: u32 = 100;

/// Most carts that one cart takes the lines of.
pub const CARTS_TAKEN_MAX: usize = 32;

/// How long an order that claimed a cart may take to come to be: far longer than it ever does.
pub const CLAIM_VALID: Duration = Duration::from_mins(1);

/// A claim that is older is renewed when its order asks again, so that it lasts for long enough.
pub(super) const CLAIM_YOUNG: Duration = Duration::from_secs(30);

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
    /// The version with which its lines were last changed.
    pub contents: u64,
    /// The promo code that its order is to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promo: Option<PromoCode>,
    /// The cart that has its lines; then it never changes again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<CartId>,
    /// The carts whose lines it has taken; bounded by [`CARTS_TAKEN_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<CartId>,
    /// The order that it belongs to.
    pub ordered_as: Option<OrderId>,
    /// The last requests that came under keys.
    #[serde(default, skip_serializing_if = "Answered::is_empty")]
    pub answered: Answered,
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
    /// Make the line of a product have so many units more. The only command that does something each
    /// time that it is repeated.
    AddUnits {
        /// Which product.
        product: ProductId,
        /// How many units more.
        quantity: Quantity,
    },
    /// Take all lines away.
    Clear,
    /// Let its order use a promo code, or none.
    SetPromo {
        /// Which code.
        code: Option<PromoCode>,
    },
    /// Let its lines go to another cart, and change no more.
    Join {
        /// The other cart.
        cart: CartId,
    },
    /// Add the lines of a cart that has joined this one, once.
    Take {
        /// That cart.
        from: CartId,
        /// Its lines.
        lines: BTreeMap<ProductId, Quantity>,
    },
    /// Let it belong to an order that is about to be placed.
    CheckOut {
        /// That order.
        order: OrderId,
        /// The contents that the order was made of; absent when it was made of something else.
        contents: Option<u64>,
    },
    /// The order that it belongs to was refused or its payment failed.
    Reopen {
        /// That order.
        order: OrderId,
    },
    /// The order that it belongs to does not exist, and may be too late to come to be.
    Abandon {
        /// That order.
        order: OrderId,
    },
    /// The order that it belongs to stands; the cart is to be filled anew.
    Empty {
        /// That order.
        order: OrderId,
    },
    /// Do something once, however often it is asked under the same key.
    Once {
        /// The request.
        request: KeyedRequest,
        /// What to do.
        command: Box<CartCommand>,
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
    /// Its order is to use this promo code, or none.
    PromoSet {
        /// Which code.
        code: Option<PromoCode>,
    },
    /// Its lines go to another cart.
    Joined {
        /// That cart.
        cart: CartId,
    },
    /// It has the lines of another cart; they were set just before.
    Took {
        /// That cart.
        from: CartId,
    },
    /// It belongs to an order.
    CheckedOut {
        /// That order.
        order: OrderId,
    },
    /// It does not belong to that order any more.
    Reopened {
        /// That order.
        order: OrderId,
    },
    /// A request under a key was done; a repeat of it changes nothing.
    Answered {
        /// The request.
        request: KeyedRequest,
    },
}

impl EventName for CartEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "cart.opened",
            Self::LineSet { .. } => "cart.line_set",
            Self::LineRemoved { .. } => "cart.line_removed",
            Self::Cleared => "cart.cleared",
            Self::PromoSet { .. } => "cart.promo_set",
            Self::Joined { .. } => "cart.joined",
            Self::Took { .. } => "cart.took",
            Self::CheckedOut { .. } => "cart.checked_out",
            Self::Reopened { .. } => "cart.reopened",
            Self::Answered { .. } => "cart.answered",
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
    /// Another request was answered under its key.
    #[error("the key was used for another request")]
    KeyReused,
    /// It belongs to an order.
    #[error("cart was checked out as order {0}")]
    CheckedOut(OrderId),
    /// It holds something else than the order was made of.
    #[error("cart has changed meanwhile")]
    Changed,
    /// Another cart has its lines.
    #[error("the lines of the cart are in cart {0}")]
    Joined(CartId),
    /// A cart cannot take its own lines.
    #[error("a cart cannot be merged into itself")]
    Itself,
    /// It has the lines of as many others as it may.
    #[error("a cart takes the lines of at most {CARTS_TAKEN_MAX} others")]
    TooManyTaken,
    /// Too many units in one line.
    #[error("a line has at most {LINE_UNITS_MAX} units")]
    TooManyUnits,
    /// Too many lines.
    #[error("a cart has at most {CART_LINES_MAX} lines")]
    TooManyLines,
}
