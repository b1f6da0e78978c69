//! What a client wishes, and what was learnt about each part of it.

use std::sync::Arc;

use crate::cart::CartRefusal;
use crate::catalog::Listing;
use crate::process::{Answer, HeldUnits, StockRefusal, Unavailable};
use crate::promo::OpenPromo;
use crate::values::{
    CartId, CreditAccount, CustomerId, HoldId, Money, PaymentMethod, ProductId, PromoCode, Quantity,
};

/// One wished item, and what was learnt about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WishedItem {
    /// Which product.
    pub product: ProductId,
    /// How many units, unchecked.
    pub quantity: i64,
    /// What the client believes one unit costs.
    pub unit_price: Option<Money>,
    /// What the catalogue says; the inner `None` is an unknown product.
    #[expect(clippy::option_option, reason = "not looked up, unknown, known")]
    pub(crate) listing: Option<Option<Listing>>,
    /// What the stock says about the hold.
    pub hold: Option<HoldAnswer>,
}

/// What the stock says about a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldAnswer {
    /// Granted.
    Granted,
    /// Refused by the stock.
    Refused(StockRefusal),
    /// The stock did not take the question: surely nothing is held.
    NotAccepted(Unavailable),
    /// Nobody knows; the hold may stand.
    Unknown,
}

impl From<Answer> for HoldAnswer {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::StockDone => Self::Granted,
            Answer::StockRefused(refusal) => Self::Refused(refusal),
            Answer::NotAccepted(why) => Self::NotAccepted(why),
            Answer::Failed
            | Answer::Listing(_)
            | Answer::Promo(_)
            | Answer::Counted(_)
            | Answer::Trust(_)
            | Answer::ReviewNoted
            | Answer::CartDone
            | Answer::CartRefused(_)
            | Answer::Charge(_)
            | Answer::Refunded
            | Answer::OrderDone(_)
            | Answer::OrderRefused(_) => Self::Unknown,
        }
    }
}

/// The cart that an order is to have for itself, and what was learnt about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WishedCart {
    /// Which cart.
    pub cart: CartId,
    /// The contents that the items were taken from; absent when they come from elsewhere.
    pub contents: Option<u64>,
    /// What the cart says.
    pub claim: Option<ClaimAnswer>,
}

/// The promo code that an order is to use, and what was learnt about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WishedPromo {
    /// The code; nothing when what the client sent can be none.
    pub code: Option<PromoCode>,
    /// What it takes off; the inner `None` is an unknown code.
    #[expect(clippy::option_option, reason = "not looked up, unknown, known")]
    pub(crate) found: Option<Option<Arc<OpenPromo>>>,
    /// What the stock of its uses says about the hold; of one that could not be looked up, why.
    pub hold: Option<HoldAnswer>,
}

impl WishedPromo {
    /// A code that nobody has asked about yet.
    pub fn new(text: &str) -> Self {
        Self { code: PromoCode::parse(text).ok(), found: None, hold: None }
    }

    /// Whether the order has its use.
    pub(super) fn is_granted(&self) -> bool {
        self.hold == Some(HoldAnswer::Granted)
    }

    /// What it takes off, where there is such a code.
    pub(crate) fn known(&self) -> Option<&OpenPromo> {
        self.found.as_ref()?.as_deref()
    }
}

/// The one use of a code that an order holds.
pub(super) fn use_of(code: &PromoCode, hold: HoldId) -> HeldUnits {
    HeldUnits { product: code.uses(), hold, quantity: Quantity::new(1) }
}

/// The store credit that an order of `total` holds when it is paid so; what is free needs none.
pub(super) fn credit_of(
    method: Option<PaymentMethod>,
    customer: &CustomerId,
    total: Money,
    hold: HoldId,
) -> Option<HeldUnits> {
    let pays = method == Some(PaymentMethod::StoreCredit) && total.minor() != 0;
    let account = pays.then(|| CreditAccount::new(customer.clone(), total.currency()))?;
    Some(HeldUnits { product: account.stock(), hold, quantity: total.as_units()? })
}

/// What a cart says about a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimAnswer {
    /// It belongs to the order.
    Granted,
    /// Refused by the cart.
    Refused(CartRefusal),
    /// The cart did not take the question: surely nothing is claimed.
    NotAccepted(Unavailable),
    /// Nobody knows; the claim may stand.
    Unknown,
}

impl WishedCart {
    /// A cart that nobody has asked yet.
    pub const fn new(cart: CartId, contents: Option<u64>) -> Self {
        Self { cart, contents, claim: None }
    }
}

impl WishedItem {
    /// A wish about which nothing was looked up yet.
    pub const fn new(product: ProductId, quantity: i64, unit_price: Option<Money>) -> Self {
        Self { product, quantity, unit_price, listing: None, hold: None }
    }

    pub(super) fn units(&self) -> Quantity {
        // The shape rules have bounded it before anybody asks.
        u32::try_from(self.quantity).map_or(Quantity::ZERO, Quantity::new)
    }

    /// The listing, where there is one.
    pub(crate) fn listed(&self) -> Option<&Listing> {
        self.listing.as_ref()?.as_ref()
    }

    /// The price that somebody set who may.
    pub(super) fn own_price(&self, trusted: bool) -> Option<Money> {
        self.unit_price.filter(|_| trusted)
    }
}
