//! Public events: pages of all of them, and those of one order as they come.

mod live;

use actors::Position;
use actors::followers::streams::EventQuery;
use axum::extract::State;
use axum::response::Response;
use engine::public::PublicName;
use http::Uri;
use persistence::journal::Shard;
use serde::Serialize;

pub use self::live::Subscribers;
pub(crate) use self::live::{__path_follow, follow};
use super::{Shared, admin};
use crate::call::{Call, place};
use crate::problem::{FieldError, Problem, ProblemBody};
use crate::query::Query;
use crate::reply::Reply;
use crate::wire::{PublicEventBody, ToldBody};

/// Events of one page, unless another number is asked for.
const LIMIT: u64 = 100;
/// Most events of one page.
const LIMIT_MAX: u64 = 1_000;

/// A page of public events.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PublicEvents)]
pub(crate) struct EventsBody<'a> {
    /// By when they were decided; those of one order in its order.
    #[schema(value_type = Vec<PublicEventBody>)]
    items: Vec<ToldBody<'a>>,
    /// Where the next page begins, also when there is nothing more yet.
    next_cursor: String,
    /// Whether there may be more already.
    more: bool,
}

/// Public events from the beginning of the journal, or from a place on.
#[utoipa::path(
    get, path = "/v1/events", operation_id = "list_events", tag = "events",
    params(
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("from" = Option<String>, Query,
         description = "`<shard>:<position>`: only this shard, from this place on"),
        ("type" = Option<String>, Query, description = "Only events of this type"),
        ("limit" = Option<u64>, Query, description = "1 to 1,000; 100 when absent"),
    ),
    responses(
        (status = 200, description = "A page; it may be empty although there is more",
         body = EventsBody<'static>),
        (status = 422, description = "A parameter cannot be used", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn list(
    State(edge): State<Shared>,
    call: Call,
    uri: Uri,
) -> Result<Response, Problem> {
    admin(&call)?;
    let mut query = Query::of(&uri, &["cursor", "from", "type", "limit"])?;
    let limit = query.number("limit", 1, LIMIT_MAX).unwrap_or(LIMIT);
    let name = query.read("type", "a type of docs/events.md", PublicName::parse);
    let shards = edge.shop.system().shards();
    let cursor = query.read("cursor", "next_cursor of the page before", |text| {
        read_cursor(text).filter(|places| is_of(places, shards))
    });
    let from = query.read("from", "<shard>:<position>", |text| {
        place(text).filter(|place| place.shard.0 < shards && 0 < place.position)
    });
    if cursor.is_some() && from.is_some() {
        let message = "a cursor says by itself from where it goes on";
        query.push(FieldError::new("from", "invalid_value", message, "Send one of both."));
    }
    query.finish()?;
    let from =
        from.map(|place| vec![Position { position: place.position.saturating_sub(1), ..place }]);
    let after = cursor.or(from).unwrap_or_else(|| edge.shop.system().beginnings());
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let page = edge.shop.public_events(&EventQuery { after, name, limit }).await?;
    let body = EventsBody {
        items: page.events.iter().map(ToldBody::from).collect(),
        next_cursor: write_cursor(&page.next),
        more: page.more,
    };
    Ok(Reply::ok(&body).into_response())
}

/// Places as one word: `0:17,1:4`.
fn write_cursor(places: &[Position]) -> String {
    let words = places.iter().map(|place| format!("{}:{}", place.shard, place.position));
    words.collect::<Vec<_>>().join(",")
}

fn read_cursor(text: &str) -> Option<Vec<Position>> {
    text.split(',').map(place).collect()
}

/// Each shard once, in their order, so that no page reads more than one page.
fn is_of(places: &[Position], shards: u16) -> bool {
    places.is_sorted_by(|one, other| one.shard < other.shard)
        && places.last().is_some_and(|last| last.shard < Shard(shards))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let places = vec![
            Position { shard: Shard(0), position: 17 },
            Position { shard: Shard(2), position: 0 },
        ];
        assert_eq!(write_cursor(&places), "0:17,2:0");
        assert_eq!(read_cursor("0:17,2:0"), Some(places));
        for bad in ["", "0", "0:1,", "0:1;1:1", "x:1"] {
            assert_eq!(read_cursor(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_cursor_names_each_shard_once() {
        let fits = |text: &str| read_cursor(text).is_some_and(|places| is_of(&places, 4));
        assert!(fits("0:1,3:1"));
        for bad in ["0:1,0:2", "1:1,0:1", "4:1"] {
            assert!(!fits(bad), "{bad}");
        }
    }
}
