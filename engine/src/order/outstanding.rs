//! The checkout as a process manager: what an order still owes, derived from its state alone.

use std::time::Duration;

use super::life::{OrderStatus, PaymentStatus};
use super::model::{Order, OrderCommand, OrderStock, UNPAID_HOLD};
use super::{refund, review};
use crate::planted::{Bug, planted};
use crate::process::{Answer, ChargeOutcome, Intent, StockRefusal};
use crate::values::{Moment, PaymentMethod};

/// How long an order may owe something before somebody looks whether it is still at it: most are
/// done long before, and looking at one that has gone to sleep reads its history.
pub(super) const RESUME_AFTER: Duration = Duration::from_secs(2);

/// Where the units of an order ought to be.
enum StockGoal {
    Kept,
    Committed,
    Returned,
}

fn stock_goal(order: &Order) -> StockGoal {
    if planted(Bug::KeepsDeclinedHold) && order.payment.declined.is_some() {
        return StockGoal::Kept;
    }
    if order.status == OrderStatus::Cancelled {
        return StockGoal::Returned;
    }
    if order.awaits_review() {
        return StockGoal::Kept;
    }
    match order.method() {
        Some(PaymentMethod::Card) if planted(Bug::SellsUnpaid) => StockGoal::Committed,
        Some(PaymentMethod::Card) if order.payment.captured.is_none() => StockGoal::Kept,
        None if unpaid_until(order).is_some() => StockGoal::Kept,
        Some(
            PaymentMethod::Card
            | PaymentMethod::Cash
            | PaymentMethod::Cod
            | PaymentMethod::StoreCredit,
        )
        | None => StockGoal::Committed,
    }
}

/// Until when an order that nobody has said how to pay waits for somebody to do so (C-44).
pub(super) fn unpaid_until(order: &Order) -> Option<Moment> {
    let waits = order.method().is_none()
        && order.status == OrderStatus::Pending
        && order.payment.captured.is_none();
    waits.then(|| order.created_at.saturating_add(UNPAID_HOLD))
}

/// Whether the provider has been or is about to be asked for money, without a definite answer yet.
pub(super) fn charge_may_be_under_way(order: &Order) -> bool {
    order.method() == Some(PaymentMethod::Card)
        && !order.awaits_review()
        && order.status != OrderStatus::Cancelled
        && matches!(order.payment.status, PaymentStatus::Unpaid | PaymentStatus::Queued)
}

/// Everything that the order owes to others. Doing any of it twice is free.
pub fn outstanding(order: &Order, now: Moment) -> Vec<Intent> {
    let mut intents = Vec::new();
    intents.extend(stock_intent(order));
    intents.extend(charge_intent(order, now));
    intents.extend(refund::refund_intent(order, now));
    intents.extend(review::note_intent(order));
    intents.extend(order.part_owed());
    intents
}

/// What is to be done with the units.
#[derive(Clone, Copy)]
enum StockWork {
    Commit,
    Release,
    Restock,
    Extend(Moment),
}

fn stock_work(order: &Order) -> Option<StockWork> {
    match (order.stock, stock_goal(order)) {
        (OrderStock::Held(_) | OrderStock::Lapsed, StockGoal::Committed) => Some(StockWork::Commit),
        // Some lines may be sold already when another was lost, so each line is asked which it is.
        (OrderStock::Held(_) | OrderStock::Lapsed | OrderStock::Committed, StockGoal::Returned) => {
            Some(if may_be_sold(order) { StockWork::Restock } else { StockWork::Release })
        }
        // The first hold is short, so that one without an order lapses soon; this makes it longer.
        (OrderStock::Held(until), StockGoal::Kept) => {
            let wanted = order.review_until();
            let wanted = wanted.or(order.payment.queued_until).or_else(|| unpaid_until(order))?;
            (until < wanted).then_some(StockWork::Extend(wanted))
        }
        (OrderStock::Committed, StockGoal::Kept | StockGoal::Committed)
        | (OrderStock::Lapsed, StockGoal::Kept)
        | (OrderStock::Returned, _) => None,
    }
}

/// Whether a commit was ever owed. Where none was, nothing that is sold may be touched.
fn may_be_sold(order: &Order) -> bool {
    if planted(Bug::ReleasesSold) {
        return false;
    }
    let never_held_back = match order.method() {
        None | Some(PaymentMethod::Card) => false,
        Some(PaymentMethod::Cash | PaymentMethod::Cod | PaymentMethod::StoreCredit) => true,
    };
    (never_held_back && order.was_cleared())
        || order.payment.captured.is_some()
        || order.history.iter().any(|step| step.to == OrderStatus::Processing)
}

fn stock_intent(order: &Order) -> Option<Intent> {
    let work = stock_work(order)?;
    let units = order.held_units();
    Some(match work {
        StockWork::Commit => Intent::Commit { units },
        StockWork::Release => Intent::Release { units },
        StockWork::Restock => Intent::Restock { units },
        StockWork::Extend(expires_at) => Intent::Extend { units, expires_at },
    })
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

/// Turns an answer into the command that records it; `None`: try again later.
pub(super) fn absorb(intent: &Intent, answer: Answer) -> Option<OrderCommand> {
    match (intent, answer) {
        (Intent::Charge { key, .. } | Intent::QueryCharge { key }, Answer::Charge(outcome)) => {
            Some(OrderCommand::RecordCharge { key: *key, outcome })
        }
        // Without a place at this side's own door the client is told "queued" all the same.
        (Intent::Charge { key, .. }, Answer::Failed | Answer::NotAccepted(_)) => {
            Some(OrderCommand::RecordChargeTrouble { key: *key })
        }
        (Intent::QueryCharge { key }, Answer::Failed) => {
            Some(OrderCommand::RecordQueryTrouble { key: *key })
        }
        (Intent::Commit { .. }, Answer::NotAccepted(_)) if planted(Bug::SilenceIsSold) => {
            Some(OrderCommand::RecordStockCommitted)
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
        (Intent::NoteReview { until, .. }, Answer::ReviewNoted) => {
            Some(OrderCommand::RecordReviewNoted { is_listed: until.is_some() })
        }
        (Intent::Refund { key, amount }, Answer::Refunded) => {
            Some(OrderCommand::RecordRefunded { key: *key, amount: *amount })
        }
        (Intent::Refund { key, .. }, Answer::Failed) => {
            Some(OrderCommand::RecordRefundTrouble { key: *key })
        }
        (Intent::RefundPart { rma, amount, .. }, Answer::Refunded)
        | (Intent::Deposit { rma, amount, .. }, Answer::StockDone) => {
            Some(OrderCommand::RecordPartRefunded { rma: *rma, amount: *amount })
        }
        (Intent::RefundPart { rma, .. }, Answer::Failed)
        | (Intent::Deposit { rma, .. }, Answer::StockRefused(_)) => {
            Some(OrderCommand::RecordPartRefundTrouble { rma: *rma })
        }
        (
            Intent::Lookup { .. }
            | Intent::LookupPromo { .. }
            | Intent::NoteOrder { .. }
            | Intent::AskTrust { .. }
            | Intent::NoteReview { .. }
            | Intent::Hold { .. }
            | Intent::Extend { .. }
            | Intent::Commit { .. }
            | Intent::Release { .. }
            | Intent::Restock { .. }
            | Intent::ClaimCart { .. }
            | Intent::ReopenCart { .. }
            | Intent::Charge { .. }
            | Intent::QueryCharge { .. }
            | Intent::Refund { .. }
            | Intent::RefundPart { .. }
            | Intent::Deposit { .. }
            | Intent::TakeBack { .. }
            | Intent::ForReturn { .. },
            Answer::Listing(_)
            | Answer::Promo(_)
            | Answer::Counted(_)
            | Answer::Trust(_)
            | Answer::ReviewNoted
            | Answer::StockDone
            | Answer::StockRefused(_)
            | Answer::CartDone
            | Answer::CartRefused(_)
            | Answer::Charge(
                ChargeOutcome::Captured { .. }
                | ChargeOutcome::Declined { .. }
                | ChargeOutcome::NotCharged,
            )
            | Answer::Refunded
            | Answer::OrderDone(_)
            | Answer::OrderRefused(_)
            | Answer::NotAccepted(_)
            | Answer::Failed,
        ) => None,
    }
}

/// Whether the client's answer can leave: stock where it belongs, money known or queued.
///
/// A queued payment finishes by itself, and its hold with it; a hold that nobody pays for is
/// promised for a day, so its answer waits until it really lasts that long.
pub(super) fn is_settled(order: &Order) -> bool {
    let queued = order.payment.status == PaymentStatus::Queued;
    let money = !charge_may_be_under_way(order) || queued;
    let stock = match stock_work(order) {
        None => true,
        Some(StockWork::Extend(_)) => queued,
        Some(StockWork::Commit | StockWork::Release | StockWork::Restock) => false,
    };
    money && stock
}

/// Whether something is owed, other than money, that a live order keeps trying.
fn has_open_work(order: &Order) -> bool {
    stock_work(order).is_some()
        || review::note_intent(order).is_some()
        || charge_may_be_under_way(order)
        || order.payment.reconcile_until.is_some()
        || order.part_owed().is_some()
}

/// Whether nothing will happen any more unless somebody asks.
pub(super) fn is_dormant(order: &Order) -> bool {
    wake_at(order).is_none()
}

/// When the order wants to be looked at again, whatever else happens.
pub(super) fn wake_at(order: &Order) -> Option<Moment> {
    // Open work is retried while the order lives; after a restart it is to be resumed soon, long
    // before any deadline of the payment.
    if has_open_work(order) && !planted(Bug::ForgetsWork) {
        return Some(order.updated_at.saturating_add(RESUME_AFTER));
    }
    refund::refund_at(order).or_else(|| order.review_until()).or_else(|| unpaid_until(order))
}
