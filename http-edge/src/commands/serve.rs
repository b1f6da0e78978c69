//! Serving a shop: everything is started in order, and ended in the opposite one.

use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actors::admission::{Admission, AdmissionConfig, ConnectionCap, ServiceHealth, WindowPolicy};
use actors::clock::{Clock, SteadyClock, SystemClock};
use actors::config::EngineConfig;
use actors::faults::Faults;
use actors::outcome::{Asking, Cause};
use actors::payments::{
    PaymentProvider, PaymentsConfig, ProviderCallback, SandboxConfig, SandboxProvider,
};
use actors::runtime::spawn_named;
use actors::system::{OrderSystem, Ports};
use anyhow::Context as _;
use engine::order::OrderCommand;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::signals::stop_when_asked;
use super::{Failure, drills, mail, on_runtime, stores};
use crate::access::{DEMO_KEY, Keys, PartnerKeys, Principal, Scope};
use crate::cli::{EdgeArgs, ServeArgs};
use crate::front::{Front, FrontConfig};
use crate::media::{MediaRoom, keep_swept};
use crate::outbound::{HttpProvider, HttpWebhookSender, Targets};
use crate::outside::{Outbound, Outside};
use crate::routes::partners::catalog::FeedPlaces;
use crate::routes::webhooks::WebhookSecret;
use crate::routes::{Edge, Shared, router};
use crate::shop::Shop;
use crate::{listener, telemetry};

/// The account behind `API_KEY`. Stable, so that a new key finds the orders of the old one.
const ACCOUNT: &str = "shop";
/// The account behind the key for drills.
const DRILLS_ACCOUNT: &str = "drills";
/// Keys that stand in documents; whoever uses one has not chosen a key.
const KNOWN_KEYS: &[&str] = &[DEMO_KEY, "changeme", "change-me", "secret", "your-api-key"];
/// Variables of older installations that mean nothing here; whoever sets one is told so.
const IGNORED_VARIABLES: &[&str] = &[
    "SECRET_KEY",
    "SUPER_ADMIN_PASSWORD",
    "SUPER_ADMIN_TOKEN",
    "CELERY_RESULT_BACKEND",
    "GUNICORN_THREADS",
    "GUNICORN_TIMEOUT",
];
/// Longest time for requests under way to end.
const DRAIN_REQUESTS: Duration = Duration::from_secs(10);
/// Longest time for orders under way to end.
const DRAIN_ENGINE: Duration = Duration::from_secs(10);
/// How often it is looked whether another process has taken the journal over.
const FENCE_INTERVAL: Duration = Duration::from_millis(200);
/// Provider callbacks that may wait.
const CALLBACKS_MAX: usize = 1_024;
/// Longest time for one callback.
const CALLBACK_WITHIN: Duration = Duration::from_secs(5);

/// Serves with a key of the operator's own.
pub(super) fn own(args: &ServeArgs) -> Result<ExitCode, Failure> {
    let mut keys = own_keys(args.api_key.as_deref())?;
    if args.webhooks_allow_private {
        let words = "--webhooks-allow-private is for `millrace demo`: whoever registers a webhook \
                     could make this server talk to its own network.";
        return Err(Failure::Misused(words.to_owned()));
    }
    let drills_key = drills::key(args)?;
    let args = &ServeArgs { faults: drills_key.is_some(), ..args.clone() };
    if let Some(key) = drills_key {
        keys = keys.with(&key, Principal::new(DRILLS_ACCOUNT, &[Scope::Faults])?);
    }
    on_runtime(args.edge.workers(), async {
        let served = Started::start(args).await?;
        let listener = bind(&args.edge)?;
        served.serve(listener, keys, &args.edge).await
    })
}

/// The operator's key, unless everybody knows it.
fn own_keys(key: Option<&str>) -> Result<Keys, Failure> {
    let refused = |why: &str| {
        Failure::Misused(format!(
            "API_KEY {why}: choose a long random key, for example with `openssl rand -hex 32`, \
             and set API_KEY. `millrace demo` runs without one."
        ))
    };
    let Some(key) = key.filter(|key| !key.is_empty()) else { return Err(refused("is not set")) };
    if is_known(key) {
        return Err(refused("is a key that everybody knows"));
    }
    Ok(Keys::default().with(key, Principal::new(ACCOUNT, &Scope::SHOP)?))
}

/// Whether everybody knows a key.
pub(super) fn is_known(key: &str) -> bool {
    KNOWN_KEYS.iter().any(|known| known.eq_ignore_ascii_case(key))
}

/// Listens where the arguments say.
pub(super) fn bind(args: &EdgeArgs) -> anyhow::Result<tokio::net::TcpListener> {
    listener::bind(args.listen).with_context(|| format!("cannot listen on {}", args.listen))
}

/// The door as the arguments describe it.
pub(super) fn admission(args: &EdgeArgs) -> AdmissionConfig {
    let window = args.throttling_max_rps.and_then(NonZeroU32::new).map(|checkouts_max| {
        let seconds = args.throttling_window_seconds.max(1);
        WindowPolicy { checkouts_max, span: Duration::from_secs(seconds.into()) }
    });
    AdmissionConfig { window, ..AdmissionConfig::default() }
}

/// An engine that runs and is not reachable yet.
pub(super) struct Started {
    pub(super) edge: Shared,
}

impl Started {
    /// Opens the stores, takes the journal and starts the engine.
    pub(super) async fn start(args: &ServeArgs) -> Result<Self, Failure> {
        let webhook_secret = webhook_secret(args)?;
        for name in IGNORED_VARIABLES.iter().filter(|name| std::env::var_os(name).is_some()) {
            info!(name, "variable {name} has no meaning here");
        }
        let prometheus = telemetry::record_figures()?;
        telemetry::keep_folding(prometheus.clone());
        let wall: Arc<dyn Clock> = Arc::new(SystemClock);
        // How long an outage lasted is told by a clock that does not leap.
        let steady = SteadyClock::over(Arc::clone(&wall), None);
        let health = Arc::new(ServiceHealth::new(Arc::new(steady)));
        let mut stores = stores::open(&args.store).await?;
        let (mut provider, callbacks) = provider(args)?;
        let faults = args.faults.then(|| Faults::none(args.store.redis_url().is_some()));
        if let Some(faults) = &faults {
            stores = faults.among(stores).await;
            provider = faults.before(provider);
        }
        let payments =
            PaymentsConfig { health: Some(Arc::clone(&health)), ..PaymentsConfig::default() };
        let every = args.process_pending_seconds;
        let config = EngineConfig {
            snapshot_every: args.snapshot_every.max(1),
            process_pending_every: (every != 0).then(|| Duration::from_secs(every)),
            ..EngineConfig::default()
        };
        let ports = Ports { provider, payments, health: Arc::clone(&health) };
        let system = OrderSystem::start(config, stores, ports, wall).await?;
        if let Some(callbacks) = callbacks {
            spawn_named("callbacks", take_callbacks(Arc::clone(&system), callbacks));
        }
        system.follow_registers().await?;
        let drills = match faults {
            Some(faults) => Some(system.start_drills(faults).await?),
            None => None,
        };
        let outside = outside(args, webhook_secret, &system, health, prometheus).await?;
        let outbound = outbound(args, &system).await?;
        let outside = Outside { drills, outbound, ..outside };
        let hold_for = Duration::from_secs(args.hold_seconds.max(1));
        // Callbacks are dated by somebody else's clock, so they are judged by the machine's own.
        let shop = Shop::new(system, Arc::new(SystemClock), hold_for)
            .demanding(args.rules.policy())
            .taking_back_within(Duration::from_hours(24).saturating_mul(args.return_window_days));
        let media = MediaRoom::new(stores::media(&args.store).await?, Arc::new(SystemClock));
        let edge = Arc::new(Edge { shop, media, outside, feeds: FeedPlaces::default() });
        spawn_named("media", keep_swept(Arc::downgrade(&edge)));
        Ok(Self { edge })
    }

    /// Serves until the process is asked to leave.
    pub(super) async fn serve(
        self,
        listener: tokio::net::TcpListener,
        keys: Keys,
        args: &EdgeArgs,
    ) -> Result<ExitCode, Failure> {
        let Self { edge } = self;
        let stop = stop_when_asked(Arc::clone(&edge.outside.draining))?;
        let config = FrontConfig { body_limit: args.body_limit, ..FrontConfig::default() };
        let admission = Arc::clone(&edge.outside.admission);
        let system = Arc::clone(edge.shop.system());
        let partners = PartnerKeys::new(system, Arc::new(SystemClock));
        let keys = keys.with_partners(Arc::new(partners));
        let front = Front::new(admission, keys, router(Arc::clone(&edge)), config);
        let cap = ConnectionCap::new(args.connections_max);
        let address = listener.local_addr()?;
        info!(%address, workers = args.workers(), "listening on {address}");
        spawn_named("fence", leave_when_fenced(Arc::clone(&edge), stop.clone()));
        let calm = listener::serve(listener, Arc::new(front), cap, stop, DRAIN_REQUESTS).await;
        if edge.shop.system().is_fenced() {
            return Err(anyhow::anyhow!("another process has taken the journal over").into());
        }
        if !calm {
            warn!("requests were still under way when the time to drain ran out");
        }
        let drained = edge.shop.system().drain(DRAIN_ENGINE).await;
        info!(calm, drained, "left");
        Ok(ExitCode::SUCCESS)
    }
}

/// Stops serving once another process owns the journal: this one could only refuse.
async fn leave_when_fenced(edge: Shared, stop: CancellationToken) {
    while !edge.shop.system().is_fenced() {
        sleep(FENCE_INTERVAL).await;
    }
    stop.cancel();
}

/// The secret that callbacks are signed with; an empty variable counts as none.
fn webhook_secret(args: &ServeArgs) -> Result<Option<WebhookSecret>, Failure> {
    let text = args.webhook_secret.as_deref().filter(|text| !text.is_empty());
    text.map(WebhookSecret::parse).transpose().map_err(|why| {
        Failure::Misused(format!(
            "MILLRACE_WEBHOOK_SECRET {why}: set it to any text, or to whsec_ and base64, for \
             example with `echo \"whsec_$(openssl rand -base64 24)\"`, or leave it out to believe \
             no callbacks."
        ))
    })
}

async fn outside(
    args: &ServeArgs,
    webhook_secret: Option<WebhookSecret>,
    system: &Arc<OrderSystem>,
    health: Arc<ServiceHealth>,
    prometheus: PrometheusHandle,
) -> Result<Outside, Failure> {
    let payments = Arc::clone(system.payments());
    let config = AdmissionConfig {
        outside: Some(Arc::new(move || payments.slowest())),
        health: Some(Arc::clone(&health)),
        ..admission(&args.edge)
    };
    Ok(Outside {
        admission: Admission::start(config).await?,
        health,
        prometheus: Some(prometheus),
        metrics_token: args.metrics_token.clone().filter(|token| !token.is_empty()),
        webhook_secret,
        has_sandbox: args.provider_url.as_deref().is_none_or(str::is_empty),
        drills: None,
        outbound: Outbound::default(),
        started: Instant::now(),
        draining: Arc::new(AtomicBool::new(false)),
    })
}

/// Starts what tells others.
async fn outbound(args: &ServeArgs, system: &Arc<OrderSystem>) -> Result<Outbound, Failure> {
    let targets = Targets { allow_private: args.webhooks_allow_private };
    if targets.allow_private {
        warn!("webhooks may go to this machine and its network, for trying out only");
    }
    let sender = Arc::new(HttpWebhookSender::new(targets)?);
    let webhooks = Some(system.start_webhooks(sender).await?);
    system.start_notices(mail::mailer(&args.mail, &args.store.data_dir)?).await?;
    Ok(Outbound { targets, webhooks, ..Outbound::default() })
}

type Provider = (Arc<dyn PaymentProvider>, Option<mpsc::Receiver<ProviderCallback>>);

/// The provider at an address, or the sandbox with its callbacks.
fn provider(args: &ServeArgs) -> Result<Provider, Failure> {
    if let Some(url) = args.provider_url.as_deref().filter(|url| !url.is_empty()) {
        let provider = HttpProvider::new(url)
            .map_err(|error| Failure::Misused(format!("--provider-url: {error}")))?;
        return Ok((Arc::new(provider), None));
    }
    let (sender, receiver) = mpsc::channel(CALLBACKS_MAX);
    let sandbox = SandboxProvider::new(SandboxConfig {
        latency: Duration::from_millis(args.provider_latency_ms),
        callbacks: Some(sender),
        ..SandboxConfig::default()
    });
    let share = (args.refund_failure_probability.clamp(0.0, 1.0) * 1_000_000.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number from 0 to 1,000,000"
    )]
    sandbox.faults().set_refund_failures_per_million(share as u32);
    Ok((Arc::new(sandbox), Some(receiver)))
}

/// Hands what the sandbox says by itself to the orders. What gets lost is found by asking.
async fn take_callbacks(system: Arc<OrderSystem>, mut callbacks: mpsc::Receiver<ProviderCallback>) {
    while let Some(ProviderCallback { key, outcome }) = callbacks.recv().await {
        let order = key.order.to_string();
        let command = OrderCommand::RecordCharge { key, outcome };
        let cause = Cause { by: "provider".into(), ..Cause::default() };
        let asking = Asking { deadline: Instant::now() + CALLBACK_WITHIN, cause };
        if let Err(error) = system.ask::<engine::order::Order>(&order, command, asking).await {
            warn!(%key, ?error, "callback about charge {key} was not taken");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_everybody_knows_do_not_open_a_shop() {
        for key in [None, Some(""), Some(DEMO_KEY), Some("SECRET-KEY-123"), Some("changeme")] {
            let Err(Failure::Misused(words)) = own_keys(key) else { panic!("{key:?} was taken") };
            assert!(words.contains("API_KEY"), "{words}");
        }
        let keys = own_keys(Some("a-key-of-my-own")).unwrap_or_default();
        assert!(keys.find(b"a-key-of-my-own").is_some());
    }
}
