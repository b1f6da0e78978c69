//! What the journal says of one thing: what happened, when, by whom, and where that is written.

use axum::extract::State;
use axum::response::Response;
use engine::Aggregate as _;
use engine::inventory::Inventory;
use http::Uri;
use persistence::journal::{Record, StreamId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::Shared;
use super::products::{product_id, unknown};
use crate::access::Scope;
use crate::call::{Call, Fresh};
use crate::problem::{FieldError, Problem, ProblemBody};
use crate::query::Query;
use crate::reply::Reply;
use crate::wire::{Instant, Path, instant};

/// Entries of a page when nobody says how many.
const LIMIT: u32 = 100;

/// Fields of events that nobody is shown: what opens a purse, and what belongs to a person.
const HIDDEN: [&str; 3] = ["token", "secret", "personal"];

/// A page of what the journal says.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = AuditPage)]
pub(crate) struct AuditBody {
    /// The entries, newest first.
    items: Vec<AuditEntry>,
    /// Where the next page starts; null on the last one.
    next_cursor: Option<String>,
    /// Entries asked for.
    limit: u32,
}

/// One event as it is written.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AuditEntry {
    /// Counts the events of the thing, from 1.
    number: u64,
    /// When it was decided.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// What happened, for example `order.placed`.
    what: String,
    /// Which account asked for it; null where nobody did.
    by: Option<String>,
    /// The request that asked for it; null where none did.
    request: Option<Uuid>,
    /// Where it lies: `<shard>:<position>`.
    position: String,
    /// SHA-256 over the event and the hash before it in its shard, in hexadecimal digits.
    hash: String,
    /// The event, without payment tokens and personal fields.
    #[schema(value_type = Object)]
    event: Value,
}

/// The part of the stored cause that is shown.
#[derive(Debug, Default, Deserialize)]
struct StoredCause {
    id: Option<Uuid>,
    by: Option<String>,
}

impl AuditEntry {
    fn of(record: &Record) -> Self {
        let cause: StoredCause = serde_json::from_str(&record.meta).unwrap_or_default();
        let mut event = serde_json::from_str(&record.payload).unwrap_or_default();
        hide(&mut event);
        Self {
            number: record.version,
            at: instant(record.at),
            what: record.name.to_string(),
            by: cause.by.filter(|by| !by.is_empty()),
            request: cause.id.filter(|id| !id.is_nil()),
            position: format!("{}:{}", record.shard, record.position),
            hash: hex::encode(record.hash),
            event,
        }
    }
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for name in HIDDEN {
                fields.remove(name);
            }
            fields.values_mut().for_each(hide);
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The page that the rest of a query asks for.
struct Page {
    before: Option<u64>,
    limit: u32,
}

impl Page {
    fn of(query: &mut Query) -> Self {
        let limit = query.number("limit", 1, u64::from(actors::reads::AUDIT_MAX));
        let limit = limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(LIMIT);
        Self { before: query.number("cursor", 1, u64::MAX), limit }
    }

    async fn answer(self, edge: &Shared, stream: &StreamId) -> Result<Response, Problem> {
        let records = edge.shop.audit(stream, self.before, self.limit).await?;
        let last = records.last().map(|record| record.version).filter(|version| 1 < *version);
        let items = records.iter().map(AuditEntry::of).collect();
        let next_cursor = last.map(|version| version.to_string());
        Ok(Reply::ok(&AuditBody { items, next_cursor, limit: self.limit }).into_response())
    }
}

/// What the journal says of one thing, newest first. It is only ever added to: every entry is sealed by
/// its hash, and `millrace verify` follows the chain.
#[utoipa::path(
    get, path = "/v1/audit", operation_id = "audit", tag = "audit",
    params(
        ("stream" = String, Query, description = "`kind/id`, for example `order/…` or `inventory/laptop`"),
        ("limit" = Option<u32>, Query, description = "1 to 1000, 100 when absent"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("x-min-position" = Option<String>, Header, description = "At least this fresh"),
    ),
    responses(
        (status = 200, description = "A page; empty for what the journal does not know", body = AuditBody),
        (status = 422, description = "A parameter cannot be used", body = ProblemBody<'static>),
        (status = 503, description = "Not fresh yet, or not available", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn audit(
    State(edge): State<Shared>,
    call: Call,
    uri: Uri,
    fresh: Fresh,
) -> Result<Response, Problem> {
    super::admin(&call)?;
    let mut query = Query::of(&uri, &["stream", "limit", "cursor"])?;
    let stream = query.read("stream", "kind/id", StreamId::parse);
    let page = Page::of(&mut query);
    query.finish()?;
    let Some(stream) = stream else {
        let (message, hint) = ("it must be said of what", "Send stream=kind/id.");
        return Err(Problem::invalid(vec![FieldError::new(
            "stream",
            "missing_field",
            message,
            hint,
        )]));
    };
    edge.shop.wait_for(fresh).await?;
    page.answer(&edge, &stream).await
}

/// Every change of a stock, newest first, from the journal itself.
#[utoipa::path(
    get, path = "/v1/products/{id}/movements", operation_id = "list_movements", tag = "products",
    params(
        ("id" = String, Path, description = "The product"),
        ("limit" = Option<u32>, Query, description = "1 to 1000, 100 when absent"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("x-min-position" = Option<String>, Header, description = "At least this fresh"),
    ),
    responses(
        (status = 200, description = "A page", body = AuditBody),
        (status = 404, description = "There is no such product", body = ProblemBody<'static>),
        (status = 422, description = "A parameter cannot be used", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn movements(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    uri: Uri,
    fresh: Fresh,
) -> Result<Response, Problem> {
    call.allowed(Scope::Operate)?;
    let id = product_id(&id)?;
    let mut query = Query::of(&uri, &["limit", "cursor"])?;
    let page = Page::of(&mut query);
    query.finish()?;
    edge.shop.wait_for(fresh).await?;
    edge.shop.product(&id).await?.ok_or_else(unknown)?;
    page.answer(&edge, &StreamId::new(Inventory::KIND, id.as_str())).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tokens_and_what_belongs_to_a_person_are_left_out_wherever_they_stand() {
        let mut event = json!({"placed": {"payment": {"method": "card", "token": "tok_ok"},
            "personal": {"email": "a@example.org"}, "lines": [{"token": 1, "product": "mug"}]}});
        hide(&mut event);
        let shown =
            json!({"placed": {"payment": {"method": "card"}, "lines": [{"product": "mug"}]}});
        assert_eq!(event, shown);
    }
}
