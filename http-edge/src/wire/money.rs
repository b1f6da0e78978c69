//! Money on the wire: integer minor units and an ISO 4217 code.

use engine::values::{Currency, Money};
use serde::{Deserialize, Serialize};

use super::Object;

/// An amount in the smallest unit of its currency: 1999 USD is $19.99.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Money, example = json!({"minor": 1999, "currency": "USD"}))]
pub struct MoneyBody {
    /// Smallest units of the currency.
    minor: i64,
    /// ISO 4217 code.
    #[schema(value_type = String, example = "USD")]
    currency: Currency,
}

impl From<Money> for MoneyBody {
    fn from(money: Money) -> Self {
        Self { minor: money.minor(), currency: money.currency() }
    }
}

impl From<MoneyBody> for Money {
    fn from(body: MoneyBody) -> Self {
        Self::new(body.minor, body.currency)
    }
}

impl From<Object<MoneyBody>> for Money {
    fn from(body: Object<MoneyBody>) -> Self {
        body.0.into()
    }
}
