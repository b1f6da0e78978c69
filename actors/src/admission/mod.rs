//! Who may enter, how many at once, and what is out of service: decided before work begins.
//!
//! A supervised actor owns the limits and adapts them; requests read what it last published.

mod actor;
mod bodies;
mod buckets;
mod connections;
mod gate;
pub mod health;
pub(crate) mod keeper;
mod places;
pub mod policy;
mod shares;
#[cfg(test)]
mod tests;
pub(crate) mod uptime;
mod window;

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use actor::{AdmissionActor, Tick};
use gate::Gate;
use keeper::{Kept, keep};
use ractor::SpawnErr;
use uptime::Uptime;

pub use bodies::BodyPlace;
pub use buckets::BucketPolicy;
pub use connections::{ConnectionCap, ConnectionPlace};
pub use gate::Pass;
pub use health::{Dependency, Removal, Report, ServiceHealth};
pub use places::LinePolicy;
pub use policy::LimitPolicy;
pub use window::WindowPolicy;

/// How long a checkout may at the moment wait for somebody outside of this process.
pub type Outside = Arc<dyn Fn() -> Duration + Send + Sync>;

/// What a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Changes nothing.
    Read,
    /// Changes something; rejected while the store is out of service.
    Write,
    /// A write that takes money; also counted by the window, when there is one.
    Checkout,
}

/// Who asks, as far as it is known before anything is verified.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// Where the connection comes from. Loopback has no buckets.
    pub address: IpAddr,
    /// Hash of the presented key, if it is a known one.
    pub key_hash: Option<u64>,
    /// Whether the key has no buckets. The window and the places in flight are for all.
    pub exempt: bool,
    /// What is asked for.
    pub class: Class,
}

/// Why a request is rejected. Nothing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The address asks too often: 429.
    Address,
    /// The key asks too often: 429.
    Key,
    /// The checkout window is full: 429.
    Checkout,
    /// Too many requests are in flight: 503.
    Overloaded,
    /// The store is out of service, and this would change something: 503.
    StoreOut,
    /// Too many bodies are being read: 503.
    Bodies,
}

impl Reason {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Address, Self::Key, Self::Checkout, Self::Overloaded, Self::StoreOut, Self::Bodies];

    /// As a metric label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Key => "key",
            Self::Checkout => "checkout",
            Self::Overloaded => "overloaded",
            Self::StoreOut => "store_out",
            Self::Bodies => "bodies",
        }
    }

    /// Whether the caller asks too often (429); otherwise we cannot take more (503).
    pub const fn is_throttled(self) -> bool {
        match self {
            Self::Address | Self::Key | Self::Checkout => true,
            Self::Overloaded | Self::StoreOut | Self::Bodies => false,
        }
    }
}

/// A rejection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Why.
    pub reason: Reason,
    /// When it is worth coming back.
    pub retry_after: Duration,
}

/// Limits at the door.
#[derive(Clone)]
pub struct AdmissionConfig {
    /// Requests in flight.
    pub limit: LimitPolicy,
    /// Bucket of each known key.
    pub by_key: Option<BucketPolicy>,
    /// Bucket of each address (IPv6: each /64).
    pub by_address: Option<BucketPolicy>,
    /// Buckets of each of the two kinds; further keys share one.
    pub keys_max: usize,
    /// Checkouts of all callers together; `None` means no such limit.
    pub window: Option<WindowPolicy>,
    /// Bodies of callers with a known key that may be on their way at once.
    pub bodies_max: usize,
    /// Bodies of all others, who have places of their own so that they cannot take those.
    pub strangers_bodies_max: usize,
    /// The same for one address, so that it cannot keep all others out. Loopback has no such bound.
    pub address_bodies_max: usize,
    /// The lines before the places.
    pub line: LinePolicy,
    /// Subtracted when a checkout is judged slow.
    pub outside: Option<Outside>,
    /// Says whether mutations are worth starting.
    pub health: Option<Arc<ServiceHealth>>,
}

impl Default for AdmissionConfig {
    fn default() -> Self {
        let bucket = |per_second, burst| {
            let (per_second, burst) = (NonZeroU32::new(per_second)?, NonZeroU32::new(burst)?);
            Some(BucketPolicy { per_second, burst })
        };
        Self {
            limit: LimitPolicy::default(),
            by_key: bucket(10_000, 20_000),
            by_address: bucket(2_000, 4_000),
            keys_max: 65_536,
            window: None,
            bodies_max: 1_024,
            strangers_bodies_max: 64,
            address_bodies_max: 16,
            line: LinePolicy::default(),
            outside: None,
            health: None,
        }
    }
}

impl fmt::Debug for AdmissionConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdmissionConfig")
            .field("limit", &self.limit)
            .field("by_key", &self.by_key)
            .field("by_address", &self.by_address)
            .field("keys_max", &self.keys_max)
            .field("window", &self.window)
            .field("bodies_max", &self.bodies_max)
            .field("strangers_bodies_max", &self.strangers_bodies_max)
            .field("address_bodies_max", &self.address_bodies_max)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// The door. Dropping it stops its actor; requests inside go on.
pub struct Admission {
    gate: Arc<Gate>,
    #[cfg_attr(not(test), expect(dead_code, reason = "dropping it stops the actor"))]
    actor: Kept<Tick>,
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission")
            .field("limit", &self.limit())
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}

impl Admission {
    /// Opens the door and starts the actor that owns the limits.
    ///
    /// # Errors
    ///
    /// When the actor cannot be started.
    pub async fn start(config: AdmissionConfig) -> Result<Arc<Self>, SpawnErr> {
        let uptime = Uptime::starting_now();
        let gate = Arc::new(Gate::new(&config, uptime));
        let owner = AdmissionActor { gate: Arc::clone(&gate), policy: config.limit, uptime };
        let actor = keep("admission", owner).await?;
        Ok(Arc::new(Self { gate, actor }))
    }

    /// Counts a request against its address and its key, before anything of it is read.
    ///
    /// # Errors
    ///
    /// See [`Reason`]; nothing happened.
    pub fn knock(&self, caller: &Caller) -> Result<(), Rejected> {
        self.gate.knock(caller)
    }

    /// Says what would be rejected when the body is there: a store that is out of service, a window
    /// that is full. Nothing is counted, so that [`Self::enter`] may still say no.
    ///
    /// # Errors
    ///
    /// See [`Reason`]; nothing happened.
    pub fn foresee(&self, caller: &Caller) -> Result<(), Rejected> {
        self.gate.foresee(caller)
    }

    /// A place for a body that is still on its way. It is none in flight: a body can be as slow as
    /// its sender likes, and says nothing about how fast we are.
    ///
    /// # Errors
    ///
    /// See [`Reason`]; nothing happened.
    pub fn await_body(&self, caller: &Caller) -> Result<BodyPlace<'_>, Rejected> {
        self.gate.await_body(caller)
    }

    /// Enters, or is rejected at once. Costs well under a microsecond.
    ///
    /// # Errors
    ///
    /// See [`Reason`]; nothing happened.
    pub fn enter(&self, caller: &Caller) -> Result<Pass, Rejected> {
        self.gate.enter(caller)
    }

    /// The same, but waits for a place when all are taken: in a short line the first to come is the
    /// first in, in one that stands the last.
    ///
    /// # Errors
    ///
    /// See [`Reason`]; nothing happened.
    pub async fn enter_soon(&self, caller: &Caller) -> Result<Pass, Rejected> {
        self.gate.enter_soon(caller).await
    }

    /// Says that a queue inside was full although the request had been let in.
    pub fn note_overload(&self) {
        self.gate.note_overload();
    }

    /// Requests that may be in flight.
    pub fn limit(&self) -> usize {
        self.gate.limit()
    }

    /// Requests in flight.
    pub fn in_flight(&self) -> usize {
        self.gate.in_flight()
    }

    /// Requests that wait for a place.
    pub fn waiting(&self) -> usize {
        self.gate.waiting()
    }
}
