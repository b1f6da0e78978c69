//! Notes rare states that show in durable events.

use engine::cart::CartEvent;
use engine::inventory::InventoryEvent;
use engine::order::{CancelReason, OrderEvent};

use super::books::Happened;
use super::outside::Outside;
use super::sights::Sight;

/// An event has become durable.
pub(super) fn durable(happened: &Happened, outside: &mut Outside) {
    let sight = match happened {
        Happened::Stock(event) => of_stock(event),
        Happened::Order(event) => of_order(event),
        Happened::Cart(CartEvent::CheckedOut { .. }) => Some(Sight::CartClaimed),
        Happened::Cart(CartEvent::Reopened { .. }) => Some(Sight::CartReopened),
        Happened::Cart(_)
        | Happened::Product(_)
        | Happened::Buyer(_)
        | Happened::Reviews(_)
        | Happened::Drill(_) => None,
    };
    if let Some(sight) = sight {
        outside.see(sight);
    }
}

const fn of_stock(event: &InventoryEvent) -> Option<Sight> {
    match event {
        InventoryEvent::Expired { .. } => Some(Sight::HeldAndLapsed),
        InventoryEvent::Released { .. } => Some(Sight::HeldAndReleased),
        InventoryEvent::Extended { .. } => Some(Sight::HoldExtended),
        InventoryEvent::CommittedLate { .. } => Some(Sight::SoldLate),
        InventoryEvent::Restocked { .. } => Some(Sight::Restocked),
        InventoryEvent::Adjusted { .. }
        | InventoryEvent::TakenBack { .. }
        | InventoryEvent::LimitSet { .. }
        | InventoryEvent::Held { .. }
        | InventoryEvent::Committed { .. } => None,
    }
}

const fn of_order(event: &OrderEvent) -> Option<Sight> {
    match event {
        OrderEvent::PaymentQueued { .. } => Some(Sight::PaymentQueued),
        OrderEvent::PaymentDeclined { .. } => Some(Sight::Declined),
        OrderEvent::PaymentAbandoned { .. } => Some(Sight::Abandoned),
        OrderEvent::PaymentReconciled { .. } => Some(Sight::Reconciled),
        OrderEvent::PaymentRefunded { .. } => Some(Sight::Refunded),
        OrderEvent::RefundPostponed { .. } => Some(Sight::RefundPostponed),
        OrderEvent::Cancelled { reason, .. } => Some(match reason {
            CancelReason::Asked(_) | CancelReason::ReviewRejected(_) => Sight::CancelledByClient,
            CancelReason::NotPaidInTime | CancelReason::ReviewLapsed => Sight::NotPaidInTime,
            CancelReason::StockLost => Sight::StockLost,
        }),
        OrderEvent::Placed(_)
        | OrderEvent::HoldsExtended { .. }
        | OrderEvent::HoldLapsed
        | OrderEvent::PaymentCaptured { .. }
        | OrderEvent::PaymentTaken { .. }
        | OrderEvent::PaymentHandedBack { .. }
        | OrderEvent::StockCommitted
        | OrderEvent::StockReturned
        | OrderEvent::ReviewNoted { .. }
        | OrderEvent::ReviewApproved { .. }
        | OrderEvent::ReturnSetApart { .. }
        | OrderEvent::ReturnNarrowed { .. }
        | OrderEvent::PartRefundAsked { .. }
        | OrderEvent::PartRefunded { .. }
        | OrderEvent::PartRefundFailed { .. }
        | OrderEvent::StatusChanged { .. } => None,
    }
}
