//! Which outstanding work is under way, and which pauses after a failure.

use std::time::Duration;

use engine::process::Intent;
use engine::values::Moment;

/// First pause after a failure; it doubles with each further one.
const PAUSE_FIRST: Duration = Duration::from_millis(100);

/// Longest pause.
const PAUSE_LONGEST: Duration = Duration::from_secs(10);

/// A pause after a failure.
struct Pause {
    intent: Intent,
    failures: u32,
    until: Moment,
}

/// The work of one entity for others. It owes a handful of things at most, so lists are looked
/// through.
#[derive(Default)]
pub(super) struct Pursuit {
    under_way: Vec<(u64, Intent)>,
    pauses: Vec<Pause>,
    announced: Option<Moment>,
}

impl Pursuit {
    pub(super) fn is_idle(&self) -> bool {
        self.under_way.is_empty() && self.pauses.is_empty()
    }

    /// Those intents that are to be started now. Those that leave the engine are started only if
    /// they may.
    pub(super) fn take_up(
        &mut self,
        mut outstanding: Vec<Intent>,
        may_leave: bool,
        now: Moment,
    ) -> Vec<Intent> {
        if outstanding.is_empty() && self.pauses.is_empty() {
            return outstanding;
        }
        // What is no longer owed needs no pause.
        self.pauses.retain(|pause| outstanding.contains(&pause.intent));
        outstanding.retain(|intent| {
            (may_leave || !intent.leaves_the_engine())
                && !self.is_under_way(intent)
                && !self.under_way.iter().any(|(_, other)| intent.waits_for(other))
                && self.pause_of(intent).is_none_or(|pause| pause.until <= now)
        });
        outstanding
    }

    /// An intent is under way from here on, under that ticket.
    pub(super) fn started(&mut self, ticket: u64, intent: Intent) {
        self.under_way.push((ticket, intent));
    }

    /// The intent that was under way under that ticket, and is no more.
    pub(super) fn ended(&mut self, ticket: u64) -> Option<Intent> {
        let index = self.under_way.iter().position(|(known, _)| *known == ticket)?;
        Some(self.under_way.swap_remove(index).1)
    }

    /// What came of an intent that has ended. If it is owed still, it pauses before the next try.
    pub(super) fn finished(&mut self, intent: Intent, progress: bool, now: Moment) {
        let paused = self.pauses.iter().position(|pause| pause.intent == intent);
        let before = paused.map(|index| self.pauses.swap_remove(index));
        // A charge in trouble makes progress once, when it is queued; then it is owed as before.
        if progress && !matches!(intent, Intent::Charge { .. }) {
            return;
        }
        let failures = before.map_or(0, |pause| pause.failures).saturating_add(1);
        let doubled = PAUSE_FIRST.saturating_mul(1_u32.checked_shl(failures.min(16)).unwrap_or(1));
        let until = now.saturating_add(doubled.min(PAUSE_LONGEST));
        self.pauses.push(Pause { intent, failures, until });
    }

    /// How long until the next pause ends, told once per pause.
    pub(super) fn pause(&mut self, now: Moment) -> Option<Duration> {
        // One that is over and was not taken up waits for something that will be told by itself: a
        // commit, or the answer to another intent. To announce it would be to spin until then.
        let waiting = self
            .pauses
            .iter()
            .filter(|pause| now < pause.until && !self.is_under_way(&pause.intent));
        let next = waiting.map(|pause| pause.until).min()?;
        if self.announced.is_some_and(|announced| now < announced && announced <= next) {
            return None;
        }
        self.announced = Some(next);
        Some(next.saturating_since(now))
    }

    /// The time that was told last is over. Without this nobody would be told of a pause again while
    /// the wall clock is behind what was announced.
    pub(super) const fn rang(&mut self) {
        self.announced = None;
    }

    fn is_under_way(&self, intent: &Intent) -> bool {
        self.under_way.iter().any(|(_, known)| known == intent)
    }

    fn pause_of(&self, intent: &Intent) -> Option<&Pause> {
        self.pauses.iter().find(|pause| pause.intent == *intent)
    }
}
