//! The receipt of an order: what was bought, for how much, and what became of the money.

use std::fmt::Write as _;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use engine::order::{Line, Order};
use engine::values::{Money, PaymentMethod};
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE, VARY};
use serde::Serialize;
use uuid::Uuid;

use super::{order_id, unknown};
use crate::access::Scope;
use crate::call::{Call, Fresh};
use crate::problem::{Problem, ProblemBody};
use crate::reply::Reply;
use crate::routes::Shared;
use crate::wire::{Instant, MoneyBody, Path, instant, with_decimals};

const PLAIN_TEXT: &str = "text/plain";

/// A receipt. It says how the order stands now: money that went back is on it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Receipt)]
pub(crate) struct ReceiptBody<'a> {
    /// The order.
    order_id: Uuid,
    /// Who bought.
    customer_id: &'a str,
    /// When it was placed.
    #[schema(value_type = String, format = DateTime)]
    placed_at: Instant,
    /// Where the goods are.
    status: &'static str,
    /// Where the money is.
    payment_status: &'static str,
    /// `card`, `cash`, `cod` or `store_credit`; null while nobody has said.
    #[schema(value_type = Option<String>)]
    method: Option<PaymentMethod>,
    /// The provider's name for the charge, once there was one.
    reference: Option<&'a str>,
    /// What was bought.
    items: Vec<ReceiptLine<'a>>,
    /// Sum of the lines.
    subtotal: MoneyBody,
    /// Taken off.
    discount: MoneyBody,
    /// Put on for shipping.
    shipping: MoneyBody,
    /// Put on for import.
    duties: MoneyBody,
    /// Put on for tax.
    tax: MoneyBody,
    /// What the customer pays.
    total: MoneyBody,
    /// What was taken.
    captured: MoneyBody,
    /// What went back.
    refunded: MoneyBody,
}

/// One line of a receipt.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ReceiptLine)]
pub(crate) struct ReceiptLine<'a> {
    /// The shop's name for the product.
    product_id: &'a str,
    /// Units.
    quantity: u32,
    /// Price of one.
    unit_price: MoneyBody,
    /// Price of all of them.
    amount: MoneyBody,
}

impl<'a> ReceiptLine<'a> {
    fn of(line: &'a Line) -> Self {
        // It was counted when the order was placed, so it can be told.
        let amount = line.unit_price.times(line.quantity).unwrap_or(line.unit_price);
        Self {
            product_id: line.product.as_str(),
            quantity: line.quantity.units(),
            unit_price: line.unit_price.into(),
            amount: amount.into(),
        }
    }
}

impl<'a> ReceiptBody<'a> {
    fn of(order: &'a Order) -> Self {
        let (placement, payment) = (&*order.placement, &order.payment);
        let amounts = &placement.amounts;
        let moved = |money: Option<Money>| {
            money.unwrap_or_else(|| Money::zero(amounts.total.currency())).into()
        };
        Self {
            order_id: placement.order.as_uuid(),
            customer_id: placement.customer.as_str(),
            placed_at: instant(order.created_at),
            status: order.status.as_str(),
            payment_status: payment.status.as_str(),
            method: order.method(),
            reference: payment.reference.as_deref(),
            items: placement.lines.iter().map(ReceiptLine::of).collect(),
            subtotal: amounts.subtotal.into(),
            discount: amounts.discount.into(),
            shipping: amounts.shipping.into(),
            duties: amounts.duties.into(),
            tax: amounts.tax.into(),
            total: amounts.total.into(),
            captured: moved(payment.captured),
            refunded: moved(payment.refunded),
        }
    }

    fn as_text(&self) -> String {
        let mut text = format!("Receipt of order {}\n", self.order_id);
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "Placed {}, {}, {}\n",
            word(&self.placed_at),
            self.status,
            self.payment_status
        );
        for line in &self.items {
            let (price, amount) = (decimal(line.unit_price), decimal(line.amount));
            let _ = writeln!(text, "{} x {} at {price}: {amount}", line.quantity, line.product_id);
        }
        let sums = [
            ("Subtotal", self.subtotal),
            ("Discount", self.discount),
            ("Shipping", self.shipping),
            ("Duties", self.duties),
            ("Tax", self.tax),
            ("Total", self.total),
            ("Taken", self.captured),
            ("Given back", self.refunded),
        ];
        let currency = Money::from(self.total).currency();
        let _ = writeln!(text, "\nAll amounts in {}", currency.code());
        for (name, amount) in sums {
            let _ = writeln!(text, "{name}: {}", decimal(amount));
        }
        text
    }
}

/// An amount as people write it.
fn decimal(amount: MoneyBody) -> String {
    serde_json::to_value(amount).map_or_else(|_| String::new(), |value| with_decimals(&value))
}

/// A moment as the wire tells it.
fn word(moment: &Instant) -> String {
    let value = serde_json::to_value(moment).ok();
    value.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}

/// The receipt of an order, as JSON or, with `Accept: text/plain`, as a text for people.
#[utoipa::path(
    get, path = "/v1/orders/{id}/receipt", operation_id = "get_order_receipt", tag = "orders",
    params(
        ("id" = Uuid, Path, description = "The order"),
        ("x-min-position" = Option<String>, Header, description = "At least this fresh"),
    ),
    responses(
        (status = 200, description = "The receipt", body = ReceiptBody<'static>),
        (status = 404, description = "There is no such order", body = ProblemBody<'static>),
        (status = 503, description = "Not fresh yet, or not available", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn receipt(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    headers: HeaderMap,
    fresh: Fresh,
) -> Result<Response, Problem> {
    call.allowed(Scope::Orders)?;
    let id = order_id(&id)?;
    edge.shop.wait_for(fresh).await?;
    let order = edge.shop.order(id).await?.ok_or_else(unknown)?;
    let receipt = ReceiptBody::of(&order);
    let accepts = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepts.trim_start().starts_with(PLAIN_TEXT) {
        let kind = [(CONTENT_TYPE, "text/plain; charset=utf-8"), (VARY, "accept")];
        return Ok((kind, receipt.as_text()).into_response());
    }
    let varies = http::HeaderValue::from_static("accept");
    Ok(Reply::ok(&receipt).etag(order.version).header(VARY, varies).into_response())
}
