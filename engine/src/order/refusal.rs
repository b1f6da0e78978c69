//! Why an order says no.

use super::life::{OrderStatus, PaymentStatus};
use super::returning::NotReturnable;
use crate::cart::CartRefusal;
use crate::process::Unavailable;
use crate::validation::Finding;
use crate::values::{Money, ProductId, PromoCode, Quantity};

/// Why a command was turned down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefusal {
    /// There is no such order.
    #[error("order is unknown")]
    Unknown,
    /// Rules were broken; all findings at once.
    #[error("{} rules were broken", .0.len())]
    Invalid(Vec<Finding>),
    /// A product has too few units left.
    #[error("{product}: requested {requested} units, {available} available")]
    InsufficientStock {
        /// Which product.
        product: ProductId,
        /// Units asked for.
        requested: Quantity,
        /// Units free.
        available: Quantity,
    },
    /// The customer may not buy that many.
    #[error("{product}: a customer may buy {limit} units")]
    OverLimit {
        /// Which product.
        product: ProductId,
        /// Units per customer.
        limit: Quantity,
    },
    /// The promo code was used as often as it may be.
    #[error("{0} was used as often as it may be")]
    PromoUsedUp(PromoCode),
    /// The customer has used the promo code as often as one may.
    #[error("{code}: a customer may use it {limit} times")]
    PromoOverLimit {
        /// Which code.
        code: PromoCode,
        /// Uses per customer.
        limit: Quantity,
    },
    /// The promo code could not be asked about now; nothing happened.
    #[error("the promo code could not be asked about: {why}")]
    PromoUnavailable {
        /// Why.
        why: Unavailable,
    },
    /// The customer has too little store credit.
    #[error("requested {requested} of store credit, {available} available")]
    InsufficientCredit {
        /// What the order costs.
        requested: Money,
        /// What can be spent.
        available: Money,
    },
    /// The store credit could not be asked about now; nothing happened.
    #[error("the store credit could not be asked about: {why}")]
    CreditUnavailable {
        /// Why.
        why: Unavailable,
    },
    /// The cart cannot belong to this order.
    #[error(transparent)]
    Cart(#[from] CartRefusal),
    /// The cart could not be asked now; nothing happened.
    #[error("the cart could not be asked: {why}")]
    CartUnavailable {
        /// Why.
        why: Unavailable,
    },
    /// A listing or a stock could not be asked now; nothing happened.
    #[error("{product} could not be asked about: {why}")]
    StockUnavailable {
        /// Which product.
        product: ProductId,
        /// Why.
        why: Unavailable,
    },
    /// It is paid without the provider, or the provider was not asked for money under that key.
    #[error("the provider was not asked for money for the order under that key")]
    NotCharged,
    /// Nobody pays for it by hand: it is paid already, on another way, or called off.
    #[error("the order is {} and {}, and takes no money by hand", .status.as_str(), .payment.as_str())]
    NotPayable {
        /// Where the goods are.
        status: OrderStatus,
        /// Where the money is.
        payment: PaymentStatus,
    },
    /// It costs something else.
    #[error("the order costs {total}")]
    OtherAmount {
        /// What it costs.
        total: Money,
    },
    /// Nothing that was taken by hand has to go back.
    #[error("the order has no money that is to be handed back")]
    NothingToHandBack,
    /// Nobody has to look at the order, or it was decided otherwise.
    #[error("the order does not wait for such a decision")]
    NotUnderReview,
    /// Somebody has to look at it first.
    #[error("the order waits until somebody has looked at it")]
    UnderReview,
    /// The key was used for another request.
    #[error("the key names an order with other content")]
    KeyReused,
    /// The status cannot change like that.
    #[error("an order cannot go from {} to {}", .from.as_str(), .to.as_str())]
    InvalidTransition {
        /// From where.
        from: OrderStatus,
        /// To where.
        to: OrderStatus,
    },
    /// Its units cannot come back like that.
    #[error(transparent)]
    Return(#[from] NotReturnable),
}
