//! Answers that say yes: JSON bodies, and the headers that go with a mutation.

use std::fmt::Display;

use actors::outcome::{Accepted, Position};
use axum::body::Body;
use axum::response::Response;
use engine::Aggregate;
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

/// Where the last event of the entity lies.
const POSITION: HeaderName = HeaderName::from_static("x-position");
/// The version of the entity after the mutation.
const VERSION: HeaderName = HeaderName::from_static("x-version");
/// Says that the answer belongs to an earlier request with the same key.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What an id must not show as in a path: everything but unreserved characters.
const ID_ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Room for an order with a few lines, so that writing it moves nothing.
const ORDER_BYTES: usize = 1_024;

/// A JSON answer in the making.
#[derive(Debug)]
pub struct Reply(Response);

impl Reply {
    /// A body with a status.
    pub fn new(status: StatusCode, body: &impl Serialize) -> Self {
        let mut bytes = Vec::with_capacity(ORDER_BYTES);
        // All bodies are derived forms with text keys, which always have a JSON form.
        let _ = serde_json::to_writer(&mut bytes, body);
        let mut response = Response::new(Body::from(bytes));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        Self(response)
    }

    /// A body with status 200.
    pub fn ok(body: &impl Serialize) -> Self {
        Self::new(StatusCode::OK, body)
    }

    /// Says where the new thing is: at its id below a path.
    #[must_use]
    pub fn location(self, below: &str, id: impl Display) -> Self {
        let id = id.to_string();
        let path = format!("{below}/{}", utf8_percent_encode(&id, ID_ENCODED));
        match HeaderValue::from_str(&path) {
            Ok(value) => self.header(LOCATION, value),
            Err(_) => self,
        }
    }

    /// Says which version of a thing it is.
    #[must_use]
    pub fn etag(self, version: u64) -> Self {
        self.header(ETAG, etag(version))
    }

    /// Says where a mutation stands.
    #[must_use]
    pub fn standing<A: Aggregate>(mut self, accepted: &Accepted<A>) -> Self {
        if let Some(position) = accepted.position {
            self = self.header(POSITION, position_header(position));
        }
        self.header(VERSION, HeaderValue::from(accepted.version))
    }

    /// Says that an earlier request with the same key did it.
    #[must_use]
    pub fn replayed(self, replayed: bool) -> Self {
        if replayed { self.header(REPLAYED, HeaderValue::from_static("true")) } else { self }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers_mut().insert(name, value);
        self
    }

    /// The finished answer.
    pub fn into_response(self) -> Response {
        self.0
    }
}

/// The headers of a mutation, for answers that are problems and yet recorded something.
pub(crate) fn standing_headers<A: Aggregate>(
    accepted: &Accepted<A>,
) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = vec![(VERSION, HeaderValue::from(accepted.version))];
    headers.extend(accepted.position.map(|position| (POSITION, position_header(position))));
    headers
}

/// A version as a strong entity tag.
pub(crate) fn etag(version: u64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\""))
        .unwrap_or_else(|_| HeaderValue::from_static("\"0\""))
}

fn position_header(position: Position) -> HeaderValue {
    // Two numbers and a colon are always a header value.
    HeaderValue::from_str(&format!("{}:{}", position.shard, position.position))
        .unwrap_or_else(|_| HeaderValue::from_static("0:0"))
}
