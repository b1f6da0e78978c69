//! Messages to customers, and what became of them.

use axum::extract::State;
use axum::response::Response;
use engine::values::Moment;
use http::Uri;
use persistence::followers::{Notice, NoticeId, NoticeQuery, NoticeStatus};
use persistence::journal::Shard;
use serde::Serialize;

use super::{Shared, admin};
use crate::call::Call;
use crate::problem::{Problem, ProblemBody};
use crate::query::Query;
use crate::reply::Reply;
use crate::wire::{Instant, instant};

/// Messages of one page, unless another number is asked for.
const LIMIT: u64 = 50;
/// Most messages of one page.
const LIMIT_MAX: u64 = 500;

/// A page of messages.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Notifications)]
pub(crate) struct NoticesBody<'a> {
    /// Newest first.
    items: Vec<NoticeBody<'a>>,
    /// Where the next page begins; absent on the last.
    next_cursor: Option<String>,
}

/// One message. Neither its address nor its words are kept beside the order.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Notification)]
pub(crate) struct NoticeBody<'a> {
    /// Names it.
    id: String,
    /// Which message.
    template: &'a str,
    /// The order that it is about.
    order_id: &'a str,
    /// `waiting`, `sent`, `failed` (given up) or `skipped` (too old, or nobody to send it to).
    status: &'static str,
    /// How often it was tried.
    tries: u32,
    /// When the event was decided.
    #[schema(value_type = String, format = DateTime)]
    written_at: Instant,
    /// When it is tried next.
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Instant>,
    /// When it was sent or given up.
    #[schema(value_type = Option<String>, format = DateTime)]
    settled_at: Option<Instant>,
    /// Why the last try failed.
    trouble: Option<&'a str>,
}

impl<'a> From<&'a Notice> for NoticeBody<'a> {
    fn from(notice: &'a Notice) -> Self {
        Self {
            id: written(&notice.id),
            template: &notice.id.template,
            order_id: notice.stream.key(),
            status: notice.status.as_str(),
            tries: notice.tries,
            written_at: instant(notice.id.written_at),
            due_at: notice.due_at.map(instant),
            settled_at: notice.settled_at.map(instant),
            trouble: notice.trouble.as_deref(),
        }
    }
}

/// Messages to customers, newest first.
#[utoipa::path(
    get, path = "/v1/notifications", operation_id = "list_notifications", tag = "notifications",
    params(
        ("status" = Option<String>, Query, description = "`waiting`, `sent`, `failed` or `skipped`"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("limit" = Option<u64>, Query, description = "1 to 500; 50 when absent"),
    ),
    responses(
        (status = 200, description = "A page", body = NoticesBody<'static>),
        (status = 422, description = "A parameter cannot be used", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn list(
    State(edge): State<Shared>,
    call: Call,
    uri: Uri,
) -> Result<Response, Problem> {
    admin(&call)?;
    let mut query = Query::of(&uri, &["status", "cursor", "limit"])?;
    let expected = "waiting, sent, failed or skipped";
    let status = query.read("status", expected, NoticeStatus::parse);
    let after = query.read("cursor", "next_cursor of the page before", read_id);
    let limit = query.number("limit", 1, LIMIT_MAX).unwrap_or(LIMIT);
    query.finish()?;
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    // One more than asked for tells whether there are more.
    let query = NoticeQuery { status, after, limit: limit.saturating_add(1) };
    let mut found = edge.shop.list_notices(&query).await?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_more = shown < found.len();
    found.truncate(shown);
    let next_cursor = found.last().filter(|_| is_more).map(|notice| written(&notice.id));
    let items = found.iter().map(NoticeBody::from).collect();
    Ok(Reply::ok(&NoticesBody { items, next_cursor }).into_response())
}

/// The name of a message as one word: its moment, its event's place, and which message it is.
fn written(id: &NoticeId) -> String {
    let micros = id.written_at.as_unix_micros();
    format!("{micros}.{}.{}.{}", id.shard, id.position, id.template)
}

fn read_id(text: &str) -> Option<NoticeId> {
    let mut parts = text.splitn(4, '.');
    let mut next = || parts.next();
    let written_at = Moment::from_unix_micros(next()?.parse().ok()?);
    let shard = Shard(next()?.parse().ok()?);
    let position = next()?.parse().ok().filter(|position| *position < 1 << 63)?;
    let template = next()?;
    let is_name = |b: u8| b.is_ascii_lowercase() || b == b'_';
    let template = template.to_owned();
    template.bytes().all(is_name).then_some(NoticeId { written_at, shard, position, template })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_was_written() {
        let id = NoticeId {
            written_at: Moment::from_unix_micros(17),
            shard: Shard(3),
            position: 4,
            template: "order_paid".to_owned(),
        };
        assert_eq!(written(&id), "17.3.4.order_paid");
        assert_eq!(read_id("17.3.4.order_paid"), Some(id));
        for bad in ["", "17", "17.3.4", "x.3.4.order_paid", "17.3.-4.a", "17.3.4.Order"] {
            assert_eq!(read_id(bad), None, "{bad}");
        }
    }
}
