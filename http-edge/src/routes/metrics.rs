//! Figures of the process: as Prometheus scrapes them, and as JSON for pages.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::Serialize;
use subtle::ConstantTimeEq as _;

use super::{Shared, admin};
use crate::call::Call;
use crate::problem::{Code, Problem, ProblemBody};
use crate::reply::Reply;

/// Figures for Prometheus. Open, unless the server was started with a token for it.
#[utoipa::path(get, path = "/metrics", operation_id = "get_prometheus_metrics", tag = "operations", security(()),
    responses(
        (status = 200, description = "Prometheus text format", content_type = "text/plain"),
        (status = 401, description = "The token is missing", body = ProblemBody<'static>),
    ))]
pub(crate) async fn prometheus(
    State(edge): State<Shared>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(token) = &edge.outside.metrics_token {
        let sent = headers.get(AUTHORIZATION).map(http::HeaderValue::as_bytes).unwrap_or_default();
        let sent = sent.strip_prefix(b"Bearer ").unwrap_or_default();
        if !bool::from(sent.ct_eq(token.as_bytes())) {
            let detail = "the figures need the header Authorization: Bearer and a token";
            return Err(Problem::new(Code::Unauthorised, detail));
        }
    }
    let kind = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, edge.outside.figures()).into_response())
}

/// Counters and gauges with their present values.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Figures {
    /// Seconds since the process started.
    uptime_seconds: u64,
    /// Requests that are being answered.
    requests_in_flight: usize,
    /// Requests that may be answered at once; adapts to how fast answers are.
    requests_in_flight_limit: usize,
    /// Entities in memory.
    live_entities: usize,
    /// By name and labels, as Prometheus writes them. Histograms are left to Prometheus, but for
    /// their sums and counts.
    values: BTreeMap<String, f64>,
}

/// Figures as JSON.
#[utoipa::path(get, path = "/admin/metrics", operation_id = "get_metrics", tag = "operations",
    responses(
        (status = 200, description = "The figures", body = Figures),
        (status = 403, description = "The key lacks the scope admin", body = ProblemBody<'static>),
    ))]
pub(crate) async fn figures(State(edge): State<Shared>, call: Call) -> Result<Response, Problem> {
    admin(&call)?;
    let admission = &edge.outside.admission;
    Ok(Reply::ok(&Figures {
        uptime_seconds: edge.outside.started.elapsed().as_secs(),
        requests_in_flight: admission.in_flight(),
        requests_in_flight_limit: admission.limit(),
        live_entities: edge.shop.system().live(),
        values: values(&edge.outside.figures()),
    })
    .into_response())
}

/// Reads the text format back: one sample a line, buckets left out.
fn values(text: &str) -> BTreeMap<String, f64> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let samples = samples.filter_map(|line| line.rsplit_once(' '));
    samples
        .filter(|(name, _)| !name.contains("_bucket{"))
        .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
        .filter(|(_, value): &(_, f64)| value.is_finite())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_back_without_buckets() {
        let text = "# HELP a b\n# TYPE a counter\na{x=\"y z\"} 3\nb 0.5\nc_bucket{le=\"1\"} 4\n\
                    c_sum 2\nd NaN\n";
        let read = values(text);
        let names: Vec<&str> = read.keys().map(String::as_str).collect();
        assert_eq!(names, ["a{x=\"y z\"}", "b", "c_sum"]);
        assert!((read["a{x=\"y z\"}"] - 3.0).abs() < f64::EPSILON);
    }
}
