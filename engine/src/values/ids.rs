//! Names of things. Minted outside; here they are only compared and shown.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to {max} printable characters without '/' or space, not '.' or '..'")]
pub struct IdError {
    max: usize,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID.
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $max:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Longest allowed text, in bytes.
            pub const LENGTH_MAX: usize = $max;

            /// Checks and wraps a text.
            ///
            /// # Errors
            ///
            /// [`IdError`] when it is empty, too long, or holds control characters, spaces or `/`,
            /// and for `.` and `..`, which mean something else in a path.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let fits = !text.is_empty() && text.len() <= Self::LENGTH_MAX;
                let clean = text.chars().all(|c| !c.is_control() && !c.is_whitespace() && c != '/');
                let is_place = matches!(text, "." | "..");
                if fits && clean && !is_place { Ok(Self(text.into())) } else { Err(IdError { max: $max }) }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id!(
    /// An order; derived from (tenant, principal, idempotency key), so that the key is the address.
    OrderId
);
uuid_id!(
    /// One line of an order.
    ItemId
);
uuid_id!(
    /// A cart.
    CartId
);
uuid_id!(
    /// Units of an order on their way back.
    ReturnId
);
uuid_id!(
    /// Units set aside. One order holds each product at most once, so it is the order's id.
    HoldId
);
uuid_id!(
    /// One change of stock by hand; repeating it changes nothing.
    AdjustmentId
);
uuid_id!(
    /// Somebody's address for webhooks.
    EndpointId
);
uuid_id!(
    /// A feed of a partner; derived from the partner and the idempotency key that it came under.
    ImportId
);
uuid_id!(
    /// A key of a partner, as people speak of it; the key itself is a secret.
    PartnerKeyId
);
text_id!(
    /// The shop's own name for a product.
    ProductId,
    64
);
text_id!(
    /// The shop's own name for a customer.
    CustomerId,
    128
);

impl ProductId {
    /// A name that no product can have, for stocks of something else.
    pub(super) fn unchecked(text: &str) -> Self {
        Self(text.into())
    }
}

impl OrderId {
    /// The hold that this order takes on each of its products.
    pub const fn hold(self) -> HoldId {
        HoldId(self.0)
    }

    /// The id of the line at `index`: the order's id moved on by the line's number.
    pub fn item(self, index: u16) -> ItemId {
        let moved = self.0.as_u128().wrapping_add(u128::from(index)).wrapping_add(1);
        ItemId(Uuid::from_u128(moved))
    }

    /// The key under which the provider is asked to charge for attempt number `attempt`.
    pub const fn charge(self, attempt: u32) -> ChargeKey {
        ChargeKey { order: self, attempt }
    }
}

impl ReturnId {
    /// Under which its units go back into stock, once.
    pub const fn hold(self) -> HoldId {
        HoldId(self.0)
    }

    /// Under which its money becomes store credit, once.
    pub const fn deposit(self) -> AdjustmentId {
        AdjustmentId(self.0)
    }

    /// The number under which its parcel is announced: the first twelve digits of the id.
    pub fn number(self) -> String {
        let digits = self.0.simple().to_string().to_ascii_uppercase();
        format!("RMA-{}", digits.get(..12).unwrap_or(&digits))
    }
}

/// Names one attempt to take money; the provider takes it at most once per key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChargeKey {
    /// The order that is paid.
    pub order: OrderId,
    /// Which attempt, from 1.
    pub attempt: u32,
}

impl fmt::Display for ChargeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.order, self.attempt)
    }
}

/// What a request said, as 128 bits: the same key with another fingerprint is another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(Uuid);

impl Fingerprint {
    /// Wraps the first 16 bytes of a digest.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}
