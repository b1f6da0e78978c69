//! Suspicious orders and trusted buyers: what waits, what is decided, and who decides.

use std::sync::Arc;

use actors::outcome::Accepted;
use axum::extract::State;
use axum::response::Response;
use engine::buyer::{Buyer, BuyerCommand, BuyerRefusal, BuyerState, Trusted};
use engine::fraud::Suspicion;
use engine::order::{Order, OrderCommand};
use engine::values::{CustomerId, OrderId};
use http::Uri;
use serde::{Deserialize, Serialize};

use super::orders::body::OrderBody;
use super::orders::life::changed;
use super::{Edge, Shared};
use crate::access::Scope;
use crate::call::Call;
use crate::idempotency::RequestKey;
use crate::problem::{Problem, ProblemBody};
use crate::query::Query;
use crate::reply::Reply;
use crate::wire::{Instant, Json, MoneyBody, Path, Texts, instant};

/// Longest reason, in bytes.
const REASON_MAX: usize = 500;
/// Reviews in one answer, and where nothing is said.
const REVIEWS_MAX: u64 = 100;
const REVIEWS: u64 = 20;

/// What is decided about a suspicious order.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decision {
    /// It goes on: charged, then sold.
    Approve,
    /// It is called off.
    Reject,
}

/// A decision about a suspicious order.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FraudDecision)]
pub(crate) struct DecisionBody {
    /// `approve` or `reject`.
    decision: Decision,
    /// Why, in the words of whoever decides.
    reason: Option<String>,
}

/// Why a buyer is trusted.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTrust)]
pub(crate) struct TrustedBody {
    /// In the words of whoever trusts.
    reason: Option<String>,
}

/// What the shop knows of a buyer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = BuyerTrust)]
pub(crate) struct TrustBody<'a> {
    /// Whose.
    #[schema(value_type = String)]
    customer_id: &'a CustomerId,
    /// Whether their orders are not suspected.
    trusted: bool,
    /// Which account said so last; null when nobody has.
    by: Option<&'a str>,
    /// Why, where somebody said so.
    reason: Option<&'a str>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Instant>,
    /// Orders that they have tried to place within the time that the shop looks at, at most 100; 0
    /// where it looks at none.
    orders_lately: u32,
}

/// Orders that somebody has to look at.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = FraudReviews)]
pub(crate) struct ReviewsBody<'a> {
    /// How many wait, shown or not.
    total: usize,
    /// Those that are called off first.
    items: Vec<ReviewBody<'a>>,
}

/// One order that somebody has to look at.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = FraudReview)]
pub(crate) struct ReviewBody<'a> {
    /// The order.
    #[schema(value_type = uuid::Uuid)]
    order_id: OrderId,
    /// Who buys.
    #[schema(value_type = String)]
    customer_id: &'a CustomerId,
    /// What the customer is to pay.
    total: MoneyBody,
    /// How it is to be paid, where somebody said so.
    #[schema(value_type = Option<String>)]
    method: Option<engine::values::PaymentMethod>,
    /// Why somebody has to look at it.
    suspicions: Vec<SuspicionBody>,
    /// The address that the request came from.
    #[schema(value_type = Option<String>)]
    ip: Option<std::net::IpAddr>,
    /// What the buyer's program called itself.
    user_agent: Option<&'a str>,
    /// When it was placed.
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When it is called off unless somebody has decided.
    #[schema(value_type = String, format = DateTime)]
    until: Instant,
}

/// Why somebody has to look at an order.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Suspicion)]
pub(crate) struct SuspicionBody {
    /// Stable code.
    code: &'static str,
    /// What it says.
    message: &'static str,
}

impl From<&Suspicion> for SuspicionBody {
    fn from(suspicion: &Suspicion) -> Self {
        Self { code: suspicion.code(), message: suspicion.means() }
    }
}

/// Orders that wait for a decision; those that are called off first come first.
#[utoipa::path(
    get, path = "/v1/fraud/reviews", operation_id = "list_reviews", tag = "fraud",
    params(("limit" = Option<u64>, Query, description = "1 to 100; 20 when absent")),
    responses(
        (status = 200, description = "The orders", body = ReviewsBody<'static>),
        (status = 422, description = "A parameter cannot be used", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn reviews(
    State(edge): State<Shared>,
    call: Call,
    uri: Uri,
) -> Result<Response, Problem> {
    call.allowed(Scope::Operate)?;
    let mut query = Query::of(&uri, &["limit"])?;
    let limit = query.number("limit", 1, REVIEWS_MAX).unwrap_or(REVIEWS);
    query.finish()?;
    let waiting = edge.shop.reviews().await?;
    let mut by_end: Vec<_> = waiting.iter().map(|(order, known)| (known.until, *order)).collect();
    by_end.sort_unstable();
    let mut orders: Vec<Arc<Order>> = Vec::new();
    for (_, order) in by_end.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX)) {
        orders.extend(edge.shop.order(order).await?);
    }
    let items = orders.iter().filter_map(|order| review(order)).collect();
    Ok(Reply::ok(&ReviewsBody { total: waiting.len(), items }).into_response())
}

/// One that was decided a moment ago may still stand on the list.
fn review(order: &Order) -> Option<ReviewBody<'_>> {
    let until = order.review.as_ref().filter(|_| order.awaits_review())?.until;
    let placement = &order.placement;
    Some(ReviewBody {
        order_id: placement.order,
        customer_id: &placement.customer,
        total: placement.amounts.total.into(),
        method: order.method(),
        suspicions: placement.suspicions.iter().map(SuspicionBody::from).collect(),
        ip: placement.personal.ip,
        user_agent: placement.personal.user_agent.as_deref(),
        created_at: instant(order.created_at),
        until: instant(until),
    })
}

/// Lets a suspicious order go on, or calls it off. A repeat changes nothing and needs no
/// `Idempotency-Key`: an order is decided once, and the first reason stays.
#[utoipa::path(
    post, path = "/v1/orders/{id}/fraud-decision", operation_id = "decide_review", tag = "fraud",
    params(("id" = uuid::Uuid, Path, description = "The order")),
    request_body = DecisionBody,
    responses(
        (status = 200, description = "The order as it is now", body = OrderBody),
        (status = 404, description = "There is no such order", body = ProblemBody<'static>),
        (status = 409, description = "It does not wait for a decision, or was decided otherwise",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn decide(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    body: Json<DecisionBody>,
) -> Result<Response, Problem> {
    let by = Arc::clone(&call.allowed(Scope::Operate)?.account);
    let DecisionBody { decision, reason } = body.0;
    judge(reason.as_ref())?;
    let command =
        OrderCommand::DecideReview { approve: matches!(decision, Decision::Approve), by, reason };
    changed(&edge, &call, &id, &key, command).await
}

/// Trusts a buyer: their orders are not suspected any more. A repeat changes nothing.
#[utoipa::path(
    put, path = "/v1/fraud/trusted/{customer_id}", operation_id = "trust_buyer", tag = "fraud",
    params(("customer_id" = String, Path, description = "The buyer")),
    request_body = TrustedBody,
    responses((status = 200, description = "The buyer is trusted", body = TrustBody<'static>)),
)]
pub(crate) async fn trust(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    body: Json<TrustedBody>,
) -> Result<Response, Problem> {
    let by = Arc::clone(&call.allowed(Scope::Operate)?.account);
    let reason = body.0.reason;
    judge(reason.as_ref())?;
    let customer = buyer_id(&id)?;
    let command = BuyerCommand::Trust(Trusted { customer: customer.clone(), by, reason });
    change(&edge, &call, &key, &customer, command).await
}

/// Takes trust back. A repeat changes nothing.
#[utoipa::path(
    delete, path = "/v1/fraud/trusted/{customer_id}", operation_id = "distrust_buyer", tag = "fraud",
    params(("customer_id" = String, Path, description = "The buyer")),
    responses(
        (status = 200, description = "The buyer is not trusted", body = TrustBody<'static>),
        (status = 404, description = "Nobody has ever trusted them", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn distrust(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
) -> Result<Response, Problem> {
    let by = Arc::clone(&call.allowed(Scope::Operate)?.account);
    let customer = buyer_id(&id)?;
    change(&edge, &call, &key, &customer, BuyerCommand::Distrust { by, reason: None }).await
}

/// Whether a buyer is trusted, who said so, and how many orders they placed lately.
#[utoipa::path(
    get, path = "/v1/fraud/trusted/{customer_id}", operation_id = "get_trust", tag = "fraud",
    params(("customer_id" = String, Path, description = "The buyer")),
    responses(
        (status = 200, description = "What is known", body = TrustBody<'static>),
        (status = 404, description = "Nothing is known", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn read(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    call.allowed(Scope::Operate)?;
    let customer = buyer_id(&id)?;
    let buyer = edge.shop.buyer(&customer).await?;
    if buyer.trust.is_none() && buyer.recent.is_empty() {
        return Err(unknown_buyer());
    }
    Ok(Reply::ok(&body(&edge, &customer, &buyer)).into_response())
}

async fn change(
    edge: &Edge,
    call: &Call,
    key: &RequestKey,
    customer: &CustomerId,
    command: BuyerCommand,
) -> Result<Response, Problem> {
    let accepted: Accepted<Buyer> =
        edge.shop.ask_buyer(customer, command, call.asking(Some(key), None)).await?;
    Ok(Reply::ok(&body(edge, customer, &accepted.view)).standing(&accepted).into_response())
}

fn body<'a>(edge: &Edge, customer: &'a CustomerId, buyer: &'a BuyerState) -> TrustBody<'a> {
    let trust = buyer.trust.as_deref();
    let now = edge.shop.system().now();
    let lately = edge.shop.policy().fraud.pace.map(|pace| buyer.lately(pace.within, now));
    TrustBody {
        customer_id: customer,
        trusted: trust.is_some_and(|trust| trust.is_trusted),
        by: trust.map(|trust| &*trust.by),
        reason: trust.and_then(|trust| trust.reason.as_deref()),
        since: trust.map(|trust| instant(trust.at)),
        orders_lately: lately.unwrap_or_default(),
    }
}

/// An id in a path. Whatever cannot be one names nobody.
fn buyer_id(text: &str) -> Result<CustomerId, Problem> {
    CustomerId::parse(text).map_err(|_| unknown_buyer())
}

fn unknown_buyer() -> Problem {
    BuyerRefusal::Unknown.into()
}

fn judge(reason: Option<&String>) -> Result<(), Problem> {
    let mut texts = Texts::default();
    if let Some(reason) = reason {
        texts.judge(|| "reason".to_owned(), reason, REASON_MAX);
    }
    texts.finish()
}
