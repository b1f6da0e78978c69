//! A picture as it comes in: a raw body that is said to be one, and a place for it.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use image::ImageFormat;
use tokio::sync::OwnedSemaphorePermit;

use crate::problem::{Code, Problem};
use crate::wire::Raw;

/// Pictures that are on their way or being drawn at once; one more is rejected. Each may take
/// [`super::BYTES_MAX`] of memory.
pub(crate) const UPLOADS_MAX: usize = 16;

/// Leave to have a picture in memory; goes with its request.
#[derive(Clone, Debug)]
pub(crate) struct UploadPlace {
    _place: Arc<OwnedSemaphorePermit>,
}

impl UploadPlace {
    pub(crate) fn new(place: OwnedSemaphorePermit) -> Self {
        Self { _place: Arc::new(place) }
    }
}

/// A body that is said to be a picture.
#[derive(Debug)]
pub struct Upload {
    pub(super) said: ImageFormat,
    pub(super) bytes: Bytes,
    pub(super) place: Option<UploadPlace>,
}

impl Upload {
    /// Its bytes, for a fingerprint.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let said = said(request.headers())?;
        let place = request.extensions().get().cloned();
        let Raw(bytes) = Raw::from_request(request, state).await?;
        Ok(Self { said, bytes, place })
    }
}

/// What a body is said to be.
fn said(headers: &HeaderMap) -> Result<ImageFormat, Problem> {
    let format = match headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) {
        Some("image/png") => Some(ImageFormat::Png),
        Some("image/jpeg") => Some(ImageFormat::Jpeg),
        Some("image/webp") => Some(ImageFormat::WebP),
        Some("image/gif") => Some(ImageFormat::Gif),
        _ => None,
    };
    format.filter(|_| !headers.contains_key(CONTENT_ENCODING)).ok_or_else(|| {
        let detail = "the body must be one picture: PNG, JPEG, WebP or GIF, not compressed";
        Problem::new(Code::UnsupportedImage, detail)
    })
}
