//! Whether the process lives, and whether it can do its work.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use super::{Edge, Shared};
use crate::reply::Reply;
use crate::wire::{Instant, instant};

/// How the server does.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Health {
    /// `ok`, `degraded` (orders are taken, but something is wrong, be it on purpose), `draining` or
    /// `unavailable`.
    status: &'static str,
    /// The journal is ours and takes events.
    journal: bool,
    /// The state of the payment breaker: `closed`, `half_open` or `open`.
    provider: &'static str,
    /// Events that lists are behind.
    projection_lag: u64,
    /// Streams that need an operator.
    quarantined: usize,
    /// Parts that are out of service, and why.
    out_of_service: Vec<OutOfService>,
    /// Faults that are injected on purpose.
    faults: Vec<&'static str>,
    /// The version of this program.
    version: &'static str,
}

/// A part that is out of service.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct OutOfService {
    /// Which.
    part: String,
    /// Why.
    reason: &'static str,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Instant,
}

/// What [`Health`] says in one word, and whether load balancers may send requests.
fn judge(edge: &Edge) -> (bool, Health) {
    use actors::payments::BreakerState;

    let system = edge.shop.system();
    let readiness = system.readiness();
    let provider = match system.payments().state() {
        BreakerState::Closed => "closed",
        BreakerState::HalfOpen => "half_open",
        BreakerState::Open => "open",
    };
    let draining = readiness.draining || edge.outside.is_draining();
    let removed = edge.outside.health.removed();
    let out_of_service: Vec<_> = removed
        .iter()
        .map(|(part, removal)| OutOfService {
            part: part.to_string(),
            reason: removal.reason,
            since: instant(removal.since),
        })
        .collect();
    let ready = readiness.is_ready() && !draining;
    let faults: Vec<_> = edge.outside.drills.iter().flat_map(|drills| drills.active()).collect();
    let faults: Vec<_> = faults.iter().map(|injection| injection.fault.name().as_str()).collect();
    let whole = provider == "closed"
        && out_of_service.is_empty()
        && readiness.quarantined == 0
        && faults.is_empty();
    let status = match (ready, draining, whole) {
        (true, _, true) => "ok",
        (true, _, false) => "degraded",
        (false, true, _) => "draining",
        (false, false, _) => "unavailable",
    };
    let health = Health {
        status,
        journal: readiness.journal,
        provider,
        projection_lag: readiness.projection_lag,
        quarantined: readiness.quarantined,
        out_of_service,
        faults,
        version: env!("CARGO_PKG_VERSION"),
    };
    (ready, health)
}

/// How the server does, for people. 200 for as long as the process lives.
#[utoipa::path(get, path = "/health", operation_id = "get_health", tag = "operations", security(()),
    responses((status = 200, description = "How it does", body = Health)))]
pub(crate) async fn health(State(edge): State<Shared>) -> Response {
    Reply::ok(&judge(&edge).1).into_response()
}

/// Whether the process lives.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Alive {
    /// `ok`.
    status: &'static str,
}

/// Whether the process lives. No answer means: start it again.
#[utoipa::path(get, path = "/health/live", operation_id = "get_liveness", tag = "operations", security(()),
    responses((status = 200, description = "It lives", body = Alive)))]
pub(crate) async fn live() -> Response {
    Reply::ok(&Alive { status: "ok" }).into_response()
}

/// Whether requests may be sent here.
#[utoipa::path(get, path = "/health/ready", operation_id = "get_readiness", tag = "operations", security(()),
    responses(
        (status = 200, description = "They may", body = Health),
        (status = 503, description = "Not now", body = Health),
    ))]
pub(crate) async fn ready(State(edge): State<Shared>) -> Response {
    let (ready, health) = judge(&edge);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Reply::new(status, &health).into_response()
}
