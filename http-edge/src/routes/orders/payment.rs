//! Money that people take and give back themselves, and tell the order about.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use engine::order::OrderCommand;
use engine::values::Money;
use serde::Deserialize;

use super::body::OrderBody;
use super::life::changed;
use crate::access::{Principal, Scope};
use crate::call::Call;
use crate::idempotency::RequestKey;
use crate::problem::{Problem, ProblemBody};
use crate::routes::Shared;
use crate::wire::{Json, MoneyBody, Object, Path, Texts};

/// Longest reference, in bytes.
const REFERENCE_MAX: usize = 200;

/// Money that somebody took for an order.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPaymentTaken, example = json!({
    "amount": {"minor": 1999, "currency": "USD"}, "reference": "till 3, 0042",
}))]
pub(crate) struct TakenBody {
    /// How much: the order's total.
    #[schema(value_type = MoneyBody)]
    amount: Object<MoneyBody>,
    /// What it is called in the books of whoever took it.
    reference: Option<String>,
}

/// Notes that somebody has the money of an order that is paid at the counter, on delivery, or later.
/// A repeat changes nothing and needs no `Idempotency-Key`: an order is paid once.
#[utoipa::path(
    post, path = "/v1/orders/{id}/payment", operation_id = "pay_order", tag = "orders",
    params(("id" = uuid::Uuid, Path, description = "The order")),
    request_body = TakenBody,
    responses(
        (status = 200, description = "The order as it is now", body = OrderBody),
        (status = 404, description = "There is no such order", body = ProblemBody<'static>),
        (status = 409, description = "It is paid otherwise, called off, or somebody has to look at it",
         body = ProblemBody<'static>),
        (status = 422, description = "It costs something else", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn pay(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    body: Json<TakenBody>,
) -> Result<Response, Problem> {
    let by = call.allowed(Scope::Operate)?;
    let TakenBody { amount, reference } = body.0;
    let command = taken(by, amount.into(), reference)?;
    changed(&edge, &call, &id, &key, command).await
}

/// What the order is told of money that somebody took.
pub(crate) fn taken(
    by: &Principal,
    amount: Money,
    reference: Option<String>,
) -> Result<OrderCommand, Problem> {
    let mut texts = Texts::default();
    if let Some(reference) = &reference {
        texts.judge(|| "reference".to_owned(), reference, REFERENCE_MAX);
    }
    texts.finish()?;
    Ok(OrderCommand::TakePayment { amount, reference, by: Arc::clone(&by.account) })
}

/// Notes that somebody gave money back that was taken like that, because the order was called off. A
/// repeat changes nothing and needs no `Idempotency-Key`. What the provider took, and store credit,
/// goes back by itself.
#[utoipa::path(
    post, path = "/v1/orders/{id}/refund", operation_id = "hand_back_payment", tag = "orders",
    params(("id" = uuid::Uuid, Path, description = "The order")),
    responses(
        (status = 200, description = "The order as it is now", body = OrderBody),
        (status = 404, description = "There is no such order", body = ProblemBody<'static>),
        (status = 409, description = "Nothing that was taken by hand has to go back",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn hand_back(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
) -> Result<Response, Problem> {
    let by = Arc::clone(&call.allowed(Scope::Operate)?.account);
    changed(&edge, &call, &id, &key, OrderCommand::HandBack { by }).await
}
