//! The messages that there are, and which event gives which.

use crate::order::{OrderEvent, OrderStatus};

/// One kind of message. Stored by name with each message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Template {
    /// The order was placed.
    OrderPlaced,
    /// The payment could not be taken yet.
    PaymentQueued,
    /// The money was taken.
    OrderPaid,
    /// The provider declined.
    PaymentDeclined,
    /// The money could not be taken in time.
    PaymentFailed,
    /// The order is on its way.
    OrderShipped,
    /// It has arrived.
    OrderDelivered,
    /// It was called off.
    OrderCancelled,
    /// Money went back.
    Refunded,
}

impl Template {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::OrderPlaced,
        Self::PaymentQueued,
        Self::OrderPaid,
        Self::PaymentDeclined,
        Self::PaymentFailed,
        Self::OrderShipped,
        Self::OrderDelivered,
        Self::OrderCancelled,
        Self::Refunded,
    ];

    /// Its name in the store and outside.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrderPlaced => "order_placed",
            Self::PaymentQueued => "payment_queued",
            Self::OrderPaid => "order_paid",
            Self::PaymentDeclined => "payment_declined",
            Self::PaymentFailed => "payment_failed",
            Self::OrderShipped => "order_shipped",
            Self::OrderDelivered => "order_delivered",
            Self::OrderCancelled => "order_cancelled",
            Self::Refunded => "refunded",
        }
    }
}

/// The message that an event of an order gives, if any.
pub const fn about(event: &OrderEvent) -> Option<Template> {
    match event {
        OrderEvent::Placed(_) => Some(Template::OrderPlaced),
        OrderEvent::PaymentQueued { .. } => Some(Template::PaymentQueued),
        OrderEvent::PaymentCaptured { .. } | OrderEvent::PaymentTaken { .. } => {
            Some(Template::OrderPaid)
        }
        OrderEvent::PaymentDeclined { .. } => Some(Template::PaymentDeclined),
        OrderEvent::PaymentAbandoned { .. } => Some(Template::PaymentFailed),
        OrderEvent::PaymentRefunded { .. }
        | OrderEvent::PaymentHandedBack { .. }
        | OrderEvent::PartRefunded { .. } => Some(Template::Refunded),
        OrderEvent::Cancelled { .. } => Some(Template::OrderCancelled),
        OrderEvent::StatusChanged { status, .. } => match status {
            OrderStatus::Shipped => Some(Template::OrderShipped),
            OrderStatus::Delivered => Some(Template::OrderDelivered),
            OrderStatus::Cancelled => Some(Template::OrderCancelled),
            // Nothing that a customer has to know.
            OrderStatus::Pending | OrderStatus::Processing => None,
        },
        // The customer has heard of the refund when it is done; staff hear of trouble.
        OrderEvent::RefundPostponed { .. }
        | OrderEvent::HoldsExtended { .. }
        | OrderEvent::HoldLapsed
        | OrderEvent::PaymentReconciled { .. }
        | OrderEvent::ReviewNoted { .. }
        | OrderEvent::ReviewApproved { .. }
        | OrderEvent::ReturnSetApart { .. }
        | OrderEvent::ReturnNarrowed { .. }
        | OrderEvent::PartRefundAsked { .. }
        | OrderEvent::PartRefundFailed { .. }
        | OrderEvent::StockCommitted
        | OrderEvent::StockReturned => None,
    }
}
