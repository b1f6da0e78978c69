//! Returns: requested and read; moved on in `steps`.

mod body;
pub mod photos;
pub mod steps;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use engine::Aggregate as _;
use engine::cart::CART_LINES_MAX;
use engine::rma::{OpenReturn, REASON_MAX, Return, ReturnCommand, ReturnLine, ReturnStatus};
use engine::values::{OrderId, ProductId, Quantity, ReturnId};
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::body::ReturnBody;
use super::Shared;
use super::entries::{Wanted, next_cursor};
use crate::access::Scope;
use crate::call::{Call, Fresh};
use crate::idempotency::{RequestKey, fingerprint};
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::reply::Reply;
use crate::wire::{Json, Path, Texts};

/// There is no such return.
pub(crate) fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is no such return")
}

fn return_id(text: &str) -> Result<ReturnId, Problem> {
    Uuid::try_parse(text).map(ReturnId::new).map_err(|_| unknown())
}

/// A request for a return.
#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReturn {
    /// The order; it has arrived and is paid.
    order_id: Uuid,
    /// Whose order it has to be, if that is to be checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer_id: Option<String>,
    /// What comes back; each product once.
    items: Vec<NewReturnItem>,
    /// What the customer has to say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// Units of one product that are to come back.
#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReturnItem {
    /// Which product of the order.
    product_id: String,
    /// How many units.
    quantity: i64,
    /// Why.
    reason: String,
}

impl NewReturn {
    fn lines(&self, texts: &mut Texts) -> Vec<ReturnLine> {
        if self.items.is_empty() || CART_LINES_MAX < self.items.len() {
            texts.push(FieldError::new(
                "items",
                "out_of_range",
                format!("{} items, 1 to {CART_LINES_MAX} are possible", self.items.len()),
                "Send one item for each product that comes back.",
            ));
            return Vec::new();
        }
        let mut seen = BTreeSet::new();
        let mut lines = Vec::with_capacity(self.items.len());
        for (index, item) in self.items.iter().enumerate() {
            texts.judge(|| format!("items[{index}].reason"), &item.reason, REASON_MAX);
            let product = ProductId::parse(&item.product_id).ok();
            let product = product.filter(|product| seen.insert(product.clone()));
            let units = u32::try_from(item.quantity).ok().filter(|units| 0 < *units);
            let (Some(product), Some(units)) = (product, units) else {
                let (field, code, message) = match units {
                    Some(_) => ("product_id", "invalid_value", "no product of its own"),
                    None => ("quantity", "out_of_range", "at least one unit comes back"),
                };
                let field = format!("items[{index}].{field}");
                let hint = "Send each product of the order once, with 1 or more units.";
                texts.push(FieldError::new(field, code, message, hint));
                continue;
            };
            let (quantity, reason) = (Quantity::new(units), item.reason.clone());
            lines.push(ReturnLine { product, quantity, reason });
        }
        lines
    }
}

/// Requests a return. The same `Idempotency-Key` always names the same return.
#[utoipa::path(
    post, path = "/v1/returns", operation_id = "open_return", tag = "returns",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names the return")),
    request_body = NewReturn,
    responses(
        (status = 201, description = "Requested; `REJECTED` when another return was faster by a moment",
         body = ReturnBody<'static>),
        (status = 400, description = "The order is not taken back like that", body = ProblemBody<'static>),
        (status = 422, description = "A field cannot be used, or the key was used before",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn open(
    State(edge): State<Shared>,
    call: Call,
    key: RequestKey,
    body: Json<NewReturn>,
) -> Result<Response, Problem> {
    let by = Arc::clone(&call.allowed(Scope::Orders)?.account);
    let mut texts = Texts::default();
    let customer = body.0.customer_id.as_deref().and_then(|text| texts.customer(text));
    if let Some(note) = &body.0.note {
        texts.judge(|| "note".to_owned(), note, REASON_MAX);
    }
    let lines = body.0.lines(&mut texts);
    texts.finish()?;
    let (id, fingerprint) = (key.rma(&by), fingerprint(&body.0)?);
    let command = ReturnCommand::Open(Box::new(OpenReturn {
        id,
        order: OrderId::new(body.0.order_id),
        customer,
        lines,
        note: body.0.note,
        number: None,
        within: edge.shop.return_window(),
        by,
        fingerprint,
        answer: None,
    }));
    let asking = call.asking(Some(&key), Some(fingerprint));
    let opened = edge.shop.ask_return(id, command, asking).await?;
    let view = opened.view.as_deref().ok_or_else(unknown)?;
    Ok(Reply::new(StatusCode::CREATED, &ReturnBody::from(view))
        .location("/v1/returns", id)
        .standing(&opened)
        .replayed(key.replayed(&opened))
        .into_response())
}

/// A page of returns.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ReturnPage)]
pub(crate) struct ReturnPageBody<'a> {
    /// The returns, newest first.
    items: Vec<ReturnBody<'a>>,
    /// Where the next page starts; null on the last one.
    next_cursor: Option<String>,
    /// How many there are in all that match.
    total: u64,
}

/// Returns, newest first.
#[utoipa::path(
    get, path = "/v1/returns", operation_id = "list_returns", tag = "returns",
    params(
        ("status" = Option<String>, Query, description = "Only returns with this status"),
        ("customer_id" = Option<String>, Query, description = "Only this customer's"),
        ("limit" = Option<u32>, Query, description = "1 to 100, 20 when absent"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("x-min-position" = Option<String>, Header, description = "At least this fresh"),
    ),
    responses(
        (status = 200, description = "A page", body = ReturnPageBody<'static>),
        (status = 422, description = "A parameter cannot be used", body = ProblemBody<'static>),
        (status = 503, description = "Not fresh yet, or not available", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn list(
    State(edge): State<Shared>,
    call: Call,
    uri: Uri,
    fresh: Fresh,
) -> Result<Response, Problem> {
    call.allowed(Scope::Orders)?;
    let statuses = ReturnStatus::ALL.map(ReturnStatus::as_str);
    let wanted = Wanted::of(&uri, Some("customer_id"), &statuses)?;
    edge.shop.wait_for(fresh).await?;
    let found = edge.shop.list::<Return>(&wanted.query(Return::KIND)).await?;
    let returns = found.entries.iter().filter_map(|(_, view)| view.as_deref());
    Ok(Reply::ok(&ReturnPageBody {
        items: returns.map(ReturnBody::from).collect(),
        next_cursor: next_cursor(&found),
        total: found.total,
    })
    .into_response())
}

/// One return.
#[utoipa::path(
    get, path = "/v1/returns/{id}", operation_id = "get_return", tag = "returns",
    params(
        ("id" = Uuid, Path, description = "The return"),
        ("x-min-position" = Option<String>, Header, description = "At least this fresh"),
    ),
    responses(
        (status = 200, description = "The return", body = ReturnBody<'static>),
        (status = 404, description = "There is no such return", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn read(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    fresh: Fresh,
) -> Result<Response, Problem> {
    call.allowed(Scope::Orders)?;
    let id = return_id(&id)?;
    edge.shop.wait_for(fresh).await?;
    let found = edge.shop.rma(id).await?.view.ok_or_else(unknown)?;
    Ok(Reply::ok(&ReturnBody::from(&*found)).etag(found.version).into_response())
}
