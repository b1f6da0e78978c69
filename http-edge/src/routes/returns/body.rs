//! A return as the outside sees it.

use engine::rma::Return;
use engine::values::{OrderId, ReturnId};
use serde::Serialize;

use super::photos::place;
use crate::media::PictureBody;
use crate::wire::{Instant, MoneyBody, instant};

/// A return.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Return)]
pub(crate) struct ReturnBody<'a> {
    /// Named by the idempotency key under which it was requested.
    #[schema(value_type = uuid::Uuid)]
    id: ReturnId,
    /// The order.
    #[schema(value_type = uuid::Uuid)]
    order_id: OrderId,
    /// Whose order it is.
    customer_id: &'a str,
    /// The number under which the parcel is announced; null before it is authorized.
    rma_number: Option<&'a str>,
    /// `PENDING_AUTHORIZATION`, `AUTHORIZED`, `REJECTED`, `CANCELLED`, `IN_TRANSIT`, `RECEIVED`,
    /// `INSPECTED`, `REFUND_PENDING`, `REFUND_FAILED`, `REFUNDED` or `CLOSED`; `REQUESTED` for a moment.
    status: &'static str,
    /// What comes back.
    items: Vec<ReturnItem<'a>>,
    /// What the customer had to say.
    note: Option<&'a str>,
    /// The parcel's own number.
    tracking: Option<&'a str>,
    /// `original`, `card` or `cash`; null before the refund was asked for.
    refund_method: Option<&'static str>,
    /// What went back; null before it did.
    refunded: Option<MoneyBody>,
    /// What the customer has shown of the units.
    photos: Vec<PictureBody>,
    /// Whether the units are in stock again.
    restocked: bool,
    /// Every status, oldest first.
    history: Vec<ReturnStepBody<'a>>,
    /// When it was requested.
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
    /// Counts the changes.
    version: u64,
}

/// Units of one product of a return.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ReturnItem<'a> {
    /// Which product.
    product_id: &'a str,
    /// Units requested.
    quantity: u32,
    /// Why.
    reason: &'a str,
    /// Units that may come; null before it is authorized.
    approved: Option<u32>,
    /// Units that are as good as new; null before they were inspected.
    passed: Option<u32>,
}

/// One step of a return.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ReturnStep)]
pub(crate) struct ReturnStepBody<'a> {
    /// To where.
    to: &'static str,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// Which account.
    by: &'a str,
    /// Why, where somebody said so.
    reason: Option<&'a str>,
}

impl<'a> From<&'a Return> for ReturnBody<'a> {
    fn from(known: &'a Return) -> Self {
        let request = &known.request;
        let items = request.lines.iter().map(|line| {
            let of = |units: &engine::order::Units| {
                units.get(&line.product).copied().unwrap_or_default().units()
            };
            ReturnItem {
                product_id: line.product.as_str(),
                quantity: line.quantity.units(),
                reason: &line.reason,
                approved: known.approved.as_ref().map(of),
                passed: known.passed.as_ref().map(of),
            }
        });
        let history = known.history.iter().map(|step| ReturnStepBody {
            to: step.to.as_str(),
            at: instant(step.at),
            by: &step.by,
            reason: step.reason.as_deref(),
        });
        let refund = known.refund.as_ref();
        Self {
            id: request.id,
            order_id: request.order,
            customer_id: request.customer.as_str(),
            rma_number: known.number.as_deref(),
            status: known.status.as_str(),
            items: items.collect(),
            note: request.note.as_deref(),
            tracking: known.tracking.as_deref(),
            refund_method: refund.map(|refund| refund.method.as_str()),
            refunded: refund.and_then(|refund| refund.amount).map(MoneyBody::from),
            photos: known
                .photos
                .iter()
                .map(|photo| PictureBody::below(&place(request.id), photo))
                .collect(),
            restocked: known.restocked,
            history: history.collect(),
            created_at: instant(known.created_at),
            updated_at: instant(known.updated_at),
            version: known.version,
        }
    }
}
