//! Paying for an order after it was placed, as older installations do (PAY-3, C-38).

use axum::extract::State;
use axum::response::Response;
use http::Uri;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::access::{Principal, Scope};
use crate::call::Call;
use crate::idempotency::RequestKey;
use crate::problem::{FieldError, Problem};
use crate::query::Query;
use crate::routes::orders::life::changed;
use crate::routes::orders::payment::taken;
use crate::routes::orders::{order_id, unknown};
use crate::routes::{Edge, Shared};
use crate::wire::{Json, Path, amount};

/// What was paid, as a decimal number; absent: all of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OldPayment {
    amount: Option<Box<RawValue>>,
    reference: Option<String>,
}

/// Notes a payment; order and amount stand in the address.
pub(super) async fn pay(
    State(edge): State<Shared>,
    call: Call,
    uri: Uri,
    key: RequestKey,
) -> Result<Response, Problem> {
    let by = call.allowed(Scope::Operate)?;
    let mut query = Query::of(&uri, &["order_id", "amount"])?;
    let order = query.read("order_id", "an order's id", |text| Some(text.to_owned()));
    let paid = query
        .read("amount", "a decimal number", |text| RawValue::from_string(text.to_owned()).ok());
    query.finish()?;
    let order = order.ok_or_else(unknown)?;
    let payment = OldPayment { amount: paid, reference: None };
    note(&edge, (&call, by, &key), &order, payment).await
}

/// Notes a payment of the order in the path.
pub(super) async fn pay_order(
    State(edge): State<Shared>,
    call: Call,
    Path(order): Path<String>,
    key: RequestKey,
    body: Json<OldPayment>,
) -> Result<Response, Problem> {
    let by = call.allowed(Scope::Operate)?;
    note(&edge, (&call, by, &key), &order, body.0).await
}

/// The amount is read in the currency of the order.
async fn note(
    edge: &Edge,
    (call, by, key): (&Call, &Principal, &RequestKey),
    order: &str,
    payment: OldPayment,
) -> Result<Response, Problem> {
    let known = edge.shop.order(order_id(order)?).await?.ok_or_else(unknown)?;
    let total = known.placement.amounts.total;
    let paid = match payment.amount {
        None => total,
        Some(text) => amount(&text, total.currency()).ok_or_else(|| {
            let message = "not an amount in the currency of the order";
            let hint = "Send a decimal number such as 19.99.";
            Problem::invalid(vec![FieldError::new("amount", "invalid_value", message, hint)])
        })?,
    };
    let command = taken(by, paid, payment.reference)?;
    changed(edge, call, order, key, command).await
}
