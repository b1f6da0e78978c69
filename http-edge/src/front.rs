//! The way every request takes: the door, the key, the handler, the answer's last headers.

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use actors::admission::{Admission, Caller, Class, Reason, Rejected};
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::FutureExt as _;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use tokio::time::{Instant, timeout_at};
use tower::Service as _;
use uuid::Uuid;

use crate::access::{Keys, Principal};
use crate::call::{Call, REQUEST_ID, RequestId};
use crate::metrics::{Endpoint, Meters};
use crate::problem::{Code, PROBLEM_JSON, Problem, fixed_body};
use crate::routes::is_open;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// What a read has on top of the deadline that its handler knows.
const READ_GRACE: Duration = Duration::from_millis(100);

/// What the front is told.
#[derive(Clone, Copy, Debug)]
pub struct FrontConfig {
    /// Longest time to an answer.
    pub answer_within: Duration,
    /// Largest body, in bytes.
    pub body_limit: usize,
}

impl Default for FrontConfig {
    fn default() -> Self {
        Self { answer_within: Duration::from_secs(5), body_limit: 256 * 1_024 }
    }
}

/// Stands between connections and handlers.
pub struct Front {
    admission: Arc<Admission>,
    keys: Keys,
    router: Router,
    config: FrontConfig,
    rejections: Rejections,
    meters: Meters,
}

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Bodies of rejections, written once.
struct Rejections {
    throttled: Bytes,
    overloaded: Bytes,
    unavailable: Bytes,
    unauthorised: Bytes,
}

impl Rejections {
    fn new() -> Self {
        let unauthorised = "the header X-API-Key is missing or its key is unknown";
        Self {
            throttled: fixed_body(Code::Throttled, "the limit of this caller is reached"),
            overloaded: fixed_body(Code::Overloaded, "all places are taken"),
            unavailable: fixed_body(Code::Unavailable, "the journal is out of service"),
            unauthorised: fixed_body(Code::Unauthorised, unauthorised),
        }
    }

    /// Counting, looking up and copying a pointer: a rejection must cost next to nothing.
    fn turned_away(&self, rejected: Rejected) -> Response {
        let (status, body) = match rejected.reason {
            reason if reason.is_throttled() => (StatusCode::TOO_MANY_REQUESTS, &self.throttled),
            Reason::StoreOut => (StatusCode::SERVICE_UNAVAILABLE, &self.unavailable),
            _ => (StatusCode::SERVICE_UNAVAILABLE, &self.overloaded),
        };
        let mut response = fixed(status, body);
        let seconds = rejected.retry_after.as_millis().div_ceil(1_000).max(1);
        let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        response
    }
}

fn fixed(status: StatusCode, body: &Bytes) -> Response {
    let mut response = Response::new(Body::from(body.clone()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, PROBLEM_JSON);
    response
}

impl Front {
    /// A front before `router`.
    pub fn new(admission: Arc<Admission>, keys: Keys, router: Router, config: FrontConfig) -> Self {
        let (rejections, meters) = (Rejections::new(), Meters::new());
        Self { admission, keys, router, config, rejections, meters }
    }

    /// Answers one request that came from `peer`.
    pub async fn answer<B>(&self, peer: IpAddr, request: Request<B>) -> Response
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let arrived = Instant::now();
        let minted = Uuid::from_u128(rand::random());
        let request_id = RequestId::of(request.headers(), minted);
        let method = request.method().clone();
        let endpoint = Endpoint::of(&method, request.uri().path());
        // Written down before the request is given away, and only when somebody reads it.
        let line = tracing::enabled!(tracing::Level::DEBUG)
            .then(|| (request.uri().path().to_owned(), request_id.to_string()));
        let mut response = self.admit(peer, request, &request_id, minted, endpoint, arrived).await;
        response.headers_mut().insert(REQUEST_ID, request_id.to_header());
        let took = arrived.elapsed();
        self.meters.answered(endpoint, &method, response.status(), took);
        if let Some((path, request_id)) = line {
            let (status, micros) = (response.status().as_u16(), took.as_micros());
            tracing::debug!(%method, path, status, micros, request_id, "{method} {path} {status}");
        }
        response
    }

    /// The doors in their order, from cheap to dear: buckets, places, key.
    async fn admit<B>(
        &self,
        peer: IpAddr,
        mut request: Request<B>,
        request_id: &RequestId,
        minted: Uuid,
        endpoint: Endpoint,
        arrived: Instant,
    ) -> Response
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let is_open = is_open(request.uri().path());
        let found = match request.headers().get(API_KEY) {
            Some(key) if !is_open => self.keys.find(key.as_bytes()),
            _ => None,
        };
        // Whoever looks after the server is answered in a crowd, too.
        let _pass = if endpoint == Endpoint::Operations && is_open {
            None
        } else {
            let caller = Caller {
                address: peer,
                key_hash: found.as_ref().map(|(hash, _)| *hash),
                exempt: found.as_ref().is_some_and(|(_, principal)| principal.exempt),
                class: class(endpoint, request.method()),
            };
            match self.admission.enter_soon(&caller).await {
                Ok(pass) => Some(pass),
                Err(rejected) => return self.rejections.turned_away(rejected),
            }
        };
        if found.is_none() && !is_open {
            let mut response = fixed(StatusCode::UNAUTHORIZED, &self.rejections.unauthorised);
            let scheme = HeaderValue::from_static("ApiKey");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
            return response;
        }
        let call = Call {
            principal: found.map(|(_, principal): (u64, Arc<Principal>)| principal),
            id: minted,
            request_id: request_id.clone(),
            deadline: arrived + self.config.answer_within,
            body_limit: self.config.body_limit,
        };
        let (is_safe, deadline) = (request.method().is_safe(), call.deadline);
        // Shares its bytes; most answers never look at it.
        let uri = request.uri().clone();
        request.extensions_mut().insert(call);
        let handled = AssertUnwindSafe(self.handle(request)).catch_unwind();
        let mut response = if is_safe {
            // A read that nobody waits for any more is dropped; nothing depends on it.
            match timeout_at(deadline + READ_GRACE, handled).await {
                Ok(handled) => handled.unwrap_or_else(|_| panicked()),
                Err(_) => late(),
            }
        } else {
            // Handlers of mutations keep the deadline themselves and say what came of them.
            handled.await.unwrap_or_else(|_| panicked())
        };
        if let Some(problem) = response.extensions_mut().remove::<Problem>() {
            self.tell(&problem, &mut response, uri.path(), request_id);
        }
        response
    }

    async fn handle<B>(&self, request: Request<B>) -> Response
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let mut router = self.router.clone();
        match router.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    fn tell(&self, problem: &Problem, response: &mut Response, path: &str, id: &RequestId) {
        let request_id = id.to_string();
        match problem.code() {
            Code::Internal => {
                tracing::error!(path, request_id, problem = ?problem, "request {request_id} broke");
            }
            Code::Overloaded => self.admission.note_overload(),
            _ => {}
        }
        problem.render(response, path, &request_id);
    }
}

fn class(endpoint: Endpoint, method: &Method) -> Class {
    match endpoint {
        Endpoint::Checkout => Class::Checkout,
        _ if method.is_safe() => Class::Read,
        _ => Class::Write,
    }
}

fn panicked() -> Response {
    use axum::response::IntoResponse as _;
    // The panic itself was logged where it happened, with its place.
    Problem::new(Code::Internal, "the request could not be handled").into_response()
}

fn late() -> Response {
    use axum::response::IntoResponse as _;
    Problem::new(Code::Unavailable, "it could not be read in time").into_response()
}

/// What a hyper service returns.
pub type Answer = Result<Response, Infallible>;

#[cfg(test)]
mod tests {
    use super::*;

    /// Every request is one such future, copied into the connection's task.
    #[test]
    fn the_future_of_a_request_is_small() {
        fn size<F: FnOnce(&'static Front) -> T, T>(_: &F) -> usize {
            size_of::<T>()
        }
        let answer = |front: &'static Front| {
            front.answer(IpAddr::from([127, 0, 0, 1]), Request::new(Body::empty()))
        };
        assert!(size(&answer) < 4_096, "{} bytes", size(&answer));
    }
}
