//! The steps of a return. A repeat of one changes nothing and needs no `Idempotency-Key`: a status
//! never comes back, but for a refund that failed, which the provider never does twice.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use engine::cart::CART_LINES_MAX;
use engine::drill::FaultName;
use engine::order::{RefundMethod, Units};
use engine::rma::{REASON_MAX, ReturnCommand, ReturnStatus};
use engine::values::{ProductId, Quantity};
use serde::Deserialize;

use super::body::ReturnBody;
use super::{return_id, unknown};
use crate::access::Scope;
use crate::call::Call;
use crate::idempotency::RequestKey;
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::reply::{Reply, standing_headers};
use crate::routes::{Edge, Shared};
use crate::wire::{Json, Path, Texts};

/// Units of one product.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReturnUnits {
    /// Which product of the return.
    product_id: String,
    /// How many units; 0: none.
    quantity: u32,
}

/// Whether a return is allowed.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReturnAuthorization {
    /// Whether it is.
    approved: bool,
    /// The units that may come; absent: all that were requested.
    items: Option<Vec<ReturnUnits>>,
    /// What is to be said about it.
    reason: Option<String>,
}

/// Why a return is called off.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReturnCancellation {
    /// In the caller's words.
    reason: Option<String>,
}

/// The parcel was sent.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReturnShipment {
    /// Its own number.
    tracking: Option<String>,
}

/// What somebody saw who looked at the units.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReturnInspection {
    /// The units that are as good as new; absent: all that were approved.
    passed: Option<Vec<ReturnUnits>>,
    /// What was seen.
    reason: Option<String>,
}

/// On which way the money goes back.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReturnRefund {
    /// `original`, `card`, `cash` or `store_credit`.
    #[schema(value_type = String, example = "original")]
    method: RefundMethod,
}

fn judged(texts: &mut Texts, field: &str, text: Option<&String>) {
    if let Some(text) = text {
        texts.judge(|| field.to_owned(), text, REASON_MAX);
    }
}

fn units(field: &str, chosen: Option<&[ReturnUnits]>) -> Result<Option<Units>, Problem> {
    let Some(chosen) = chosen else { return Ok(None) };
    let mut units = Units::new();
    for (index, item) in chosen.iter().enumerate() {
        let product = ProductId::parse(&item.product_id).ok();
        let is_new = product.is_some_and(|product| {
            index < CART_LINES_MAX && units.insert(product, Quantity::new(item.quantity)).is_none()
        });
        if !is_new {
            return Err(Problem::invalid(vec![FieldError::new(
                format!("{field}[{index}].product_id"),
                "invalid_value",
                "no product of its own",
                "Send each product of the return once.",
            )]));
        }
    }
    Ok(Some(units))
}

async fn moved(
    edge: &Edge,
    call: &Call,
    id: &str,
    key: &RequestKey,
    command: ReturnCommand,
) -> Result<Response, Problem> {
    let id = return_id(id)?;
    let refunds = matches!(command, ReturnCommand::Refund { .. });
    let moved = edge.shop.ask_return(id, command, call.asking(Some(key), None)).await?;
    let view = moved.view.as_deref().ok_or_else(unknown)?;
    if refunds && view.status == ReturnStatus::RefundFailed {
        let detail = "the provider did not give the money back; the return says so";
        let problem = Problem::new(Code::RefundFailed, detail).about(view.request.order);
        let headers = standing_headers(&moved).into_iter();
        return Err(headers.fold(problem, |problem, (name, value)| problem.header(name, value)));
    }
    Ok(Reply::ok(&ReturnBody::from(view)).etag(view.version).standing(&moved).into_response())
}

/// Allows a return, or a part of it, or does not allow it.
#[utoipa::path(
    post, path = "/v1/returns/{id}/authorization", operation_id = "authorize_return", tag = "returns",
    params(("id" = uuid::Uuid, Path, description = "The return")),
    request_body = ReturnAuthorization,
    responses(
        (status = 200, description = "The return as it is now", body = ReturnBody<'static>),
        (status = 404, description = "There is no such return", body = ProblemBody<'static>),
        (status = 409, description = "It does not wait for that", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn authorize(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    body: Json<ReturnAuthorization>,
) -> Result<Response, Problem> {
    let by = Arc::clone(&call.allowed(Scope::Operate)?.account);
    let ReturnAuthorization { approved, items, reason } = body.0;
    let mut texts = Texts::default();
    judged(&mut texts, "reason", reason.as_ref());
    texts.finish()?;
    let items = units("items", items.as_deref())?;
    let command = if approved {
        ReturnCommand::Authorize { approved: items, by, reason }
    } else {
        ReturnCommand::Reject { by, reason }
    };
    moved(&edge, &call, &id, &key, command).await
}

/// Calls a return off that nobody has allowed yet.
#[utoipa::path(
    post, path = "/v1/returns/{id}/cancellation", operation_id = "cancel_return", tag = "returns",
    params(("id" = uuid::Uuid, Path, description = "The return")),
    request_body = ReturnCancellation,
    responses(
        (status = 200, description = "The return as it is now", body = ReturnBody<'static>),
        (status = 404, description = "There is no such return", body = ProblemBody<'static>),
        (status = 409, description = "It is too late", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn cancel(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    body: Json<ReturnCancellation>,
) -> Result<Response, Problem> {
    let by = Arc::clone(&call.allowed(Scope::Orders)?.account);
    let mut texts = Texts::default();
    judged(&mut texts, "reason", body.0.reason.as_ref());
    texts.finish()?;
    moved(&edge, &call, &id, &key, ReturnCommand::Cancel { by, reason: body.0.reason }).await
}

/// Notes that the parcel was sent.
#[utoipa::path(
    post, path = "/v1/returns/{id}/shipment", operation_id = "ship_return", tag = "returns",
    params(("id" = uuid::Uuid, Path, description = "The return")),
    request_body = ReturnShipment,
    responses(
        (status = 200, description = "The return as it is now", body = ReturnBody<'static>),
        (status = 404, description = "There is no such return", body = ProblemBody<'static>),
        (status = 409, description = "It was not authorized", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn ship(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    body: Json<ReturnShipment>,
) -> Result<Response, Problem> {
    let by = Arc::clone(&call.allowed(Scope::Orders)?.account);
    let mut texts = Texts::default();
    judged(&mut texts, "tracking", body.0.tracking.as_ref());
    texts.finish()?;
    moved(&edge, &call, &id, &key, ReturnCommand::Ship { tracking: body.0.tracking, by }).await
}

/// Notes that the parcel is here.
#[utoipa::path(
    post, path = "/v1/returns/{id}/receipt", operation_id = "receive_return", tag = "returns",
    params(("id" = uuid::Uuid, Path, description = "The return")),
    responses(
        (status = 200, description = "The return as it is now", body = ReturnBody<'static>),
        (status = 404, description = "There is no such return", body = ProblemBody<'static>),
        (status = 409, description = "It was not authorized", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn receive(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
) -> Result<Response, Problem> {
    let by = Arc::clone(&call.allowed(Scope::Operate)?.account);
    moved(&edge, &call, &id, &key, ReturnCommand::Receive { by }).await
}

/// Notes which units are as good as new.
#[utoipa::path(
    post, path = "/v1/returns/{id}/inspection", operation_id = "inspect_return", tag = "returns",
    params(("id" = uuid::Uuid, Path, description = "The return")),
    request_body = ReturnInspection,
    responses(
        (status = 200, description = "The return as it is now; `CLOSED` when no unit passed",
         body = ReturnBody<'static>),
        (status = 404, description = "There is no such return", body = ProblemBody<'static>),
        (status = 409, description = "The parcel is not here", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn inspect(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    body: Json<ReturnInspection>,
) -> Result<Response, Problem> {
    let by = Arc::clone(&call.allowed(Scope::Operate)?.account);
    let ReturnInspection { passed, reason } = body.0;
    let mut texts = Texts::default();
    judged(&mut texts, "reason", reason.as_ref());
    texts.finish()?;
    let passed = units("passed", passed.as_deref())?;
    moved(&edge, &call, &id, &key, ReturnCommand::Inspect { passed, by, reason }).await
}

/// Gives the money back for the units that have passed, then puts them into stock. One that failed is
/// tried again.
#[utoipa::path(
    post, path = "/v1/returns/{id}/refund", operation_id = "refund_return", tag = "returns",
    params(("id" = uuid::Uuid, Path, description = "The return")),
    request_body = ReturnRefund,
    responses(
        (status = 200, description = "The money is back", body = ReturnBody<'static>),
        (status = 402, description = "It is not, and the return is `REFUND_FAILED`",
         body = ProblemBody<'static>),
        (status = 404, description = "There is no such return", body = ProblemBody<'static>),
        (status = 409, description = "It was not inspected, or a drill allows no refund by hand",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn refund(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    body: Json<ReturnRefund>,
) -> Result<Response, Problem> {
    let by = Arc::clone(&call.allowed(Scope::Operate)?.account);
    let method = body.0.method;
    // A refund by hand would go past the breaker that a drill is there to exercise (C-26).
    let is_drilled = || {
        let drills = edge.outside.drills.as_ref();
        let active = drills.map(|drills| drills.active()).unwrap_or_default();
        active.iter().any(|injection| injection.fault.name() == FaultName::PaymentFailure)
    };
    if method.is_manual() && is_drilled() {
        let detail = format!("refunds by {} are disabled by active drill", method.as_str());
        return Err(Problem::new(Code::DisabledByDrill, detail));
    }
    moved(&edge, &call, &id, &key, ReturnCommand::Refund { method, by }).await
}
