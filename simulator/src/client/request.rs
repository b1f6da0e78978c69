//! What is sent and what comes back, in the few parts that the contract needs.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Method, Request, Uri};
use http_body_util::Full;

use crate::history::Position;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const POSITION: HeaderName = HeaderName::from_static("x-position");
const VERSION: HeaderName = HeaderName::from_static("x-version");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Why an address cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadUrl {
    /// Not a URL at all.
    #[error("{0:?} is not a URL")]
    Unreadable(String),
    /// Plain HTTP is spoken, nothing else.
    #[error("{0:?} does not start with http://")]
    NotHttp(String),
    /// A request without a host goes nowhere.
    #[error("{0:?} names no host")]
    NoHost(String),
}

/// Where the server under test listens.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Host name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    authority: HeaderValue,
    prefix: String,
}

impl Endpoint {
    /// Reads `http://host[:port][/prefix]`.
    ///
    /// # Errors
    /// [`BadUrl`] when it is anything else.
    pub fn parse(url: &str) -> Result<Self, BadUrl> {
        let unreadable = || BadUrl::Unreadable(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| unreadable())?;
        if uri.scheme_str() != Some("http") {
            return Err(BadUrl::NotHttp(url.to_owned()));
        }
        let authority = uri.authority().ok_or_else(|| BadUrl::NoHost(url.to_owned()))?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err(BadUrl::NoHost(url.to_owned()));
        }
        Ok(Self {
            host,
            port: authority.port_u16().unwrap_or(80),
            authority: HeaderValue::from_str(authority.as_str()).map_err(|_| unreadable())?,
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// What stands in the `Host` header.
    pub fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    /// The path of the address itself, for calls that go nowhere below it.
    pub fn path_or_root(&self) -> &str {
        if self.prefix.is_empty() { "/" } else { &self.prefix }
    }
}

/// One call of the contract. Cheap to repeat: the body is shared.
#[derive(Clone, Debug)]
pub struct Call {
    method: Method,
    path: String,
    key: Option<String>,
    body: Bytes,
}

impl Call {
    /// Reads `path`.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), key: None, body: Bytes::new() }
    }

    /// Posts a JSON `body` under an idempotency key.
    pub fn post(path: impl Into<String>, key: impl Into<String>, body: Bytes) -> Self {
        Self { method: Method::POST, path: path.into(), key: Some(key.into()), body }
    }

    /// The idempotency key.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The request as hyper sends it.
    ///
    /// # Errors
    /// When the path or the key cannot stand in a request.
    pub(super) fn to_request(
        &self,
        endpoint: &Endpoint,
        api_key: &HeaderValue,
    ) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(format!("{}{}", endpoint.prefix, self.path))
            .header(HOST, &endpoint.authority)
            .header(API_KEY, api_key);
        if let Some(key) = &self.key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        if !self.body.is_empty() {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        request.body(Full::new(self.body.clone()))
    }
}

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The wait that the server asked for, in whole seconds.
    pub retry_after: Option<Duration>,
    /// `idempotent-replayed: true` was set.
    pub replayed: bool,
    /// Where the last event of what was changed lies.
    pub position: Option<Position>,
    /// The version of what was changed.
    pub version: Option<u64>,
    /// The body, at most one MiB.
    pub body: Bytes,
}

impl Reply {
    /// Keeps what the checks need.
    pub(crate) fn new(status: u16, headers: &HeaderMap, body: Bytes) -> Self {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let retry_after = text(RETRY_AFTER)
            .and_then(|value| value.trim().parse::<u64>().ok())
            .map(Duration::from_secs);
        let replayed = text(REPLAYED).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let position = text(POSITION).and_then(|value| value.parse().ok());
        let version = text(VERSION).and_then(|value| value.parse().ok());
        Self { status, retry_after, replayed, position, version, body }
    }
}

/// Why there is no answer. Only the last two leave open whether anything happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No connection could be opened; nothing was sent.
    #[error("cannot connect: {0}")]
    NotConnected(String),
    /// Every connection was busy until the patience ended; nothing was sent.
    #[error("no free connection before the time-out")]
    NoFreeConnection,
    /// The connection broke after the request had left.
    #[error("connection cut: {0}")]
    Cut(String),
    /// No answer before the time-out.
    #[error("no answer before the time-out")]
    TimedOut,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_gives_host_port_and_prefix() {
        let plain = Endpoint::parse("http://127.0.0.1:8000").unwrap();
        assert_eq!(
            (plain.host.as_str(), plain.port, plain.prefix.as_str()),
            ("127.0.0.1", 8000, "")
        );
        let deep = Endpoint::parse("http://shop.example/edge/").unwrap();
        assert_eq!(
            (deep.host.as_str(), deep.port, deep.prefix.as_str()),
            ("shop.example", 80, "/edge")
        );
        let six = Endpoint::parse("http://[::1]:9000").unwrap();
        assert_eq!((six.host.as_str(), six.port), ("::1", 9000));
    }

    #[test]
    fn anything_but_plain_http_is_refused() {
        for url in ["https://127.0.0.1", "127.0.0.1:8000", "/v1", "http://", "ftp://x"] {
            assert!(Endpoint::parse(url).is_err(), "{url} was taken");
        }
    }

    #[test]
    fn a_reply_keeps_the_headers_that_checks_need() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("3"));
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        let reply = Reply::new(503, &headers, Bytes::new());
        assert_eq!(reply.retry_after, Some(Duration::from_secs(3)));
        assert!(reply.replayed);
        assert_eq!((reply.position, reply.version), (None, None));
        headers.insert(POSITION, HeaderValue::from_static("3:17"));
        headers.insert(VERSION, HeaderValue::from_static("4"));
        let reply = Reply::new(201, &headers, Bytes::new());
        let position = Position { shard: 3, at: 17 };
        assert_eq!((reply.position, reply.version), (Some(position), Some(4)));
    }
}
