//! Orders: placed, read, listed, moved on, called off.

pub mod body;
pub mod life;
pub mod list;
pub mod payment;
pub mod place;
pub mod receipt;
pub mod wish;

use axum::extract::State;
use axum::response::Response;
use engine::values::OrderId;
use serde::Serialize;
use uuid::Uuid;

use self::body::{OrderBody, OrderView};
use super::Shared;
use crate::access::Scope;
use crate::call::{Call, Fresh};
use crate::problem::{Code, Problem, ProblemBody};
use crate::reply::Reply;
use crate::wire::{Instant, Path, instant};

/// An id in a path. Whatever is not a UUID names no order.
pub(crate) fn order_id(text: &str) -> Result<OrderId, Problem> {
    Uuid::try_parse(text).map(OrderId::new).map_err(|_| unknown())
}

/// There is no such order.
pub(crate) fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is no such order")
}

/// One order.
#[utoipa::path(
    get, path = "/v1/orders/{id}", operation_id = "get_order", tag = "orders",
    params(
        ("id" = Uuid, Path, description = "The order"),
        ("x-min-position" = Option<String>, Header, description = "At least this fresh"),
    ),
    responses(
        (status = 200, description = "The order", body = OrderBody),
        (status = 404, description = "There is no such order", body = ProblemBody<'static>),
        (status = 503, description = "Not fresh yet, or not available", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn read(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    fresh: Fresh,
) -> Result<Response, Problem> {
    call.allowed(Scope::Orders)?;
    let id = order_id(&id)?;
    edge.shop.wait_for(fresh).await?;
    let order = edge.shop.order(id).await?.ok_or_else(unknown)?;
    Ok(Reply::ok(&OrderView(&order)).etag(order.version).into_response())
}

/// Every public status that an order has had.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = OrderHistory)]
pub(crate) struct HistoryBody<'a> {
    /// The steps, oldest first.
    items: Vec<StepBody<'a>>,
}

/// One step of the public status.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = OrderStep)]
pub(crate) struct StepBody<'a> {
    /// From where; null for the first.
    from: Option<&'static str>,
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

/// The history of an order's public status.
#[utoipa::path(
    get, path = "/v1/orders/{id}/history", operation_id = "get_order_history", tag = "orders",
    params(
        ("id" = Uuid, Path, description = "The order"),
        ("x-min-position" = Option<String>, Header, description = "At least this fresh"),
    ),
    responses(
        (status = 200, description = "Every step, oldest first", body = HistoryBody<'static>),
        (status = 404, description = "There is no such order", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn history(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    fresh: Fresh,
) -> Result<Response, Problem> {
    call.allowed(Scope::Orders)?;
    let id = order_id(&id)?;
    edge.shop.wait_for(fresh).await?;
    let order = edge.shop.order(id).await?.ok_or_else(unknown)?;
    let steps = order.history.iter().map(|step| StepBody {
        from: step.from.map(engine::order::OrderStatus::as_str),
        to: step.to.as_str(),
        at: instant(step.at),
        by: &step.by,
        reason: step.reason.as_deref(),
    });
    Ok(Reply::ok(&HistoryBody { items: steps.collect() }).into_response())
}
