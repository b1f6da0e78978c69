//! The checkout as a process manager: what an order still owes, derived from its state alone.

use super::life::{OrderStatus, PaymentStatus};
use super::model::{Order, OrderCommand, OrderStock};
use crate::process::{Answer, ChargeOutcome, Intent, StockRefusal};
use crate::values::{Moment, PaymentMethod};

/// Where the units of an order ought to be.
enum StockGoal {
    Kept,
    Committed,
    Returned,
}

fn stock_goal(order: &Order) -> StockGoal {
    if order.status == OrderStatus::Cancelled {
        return StockGoal::Returned;
    }
    match order.method() {
        Some(PaymentMethod::Card) if order.payment.captured.is_none() => StockGoal::Kept,
        None if order.status == OrderStatus::Pending => StockGoal::Kept,
        Some(
            PaymentMethod::Card
            | PaymentMethod::Cash
            | PaymentMethod::Cod
            | PaymentMethod::StoreCredit,
        )
        | None => StockGoal::Committed,
    }
}

/// Whether the provider has been or is about to be asked for money, without a definite answer yet.
pub(super) fn charge_may_be_under_way(order: &Order) -> bool {
    order.method() == Some(PaymentMethod::Card)
        && order.status != OrderStatus::Cancelled
        && matches!(order.payment.status, PaymentStatus::Unpaid | PaymentStatus::Queued)
}

/// Everything that the order owes to others. Doing any of it twice is free.
pub fn outstanding(order: &Order, now: Moment) -> Vec<Intent> {
    let mut intents = Vec::new();
    intents.extend(stock_intent(order));
    intents.extend(charge_intent(order, now));
    intents.extend(refund_intent(order));
    intents
}

fn stock_intent(order: &Order) -> Option<Intent> {
    let units = || order.held_units();
    match (order.stock, stock_goal(order)) {
        (OrderStock::Held(_) | OrderStock::Lapsed, StockGoal::Committed) => {
            Some(Intent::Commit { units: units() })
        }
        // Some lines may be sold already when another was lost, so each line is asked which it is.
        (OrderStock::Held(_) | OrderStock::Lapsed | OrderStock::Committed, StockGoal::Returned) => {
            Some(Intent::Restock { units: units() })
        }
        (OrderStock::Held(until), StockGoal::Kept) => {
            let wanted = order.payment.queued_until?;
            (until < wanted).then(|| Intent::Extend { units: units(), expires_at: wanted })
        }
        (OrderStock::Committed, StockGoal::Kept | StockGoal::Committed)
        | (OrderStock::Lapsed, StockGoal::Kept)
        | (OrderStock::Returned, _) => None,
    }
}

fn charge_intent(order: &Order, now: Moment) -> Option<Intent> {
    let key = order.charge_key();
    if order.payment.captured.is_some() {
        return None;
    }
    if order.payment.reconcile_until.is_some() {
        return Some(Intent::QueryCharge { key });
    }
    if !charge_may_be_under_way(order) {
        return None;
    }
    if order.payment.queued_until.is_some_and(|until| until <= now) {
        return Some(Intent::QueryCharge { key });
    }
    let token = order.placement.payment.as_ref()?.token.clone()?;
    let amount = order.placement.amounts.total;
    Some(Intent::Charge { key, order: order.placement.order, amount, token })
}

fn refund_intent(order: &Order) -> Option<Intent> {
    let (key, amount) = (order.payment.captured_by?, order.payment.captured?);
    let owed = order.status == OrderStatus::Cancelled && order.payment.refunded.is_none();
    owed.then_some(Intent::Refund { key, amount })
}

/// Turns an answer into the command that records it; `None`: try again later.
pub(super) fn absorb(intent: &Intent, answer: Answer) -> Option<OrderCommand> {
    match (intent, answer) {
        (Intent::Charge { key, .. } | Intent::QueryCharge { key }, Answer::Charge(outcome)) => {
            Some(OrderCommand::RecordCharge { key: *key, outcome })
        }
        (Intent::Charge { key, .. }, Answer::Failed(_)) => {
            Some(OrderCommand::RecordChargeTrouble { key: *key })
        }
        (Intent::QueryCharge { key }, Answer::Failed(_)) => {
            Some(OrderCommand::RecordQueryTrouble { key: *key })
        }
        (Intent::Commit { .. }, Answer::StockDone) => Some(OrderCommand::RecordStockCommitted),
        (Intent::Commit { .. }, Answer::StockRefused(_)) => Some(OrderCommand::RecordStockLost),
        (Intent::Release { .. } | Intent::Restock { .. }, Answer::StockDone) => {
            Some(OrderCommand::RecordStockReturned)
        }
        (Intent::Extend { expires_at, .. }, Answer::StockDone) => {
            Some(OrderCommand::RecordHoldsExtended { until: *expires_at })
        }
        (Intent::Extend { .. }, Answer::StockRefused(StockRefusal::Lapsed)) => {
            Some(OrderCommand::RecordHoldLapsed)
        }
        (Intent::Refund { key, amount }, Answer::Refunded) => {
            Some(OrderCommand::RecordRefunded { key: *key, amount: *amount })
        }
        (
            Intent::Lookup { .. }
            | Intent::Hold { .. }
            | Intent::Extend { .. }
            | Intent::Commit { .. }
            | Intent::Release { .. }
            | Intent::Restock { .. }
            | Intent::Charge { .. }
            | Intent::QueryCharge { .. }
            | Intent::Refund { .. },
            Answer::Listing(_)
            | Answer::StockDone
            | Answer::StockRefused(_)
            | Answer::Charge(
                ChargeOutcome::Captured { .. }
                | ChargeOutcome::Declined { .. }
                | ChargeOutcome::NotCharged,
            )
            | Answer::Refunded
            | Answer::Failed(_),
        ) => None,
    }
}

/// Whether the client's answer can leave: stock where it belongs, money known or queued.
pub(super) fn is_settled(order: &Order) -> bool {
    let money = !charge_may_be_under_way(order) || order.payment.status == PaymentStatus::Queued;
    let stock = match (order.stock, stock_goal(order)) {
        (_, StockGoal::Kept)
        | (OrderStock::Committed, StockGoal::Committed)
        | (OrderStock::Returned, _) => true,
        (OrderStock::Held(_) | OrderStock::Lapsed, StockGoal::Committed)
        | (OrderStock::Held(_) | OrderStock::Lapsed | OrderStock::Committed, StockGoal::Returned) => {
            false
        }
    };
    money && stock
}

/// Whether nothing will happen any more unless somebody asks.
pub(super) fn is_dormant(order: &Order) -> bool {
    is_settled(order)
        && wake_at(order).is_none()
        && refund_intent(order).is_none()
        && order.payment.reconcile_until.is_none()
}

/// When the order wants to be looked at again, whatever else happens.
pub(super) fn wake_at(order: &Order) -> Option<Moment> {
    if let Some(until) = order.payment.reconcile_until {
        return Some(until);
    }
    if let Some(until) = order.payment.queued_until.filter(|_| charge_may_be_under_way(order)) {
        return Some(until);
    }
    if refund_intent(order).is_some() || !is_settled(order) {
        // Work is open: after a restart it is to be resumed at once.
        return Some(order.updated_at);
    }
    match (order.stock, stock_goal(order)) {
        (OrderStock::Held(until), StockGoal::Kept) => Some(until),
        (
            OrderStock::Held(_) | OrderStock::Lapsed | OrderStock::Committed | OrderStock::Returned,
            StockGoal::Kept | StockGoal::Committed | StockGoal::Returned,
        ) => None,
    }
}
