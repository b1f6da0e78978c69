//! What is settled when an order is placed, and never changes afterwards.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::fraud::Suspicion;
use crate::promo::PromoUse;
use crate::validation::Warning;
use crate::values::{
    Currency, CustomerId, Fingerprint, ItemId, Moment, Money, MoneyError, OrderId, PaymentMethod,
    PaymentToken, PostalAddress, ProductId, Quantity,
};

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its id.
    pub id: ItemId,
    /// What.
    pub product: ProductId,
    /// How many units.
    pub quantity: Quantity,
    /// Price of one unit when it was placed.
    pub unit_price: Money,
    /// The version of the listing that the price came from.
    pub listing_version: u64,
    /// What the listing says, where the unit was sold for something else: in a flash sale, or to a
    /// caller who may set prices (C-12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed_price: Option<Money>,
    /// What the line costs with all that is taken off and put on, where that is something else than
    /// its units: a part of the order's total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<Money>,
}

impl Line {
    /// What the line costs in smallest units; of an order from before lines said so, its units alone.
    pub(crate) fn cost(&self) -> i128 {
        let units =
            || i128::from(self.unit_price.minor()).saturating_mul(self.quantity.units().into());
        self.paid.map_or_else(units, |paid| paid.minor().into())
    }
}

/// What an order costs; all in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredAmounts", into = "StoredAmounts")]
pub struct Amounts {
    /// Sum of quantity × unit price over the lines.
    pub subtotal: Money,
    /// Taken off.
    pub discount: Money,
    /// Put on for shipping.
    pub shipping: Money,
    /// Put on for import.
    pub duties: Money,
    /// Put on for tax.
    pub tax: Money,
    /// What the customer pays.
    pub total: Money,
}

impl Amounts {
    /// The sum of all; nothing when there are none.
    ///
    /// # Errors
    ///
    /// The first error among them, and as [`Amounts::checked_add`].
    pub fn sum(
        parts: impl IntoIterator<Item = Result<Self, MoneyError>>,
    ) -> Result<Option<Self>, MoneyError> {
        let mut parts = parts.into_iter();
        let Some(first) = parts.next().transpose()? else { return Ok(None) };
        parts.try_fold(first, |sum, part| sum.checked_add(&part?)).map(Some)
    }

    /// The sum, part by part.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] when the currencies differ or a part does not fit.
    pub fn checked_add(&self, other: &Self) -> Result<Self, MoneyError> {
        Ok(Self {
            subtotal: self.subtotal.checked_add(other.subtotal)?,
            discount: self.discount.checked_add(other.discount)?,
            shipping: self.shipping.checked_add(other.shipping)?,
            duties: self.duties.checked_add(other.duties)?,
            tax: self.tax.checked_add(other.tax)?,
            total: self.total.checked_add(other.total)?,
        })
    }
}

/// Amounts as they are stored: the currency once, and only what there is. Each order carries them.
#[derive(Serialize, Deserialize)]
struct StoredAmounts {
    currency: Currency,
    subtotal: i64,
    #[serde(default, skip_serializing_if = "is_nothing")]
    discount: i64,
    #[serde(default, skip_serializing_if = "is_nothing")]
    shipping: i64,
    #[serde(default, skip_serializing_if = "is_nothing")]
    duties: i64,
    #[serde(default, skip_serializing_if = "is_nothing")]
    tax: i64,
    total: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_nothing(minor: &i64) -> bool {
    *minor == 0
}

impl From<Amounts> for StoredAmounts {
    fn from(amounts: Amounts) -> Self {
        Self {
            currency: amounts.total.currency(),
            subtotal: amounts.subtotal.minor(),
            discount: amounts.discount.minor(),
            shipping: amounts.shipping.minor(),
            duties: amounts.duties.minor(),
            tax: amounts.tax.minor(),
            total: amounts.total.minor(),
        }
    }
}

impl From<StoredAmounts> for Amounts {
    fn from(stored: StoredAmounts) -> Self {
        let money = |minor| Money::new(minor, stored.currency);
        Self {
            subtotal: money(stored.subtotal),
            discount: money(stored.discount),
            shipping: money(stored.shipping),
            duties: money(stored.duties),
            tax: money(stored.tax),
            total: money(stored.total),
        }
    }
}

/// The part of a placement that belongs to a person, together so that it can be sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal {
    /// Where the goods go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<PostalAddress>,
    /// Where the receipt goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// What the buyer has to say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The address that the request came from (FRAUD-3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// What the buyer's program called itself (FRAUD-4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

/// How the customer wishes to pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// By which method.
    pub method: PaymentMethod,
    /// From which token, for methods that need one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<PaymentToken>,
}

/// Everything that is settled when an order is placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The order.
    pub order: OrderId,
    /// Who buys.
    pub customer: CustomerId,
    /// Through which channel.
    pub channel: String,
    /// What.
    pub lines: Vec<Line>,
    /// For how much.
    pub amounts: Amounts,
    /// The promo code that it uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promo: Option<PromoUse>,
    /// How it is to be paid; absent: later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Wish>,
    /// When the holds lapse.
    pub held_until: Moment,
    /// What the request said.
    pub fingerprint: Fingerprint,
    /// What belongs to a person.
    #[serde(default)]
    pub personal: Personal,
    /// Why somebody has to look at it before it goes on; empty for most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspicions: Vec<Suspicion>,
    /// What the rules had to say that did not block it; at most one for each rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}
