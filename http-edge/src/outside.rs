//! What handlers know about the process around them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actors::admission::{Admission, ServiceHealth};
use actors::faults::Drills;
use actors::followers::webhooks::Webhooks;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::time::Instant;

use crate::outbound::Targets;
use crate::routes::events::Subscribers;
use crate::routes::webhooks::WebhookSecret;

/// The process around the handlers.
pub struct Outside {
    /// The door.
    pub admission: Arc<Admission>,
    /// Parts that are out of service.
    pub health: Arc<ServiceHealth>,
    /// Where figures are kept; `None` in tests.
    pub prometheus: Option<PrometheusHandle>,
    /// What scrapers must send, if anything.
    pub metrics_token: Option<String>,
    /// What provider callbacks are signed with.
    pub webhook_secret: Option<WebhookSecret>,
    /// Whether the payment provider is the sandbox inside the process.
    pub has_sandbox: bool,
    /// Faults on purpose, where they may be injected.
    pub drills: Option<Arc<Drills>>,
    /// What is told to others, and to whom it may be told.
    pub outbound: Outbound,
    /// When the process started.
    pub started: Instant,
    /// Whether the process is going down.
    pub draining: Arc<AtomicBool>,
}

/// What is told to others.
#[derive(Clone, Default)]
pub struct Outbound {
    /// Where webhooks may go.
    pub targets: Targets,
    /// Who tells the endpoints; `None` in tests.
    pub webhooks: Option<Arc<Webhooks>>,
    /// Places of those who follow an order.
    pub subscribers: Subscribers,
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outside").field("started", &self.started).finish_non_exhaustive()
    }
}

impl Outside {
    /// Whether the process is going down.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// All figures in the text format of Prometheus.
    pub fn figures(&self) -> String {
        metrics_process::Collector::default().collect();
        self.prometheus.as_ref().map(PrometheusHandle::render).unwrap_or_default()
    }
}
