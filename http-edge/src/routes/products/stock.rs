//! The stock of a product: changed by hand, and its holds.

use axum::extract::{FromRequestParts, State};
use axum::response::Response;
use engine::inventory::InventoryCommand;
use engine::values::{CustomerId, HoldId, ProductId};
use http::header::IF_MATCH;
use http::request::Parts;
use serde::{Deserialize, Serialize};

use super::body::StockBody;
use super::{product_id, unknown};
use crate::access::Scope;
use crate::call::{Call, Fresh};
use crate::idempotency::RequestKey;
use crate::problem::{Code, Problem, ProblemBody};
use crate::reply::Reply;
use crate::routes::Shared;
use crate::wire::{Instant, Json, Path, Texts, instant};

/// Longest reason, in bytes.
const REASON_MAX: usize = 200;
/// Most holds that one answer shows; the earliest to lapse come first.
const HOLDS_MAX: usize = 1_000;

/// A change of stock by hand.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StockChange, example = json!({"delta": 12, "reason": "delivery"}))]
pub(crate) struct AdjustBody {
    /// Units added, or taken when negative.
    delta: i64,
    /// Why.
    reason: String,
}

/// The stock after a change.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ProductStock)]
pub(crate) struct AdjustedBody<'a> {
    /// The product.
    product_id: &'a str,
    /// Its units.
    stock: StockBody,
}

/// Adds or takes units. Held units are promised and cannot be taken.
#[utoipa::path(
    post, path = "/v1/products/{id}/stock", operation_id = "adjust_stock", tag = "products",
    params(
        ("id" = String, Path, description = "The product"),
        ("Idempotency-Key" = Option<String>, Header,
         description = "Names the change; the same key does not count twice for at least two days, \
         unless more than 17,280 changes of the product came after"),
        ("If-Match" = Option<String>, Header,
         description = "The version of the stock that the change was meant for"),
    ),
    request_body = AdjustBody,
    responses(
        (status = 200, description = "The stock as it is now", body = AdjustedBody<'static>),
        (status = 404, description = "There is no such product", body = ProblemBody<'static>),
        (status = 409, description = "Fewer units are free", body = ProblemBody<'static>),
        (status = 412, description = "The stock has changed", body = ProblemBody<'static>),
        (status = 422, description = "A field cannot be used, or the key was used before",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn adjust(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    IfMatch(if_version): IfMatch,
    body: Json<AdjustBody>,
) -> Result<Response, Problem> {
    let account = &call.allowed(Scope::Catalogue)?.account;
    let id = product_id(&id)?;
    let AdjustBody { delta, reason } = body.0;
    let mut texts = Texts::default();
    texts.reason(&reason, REASON_MAX);
    texts.finish()?;
    // Units of a product that nobody offers would be lost.
    edge.shop.product(&id).await?.ok_or_else(unknown)?;
    let adjustment = key.adjustment(account, &id);
    let command = InventoryCommand::Adjust { adjustment, delta, reason, if_version };
    let adjusted = edge.shop.ask_stock(&id, command, call.asking(Some(&key), None)).await?;
    let body = AdjustedBody { product_id: id.as_str(), stock: adjusted.view.into() };
    Ok(Reply::ok(&body)
        .etag(adjusted.view.version)
        .standing(&adjusted)
        .replayed(key.replayed(&adjusted))
        .into_response())
}

/// The version in `If-Match`; `*` and an absent header match any.
pub(crate) struct IfMatch(Option<u64>);

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let Some(value) = head.headers.get(IF_MATCH) else { return Ok(Self(None)) };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self(None));
        }
        let version = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        match version.and_then(|version| version.parse().ok()) {
            Some(version) => Ok(Self(Some(version))),
            None => Err(Problem::new(
                Code::InvalidHeader,
                "If-Match takes one entity tag in quotes, as ETag gave it",
            )),
        }
    }
}

/// The holds on a product.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ProductHolds)]
pub(crate) struct HoldsBody<'a> {
    /// The product.
    #[schema(value_type = String)]
    product_id: &'a ProductId,
    /// Units under all holds.
    held: u32,
    /// How many holds there are, shown or not.
    total: usize,
    /// The holds that lapse first, at most 1,000.
    items: Vec<HoldBody<'a>>,
}

/// One hold.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Hold)]
pub(crate) struct HoldBody<'a> {
    /// Its id, which is that of the order that it is for.
    #[schema(value_type = uuid::Uuid)]
    order_id: HoldId,
    /// Units set aside.
    quantity: u32,
    /// For whom.
    #[schema(value_type = String)]
    customer_id: &'a CustomerId,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    held_at: Instant,
    /// When it lapses.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
}

/// The holds on a product, the first to lapse first.
#[utoipa::path(
    get, path = "/v1/products/{id}/holds", operation_id = "list_holds", tag = "products",
    params(
        ("id" = String, Path, description = "The product"),
        ("x-min-position" = Option<String>, Header, description = "At least this fresh"),
    ),
    responses(
        (status = 200, description = "The holds", body = HoldsBody<'static>),
        (status = 404, description = "There is no such product", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn holds(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    fresh: Fresh,
) -> Result<Response, Problem> {
    call.allowed(Scope::Operate)?;
    let id = product_id(&id)?;
    edge.shop.wait_for(fresh).await?;
    edge.shop.product(&id).await?.ok_or_else(unknown)?;
    let books = edge.shop.stock_books(&id).await?;
    let mut holds: Vec<_> = books.holds().iter().collect();
    holds.sort_by_key(|(_, hold)| hold.expires_at);
    let items = holds.into_iter().take(HOLDS_MAX).map(|(id, hold)| HoldBody {
        order_id: *id,
        quantity: hold.quantity.units(),
        customer_id: &hold.customer,
        held_at: instant(hold.held_at),
        expires_at: instant(hold.expires_at),
    });
    let body = HoldsBody {
        product_id: &id,
        held: books.held().units(),
        total: books.holds().len(),
        items: items.collect(),
    };
    Ok(Reply::ok(&body).into_response())
}
