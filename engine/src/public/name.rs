//! The names of public events. A name is for ever; another shape gets another version beside it.

use serde::{Deserialize, Serialize};

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The name of a public event.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize,
        )]
        pub enum PublicName {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl PublicName {
            /// Every name.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As it is written outside.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

names! {
    /// An order was placed.
    OrderPlaced = "order.placed.v1",
    /// Its payment waits for the provider.
    OrderPaymentQueued = "order.payment_queued.v1",
    /// Its money was taken.
    OrderPaid = "order.paid.v1",
    /// The provider declined.
    OrderPaymentDeclined = "order.payment_declined.v1",
    /// Nobody could take the money in time.
    OrderPaymentFailed = "order.payment_failed.v1",
    /// It is being made ready.
    OrderProcessing = "order.processing.v1",
    /// It is on its way.
    OrderShipped = "order.shipped.v1",
    /// It has arrived.
    OrderDelivered = "order.delivered.v1",
    /// It was called off.
    OrderCancelled = "order.cancelled.v1",
    /// Money went back.
    OrderRefunded = "order.refunded.v1",
    /// Money could not go back now; it is tried again.
    OrderRefundFailed = "order.refund_failed.v1",
    /// A product is offered.
    ProductPublished = "product.published.v1",
    /// It is called something else.
    ProductRenamed = "product.renamed.v1",
    /// It has another price.
    ProductRepriced = "product.repriced.v1",
    /// It may be ordered.
    ProductActivated = "product.activated.v1",
    /// It may not be ordered any more.
    ProductDeactivated = "product.deactivated.v1",
}

impl PublicName {
    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|name| name.as_str() == text)
    }
}
