//! The photos of a return: sent with the request or later, looked at by the shop.

use axum::extract::State;
use axum::response::Response;
use engine::rma::ReturnCommand;
use engine::values::{MediaName, MediaOwner, ReturnId};
use http::{HeaderMap, StatusCode};

use super::{return_id, unknown};
use crate::access::Scope;
use crate::call::Call;
use crate::idempotency::RequestKey;
use crate::media::{self, PictureBody, Upload};
use crate::problem::{Problem, ProblemBody};
use crate::reply::Reply;
use crate::routes::Shared;
use crate::wire::Path;

/// Where the photos of a return lie.
pub(super) fn place(id: ReturnId) -> String {
    format!("/v1/returns/{id}/photos")
}

/// Adds a photo: a raw body of PNG, JPEG, WebP or GIF, which is drawn anew as pictures of products
/// are. The same photo is there once, so a repeat needs no key.
#[utoipa::path(
    post, path = "/v1/returns/{id}/photos", operation_id = "add_return_photo", tag = "returns",
    params(("id" = Uuid, Path, description = "The return")),
    request_body(content_type = "image/*", description = "The photo, at most 8 MiB and 16,777,216 pixels"),
    responses(
        (status = 201, description = "The photo, stored", body = PictureBody),
        (status = 404, description = "There is no such return", body = ProblemBody<'static>),
        (status = 409, description = "Somebody has looked at the units already",
         body = ProblemBody<'static>),
        (status = 415, description = "The body is not said to be a picture that is taken",
         body = ProblemBody<'static>),
        (status = 422, description = "It is no whole picture, has too many pixels, or is one more than 20",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn add(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    upload: Upload,
) -> Result<Response, Problem> {
    call.allowed(Scope::Orders)?;
    let id = return_id(&id)?;
    // Photos that nobody will take would be drawn for nothing.
    let known = edge.shop.rma(id).await?.view.ok_or_else(unknown)?;
    known.may_be_shown()?;
    let photo = edge.media.keep(&MediaOwner::rma(id), upload).await?;
    let (body, location) = (PictureBody::below(&place(id), &photo), photo.name.to_string());
    let command = ReturnCommand::AddPhoto { photo };
    let added = edge.shop.ask_return(id, command, call.asking(Some(&key), None)).await?;
    Ok(Reply::new(StatusCode::CREATED, &body)
        .location(&place(id), location)
        .standing(&added)
        .replayed(!added.changed)
        .into_response())
}

/// A photo of a return, or its thumbnail.
#[utoipa::path(
    get, path = "/v1/returns/{id}/photos/{name}", operation_id = "get_return_photo", tag = "returns",
    params(
        ("id" = Uuid, Path, description = "The return"),
        ("name" = String, Path, description = "As the return names it"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of what is there already"),
    ),
    responses(
        (status = 200, description = "The photo", content_type = "image/*"),
        (status = 304, description = "It is there already"),
        (status = 404, description = "The return has no such photo", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn read(
    State(edge): State<Shared>,
    call: Call,
    Path((id, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    call.allowed(Scope::Orders)?;
    let id = return_id(&id)?;
    let name = MediaName::parse(&name).map_err(|_| media::unknown())?;
    let known = edge.shop.rma(id).await?.view.ok_or_else(unknown)?;
    let mut photos = known.photos.iter();
    if !photos.any(|photo| photo.name == name || photo.thumbnail == name) {
        return Err(media::unknown());
    }
    media::content(&edge.media, &name, &headers, false).await
}
