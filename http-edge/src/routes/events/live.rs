//! The events of one order as they come: server-sent events, from any version on.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use actors::runtime::spawn_light;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use engine::values::OrderId;
use futures::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use metrics::{counter, gauge};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use crate::access::Scope;
use crate::call::Call;
use crate::metrics::{SUBSCRIBERS, SUBSCRIBERS_DROPPED_TOTAL};
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::routes::Shared;
use crate::routes::orders::{order_id, unknown};
use crate::wire::{Path, ToldBody};

/// Streams at once; each holds a connection.
const SUBSCRIBERS_MAX: usize = 1_024;
/// Messages that wait for a subscriber; whoever takes none for a while is dropped.
const WAITING_MAX: usize = 16;
/// How long a subscriber may take none.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);
/// How often a subscriber hears that the connection lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Least time between two looks, however many commits there are.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Least time between two looks at an order that is asleep: each reads the journal.
const LOOK_ASLEEP_EVERY: Duration = Duration::from_secs(1);
/// Longest time until it is noticed that the server goes down.
const NOTICED_WITHIN: Duration = Duration::from_millis(500);
/// The last event that a subscriber has seen.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The places of subscribers.
#[derive(Clone, Debug)]
pub struct Subscribers(Arc<Semaphore>);

impl Default for Subscribers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(SUBSCRIBERS_MAX)))
    }
}

/// Why a stream has come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// Its subscriber has hung up.
    Left,
    /// Its subscriber took nothing for too long.
    Slow,
    /// The server goes down.
    Draining,
    /// The journal could not be read.
    Unreadable,
}

impl Ended {
    const fn label(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Slow => "slow",
            Self::Draining => "draining",
            Self::Unreadable => "unreadable",
        }
    }
}

/// The events of an order, those that were and those that come. The id of each is the order's version:
/// a subscriber that comes again with it in `Last-Event-ID` misses nothing.
#[utoipa::path(
    get, path = "/v1/orders/{id}/events", operation_id = "follow_order", tag = "events",
    params(
        ("id" = Uuid, Path, description = "The order"),
        ("Last-Event-ID" = Option<u64>, Header, description = "After this version; 0 when absent"),
    ),
    responses(
        (status = 200, description = "A stream without an end; comments are heartbeats",
         body = String, content_type = "text/event-stream"),
        (status = 404, description = "There is no such order", body = ProblemBody<'static>),
        (status = 422, description = "The header cannot be used", body = ProblemBody<'static>),
        (status = 503, description = "All places of subscribers are taken", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn follow(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    call.allowed(Scope::Orders)?;
    let order = order_id(&id)?;
    let after = last_seen(&headers)?;
    edge.shop.order(order).await?.ok_or_else(unknown)?;
    let full = |_| Problem::new(Code::Overloaded, "all places of subscribers are taken");
    let places = Arc::clone(&edge.outside.outbound.subscribers.0);
    let place = places.try_acquire_owned().map_err(full)?;
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    spawn_light(tell(edge, order, after, sender, place));
    let messages = stream::unfold(receiver, |mut receiver| async move {
        let message = receiver.recv().await?;
        Some((Ok::<Bytes, Infallible>(message), receiver))
    });
    let mut response = Response::new(Body::from_stream(messages));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn last_seen(headers: &HeaderMap) -> Result<u64, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(0) };
    let read = value.to_str().ok().and_then(|text| text.parse().ok());
    read.ok_or_else(|| {
        let hint = "Send the id of the last event that you have seen.";
        let error = FieldError::new("Last-Event-ID", "invalid_value", "not a version", hint);
        Problem::invalid(vec![error])
    })
}

/// Tells one subscriber until there is a reason not to.
async fn tell(
    edge: Shared,
    order: OrderId,
    after: u64,
    sender: mpsc::Sender<Bytes>,
    place: OwnedSemaphorePermit,
) {
    gauge!(SUBSCRIBERS).increment(1.0);
    let ended = Telling { edge, order, after, sender }.run().await;
    gauge!(SUBSCRIBERS).decrement(1.0);
    drop(place);
    if ended == Ended::Slow {
        warn!(event = "subscriber_dropped", %order, "a slow subscriber of order {order} is dropped");
    } else {
        info!(why = ended.label(), %order, "a subscriber of order {order} is told no more");
    }
    if ended != Ended::Left {
        counter!(SUBSCRIBERS_DROPPED_TOTAL, "why" => ended.label()).increment(1);
    }
}

struct Telling {
    edge: Shared,
    order: OrderId,
    after: u64,
    sender: mpsc::Sender<Bytes>,
}

impl Telling {
    async fn run(mut self) -> Ended {
        let mut commits = self.edge.shop.system().commits();
        let mut beat = Instant::now() + HEARTBEAT;
        let mut has_moved = true;
        // How long its shard was when it was last looked at asleep, and when that is due again.
        let mut asleep = (0, Instant::now());
        loop {
            if has_moved && let Err(ended) = self.catch_up().await {
                return ended;
            }
            if self.edge.outside.is_draining() {
                return Ended::Draining;
            }
            if beat <= Instant::now() {
                if let Err(ended) = self.send(Bytes::from_static(b": still here\n\n")).await {
                    return ended;
                }
                beat = Instant::now() + HEARTBEAT;
            }
            sleep(LOOK_EVERY).await;
            tokio::select! {
                () = self.sender.closed() => return Ended::Left,
                changed = timeout(NOTICED_WITHIN, commits.changed()) => {
                    if matches!(changed, Ok(Err(_))) {
                        return Ended::Draining;
                    }
                }
            }
            has_moved = self.has_moved(&mut asleep);
        }
    }

    /// Whether there may be something to tell.
    fn has_moved(&self, asleep: &mut (u64, Instant)) -> bool {
        let system = self.edge.shop.system();
        system.order_has_moved(self.order, self.after).unwrap_or_else(|| {
            let ((seen, due), head) = (*asleep, system.order_head(self.order));
            let may_have = head != seen && due <= Instant::now();
            if may_have {
                *asleep = (head, Instant::now() + LOOK_ASLEEP_EVERY);
            }
            may_have
        })
    }

    /// Tells everything that is durable.
    async fn catch_up(&mut self) -> Result<(), Ended> {
        let read = self.edge.shop.system().order_events(self.order, self.after).await;
        let (events, version) = read.map_err(|error| {
            warn!(%error, order = %self.order, "the events of an order cannot be read");
            Ended::Unreadable
        })?;
        for told in &events {
            let data =
                serde_json::to_string(&ToldBody::from(told)).map_err(|_| Ended::Unreadable)?;
            let name = told.event.name.as_str();
            let message = format!("id: {}\nevent: {name}\ndata: {data}\n\n", told.version);
            self.send(message.into()).await?;
        }
        self.after = version;
        Ok(())
    }

    async fn send(&self, message: Bytes) -> Result<(), Ended> {
        match timeout(TAKEN_WITHIN, self.sender.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Ended::Left),
            Err(_) => Err(Ended::Slow),
        }
    }
}
