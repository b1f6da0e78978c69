//! Logs as JSON lines on stderr, and the recorder behind /metrics.

use std::time::Duration;

use actors::metrics::{Kind, ORDER_PROCESSING_LATENCY_MS};
use actors::runtime::spawn_named;
use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// How often histograms are folded; nobody else does it, and they would grow for ever.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);
/// Bounds of spans of time, in seconds: 50 µs to 10 s.
const SECONDS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0,
];
/// Bounds of counts.
const COUNTS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0];
/// Bounds of spans of time, in milliseconds.
const MILLIS: &[f64] =
    &[0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0];

/// Writes every log line as one JSON object; `level` is a word or a list of directives.
///
/// # Errors
///
/// When `level` cannot be read, or logs go somewhere already.
pub fn log_to_stderr(level: &str) -> anyhow::Result<()> {
    // Every actor opens a span of ractor's; that is for who asks for it, not for every order.
    let level =
        if level.contains("ractor") { level.to_owned() } else { format!("{level},ractor=warn") };
    let filter = EnvFilter::try_new(&level).context("LOG_LEVEL cannot be read")?;
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init()
        .map_err(|error| anyhow::anyhow!("logs go somewhere already: {error}"))?;
    // A panic is a line like any other; its place matters more than its words.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let words = panic.payload_as_str().unwrap_or("no words");
        tracing::error!(place, words, "panic at {place}");
    }));
    Ok(())
}

/// Keeps all figures of the process.
///
/// # Errors
///
/// When figures are kept somewhere already.
pub fn record_figures() -> anyhow::Result<PrometheusHandle> {
    let mut builder = PrometheusBuilder::new();
    let histograms = actors::metrics::ALL.iter().filter(|metric| metric.kind == Kind::Histogram);
    for metric in histograms {
        let bounds = if metric.name == ORDER_PROCESSING_LATENCY_MS {
            MILLIS
        } else if metric.name.ends_with("_seconds") {
            SECONDS
        } else {
            COUNTS
        };
        builder = builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), bounds)?;
    }
    let handle = builder.set_buckets(SECONDS)?.install_recorder()?;
    actors::metrics::describe();
    metrics::describe_counter!(crate::metrics::HTTP_REQUESTS_TOTAL, "requests that were answered");
    metrics::describe_histogram!(
        crate::metrics::HTTP_REQUEST_SECONDS,
        metrics::Unit::Seconds,
        "time from the arrival of a request to its answer"
    );
    metrics_process::Collector::default().describe();
    Ok(handle)
}

/// Folds histograms for as long as the process lives. Call it inside the runtime.
pub fn keep_folding(handle: PrometheusHandle) {
    spawn_named("figures", async move {
        let mut due = tokio::time::interval(UPKEEP_INTERVAL);
        loop {
            due.tick().await;
            handle.run_upkeep();
        }
    });
}
