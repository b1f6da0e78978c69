//! The life of an order after it was placed: moved on, called off.

use std::sync::Arc;

use actors::outcome::Accepted;
use axum::extract::State;
use axum::response::Response;
use engine::order::{Order, OrderCommand, OrderStatus};
use serde::Deserialize;

use super::body::{OrderBody, OrderView};
use super::{order_id, unknown};
use crate::access::Scope;
use crate::call::Call;
use crate::idempotency::RequestKey;
use crate::problem::{Problem, ProblemBody};
use crate::reply::Reply;
use crate::routes::{Edge, Shared};
use crate::wire::{Json, Path, Texts};

/// Longest reason, in bytes.
const REASON_MAX: usize = 500;

/// A step of the public status.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewStatus)]
pub(crate) struct StatusBody {
    /// `PROCESSING`, `SHIPPED`, `DELIVERED` or `CANCELLED`.
    #[schema(value_type = String, example = "PROCESSING")]
    status: OrderStatus,
}

/// Why an order is called off.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Cancellation)]
pub(crate) struct CancellationBody {
    /// In the caller's words.
    reason: Option<String>,
}

/// Moves the public status on. A repeat changes nothing and needs no `Idempotency-Key`: a status never
/// comes back, so a late one is refused with 409 once the order has moved on.
#[utoipa::path(
    put, path = "/v1/orders/{id}/status", operation_id = "set_order_status", tag = "orders",
    params(("id" = uuid::Uuid, Path, description = "The order")),
    request_body = StatusBody,
    responses(
        (status = 200, description = "The order as it is now", body = OrderBody),
        (status = 404, description = "There is no such order", body = ProblemBody<'static>),
        (status = 409, description = "The status cannot change like that", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn set_status(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    body: Json<StatusBody>,
) -> Result<Response, Problem> {
    let by = Arc::clone(&call.allowed(Scope::Operate)?.account);
    let command = OrderCommand::SetStatus { status: body.0.status, by };
    changed(&edge, &call, &id, &key, command).await
}

/// Confirms an order: its units are sold, whoever pays for it later, and it is PROCESSING. A repeat
/// changes nothing and needs no `Idempotency-Key`.
#[utoipa::path(
    post, path = "/v1/orders/{id}/confirmation", operation_id = "confirm_order", tag = "orders",
    params(("id" = uuid::Uuid, Path, description = "The order")),
    responses(
        (status = 200, description = "The order as it is now", body = OrderBody),
        (status = 404, description = "There is no such order", body = ProblemBody<'static>),
        (status = 409, description = "It is not PENDING any more, or its payment is not settled",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn confirm(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
) -> Result<Response, Problem> {
    let by = Arc::clone(&call.allowed(Scope::Operate)?.account);
    let command = OrderCommand::SetStatus { status: OrderStatus::Processing, by };
    changed(&edge, &call, &id, &key, command).await
}

/// Calls an order off, at any time before it is shipped. A repeat changes nothing and needs no
/// `Idempotency-Key`: an order is called off once, and the first reason stays.
#[utoipa::path(
    post, path = "/v1/orders/{id}/cancellation", operation_id = "cancel_order", tag = "orders",
    params(("id" = uuid::Uuid, Path, description = "The order")),
    request_body = CancellationBody,
    responses(
        (status = 200, description = "The order as it is now; units and money go back by themselves",
         body = OrderBody),
        (status = 404, description = "There is no such order", body = ProblemBody<'static>),
        (status = 409, description = "It is too late", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn cancel(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    body: Json<CancellationBody>,
) -> Result<Response, Problem> {
    let principal = call.allowed(Scope::Orders)?;
    let mut texts = Texts::default();
    if let Some(reason) = &body.0.reason {
        texts.judge(|| "reason".to_owned(), reason, REASON_MAX);
    }
    texts.finish()?;
    let command = OrderCommand::Cancel {
        by: Arc::clone(&principal.account),
        as_operator: principal.may(Scope::Operate),
        reason: body.0.reason,
    };
    changed(&edge, &call, &id, &key, command).await
}

/// Calls a PENDING order off, as a customer may. A repeat changes nothing and needs no
/// `Idempotency-Key`.
#[utoipa::path(
    delete, path = "/v1/orders/{id}", operation_id = "delete_order", tag = "orders",
    params(("id" = uuid::Uuid, Path, description = "The order")),
    responses(
        (status = 200, description = "The order as it is now", body = OrderBody),
        (status = 404, description = "There is no such order", body = ProblemBody<'static>),
        (status = 409, description = "It is not PENDING any more", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn delete(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
) -> Result<Response, Problem> {
    let by = Arc::clone(&call.allowed(Scope::Orders)?.account);
    let command = OrderCommand::Cancel { by, as_operator: false, reason: None };
    changed(&edge, &call, &id, &key, command).await
}

/// Asks an order and shows what it is now.
pub(crate) async fn changed(
    edge: &Edge,
    call: &Call,
    id: &str,
    key: &RequestKey,
    command: OrderCommand,
) -> Result<Response, Problem> {
    let id = order_id(id)?;
    let asking = call.asking(Some(key), None);
    let accepted: Accepted<Order> = edge.shop.ask_order(id, command, asking).await?;
    let order = accepted.view.as_ref().ok_or_else(unknown)?;
    Ok(Reply::ok(&OrderView(order)).etag(order.version).standing(&accepted).into_response())
}
