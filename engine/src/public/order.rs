//! What the outside is told about orders.

use super::{Facts, PublicEvent, PublicLine, PublicName, Subject};
use crate::order::{CancelReason, OrderEvent, OrderStatus, Placement};
use crate::values::OrderId;

/// What the outside is told about an event of an order; nothing for the order's own book-keeping.
pub fn of_order(order: OrderId, event: &OrderEvent) -> Option<PublicEvent> {
    let (name, facts) = match event {
        OrderEvent::Placed(placement) => (PublicName::OrderPlaced, placed(placement)),
        OrderEvent::PaymentQueued { until, .. } => {
            (PublicName::OrderPaymentQueued, Facts::Until(*until))
        }
        OrderEvent::PaymentCaptured { amount, .. } | OrderEvent::PaymentTaken { amount, .. } => {
            (PublicName::OrderPaid, Facts::Amount(*amount))
        }
        OrderEvent::PaymentDeclined { .. } => (PublicName::OrderPaymentDeclined, Facts::Nothing),
        OrderEvent::PaymentAbandoned { .. } => (PublicName::OrderPaymentFailed, Facts::Nothing),
        OrderEvent::PaymentRefunded { amount }
        | OrderEvent::PaymentHandedBack { amount, .. }
        | OrderEvent::PartRefunded { amount, .. } => {
            (PublicName::OrderRefunded, Facts::Amount(*amount))
        }
        OrderEvent::RefundPostponed { until } => {
            (PublicName::OrderRefundFailed, Facts::Until(*until))
        }
        OrderEvent::StatusChanged { status, .. } => (moved_to(*status)?, Facts::Nothing),
        OrderEvent::Cancelled { reason, .. } => {
            (PublicName::OrderCancelled, Facts::Reason(why(reason)))
        }
        OrderEvent::HoldsExtended { .. }
        | OrderEvent::HoldLapsed
        | OrderEvent::PaymentReconciled { .. }
        | OrderEvent::ReviewNoted { .. }
        | OrderEvent::ReviewApproved { .. }
        | OrderEvent::ReturnSetApart { .. }
        | OrderEvent::ReturnNarrowed { .. }
        | OrderEvent::PartRefundAsked { .. }
        | OrderEvent::PartRefundFailed { .. }
        | OrderEvent::StockCommitted
        | OrderEvent::StockReturned => return None,
    };
    Some(PublicEvent { name, subject: Subject::Order(order), facts })
}

fn placed(placement: &Placement) -> Facts {
    let line = |line: &crate::order::Line| PublicLine {
        product: line.product.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
    };
    Facts::Placed {
        customer: placement.customer.clone(),
        channel: placement.channel.clone(),
        lines: placement.lines.iter().map(line).collect(),
        total: placement.amounts.total,
    }
}

const fn moved_to(status: OrderStatus) -> Option<PublicName> {
    match status {
        OrderStatus::Pending => None,
        OrderStatus::Processing => Some(PublicName::OrderProcessing),
        OrderStatus::Shipped => Some(PublicName::OrderShipped),
        OrderStatus::Delivered => Some(PublicName::OrderDelivered),
        OrderStatus::Cancelled => Some(PublicName::OrderCancelled),
    }
}

/// The words of a customer are theirs; the outside is told which kind of reason it was.
const fn why(reason: &CancelReason) -> &'static str {
    match reason {
        CancelReason::Asked(_) => "asked",
        CancelReason::NotPaidInTime => "not_paid_in_time",
        CancelReason::StockLost => "stock_lost",
        CancelReason::ReviewRejected(_) => "review_rejected",
        CancelReason::ReviewLapsed => "review_lapsed",
    }
}
