//! What became of the feeds of a partner.

use axum::extract::State;
use axum::response::Response;
use engine::Aggregate as _;
use engine::import::{Import, ImportStatus};
use engine::values::ImportId;
use http::Uri;
use serde::Serialize;
use uuid::Uuid;

use super::body::ImportBody;
use super::{may_feed, partner_id};
use crate::call::{Call, Fresh};
use crate::problem::{Code, Problem, ProblemBody};
use crate::reply::Reply;
use crate::routes::Shared;
use crate::routes::entries::{Wanted, next_cursor};
use crate::wire::Path;

/// A page of feeds.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ImportPage)]
pub(crate) struct ImportPageBody {
    /// The feeds, the latest first.
    items: Vec<ImportBody>,
    /// Where the next page starts; null on the last one.
    next_cursor: Option<String>,
    /// How many there are in all that match.
    total: u64,
}

pub(super) fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is no such feed")
}

/// Feeds of a partner, the latest first.
#[utoipa::path(
    get, path = "/v1/partners/{id}/imports", operation_id = "list_imports", tag = "partners",
    params(
        ("id" = String, Path, description = "The partner"),
        ("status" = Option<String>, Query, description = "running or finished"),
        ("limit" = Option<u32>, Query, description = "1 to 100, 20 when absent"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("x-min-position" = Option<String>, Header, description = "At least this fresh"),
    ),
    responses(
        (status = 200, description = "A page", body = ImportPageBody),
        (status = 422, description = "A parameter cannot be used", body = ProblemBody<'static>),
        (status = 503, description = "Not fresh yet, or not available", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn list(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    uri: Uri,
    fresh: Fresh,
) -> Result<Response, Problem> {
    let partner = partner_id(&id)?;
    may_feed(&call, &partner)?;
    let statuses = [ImportStatus::Running, ImportStatus::Finished].map(ImportStatus::as_str);
    let wanted = Wanted::of(&uri, None, &statuses)?.owned_by(partner.as_str());
    edge.shop.wait_for(fresh).await?;
    let found = edge.shop.list::<Import>(&wanted.query(Import::KIND)).await?;
    let feeds = found.entries.iter().filter_map(|(_, view)| view.as_deref());
    Ok(Reply::ok(&ImportPageBody {
        items: feeds.map(ImportBody::from).collect(),
        next_cursor: next_cursor(&found),
        total: found.total,
    })
    .into_response())
}

/// A feed: how far it is, and what became of its rows.
#[utoipa::path(
    get, path = "/v1/partners/{id}/imports/{import}", operation_id = "get_import", tag = "partners",
    params(
        ("id" = String, Path, description = "The partner"),
        ("import" = String, Path, description = "The feed"),
    ),
    responses(
        (status = 200, description = "The feed", body = ImportBody),
        (status = 404, description = "There is no such feed", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn read(
    State(edge): State<Shared>,
    call: Call,
    Path((id, import)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let partner = partner_id(&id)?;
    may_feed(&call, &partner)?;
    let import = Uuid::try_parse(&import).map_err(|_| unknown())?;
    let feed = edge.shop.entity::<Import>(&ImportId::new(import).to_string()).await?;
    let feed = feed.view.filter(|feed| feed.partner == partner).ok_or_else(unknown)?;
    Ok(Reply::ok(&ImportBody::from(&*feed)).etag(feed.version).into_response())
}
