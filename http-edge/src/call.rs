//! One request as handlers see it: who asks, under which id, and how long there is.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr as _;
use std::sync::Arc;

use actors::outcome::{Asking, Cause, Position};
use axum::extract::FromRequestParts;
use engine::values::Fingerprint;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use persistence::journal::Shard;
use tokio::time::Instant;
use uuid::Uuid;

use crate::access::{Principal, Scope};
use crate::idempotency::RequestKey;
use crate::problem::{Code, Problem};
use crate::wire::{card_number_in, masked};

/// The header that names a request in answers and log lines.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header that asks for a freshness.
const MIN_POSITION: HeaderName = HeaderName::from_static("x-min-position");
/// Characters that are kept of what a client's program calls itself.
const USER_AGENT_MAX: usize = 200;
/// Longest request id that is taken over.
const REQUEST_ID_MAX: usize = 64;

/// One request.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who asks; `None` on open paths.
    pub principal: Option<Arc<Principal>>,
    /// Names the request in the journal.
    pub id: Uuid,
    /// Names the request in answers and log lines.
    pub request_id: RequestId,
    /// Until when it must be answered.
    pub deadline: Instant,
    /// The address that it came from.
    pub peer: IpAddr,
    /// What the client's program calls itself, as it was sent.
    pub agent: Option<HeaderValue>,
}

/// A request's name: what the client chose, or its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestId {
    /// Chosen by the client.
    Given(HeaderValue),
    /// Minted here.
    Minted(Uuid),
}

impl RequestId {
    /// Takes over a short, printable id that is no card number; mints one otherwise.
    pub fn of(headers: &HeaderMap, minted: Uuid) -> Self {
        let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
        match headers.get(REQUEST_ID) {
            Some(value)
                if (1..=REQUEST_ID_MAX).contains(&value.len())
                    && value.as_bytes().iter().all(plain)
                    && !value.to_str().is_ok_and(card_number_in) =>
            {
                Self::Given(value.clone())
            }
            _ => Self::Minted(minted),
        }
    }

    /// As a header.
    pub fn to_header(&self) -> HeaderValue {
        match self {
            Self::Given(value) => value.clone(),
            Self::Minted(id) => {
                let mut text = Uuid::encode_buffer();
                // Hexadecimal digits and dashes are always a header value.
                HeaderValue::from_str(id.hyphenated().encode_lower(&mut text))
                    .unwrap_or_else(|_| HeaderValue::from_static("unknown"))
            }
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(value) => f.write_str(value.to_str().unwrap_or_default()),
            Self::Minted(id) => id.fmt(f),
        }
    }
}

impl Call {
    /// The call that the front has put into the request.
    ///
    /// # Errors
    ///
    /// `internal` when a route is reached around the front.
    pub(crate) fn of(head: &Parts) -> Result<&Self, Problem> {
        let missing = || Problem::new(Code::Internal, "the request did not come by the front");
        head.extensions.get().ok_or_else(missing)
    }

    /// The account, when it has the scope.
    ///
    /// # Errors
    ///
    /// `unauthorised` without an account, `forbidden` without the scope.
    pub fn allowed(&self, scope: Scope) -> Result<&Principal, Problem> {
        let Some(principal) = self.principal.as_deref() else {
            return Err(Problem::new(Code::Unauthorised, "the request has no key"));
        };
        if principal.may(scope) {
            Ok(principal)
        } else {
            let detail = format!("the key lacks the scope {}", scope.as_str());
            Err(Problem::new(Code::Forbidden, detail))
        }
    }

    /// What the client's program calls itself, as far as it is kept: printable, short, and without
    /// what could be the number of a card.
    pub fn user_agent(&self) -> Option<String> {
        let text = String::from_utf8_lossy(self.agent.as_ref()?.as_bytes());
        let plain: String = text.chars().filter(|c| !c.is_control()).take(USER_AGENT_MAX).collect();
        (!plain.is_empty()).then(|| masked(&plain).into_owned())
    }

    /// How a command of this call is asked.
    pub fn asking(&self, key: Option<&RequestKey>, fingerprint: Option<Fingerprint>) -> Asking {
        let by =
            self.principal.as_ref().map_or_else(|| "system".into(), |p| Arc::clone(&p.account));
        let key = key.and_then(RequestKey::from_client);
        Asking { deadline: self.deadline, cause: Cause { id: self.id, by, key, fingerprint } }
    }
}

impl<S: Sync> FromRequestParts<S> for Call {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Self::of(head).cloned()
    }
}

/// The freshness that a read asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fresh(pub Option<Position>);

impl<S: Sync> FromRequestParts<S> for Fresh {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Self::of(&head.headers)
    }
}

/// Reads a place of the journal: `<shard>:<position>`.
pub(crate) fn place(text: &str) -> Option<Position> {
    let (shard, position) = text.split_once(':')?;
    let shard = Shard(u16::from_str(shard).ok()?);
    // No store counts further.
    let position = u64::from_str(position).ok().filter(|position| *position < 1 << 63)?;
    Some(Position { shard, position })
}

impl Fresh {
    /// Reads `<shard>:<position>`.
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get(MIN_POSITION) else { return Ok(Self(None)) };
        match value.to_str().ok().and_then(place) {
            Some(position) => Ok(Self(Some(position))),
            None => Err(Problem::new(
                Code::InvalidHeader,
                "x-min-position has the form <shard>:<position>, as x-position gave it",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn a_printable_request_id_is_taken_over() {
        let minted = Uuid::from_u128(7);
        let kept = RequestId::of(&headers("x-request-id", "trace-1.a:b_c"), minted);
        assert_eq!(kept.to_string(), "trace-1.a:b_c");
        for bad in ["", "with space", "quote\"", "<script>", "4242:4242:4242:4242"] {
            let id = RequestId::of(&headers("x-request-id", bad), minted);
            assert_eq!(id, RequestId::Minted(minted), "{bad}");
        }
        assert_eq!(RequestId::Minted(minted).to_header(), minted.to_string());
    }

    #[test]
    fn what_a_program_calls_itself_is_kept_short_and_clean_fraud_4() {
        let call = |agent: &[u8]| Call {
            principal: None,
            id: Uuid::nil(),
            request_id: RequestId::Minted(Uuid::nil()),
            deadline: Instant::now(),
            peer: [192, 0, 2, 17].into(),
            agent: Some(HeaderValue::from_bytes(agent).unwrap()),
        };
        assert_eq!(call(b"shop/1.0 (tests)").user_agent().as_deref(), Some("shop/1.0 (tests)"));
        assert_eq!(call(b"").user_agent(), None);
        let card = call(b"shop 4242424242424242").user_agent();
        assert_eq!(card.as_deref(), Some("shop ****************"));
        assert_eq!(call(&[b'x'; 5_000]).user_agent().map(|kept| kept.len()), Some(200));
        assert_eq!(call("sh\u{f6}p".as_bytes()).user_agent().as_deref(), Some("sh\u{f6}p"));
    }

    #[test]
    fn a_position_is_read_as_it_was_told() {
        let read = Fresh::of(&headers("x-min-position", "3:17")).unwrap();
        assert_eq!(read.0, Some(Position { shard: Shard(3), position: 17 }));
        assert_eq!(Fresh::of(&HeaderMap::new()).unwrap(), Fresh(None));
        for bad in ["3", "3:", ":17", "3:-1", "70000:1", "a:b", "3:17:1"] {
            assert!(Fresh::of(&headers("x-min-position", bad)).is_err(), "{bad}");
        }
    }
}
