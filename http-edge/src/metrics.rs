//! Measurements of the edge: names, and handles that cost nothing to look up on the hot path.

use std::sync::OnceLock;
use std::time::Duration;

use actors::metrics::{ORDER_PROCESSING_LATENCY_MS, ORDERS_ACCEPTED_TOTAL, ORDERS_SUBMITTED_TOTAL};
use http::{Method, StatusCode};
use metrics::{Counter, Histogram, counter, histogram};

/// Requests that were answered. Labels: `endpoint`, `method`, `status`.
pub const HTTP_REQUESTS_TOTAL: &str = "http_requests_total";
/// Time from the arrival of a request's head to its answer. Labels: `endpoint`.
pub const HTTP_REQUEST_SECONDS: &str = "millrace_http_request_seconds";

/// Those who follow an order live.
pub const SUBSCRIBERS: &str = "millrace_subscribers";
/// Subscribers that were told no more by this side. Labels: `why`.
pub const SUBSCRIBERS_DROPPED_TOTAL: &str = "millrace_subscribers_dropped_total";
/// Requests about partners that were turned away because of their key. Labels: `reason`.
pub const PARTNER_REFUSED_TOTAL: &str = "millrace_partner_refused_total";
/// Rows of feeds that came to their end. Labels: `outcome`.
pub const FEED_ROWS_TOTAL: &str = "millrace_feed_rows_total";

/// A kind of path; ids are never a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// Orders are placed here.
    Checkout,
    Orders,
    Products,
    Carts,
    Webhooks,
    Operations,
    Other,
}

impl Endpoint {
    const ALL: [Self; 7] = [
        Self::Checkout,
        Self::Orders,
        Self::Products,
        Self::Carts,
        Self::Webhooks,
        Self::Operations,
        Self::Other,
    ];

    /// The kind of a path.
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        let place = method == Method::POST;
        match path {
            "/v1/orders" | "/orders" | "/orders/" | "/checkout" if place => Self::Checkout,
            _ if place && path.starts_with("/v1/carts/") && path.ends_with("/checkout") => {
                Self::Checkout
            }
            _ => {
                let path = path.strip_prefix("/v1").unwrap_or(path).strip_prefix('/');
                match path.and_then(|path| path.split('/').next()) {
                    Some("orders") => Self::Orders,
                    Some("products") => Self::Products,
                    Some("carts" | "cart") => Self::Carts,
                    Some("payments" | "webhook-endpoints" | "events") => Self::Webhooks,
                    Some("health" | "metrics" | "admin" | "ops" | "docs" | "openapi.json") => {
                        Self::Operations
                    }
                    _ => Self::Other,
                }
            }
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::Orders => "orders",
            Self::Products => "products",
            Self::Carts => "carts",
            Self::Webhooks => "webhooks",
            Self::Operations => "operations",
            Self::Other => "other",
        }
    }
}

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "other"];
const STATUSES: [&str; 22] = [
    "200", "201", "202", "204", "304", "307", "400", "401", "402", "403", "404", "405", "408",
    "409", "412", "413", "415", "422", "429", "500", "503", "504",
];
/// The label of a status that nothing here answers with.
const STATUS_OTHER: &str = "other";

type ByStatus = [OnceLock<Counter>; STATUSES.len() + 1];

/// Handles of all measurements; each counter is registered when it is first needed.
pub(crate) struct Meters {
    requests: Box<[[ByStatus; METHODS.len()]; Endpoint::ALL.len()]>,
    seconds: [Histogram; Endpoint::ALL.len()],
    submitted: Counter,
    accepted: Counter,
    checkout_ms: Histogram,
}

impl Meters {
    /// Call it after the recorder was installed.
    pub(crate) fn new() -> Self {
        Self {
            requests: Box::default(),
            seconds: Endpoint::ALL
                .map(|endpoint| histogram!(HTTP_REQUEST_SECONDS, "endpoint" => endpoint.label())),
            submitted: counter!(ORDERS_SUBMITTED_TOTAL),
            accepted: counter!(ORDERS_ACCEPTED_TOTAL),
            checkout_ms: histogram!(ORDER_PROCESSING_LATENCY_MS),
        }
    }

    /// Notes one answer.
    pub(crate) fn answered(
        &self,
        endpoint: Endpoint,
        method: &Method,
        status: StatusCode,
        took: Duration,
    ) {
        let method = METHODS.iter().position(|known| *known == method.as_str());
        let method = method.unwrap_or(METHODS.len().saturating_sub(1));
        let status_at = STATUSES.iter().position(|known| *known == status.as_str());
        let status_at = status_at.unwrap_or(STATUSES.len());
        let counters = self.requests.get(endpoint as usize).and_then(|table| table.get(method));
        if let Some(counter) = counters.and_then(|row| row.get(status_at)) {
            let label = STATUSES.get(status_at).copied().unwrap_or(STATUS_OTHER);
            let method = METHODS.get(method).copied().unwrap_or("other");
            counter
                .get_or_init(|| {
                    counter!(HTTP_REQUESTS_TOTAL, "endpoint" => endpoint.label(),
                        "method" => method, "status" => label)
                })
                .increment(1);
        }
        if let Some(seconds) = self.seconds.get(endpoint as usize) {
            seconds.record(took.as_secs_f64());
        }
        if endpoint == Endpoint::Checkout {
            self.submitted.increment(1);
            if status.is_success() {
                self.accepted.increment(1);
            }
            self.checkout_ms.record(took.as_secs_f64() * 1_000.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_apart_without_their_ids() {
        for (method, path, endpoint) in [
            (Method::POST, "/v1/orders", Endpoint::Checkout),
            (Method::GET, "/v1/orders", Endpoint::Orders),
            (Method::GET, "/v1/orders/17/history", Endpoint::Orders),
            (Method::POST, "/v1/carts/1/checkout", Endpoint::Checkout),
            (Method::POST, "/checkout", Endpoint::Checkout),
            (Method::POST, "/v1/carts", Endpoint::Carts),
            (Method::GET, "/health/ready", Endpoint::Operations),
            (Method::PUT, "/v1/ops/faults/redis_cut", Endpoint::Operations),
            (Method::GET, "/", Endpoint::Other),
            (Method::GET, "*", Endpoint::Other),
        ] {
            assert_eq!(Endpoint::of(&method, path), endpoint, "{method} {path}");
        }
    }
}
