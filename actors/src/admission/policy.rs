//! How many requests may be in flight: additive increase, multiplicative decrease. Pure.
//!
//! The signal is the 99th percentile in its cheapest form: the share of requests that took longer
//! than the target. The limit rises only while it is used, so that a quiet hour does not raise it
//! to a value that nobody has tried. What few requests at once need is no queue: on a slow disk the
//! target gives way, because a lower limit would not make it faster.

use std::time::Duration;

/// One part in so many of the limit is few requests in flight.
const FEW: usize = 8;
/// A request among many may take so many times as long as one among few.
const TIMES_ALONE: u32 = 3;

/// Bounds and steps of the limit.
#[derive(Clone, Copy, Debug)]
pub struct LimitPolicy {
    /// Never fewer.
    pub min: usize,
    /// Never more.
    pub max: usize,
    /// Where it begins.
    pub start: usize,
    /// A request that took longer is slow.
    pub target: Duration,
    /// Where few requests at once take long, three times of that is not slow, up to this.
    pub target_max: Duration,
    /// The limit falls when more requests than this are slow, in percent.
    pub slow_percent_max: u32,
    /// Requests that make a judgement.
    pub judged_from: u32,
    /// After this long, fewer requests are judged too.
    pub judged_after: Duration,
    /// What it gains while it is used and all is well.
    pub step: usize,
    /// What is left of it on overload, in percent.
    pub left_percent: usize,
    /// Pause after a fall: the next judgement must see what the fall did.
    pub settle: Duration,
}

impl Default for LimitPolicy {
    fn default() -> Self {
        Self {
            min: 16,
            max: 4_096,
            start: 256,
            target: Duration::from_millis(50),
            target_max: Duration::from_millis(100),
            slow_percent_max: 1,
            judged_from: 100,
            judged_after: Duration::from_secs(1),
            step: 16,
            left_percent: 80,
            settle: Duration::from_millis(200),
        }
    }
}

/// What happened since the last sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Requests that ended.
    pub finished: u32,
    /// Of those, requests that took longer than the target.
    pub slow: u32,
    /// Requests that found a queue inside full.
    pub overloaded: u32,
    /// Most requests that were in flight at once.
    pub in_flight_peak: usize,
    /// How long those that ended took, all together.
    pub took: Duration,
}

/// The limit.
#[derive(Clone, Copy, Debug)]
pub struct Aimd {
    policy: LimitPolicy,
    limit: usize,
    gathered: Sample,
    judged_at: Duration,
    settled_at: Duration,
    /// What a request takes while few are in flight.
    alone: Duration,
}

impl Aimd {
    /// Goes on from `limit` at `now`, within the policy's bounds.
    pub fn new(policy: LimitPolicy, limit: usize, now: Duration) -> Self {
        let min = policy.min.max(1);
        let policy = LimitPolicy { min, max: policy.max.max(min), ..policy };
        let limit = limit.clamp(policy.min, policy.max);
        Self {
            policy,
            limit,
            gathered: Sample::default(),
            judged_at: now,
            settled_at: now,
            alone: Duration::ZERO,
        }
    }

    /// The limit.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// How long a request may take before it is slow.
    pub fn target(&self) -> Duration {
        let LimitPolicy { target, target_max, .. } = self.policy;
        self.alone.saturating_mul(TIMES_ALONE).min(target_max).max(target)
    }

    /// Takes a sample at `now` and says the limit that holds from here on.
    pub fn on(&mut self, sample: Sample, now: Duration) -> usize {
        self.gather(sample);
        let waited = now.saturating_sub(self.judged_at);
        let enough = self.policy.judged_from <= self.gathered.finished;
        if now < self.settled_at || !(enough || self.policy.judged_after <= waited) {
            return self.limit;
        }
        let judged = std::mem::take(&mut self.gathered);
        self.judged_at = now;
        if let Some(mean) = judged.took.checked_div(judged.finished)
            && judged.in_flight_peak <= self.policy.min.max(self.limit / FEW)
        {
            self.alone = mean;
        }
        if self.is_overload(judged) {
            let left = self.limit.saturating_mul(self.policy.left_percent.min(100)) / 100;
            self.limit = left.max(self.policy.min);
            self.settled_at = now.saturating_add(self.policy.settle);
        } else if 0 < judged.finished && self.limit <= judged.in_flight_peak.saturating_mul(2) {
            self.limit = self.limit.saturating_add(self.policy.step).min(self.policy.max);
        }
        self.limit
    }

    fn gather(&mut self, sample: Sample) {
        let gathered = &mut self.gathered;
        gathered.finished = gathered.finished.saturating_add(sample.finished);
        gathered.slow = gathered.slow.saturating_add(sample.slow);
        gathered.overloaded = gathered.overloaded.saturating_add(sample.overloaded);
        gathered.in_flight_peak = gathered.in_flight_peak.max(sample.in_flight_peak);
        gathered.took = gathered.took.saturating_add(sample.took);
    }

    fn is_overload(&self, judged: Sample) -> bool {
        let bad = u64::from(judged.slow).saturating_add(u64::from(judged.overloaded));
        let bearable =
            u64::from(judged.finished).saturating_mul(u64::from(self.policy.slow_percent_max));
        bearable < bad.saturating_mul(100)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn aimd() -> Aimd {
        Aimd::new(LimitPolicy::default(), 256, Duration::ZERO)
    }

    fn busy(slow: u32) -> Sample {
        Sample { finished: 1_000, slow, in_flight_peak: 4_096, ..Sample::default() }
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn rises_by_a_step_while_it_is_used_and_fast() {
        let mut aimd = aimd();
        assert_eq!(aimd.on(busy(10), ms(100)), 272);
        assert_eq!(aimd.on(busy(0), ms(200)), 288);
    }

    #[test]
    fn does_not_rise_while_it_is_not_used() {
        let mut aimd = aimd();
        let quiet = Sample { finished: 1_000, in_flight_peak: 127, ..Sample::default() };
        assert_eq!(aimd.on(quiet, ms(100)), 256);
        assert_eq!(aimd.on(Sample::default(), ms(5_000)), 256);
    }

    #[test]
    fn falls_to_four_fifths_when_more_than_one_percent_is_slow_and_then_lets_it_settle() {
        let mut aimd = aimd();
        assert_eq!(aimd.on(busy(11), ms(100)), 204);
        assert_eq!(aimd.on(busy(1_000), ms(200)), 204, "settling");
        assert_eq!(aimd.on(busy(0), ms(300)), 163, "what was gathered meanwhile counts");
    }

    #[test]
    fn full_queues_inside_count_as_slow() {
        let mut aimd = aimd();
        let refused = Sample { overloaded: 11, ..busy(0) };
        assert_eq!(aimd.on(refused, ms(100)), 204);
    }

    #[test]
    fn what_few_requests_take_is_not_called_slow_unless_it_is_very_long() {
        let mut aimd = aimd();
        let took = |each, peak| Sample {
            finished: 1_000,
            in_flight_peak: peak,
            took: ms(each) * 1_000,
            ..Sample::default()
        };
        assert_eq!(aimd.target(), ms(50));
        aimd.on(took(30, 33), ms(100));
        assert_eq!(aimd.target(), ms(50), "more than an eighth of the limit were in flight");
        aimd.on(took(30, 32), ms(200));
        assert_eq!(aimd.target(), ms(90));
        aimd.on(took(60, 16), ms(300));
        assert_eq!(aimd.target(), ms(100));
        aimd.on(took(1, 16), ms(400));
        assert_eq!(aimd.target(), ms(50));
    }

    #[test]
    fn few_requests_are_judged_only_after_a_second() {
        let mut aimd = aimd();
        let few = Sample { finished: 5, slow: 5, in_flight_peak: 5, ..Sample::default() };
        assert_eq!(aimd.on(few, ms(900)), 256);
        assert_eq!(aimd.on(few, ms(1_000)), 204);
    }

    #[test]
    fn limit_of_a_senseless_policy_still_lets_one_request_in() {
        let policy = LimitPolicy { min: 0, max: 0, ..LimitPolicy::default() };
        assert_eq!(Aimd::new(policy, 256, Duration::ZERO).limit(), 1);
    }

    proptest! {
        #[test]
        fn stays_within_bounds_and_recovers_when_all_is_well(
            samples in prop::collection::vec(
                (0_u32..2_000, any::<u32>(), any::<u32>(), 0_usize..10_000, 0_u64..2_000),
                0..200,
            ),
            start: usize,
        ) {
            let mut aimd = Aimd::new(LimitPolicy::default(), start, Duration::ZERO);
            let mut now = Duration::ZERO;
            for (finished, slow, overloaded, in_flight_peak, millis) in samples {
                now += Duration::from_millis(millis);
                let took = ms(millis) * finished;
                let sample = Sample { finished, slow, overloaded, in_flight_peak, took };
                let before = aimd.limit();
                let limit = aimd.on(sample, now);
                prop_assert!((16..=4_096).contains(&limit));
                prop_assert!((ms(50)..=ms(100)).contains(&aimd.target()));
                prop_assert!(limit <= before + 16, "never more than a step");
                prop_assert!(before * 80 / 100 <= limit, "never less than four fifths");
            }
            // What was gathered last may cause one more fall; then only rises are left.
            for _ in 0..300 {
                now += Duration::from_secs(1);
                aimd.on(busy(0), now);
            }
            prop_assert_eq!(aimd.limit(), 4_096);
        }
    }
}
