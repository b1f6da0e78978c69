//! The way every request takes: the door, the key, the handler, the answer's last headers.

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use actors::admission::{Admission, Caller, Class, Reason, Rejected};
use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::FutureExt as _;
use http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use persistence::crash_points::{CrashPoint, crash_point};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};
use tower::Service as _;
use uuid::Uuid;

use crate::access::{Keys, Principal};
use crate::call::{Call, REQUEST_ID, RequestId};
use crate::carried_on::CarriedOn;
use crate::head;
use crate::media::{UPLOADS_MAX, UploadPlace};
use crate::metrics::{Endpoint, Meters};
use crate::problem::{Code, PROBLEM_JSON, Problem, fixed_body};
use crate::routes::faults::is_drill;
use crate::routes::partners::catalog::{FEED_WITHIN, is_feed, streamed};
use crate::routes::partners::{partner_in, tell_refused as tell_partner_refused};
use crate::routes::{is_open, picture_limit, takes_body};
use crate::wire::masked_path;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// What a read has on top of the deadline that its handler knows.
const READ_GRACE: Duration = Duration::from_millis(100);
/// How much longer than other bodies a picture may take.
const PICTURE_PATIENCE: u32 = 6;
const SLOW_BODY: &str = "the body did not arrive in time";
const ENDED_BODY: &str = "the body ended too early";

/// What the front is told.
#[derive(Clone, Copy, Debug)]
pub struct FrontConfig {
    /// Longest time to an answer.
    pub answer_within: Duration,
    /// Longest time for a body to arrive; the time to an answer starts afterwards.
    pub body_within: Duration,
    /// Largest body, in bytes.
    pub body_limit: usize,
}

impl Default for FrontConfig {
    fn default() -> Self {
        let (answer_within, body_within) = (Duration::from_secs(5), Duration::from_secs(5));
        Self { answer_within, body_within, body_limit: 256 * 1_024 }
    }
}

/// Stands between connections and handlers.
pub struct Front {
    admission: Arc<Admission>,
    keys: Keys,
    router: Router,
    config: FrontConfig,
    rejections: Rejections,
    meters: Arc<Meters>,
    /// Places for pictures, which are larger than other bodies.
    uploads: Arc<Semaphore>,
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
    fn reject(&self, rejected: Rejected) -> Response {
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
        let (rejections, meters) = (Rejections::new(), Arc::new(Meters::new()));
        let uploads = Arc::new(Semaphore::new(UPLOADS_MAX));
        Self { admission, keys, router, config, rejections, meters, uploads }
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
            .then(|| (masked_path(request.uri().path()).into_owned(), request_id.to_string()));
        let uri = request.uri().clone();
        let mut response = self.admit(peer, request, &request_id, minted, endpoint).await;
        if let Some(problem) = response.extensions_mut().remove::<Problem>() {
            tell(&problem, &mut response, uri.path(), &request_id);
        }
        response.headers_mut().insert(REQUEST_ID, request_id.to_header());
        let took = arrived.elapsed();
        self.meters.answered(endpoint, &method, response.status(), took);
        if let Some((path, request_id)) = line {
            let (status, micros) = (response.status().as_u16(), took.as_micros());
            tracing::debug!(%method, path, status, micros, request_id, "{method} {path} {status}");
        }
        response
    }

    /// The doors in their order, from cheap to dear: buckets, head, key, what rejects whatever the body
    /// says, body, place (ADR 0015).
    async fn admit<B>(
        &self,
        peer: IpAddr,
        request: Request<B>,
        request_id: &RequestId,
        minted: Uuid,
        endpoint: Endpoint,
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
        let caller = Caller {
            address: peer,
            key_hash: found.as_ref().map(|(hash, _)| *hash),
            exempt: found.as_ref().is_some_and(|(_, principal)| principal.exempt),
            class: class(endpoint, request.method()),
        };
        // Whoever looks whether the server lives must hear it, however often others ask.
        let is_health = is_open && request.uri().path().starts_with("/health");
        if !is_health && let Err(rejected) = self.admission.knock(&caller) {
            return self.rejections.reject(rejected);
        }
        if let Err(problem) = head::judge(request.version(), request.headers()) {
            return problem.into_response();
        }
        if found.is_none() && !is_open {
            self.tell_refused(peer, &request, request_id);
            let mut response = fixed(StatusCode::UNAUTHORIZED, &self.rejections.unauthorised);
            let scheme = HeaderValue::from_static("ApiKey");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
            return response;
        }
        if let Err(rejected) = self.admission.foresee(&caller) {
            return self.rejections.reject(rejected);
        }
        let (mut head, body) = request.into_parts();
        let picture = picture_limit(&head.method, head.uri.path());
        if picture.is_some() {
            let Ok(place) = Arc::clone(&self.uploads).try_acquire_owned() else {
                let detail = "too many pictures are on their way";
                return Problem::new(Code::Overloaded, detail).into_response();
            };
            head.extensions.insert(UploadPlace::new(place));
        }
        // A place is for work, not for waiting until somebody has sent what is to be done.
        let is_feed = is_feed(&head.method, head.uri.path());
        let body = if is_feed {
            streamed(body).map_err(Problem::into_response)
        } else {
            self.body(body, &head, &caller, picture).await.map(Body::from)
        };
        let body = match body {
            Ok(body) => body,
            Err(rejected) => return rejected,
        };
        // Waiting at the door is part of the time to an answer.
        let began = Instant::now();
        let within = if is_feed { FEED_WITHIN } else { self.config.answer_within };
        let deadline = began + within;
        // Whoever looks after the server is answered in a crowd, too.
        let is_operator =
            endpoint == Endpoint::Operations && (is_open || is_drill(head.uri.path()));
        // A feed takes as long as its sender; feeds have few places of their own.
        let pass = if is_operator || is_feed {
            None
        } else {
            match self.admission.enter_soon(&caller).await {
                Ok(pass) => Some(pass),
                Err(rejected) => return self.rejections.reject(rejected),
            }
        };
        crash_point(CrashPoint::FrontAdmitted);
        let call = Call {
            principal: found.map(|(_, principal): (u64, Arc<Principal>)| principal),
            id: minted,
            request_id: request_id.clone(),
            deadline,
            peer,
            agent: head.headers.get(USER_AGENT).cloned(),
        };
        let method = head.method.clone();
        head.extensions.insert(call);
        let request = Request::from_parts(head, body);
        let handled = AssertUnwindSafe(handle(self.router.clone(), request)).catch_unwind();
        let response = if method.is_safe() {
            let _pass = pass;
            // A read that nobody waits for any more is dropped; nothing depends on it.
            match timeout_at(deadline + READ_GRACE, handled).await {
                Ok(handled) => handled.unwrap_or_else(|_| panicked()),
                Err(_) => late(),
            }
        } else {
            // Handlers of mutations keep the deadline themselves and say what came of them. Hanging up
            // changes nothing about what they do, so it gives no place back, and they are counted.
            let work = async move {
                let _pass = pass;
                handled.await.unwrap_or_else(|_| panicked())
            };
            let meters = Arc::clone(&self.meters);
            let count = move |response: Response| {
                meters.answered(endpoint, &method, response.status(), began.elapsed());
            };
            CarriedOn::new(work, count).await
        };
        if response.extensions().get().map(Problem::code) == Some(Code::Overloaded) {
            self.admission.note_overload();
        }
        response
    }

    /// Writes down who was turned away from what belongs to partners.
    fn tell_refused<B>(&self, peer: IpAddr, request: &Request<B>, request_id: &RequestId) {
        if let Some(partner) = partner_in(request.uri().path()) {
            let presented = request.headers().get(API_KEY).map(HeaderValue::as_bytes);
            let (who, id) = (peer.to_string(), request_id.to_string());
            tell_partner_refused(self.keys.why_not(presented), partner, &who, &id);
        }
    }

    /// The whole body, or why it is not read. Methods that only read have none that counts, and
    /// where no handler takes one it is not waited for.
    async fn body<B>(
        &self,
        body: B,
        head: &Parts,
        caller: &Caller,
        picture: Option<usize>,
    ) -> Result<Bytes, Response>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        if head.method.is_safe() || body.is_end_stream() {
            return Ok(Bytes::new());
        }
        let usual = self.config.body_limit;
        let limit = picture.map_or(usual, |largest| largest.max(usual));
        let patience = if picture.is_some() { PICTURE_PATIENCE } else { 1 };
        // Whoever announces too much need not send it.
        if u64::try_from(limit).is_ok_and(|limit| limit < body.size_hint().lower()) {
            return Err(too_large(limit));
        }
        let mut whole = pin!(Limited::new(body, limit).collect());
        // What came together with its head has to wait for nobody.
        let read = if let Poll::Ready(read) = futures::poll!(whole.as_mut()) {
            read
        } else if !takes_body(&head.method, head.uri.path()) {
            return Ok(Bytes::new());
        } else {
            let reject = |rejected| self.rejections.reject(rejected);
            let _place = self.admission.await_body(caller).map_err(reject)?;
            let slow = |_| Problem::new(Code::RequestTimeout, SLOW_BODY).into_response();
            timeout(self.config.body_within.saturating_mul(patience), whole).await.map_err(slow)?
        };
        match read {
            Ok(whole) => Ok(whole.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(too_large(limit)),
            Err(_) => Err(Problem::new(Code::MalformedJson, ENDED_BODY).into_response()),
        }
    }
}

async fn handle(mut router: Router, request: Request<Body>) -> Response {
    match router.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn tell(problem: &Problem, response: &mut Response, path: &str, id: &RequestId) {
    let (path, request_id) = (&*masked_path(path), id.to_string());
    if problem.code() == Code::Internal {
        tracing::error!(path, request_id, problem = ?problem, "request {request_id} broke");
    }
    problem.render(response, path, &request_id);
}

fn too_large(limit: usize) -> Response {
    Problem::new(Code::BodyTooLarge, format!("at most {limit} bytes are taken")).into_response()
}

fn class(endpoint: Endpoint, method: &Method) -> Class {
    match endpoint {
        Endpoint::Checkout => Class::Checkout,
        // They are asked for when the store is out of service.
        Endpoint::Operations => Class::Read,
        _ if method.is_safe() => Class::Read,
        _ => Class::Write,
    }
}

fn panicked() -> Response {
    // The panic itself was logged where it happened, with its place.
    Problem::new(Code::Internal, "the request could not be handled").into_response()
}

fn late() -> Response {
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
