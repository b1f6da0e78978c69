//! What a return still has to ask of its order and of the stocks, derived from its state alone.

use std::time::Duration;

use super::life::ReturnStatus;
use super::model::{Return, ReturnCommand};
use crate::order::{NotReturnable, RefundStand, ReturnWish, Units};
use crate::process::{Answer, HeldUnits, Intent};
use crate::values::Moment;

/// How long a return may owe something before somebody looks whether it is still at it.
const RESUME_AFTER: Duration = Duration::from_secs(2);

impl Return {
    /// The units that were requested.
    pub fn requested(&self) -> Units {
        let lines = self.request.lines.iter();
        lines.map(|line| (line.product.clone(), line.quantity)).collect()
    }

    /// The units that the order ought to keep for it.
    fn to_keep(&self) -> Units {
        match self.status {
            ReturnStatus::Requested | ReturnStatus::PendingAuthorization => self.requested(),
            ReturnStatus::Rejected | ReturnStatus::Cancelled => Units::new(),
            ReturnStatus::Authorized
            | ReturnStatus::InTransit
            | ReturnStatus::Received
            | ReturnStatus::Inspected
            | ReturnStatus::RefundPending
            | ReturnStatus::RefundFailed
            | ReturnStatus::Refunded
            | ReturnStatus::Closed => self.approved.clone().unwrap_or_default(),
        }
    }

    /// The units that are to go into stock: they have passed, and their money is back (C-32).
    pub(super) fn to_restock(&self) -> Option<&Units> {
        let is_due = self.status == ReturnStatus::Refunded && !self.restocked;
        self.passed.as_ref().filter(|_| is_due)
    }
}

/// What the return owes to others next: money only when the order keeps the right units, stock only
/// when the money is back. Doing any of it twice is free.
pub(super) fn outstanding(known: &Return) -> Option<Intent> {
    let (order, rma) = (known.request.order, known.request.id);
    let ask = move |wish| Intent::ForReturn { order, rma, wish };
    let about_units = match &known.apart {
        None => Some(ask(ReturnWish::SetApart { units: known.requested() })),
        Some(apart) => {
            let units = known.to_keep();
            (*apart != units).then(|| ask(ReturnWish::Narrow { units }))
        }
    };
    let refund = known.refund.as_ref().filter(|_| known.status == ReturnStatus::RefundPending);
    let about_money = refund.map(|refund| {
        let units = known.passed.clone().unwrap_or_default();
        ask(ReturnWish::Refund { units, method: refund.method })
    });
    let about_stock = known.to_restock().map(|units| {
        let held = |(product, quantity): (&_, &_)| HeldUnits {
            product: Clone::clone(product),
            hold: rma.hold(),
            quantity: *quantity,
        };
        Intent::TakeBack { units: units.iter().map(held).collect() }
    });
    about_units.or(about_money).or(about_stock)
}

/// Turns an answer into the command that records it; nothing: try again later.
pub(super) fn absorb(intent: &Intent, answer: Answer) -> Option<ReturnCommand> {
    let (rma, wish) = match (intent, &answer) {
        (Intent::ForReturn { rma, wish, .. }, _) => (rma, wish),
        (Intent::TakeBack { .. }, Answer::StockDone) => {
            return Some(ReturnCommand::RecordRestocked);
        }
        _ => return None,
    };
    match (wish, answer) {
        (ReturnWish::SetApart { .. }, Answer::OrderDone(_)) => Some(ReturnCommand::RecordSetApart),
        (ReturnWish::SetApart { .. }, Answer::OrderRefused(why)) => {
            Some(ReturnCommand::RecordNotSetApart { why })
        }
        (ReturnWish::Narrow { units }, Answer::OrderDone(_)) => {
            Some(ReturnCommand::RecordNarrowed { units: units.clone() })
        }
        (ReturnWish::Refund { .. }, Answer::OrderDone(order)) => {
            let refund = order.returned_part(*rma)?.refund.as_ref()?;
            match refund.stand {
                RefundStand::Owed => None,
                RefundStand::Done => Some(ReturnCommand::RecordRefunded { amount: refund.amount }),
                RefundStand::Failed => Some(ReturnCommand::RecordRefundFailed),
            }
        }
        // The order does not know the return, or not so many units: no repeat can mend it.
        (
            ReturnWish::Refund { .. },
            Answer::OrderRefused(
                NotReturnable::UnknownOrder | NotReturnable::TooMany { .. } | NotReturnable::NoCard,
            ),
        ) => Some(ReturnCommand::RecordRefundFailed),
        _ => None,
    }
}

/// When the return wants to be looked at again.
pub(super) fn wake_at(known: &Return) -> Option<Moment> {
    let owes = outstanding(known).is_some();
    owes.then(|| known.updated_at.saturating_add(RESUME_AFTER))
}
