//! The pictures of a product: sent, shown to everybody, taken away.

use axum::extract::State;
use axum::response::Response;
use engine::catalog::{Product, ProductCommand};
use engine::values::{MediaArea, MediaName, MediaOwner, ProductId};
use http::{HeaderMap, StatusCode};
use sha2::{Digest as _, Sha256};

use super::body::ProductBody;
use super::{once, product_id, shown, unknown};
use crate::access::Scope;
use crate::call::Call;
use crate::idempotency::RequestKey;
use crate::media::{self, PictureBody, Upload};
use crate::problem::{Problem, ProblemBody};
use crate::reply::Reply;
use crate::routes::Shared;
use crate::wire::Path;

/// Where pictures of products lie.
pub(crate) const PLACE: &str = "/media";

/// Adds a picture: a raw body of PNG, JPEG, WebP or GIF. It is drawn anew, upright and without its
/// metadata, no side longer than 2,048 pixels; of several frames the first.
#[utoipa::path(
    post, path = "/v1/products/{id}/media", operation_id = "add_product_picture", tag = "products",
    params(
        ("id" = String, Path, description = "The product"),
        ("Idempotency-Key" = Option<String>, Header,
         description = "Names the upload, so that a late repeat does not bring a removed picture back; \
         the same picture is shown once with any key"),
    ),
    request_body(content_type = "image/*", description = "The picture, at most 8 MiB and 16,777,216 pixels"),
    responses(
        (status = 201, description = "The picture, stored and shown", body = PictureBody),
        (status = 404, description = "There is no such product", body = ProblemBody<'static>),
        (status = 415, description = "The body is not said to be a picture that is taken",
         body = ProblemBody<'static>),
        (status = 422, description = "It is no whole picture, has too many pixels, is one more than 20, \
         or the key was used before", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn add(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    upload: Upload,
) -> Result<Response, Problem> {
    let account = &call.allowed(Scope::Catalogue)?.account;
    let id = product_id(&id)?;
    let digest: [u8; 32] = Sha256::digest(upload.bytes()).into();
    let request = key.request(account, &("add picture", &id, digest))?;
    // Pictures of a product that nobody offers would be drawn for nothing.
    edge.shop.entity::<Product>(id.as_str()).await?.view.ok_or_else(unknown)?;
    let picture = edge.media.keep(&MediaOwner::product(&id), upload).await?;
    let body = PictureBody::below(PLACE, &picture);
    let location = picture.name.to_string();
    let command = once(request, ProductCommand::AddPicture { picture });
    let added = edge.shop.ask_product(&id, command, call.asking(Some(&key), None)).await?;
    Ok(Reply::new(StatusCode::CREATED, &body)
        .location(PLACE, location)
        .standing(&added)
        .replayed(key.replayed(&added))
        .into_response())
}

/// Takes a picture away. It is shown no more from now on; its file goes within hours.
#[utoipa::path(
    delete, path = "/v1/products/{id}/media/{name}", operation_id = "remove_product_picture",
    tag = "products",
    params(
        ("id" = String, Path, description = "The product"),
        ("name" = String, Path, description = "The name of the picture"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the removal"),
    ),
    responses(
        (status = 200, description = "The product as it is now", body = ProductBody<'static>),
        (status = 404, description = "There is no such product, or it has no such picture",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn remove(
    State(edge): State<Shared>,
    call: Call,
    Path((id, name)): Path<(String, String)>,
    key: RequestKey,
) -> Result<Response, Problem> {
    let account = &call.allowed(Scope::Catalogue)?.account;
    let id = product_id(&id)?;
    let request = key.request(account, &("remove picture", &id, &name))?;
    let name = MediaName::parse(&name).map_err(|_| media::unknown())?;
    let command = once(request, ProductCommand::RemovePicture { name });
    let removed = edge.shop.ask_product(&id, command, call.asking(Some(&key), None)).await?;
    let listing = removed.view.as_ref().ok_or_else(unknown)?;
    let (_, stock) = shown(&edge, &id, "the picture was removed").await?;
    Ok(Reply::ok(&ProductBody::new(listing, stock))
        .etag(stock.version)
        .standing(&removed)
        .replayed(key.replayed(&removed))
        .into_response())
}

/// A picture of a product or its thumbnail, for everybody. Needs no key.
#[utoipa::path(
    get, path = "/media/{name}", operation_id = "get_picture", tag = "products", security(()),
    params(
        ("name" = String, Path, description = "As a product names it"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of what is there already"),
    ),
    responses(
        (status = 200, description = "The picture; its name never means another one", content_type = "image/*"),
        (status = 304, description = "It is there already"),
        (status = 404, description = "No product shows such a picture", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn read(
    State(edge): State<Shared>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let name = MediaName::parse(&name).map_err(|_| media::unknown())?;
    let shown = match name.owner().area() {
        MediaArea::Product => {
            let id = ProductId::parse(name.owner().id()).map_err(|_| media::unknown())?;
            edge.shop.entity::<Product>(id.as_str()).await?.view.is_some_and(|listing| {
                let pictures = &mut listing.pictures.iter();
                pictures.any(|picture| picture.name == name || picture.thumbnail == name)
            })
        }
        // Only the shop looks at those.
        MediaArea::Return => false,
    };
    // A file whose event never became durable, or was taken away, is shown to nobody.
    if !shown {
        return Err(media::unknown());
    }
    media::content(&edge.media, &name, &headers, true).await
}
