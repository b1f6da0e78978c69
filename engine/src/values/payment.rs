//! How a customer pays: a method and an opaque token, never a card number.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How an order is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMethod {
    /// Charged at once through the provider; stock is committed on capture.
    Card,
    /// Paid at the counter; stock is committed at once.
    Cash,
    /// Paid on delivery; stock is committed at once.
    Cod,
    /// Paid from the customer's credit, which is held and committed with the stock.
    StoreCredit,
}

impl PaymentMethod {
    /// Every method.
    pub const ALL: [Self; 4] = [Self::Card, Self::Cash, Self::Cod, Self::StoreCredit];

    /// The word that the outside uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Cash => "cash",
            Self::Cod => "cod",
            Self::StoreCredit => "store_credit",
        }
    }

    /// The method of that name.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }
}

/// The provider's name for a means of payment. Opaque to us.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PaymentToken(Arc<str>);

impl PaymentToken {
    /// Wraps what the client sent; the edge has checked its form.
    pub fn new(token: &str) -> Self {
        Self(token.into())
    }

    /// The token itself, for the provider only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

// A token is a bearer secret: it must not reach a log through `{:?}`.
impl fmt::Debug for PaymentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PaymentToken(..)")
    }
}
