//! Removal from service: which parts are taken out before requests fail on them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use engine::values::Moment;
use metrics::gauge;
use serde::Serialize;
use tracing::{info, warn};

use crate::clock::Clock;
use crate::metrics::OUT_OF_SERVICE;

/// While the store is out, its writer looks this often whether it is back.
pub const PROBE_EVERY: Duration = Duration::from_millis(500);

/// A part that requests depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependency {
    /// The payment provider, judged by its breaker. Orders are queued without it.
    Provider,
    /// The journal's database, judged by the writer. Nothing can be changed without it.
    Store,
    /// Refunds, judged by their breaker. They are owed until they are made.
    Refunds,
    /// A task in the background, judged by whoever keeps it running.
    Task(&'static str),
}

impl Dependency {
    /// Its kind, as a metric label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Store => "store",
            Self::Refunds => "refunds",
            Self::Task(_) => "task",
        }
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider | Self::Store | Self::Refunds => f.write_str(self.label()),
            Self::Task(name) => write!(f, "task {name}"),
        }
    }
}

/// How a part does, in the words of whoever watches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// It works.
    Working,
    /// Requests would fail on it; why.
    Failing(&'static str),
}

/// A part that is out of service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Removal {
    /// Why.
    pub reason: &'static str,
    /// Since when.
    pub since: Moment,
}

/// Which parts are out of service. A report of a part that works costs a few nanoseconds.
///
/// Watchers report the truth as they see it, as often as they like; the first bad report removes,
/// the first good one restores, because each of them has already judged over many calls.
pub struct ServiceHealth {
    clock: Arc<dyn Clock>,
    removed: ArcSwap<BTreeMap<Dependency, Removal>>,
}

impl fmt::Debug for ServiceHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceHealth").field("removed", &self.removed).finish_non_exhaustive()
    }
}

impl ServiceHealth {
    /// Everything is in service.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, removed: ArcSwap::default() }
    }

    /// Says how a part does. Repeating the same report changes nothing.
    pub fn report(&self, dependency: Dependency, report: Report) {
        let out = self.is_out(dependency);
        match report {
            Report::Working if out => self.restore(dependency),
            Report::Failing(reason) if !out => self.remove(dependency, reason),
            Report::Working | Report::Failing(_) => {}
        }
    }

    /// Whether a part is out of service.
    pub fn is_out(&self, dependency: Dependency) -> bool {
        self.removed.load().contains_key(&dependency)
    }

    /// All parts that are out of service.
    pub fn removed(&self) -> Arc<BTreeMap<Dependency, Removal>> {
        self.removed.load_full()
    }

    /// Whether a mutation is worth starting.
    pub fn may_write(&self) -> bool {
        !self.is_out(Dependency::Store)
    }

    fn remove(&self, dependency: Dependency, reason: &'static str) {
        let removal = Removal { reason, since: self.clock.now() };
        self.removed.rcu(|removed| {
            let mut removed = BTreeMap::clone(removed);
            removed.entry(dependency).or_insert_with(|| removal.clone());
            removed
        });
        warn!(%dependency, reason, "{dependency} taken out of service");
        self.publish(dependency);
    }

    fn restore(&self, dependency: Dependency) {
        self.removed.rcu(|removed| {
            let mut removed = BTreeMap::clone(removed);
            removed.remove(&dependency);
            removed
        });
        info!(%dependency, "{dependency} back in service");
        self.publish(dependency);
    }

    fn publish(&self, dependency: Dependency) {
        let label = dependency.label();
        let removed = self.removed.load();
        let out = removed.keys().filter(|other| other.label() == label).count();
        gauge!(OUT_OF_SERVICE, "dependency" => label)
            .set(f64::from(u32::try_from(out).unwrap_or(u32::MAX)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::TokioClock;

    fn health() -> ServiceHealth {
        let origin = Moment::from_unix_micros(1_000_000);
        ServiceHealth::new(Arc::new(TokioClock::starting_at(origin)))
    }

    #[tokio::test(start_paused = true)]
    async fn failing_part_is_out_with_reason_and_time_until_it_works_again() {
        let health = health();
        tokio::time::advance(Duration::from_secs(2)).await;
        health.report(Dependency::Provider, Report::Failing("breaker open"));
        tokio::time::advance(Duration::from_secs(2)).await;
        health.report(Dependency::Provider, Report::Failing("again"));
        let removal =
            Removal { reason: "breaker open", since: Moment::from_unix_micros(3_000_000) };
        assert_eq!(health.removed().get(&Dependency::Provider), Some(&removal));
        assert!(!health.is_out(Dependency::Store));

        health.report(Dependency::Provider, Report::Working);
        assert!(health.removed().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn tasks_are_out_one_by_one() {
        let health = health();
        health.report(Dependency::Task("projector"), Report::Failing("panicked"));
        assert!(health.is_out(Dependency::Task("projector")));
        assert!(!health.is_out(Dependency::Task("scheduler")));
        assert!(health.may_write());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_written_while_the_store_is_out() {
        let health = health();
        health.report(Dependency::Store, Report::Failing("commit failed"));
        assert!(!health.may_write());
        health.report(Dependency::Store, Report::Working);
        assert!(health.may_write());
    }
}
