//! Lists of orders, newest first: by page, or by cursor.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use engine::order::{Order, OrderStatus};
use engine::values::{Moment, OrderId};
use http::Uri;
use persistence::read_models::{OrderQuery, PageStart};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::body::{OrderBody, OrderView};
use crate::access::Scope;
use crate::call::{Call, Fresh};
use crate::problem::{FieldError, Problem, ProblemBody};
use crate::query::Query;
use crate::reply::Reply;
use crate::routes::Shared;
use actors::reads::OrderList;

/// Entries of a page when nobody says how many.
const LIMIT: u32 = 10;
/// Most entries of a page.
const LIMIT_MAX: u32 = 1_000;
/// Most entries that a page number may skip; a cursor goes further.
const OFFSET_MAX: u64 = 1_000_000;

/// A page of orders.
#[derive(Debug, utoipa::ToSchema)]
#[schema(as = OrderPage)]
#[expect(dead_code, reason = "read by the description of the interface only")]
pub(crate) struct PageBody {
    /// The orders, newest first.
    items: Vec<OrderBody>,
    /// Where the next page starts; null on the last one.
    next_cursor: Option<String>,
    /// Which page; null when a cursor was sent.
    page: Option<u64>,
    /// Entries asked for.
    limit: u32,
    /// How many there are in all that match.
    total: u64,
}

#[derive(Serialize)]
struct PageView<'a> {
    items: Orders<'a>,
    next_cursor: Option<String>,
    page: Option<u64>,
    limit: u32,
    total: u64,
}

struct Orders<'a>(&'a [Arc<Order>]);

impl Serialize for Orders<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|order| OrderView(order)))
    }
}

/// Orders, newest first.
#[utoipa::path(
    get, path = "/v1/orders", operation_id = "list_orders", tag = "orders",
    params(
        ("status" = Option<String>, Query, description = "Only orders with this status"),
        ("page" = Option<u64>, Query, description = "From 1; not together with cursor, and at most 1,000,000 orders before it"),
        ("limit" = Option<u32>, Query, description = "1 to 1000, 10 when absent"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("x-min-position" = Option<String>, Header, description = "At least this fresh"),
    ),
    responses(
        (status = 200, description = "A page", body = PageBody),
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
    let wanted = Wanted::of(&uri)?;
    edge.shop.wait_for(fresh).await?;
    let found = edge.shop.list_orders(&wanted.query()).await?;
    Ok(wanted.reply(&found).into_response())
}

/// What a list asks for.
pub(crate) struct Wanted {
    status: Option<OrderStatus>,
    limit: u32,
    page: Option<u64>,
    start: PageStart,
}

impl Wanted {
    /// Reads the parameters.
    pub(crate) fn of(uri: &Uri) -> Result<Self, Problem> {
        let mut query = Query::of(uri, &["status", "page", "limit", "cursor"])?;
        let status = query.read("status", "one of the five statuses", |text| {
            OrderStatus::ALL.into_iter().find(|status| status.as_str() == text)
        });
        let limit = query.number("limit", 1, u64::from(LIMIT_MAX));
        let limit = limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(LIMIT);
        let page = query.number("page", 1, OFFSET_MAX);
        let cursor = query.read("cursor", "a next_cursor", after);
        if page.is_some() && cursor.is_some() {
            query.push(FieldError::new(
                "page",
                "invalid_value",
                "page and cursor exclude each other",
                "Send one of them.",
            ));
        }
        let skipped = page.map_or(0, |page| page.saturating_sub(1).saturating_mul(limit.into()));
        if OFFSET_MAX < skipped {
            query.push(FieldError::new(
                "page",
                "out_of_range",
                format!("page and limit skip {skipped} orders, at most {OFFSET_MAX} can be"),
                "Go on with next_cursor, which leads to the end of the list.",
            ));
        }
        query.finish()?;
        let start = cursor.unwrap_or(PageStart::Offset(skipped));
        let page = if cursor.is_some() { None } else { Some(page.unwrap_or(1)) };
        Ok(Self { status, limit, page, start })
    }

    /// The question to the read models.
    pub(crate) fn query(&self) -> OrderQuery {
        OrderQuery { status: self.status, limit: self.limit, start: self.start }
    }

    fn reply(&self, found: &OrderList) -> Reply {
        let last = found.orders.last().filter(|_| found.more);
        Reply::ok(&PageView {
            items: Orders(&found.orders),
            next_cursor: last.map(|order| cursor(order.created_at, order.placement.order)),
            page: self.page,
            limit: self.limit,
            total: found.total,
        })
    }
}

/// A place in the list. Opaque to clients, so that its form may change.
fn cursor(created_at: Moment, order: OrderId) -> String {
    let mut bytes = [0; 24];
    let parts = created_at.as_unix_micros().to_be_bytes().into_iter();
    let parts = parts.chain(order.as_uuid().into_bytes());
    bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn after(cursor: &str) -> Option<PageStart> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (micros, id) = bytes.split_first_chunk::<8>()?;
    let id = Uuid::from_slice(id).ok()?;
    Some(PageStart::After(Moment::from_unix_micros(i64::from_be_bytes(*micros)), OrderId::new(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        let (at, id) = (Moment::from_unix_micros(-17), OrderId::new(Uuid::from_u128(3)));
        assert_eq!(after(&cursor(at, id)), Some(PageStart::After(at, id)));
        for bad in ["", "x", "AAAA", "!!!"] {
            assert_eq!(after(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_page_that_is_too_far_is_refused_and_not_another_one() {
        let read = |query: &str| Wanted::of(&format!("/v1/orders?{query}").parse().unwrap());
        let last = read("limit=1000&page=1001").unwrap().query();
        assert_eq!(last.start, PageStart::Offset(OFFSET_MAX));
        for far in ["limit=1000&page=1002", "limit=1000&page=2000", "limit=3&page=900000"] {
            let Err(refused) = read(far) else { panic!("{far} was taken") };
            let [error] = refused.errors() else { panic!("{refused:?}") };
            assert_eq!((&*error.field, error.code), ("page", "out_of_range"));
            assert!(error.hint.contains("next_cursor"), "{error:?}");
        }
    }

    #[test]
    fn a_page_skips_what_was_shown() {
        let wanted = Wanted::of(&Uri::from_static("/v1/orders?page=3&limit=20&status=SHIPPED"));
        let query = wanted.unwrap().query();
        assert_eq!(query.start, PageStart::Offset(40));
        assert_eq!((query.limit, query.status), (20, Some(OrderStatus::Shipped)));
    }
}
