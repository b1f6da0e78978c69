//! A picture on its way out, and what is told about it.

use axum::body::Body;
use axum::response::Response;
use engine::values::{MediaName, Picture};
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

use super::room::{MediaRoom, unstored};
use crate::problem::{Code, Problem};

/// A name never means another picture.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Nobody but its reader may keep it.
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-store");

/// A picture as the outside sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Picture)]
pub(crate) struct PictureBody {
    /// Its name.
    name: String,
    /// Where it is.
    url: String,
    /// Where its small form is.
    thumbnail_url: String,
    /// `image/jpeg` or `image/png`.
    media_type: &'static str,
    /// Width in pixels.
    width: u32,
    /// Height in pixels.
    height: u32,
    /// Size in bytes.
    bytes: u64,
}

impl PictureBody {
    /// A picture that lies below a path.
    pub(crate) fn below(path: &str, picture: &Picture) -> Self {
        let Picture { name, thumbnail, width, height, bytes } = picture;
        Self {
            name: name.to_string(),
            url: format!("{path}/{name}"),
            thumbnail_url: format!("{path}/{thumbnail}"),
            media_type: name.format().media_type(),
            width: *width,
            height: *height,
            bytes: *bytes,
        }
    }
}

/// The answer that holds a picture; a file that is gone is told like one that never was. Browsers are
/// told to take it for nothing but a picture.
pub(crate) async fn content(
    room: &MediaRoom,
    name: &MediaName,
    headers: &HeaderMap,
    is_public: bool,
) -> Result<Response, Problem> {
    let etag = HeaderValue::from_str(&format!("\"{}\"", name.file()))
        .map_err(|_| Problem::new(Code::Internal, "the name is no header value"))?;
    let is_known = headers.get(IF_NONE_MATCH) == Some(&etag);
    let content = room.store().read(name).await.map_err(|error| unstored(&error))?;
    let content = content.ok_or_else(unknown)?;
    let mut response = if is_known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let length = HeaderValue::from(content.bytes);
        let mut response = Response::new(Body::from_stream(content.pieces));
        response.headers_mut().insert(CONTENT_LENGTH, length);
        response
    };
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(name.format().media_type()));
    out.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    out.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    out.insert(CACHE_CONTROL, if is_public { FOR_EVER } else { PRIVATE });
    out.insert(ETAG, etag);
    Ok(response)
}

/// There is no such picture.
pub(crate) fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is no such picture")
}
