//! A circuit breaker as a function of inputs and time: no timer, no lock, no I/O.
//!
//! Closed: calls go through. Open: none does. Half-open: one probe at a time does. It never fails
//! open: whatever is lost or late, the worst is one more refusal.

#[cfg(test)]
mod tests;
mod window;

use std::fmt;
use std::time::Duration;

use engine::planted::{Bug, planted};
use serde::Serialize;
use window::Window;

/// When to open, for how long, and what it takes to close.
#[derive(Clone, Copy, Debug)]
pub struct BreakerPolicy {
    /// How far back calls are counted.
    pub window: Duration,
    /// Fewer calls than this within the window never open it.
    pub calls_min: u32,
    /// Opens when at least this share of the calls failed, in percent.
    pub failed_percent_min: u32,
    /// How long it refuses everything.
    pub open_for: Duration,
    /// A probe without a report counts as lost after this.
    pub probe_lost_after: Duration,
    /// Successful probes in a row that close it.
    pub probes_needed: u32,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(10),
            calls_min: 20,
            failed_percent_min: 50,
            open_for: Duration::from_secs(5),
            probe_lost_after: Duration::from_secs(3),
            probes_needed: 3,
        }
    }
}

/// Whether calls go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// One probe at a time goes through.
    HalfOpen,
    /// No call goes through.
    Open,
}

impl fmt::Display for BreakerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half-open",
            Self::Open => "open",
        })
    }
}

/// Names one probe, so that a late report of a lost one is not taken for its successor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeId(u64);

/// What the breaker is told.
#[derive(Clone, Copy, Debug)]
pub enum Input {
    /// Ordinary calls ended. A decline is a call that worked.
    Calls {
        /// How many got a definite answer.
        worked: u32,
        /// How many did not.
        failed: u32,
    },
    /// Somebody asks to make a call although the breaker is not closed.
    ProbeAsked,
    /// A probe ended; `None` when nobody will ever know how.
    ProbeEnded {
        /// Which one.
        probe: ProbeId,
        /// Whether it got a definite answer.
        worked: Option<bool>,
    },
    /// Time has passed.
    Tick,
}

/// What an input led to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// The call that was asked for may be made as this probe.
    pub granted: Option<ProbeId>,
    /// The breaker is in another state now.
    pub changed: Option<BreakerState>,
    /// It closed, so long after it had opened.
    pub recovered_after: Option<Duration>,
}

/// How long outages lasted, from opening to closing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recoveries {
    /// Ended outages.
    pub count: u32,
    /// All of them together.
    pub total: Duration,
    /// The last one.
    pub last: Duration,
}

impl Recoveries {
    /// Mean time to recovery; zero before the first.
    pub fn mean(&self) -> Duration {
        self.total.checked_div(self.count).unwrap_or_default()
    }

    fn add(&mut self, outage: Duration) {
        self.count = self.count.saturating_add(1);
        self.total = self.total.saturating_add(outage);
        self.last = outage;
    }
}

/// What an incarnation leaves behind for the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// `None` while closed; otherwise when the outage began and when it may be probed.
    pub outage: Option<Outage>,
    /// Outages that ended.
    pub recoveries: Recoveries,
    /// Probes named so far; names are never used twice.
    pub probes: u64,
}

/// An outage that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When the breaker opened first.
    pub began: Duration,
    /// No call goes through before.
    pub probe_at: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Probe {
    id: ProbeId,
    lost_at: Duration,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Closed,
    Open { began: Duration, until: Duration },
    HalfOpen { began: Duration, since: Duration, worked: u32, probe: Option<Probe> },
}

/// The breaker. Time is told as the span since an origin that never changes.
#[derive(Debug)]
pub struct Breaker {
    policy: BreakerPolicy,
    phase: Phase,
    window: Window,
    recoveries: Recoveries,
    probes: u64,
}

impl Breaker {
    /// Goes on where `standing` ended; the default standing is closed.
    pub fn new(policy: BreakerPolicy, standing: Standing) -> Self {
        let phase = standing.outage.map_or(Phase::Closed, |Outage { began, probe_at }| {
            Phase::Open { began, until: probe_at }
        });
        let window = Window::new(policy.window);
        let Standing { recoveries, probes, .. } = standing;
        Self { policy, phase, window, recoveries, probes }
    }

    /// Takes an input at `now`.
    pub fn on(&mut self, input: Input, now: Duration) -> Effects {
        let mut effects = Effects::default();
        self.half_open_when_due(now, &mut effects);
        match input {
            Input::Calls { worked, failed } => self.count(worked, failed, now, &mut effects),
            Input::ProbeAsked => effects.granted = self.grant(now),
            Input::ProbeEnded { probe, worked } => self.end(probe, worked, now, &mut effects),
            Input::Tick => {}
        }
        effects
    }

    /// Whether calls go through.
    pub const fn state(&self) -> BreakerState {
        match self.phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { .. } => BreakerState::Open,
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// What the next incarnation needs.
    pub const fn standing(&self) -> Standing {
        let outage = match self.phase {
            Phase::Closed => None,
            Phase::Open { began, until } => Some(Outage { began, probe_at: until }),
            Phase::HalfOpen { began, since, probe: None, .. } => {
                Some(Outage { began, probe_at: since })
            }
            Phase::HalfOpen { began, probe: Some(probe), .. } => {
                Some(Outage { began, probe_at: probe.lost_at })
            }
        };
        Standing { outage, recoveries: self.recoveries, probes: self.probes }
    }

    fn half_open_when_due(&mut self, now: Duration, effects: &mut Effects) {
        if let Phase::Open { began, until } = self.phase
            && until <= now
        {
            self.phase = Phase::HalfOpen { began, since: until, worked: 0, probe: None };
            effects.changed = Some(BreakerState::HalfOpen);
        }
    }

    fn count(&mut self, worked: u32, failed: u32, now: Duration, effects: &mut Effects) {
        // Calls that began before it opened say nothing about the provider's present.
        let Phase::Closed = self.phase else { return };
        // Nor does time alone open it, as successes leave the window.
        if worked == 0 && failed == 0 {
            return;
        }
        self.window.add(worked, failed, now);
        let (worked, failed) = self.window.sums(now);
        let calls = worked.saturating_add(failed);
        let enough = u64::from(self.policy.calls_min) <= calls;
        let bad = u64::from(self.policy.failed_percent_min).saturating_mul(calls)
            <= failed.saturating_mul(100);
        // Without the last test a percentage of zero would open on success.
        if enough && bad && 0 < failed {
            self.open(now, now, effects);
        }
    }

    fn grant(&mut self, now: Duration) -> Option<ProbeId> {
        let Phase::HalfOpen { probe, .. } = &mut self.phase else { return None };
        if probe.is_some_and(|under_way| now < under_way.lost_at) || planted(Bug::NeverProbes) {
            return None;
        }
        self.probes = self.probes.wrapping_add(1);
        let id = ProbeId(self.probes);
        *probe = Some(Probe { id, lost_at: now.saturating_add(self.policy.probe_lost_after) });
        Some(id)
    }

    fn end(&mut self, id: ProbeId, ended: Option<bool>, now: Duration, effects: &mut Effects) {
        let Phase::HalfOpen { began, worked, probe, .. } = &mut self.phase else { return };
        if probe.is_none_or(|under_way| under_way.id != id) {
            return;
        }
        *probe = None;
        let began = *began;
        match ended {
            None => {}
            Some(false) => self.open(began, now, effects),
            Some(true) => {
                *worked = worked.saturating_add(1);
                if self.policy.probes_needed <= *worked {
                    self.close(now.saturating_sub(began), effects);
                }
            }
        }
    }

    fn open(&mut self, began: Duration, now: Duration, effects: &mut Effects) {
        self.phase = Phase::Open { began, until: now.saturating_add(self.policy.open_for) };
        effects.changed = Some(BreakerState::Open);
    }

    fn close(&mut self, outage: Duration, effects: &mut Effects) {
        self.phase = Phase::Closed;
        self.window = Window::new(self.policy.window);
        self.recoveries.add(outage);
        effects.changed = Some(BreakerState::Closed);
        effects.recovered_after = Some(outage);
    }
}
