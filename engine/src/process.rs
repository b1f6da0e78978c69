//! What aggregates want from others and what comes back: plain data, carried out by the shell.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cart::CartRefusal;
use crate::catalog::Listing;
use crate::fraud::Counted;
use crate::order::{NotReturnable, Order, ReturnWish};
use crate::promo::OpenPromo;
use crate::values::{
    CartId, ChargeKey, CustomerId, HoldId, Moment, Money, OrderId, PaymentToken, ProductId,
    PromoCode, Quantity, ReturnId,
};

/// Units of one product under one hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldUnits {
    /// Whose stock.
    pub product: ProductId,
    /// The hold.
    pub hold: HoldId,
    /// How many units.
    pub quantity: Quantity,
}

/// Something that an aggregate wants done by somebody else. Receivers are idempotent by key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Intent {
    /// Look up what a product is called and costs.
    Lookup {
        /// Which product.
        product: ProductId,
    },
    /// Look up what a promo code takes off.
    LookupPromo {
        /// Which code.
        code: PromoCode,
    },
    /// Note that a buyer is about to order, and count what they ordered before.
    NoteOrder {
        /// Who.
        customer: CustomerId,
        /// Which order; noted once.
        order: OrderId,
        /// How far back an order is recent.
        within: Duration,
    },
    /// Ask whether a buyer is trusted.
    AskTrust {
        /// Whom.
        customer: CustomerId,
    },
    /// Set units aside, all or none.
    Hold {
        /// What to set aside.
        units: HeldUnits,
        /// For whom, for purchase limits.
        customer: CustomerId,
        /// When the hold lapses.
        expires_at: Moment,
        /// The command is void after this.
        valid_until: Moment,
    },
    /// Let holds live longer.
    Extend {
        /// Which holds.
        units: Vec<HeldUnits>,
        /// Their new end.
        expires_at: Moment,
    },
    /// Turn holds into sales.
    Commit {
        /// Which holds.
        units: Vec<HeldUnits>,
    },
    /// Give held units back.
    Release {
        /// Which holds.
        units: Vec<HeldUnits>,
    },
    /// Give units back whether they are still held or already sold.
    Restock {
        /// Which holds.
        units: Vec<HeldUnits>,
    },
    /// Put an order on the list of those that somebody has to look at, or take it off.
    NoteReview {
        /// Which order.
        order: OrderId,
        /// Who buys.
        customer: CustomerId,
        /// When waiting for a decision ends; absent: it does not wait any more.
        until: Option<Moment>,
    },
    /// Let a cart belong to an order, and to no other.
    ClaimCart {
        /// Which cart.
        cart: CartId,
        /// Which order.
        order: OrderId,
        /// The contents that the order was made of, when it was made of the cart's.
        contents: Option<u64>,
    },
    /// Let a cart that belongs to an order belong to nobody.
    ReopenCart {
        /// Which cart.
        cart: CartId,
        /// Which order.
        order: OrderId,
    },
    /// Take money. Repeating the key never takes it twice.
    Charge {
        /// Names the attempt.
        key: ChargeKey,
        /// For which order.
        order: OrderId,
        /// How much.
        amount: Money,
        /// From where.
        token: PaymentToken,
    },
    /// Ask what became of a charge.
    QueryCharge {
        /// The attempt.
        key: ChargeKey,
    },
    /// Give captured money back.
    Refund {
        /// The captured attempt.
        key: ChargeKey,
        /// How much.
        amount: Money,
    },
    /// Give a part of captured money back, once for each return.
    RefundPart {
        /// The captured attempt.
        key: ChargeKey,
        /// For which return.
        rma: ReturnId,
        /// How much.
        amount: Money,
    },
    /// Let money of a return become store credit, once for each return.
    Deposit {
        /// For which return.
        rma: ReturnId,
        /// The stock that counts the credit, and as many units as the money has smallest ones.
        units: HeldUnits,
        /// How much.
        amount: Money,
    },
    /// Take sold units back into stock, once for each return.
    TakeBack {
        /// Which units; the hold names the return.
        units: Vec<HeldUnits>,
    },
    /// Ask an order something about units that come back.
    ForReturn {
        /// Which order.
        order: OrderId,
        /// For which return.
        rma: ReturnId,
        /// What.
        wish: ReturnWish,
    },
}

impl Intent {
    /// Whether it is carried out by somebody outside of the engine.
    pub const fn leaves_the_engine(&self) -> bool {
        match self {
            Self::Charge { .. }
            | Self::QueryCharge { .. }
            | Self::Refund { .. }
            | Self::RefundPart { .. } => true,
            Self::Lookup { .. }
            | Self::LookupPromo { .. }
            | Self::NoteOrder { .. }
            | Self::AskTrust { .. }
            | Self::Hold { .. }
            | Self::Extend { .. }
            | Self::Commit { .. }
            | Self::Release { .. }
            | Self::Restock { .. }
            | Self::NoteReview { .. }
            | Self::ClaimCart { .. }
            | Self::ReopenCart { .. }
            | Self::Deposit { .. }
            | Self::TakeBack { .. }
            | Self::ForReturn { .. } => false,
        }
    }

    /// Whether something is kept from others once it is carried out, until it is given back.
    pub const fn takes(&self) -> bool {
        match self {
            Self::Hold { .. } | Self::ClaimCart { .. } => true,
            Self::Lookup { .. }
            | Self::LookupPromo { .. }
            | Self::NoteOrder { .. }
            | Self::AskTrust { .. }
            | Self::Extend { .. }
            | Self::Commit { .. }
            | Self::Release { .. }
            | Self::Restock { .. }
            | Self::NoteReview { .. }
            | Self::ReopenCart { .. }
            | Self::Charge { .. }
            | Self::QueryCharge { .. }
            | Self::Refund { .. }
            | Self::RefundPart { .. }
            | Self::Deposit { .. }
            | Self::TakeBack { .. }
            | Self::ForReturn { .. } => false,
        }
    }

    /// Whether it must not be started while `other` is under way: what became of a charge cannot be
    /// told while somebody is making it.
    pub fn waits_for(&self, other: &Self) -> bool {
        matches!((self, other), (Self::QueryCharge { key }, Self::Charge { key: made, .. }) if key == made)
    }
}

/// What came back for an [`Intent`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// What the catalogue says; `None` for an unknown product.
    Listing(Option<Listing>),
    /// What the promo code takes off; `None` for an unknown one.
    Promo(Option<Arc<OpenPromo>>),
    /// How many orders the buyer has placed.
    Counted(Counted),
    /// Whether the buyer is trusted.
    Trust(bool),
    /// The list of reviews says so.
    ReviewNoted,
    /// The stock did as asked.
    StockDone,
    /// The stock was refused.
    StockRefused(StockRefusal),
    /// The cart did as asked.
    CartDone,
    /// The cart refused.
    CartRefused(CartRefusal),
    /// What the payment provider said.
    Charge(ChargeOutcome),
    /// The money went back.
    Refunded,
    /// The order did as a return asked; this is how it stands.
    OrderDone(Arc<Order>),
    /// The order refused what a return asked.
    OrderRefused(NotReturnable),
    /// Nobody took it: nothing happened.
    NotAccepted(Unavailable),
    /// It could not be done now, and may or may not have happened; try again later.
    Failed,
}

impl Answer {
    /// Whether it was done, or may have been.
    pub const fn may_be_done(&self) -> bool {
        !matches!(
            self,
            Self::StockRefused(_)
                | Self::CartRefused(_)
                | Self::OrderRefused(_)
                | Self::NotAccepted(_)
        )
    }
}

/// Why somebody cannot be asked for something now. It may be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// Too many ask already.
    #[error("too busy")]
    Overloaded,
    /// It failed too often, and is left alone for a while.
    #[error("left alone for a while, because it kept failing")]
    Quarantined,
    /// It cannot be reached, or did not answer.
    #[error("out of reach")]
    Unreachable,
}

/// Why stock was not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StockRefusal {
    /// Fewer units are free than were asked for.
    NotEnough {
        /// Units free.
        available: Quantity,
    },
    /// The customer may not buy that many.
    OverLimit {
        /// Units that one customer may buy.
        limit: Quantity,
    },
    /// The hold had lapsed and its units are gone.
    Lapsed,
    /// The command was refused for a reason that no repeat can mend.
    Invalid,
}

/// What became of a charge, in the provider's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ChargeOutcome {
    /// The money was taken.
    Captured {
        /// The provider's own name for it.
        reference: String,
    },
    /// The money was not and will not be taken.
    Declined {
        /// The provider's reason.
        reason: String,
    },
    /// The provider has never seen the key.
    NotCharged,
}
