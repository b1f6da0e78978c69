//! Which outstanding work is under way, and which pauses after a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::process::Intent;
use engine::values::Moment;

/// First pause after a failure; it doubles with each further one.
const PAUSE_FIRST: Duration = Duration::from_millis(100);

/// Longest pause.
const PAUSE_LONGEST: Duration = Duration::from_secs(10);

/// A pause after a failure.
struct Pause {
    failures: u32,
    until: Moment,
}

/// The work of one entity for others.
#[derive(Default)]
pub(super) struct Pursuit {
    under_way: BTreeSet<Intent>,
    pauses: BTreeMap<Intent, Pause>,
    announced: Option<Moment>,
}

impl Pursuit {
    pub(super) fn is_idle(&self) -> bool {
        self.under_way.is_empty() && self.pauses.is_empty()
    }

    /// Those intents that are to be started now; they count as under way from here on. Those that
    /// leave the engine are started only if they may.
    pub(super) fn take_up(
        &mut self,
        outstanding: Vec<Intent>,
        may_leave: bool,
        now: Moment,
    ) -> Vec<Intent> {
        if outstanding.is_empty() && self.pauses.is_empty() {
            return outstanding;
        }
        // What is no longer owed needs no pause.
        self.pauses.retain(|intent, _| outstanding.contains(intent));
        let ready = |intent: &Intent| {
            (may_leave || !intent.leaves_the_engine())
                && !self.under_way.contains(intent)
                && self.pauses.get(intent).is_none_or(|pause| pause.until <= now)
        };
        let taken: Vec<Intent> = outstanding.into_iter().filter(ready).collect();
        self.under_way.extend(taken.iter().cloned());
        taken
    }

    /// An intent came to an end. If it is owed still, it pauses before the next try.
    pub(super) fn finished(&mut self, intent: &Intent, progress: bool, now: Moment) {
        self.under_way.remove(intent);
        // A charge in trouble makes progress once, when it is queued; then it is owed as before.
        if progress && !matches!(intent, Intent::Charge { .. }) {
            self.pauses.remove(intent);
            return;
        }
        let failures = self.pauses.get(intent).map_or(0, |pause| pause.failures).saturating_add(1);
        let doubled = PAUSE_FIRST.saturating_mul(1_u32.checked_shl(failures.min(16)).unwrap_or(1));
        let until = now.saturating_add(doubled.min(PAUSE_LONGEST));
        self.pauses.insert(intent.clone(), Pause { failures, until });
    }

    /// How long until the next pause ends, told once per pause.
    pub(super) fn pause(&mut self, now: Moment) -> Option<Duration> {
        let next = self
            .pauses
            .iter()
            .filter(|(intent, _)| !self.under_way.contains(*intent))
            .map(|(_, pause)| pause.until)
            .min()?;
        if self.announced.is_some_and(|announced| now < announced && announced <= next) {
            return None;
        }
        self.announced = Some(next);
        Some(next.saturating_since(now))
    }
}
