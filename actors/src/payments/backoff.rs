//! When to try again: full jitter under a doubling ceiling. Pure; the random draw is passed in.

use std::sync::Arc;
use std::time::Duration;

/// A source of evenly spread 64-bit numbers; seeded in simulation.
pub type Draw = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The machine's randomness.
pub fn chance() -> Draw {
    Arc::new(rand::random::<u64>)
}

/// How often and how late a call is repeated.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// Repeats after the first attempt.
    pub retries: u32,
    /// Longest pause before the first repeat; it doubles with each further one.
    pub base: Duration,
    /// No pause is longer than this.
    pub cap: Duration,
    /// No repeat starts later than this after the first attempt started.
    pub budget: Duration,
}

impl Backoff {
    /// The pause before repeat number `retry` (from 0), or `None` when it is not worth it.
    ///
    /// Full jitter spreads the pause evenly from nothing to its ceiling, because callers that
    /// failed together must not come back together.
    pub fn pause(&self, retry: u32, elapsed: Duration, draw: u64) -> Option<Duration> {
        if self.retries <= retry {
            return None;
        }
        let ceiling = self.base.saturating_mul(2_u32.saturating_pow(retry)).min(self.cap);
        let pause = fraction(ceiling, draw);
        (elapsed.saturating_add(pause) <= self.budget).then_some(pause)
    }
}

/// `draw / 2^64` of `span`.
fn fraction(span: Duration, draw: u64) -> Duration {
    let nanos = span.as_nanos().saturating_mul(u128::from(draw)) >> 64;
    // The product of a number below 2^64 with a span shifted by 64 is below the span.
    u64::try_from(nanos).map_or(span, Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BACKOFF: Backoff = Backoff {
        retries: 3,
        base: Duration::from_millis(100),
        cap: Duration::from_millis(300),
        budget: Duration::from_secs(1),
    };

    #[test]
    fn ceiling_doubles_up_to_the_cap_and_retries_end() {
        let longest = |retry| BACKOFF.pause(retry, Duration::ZERO, u64::MAX);
        let about = |pause: Option<Duration>| pause.unwrap().as_nanos().div_ceil(1_000_000);
        assert_eq!(about(longest(0)), 100);
        assert_eq!(about(longest(1)), 200);
        assert_eq!(about(longest(2)), 300);
        assert_eq!(longest(3), None);
        assert_eq!(BACKOFF.pause(0, Duration::ZERO, 0), Some(Duration::ZERO));
    }

    #[test]
    fn no_repeat_starts_after_the_budget_is_spent() {
        assert_eq!(BACKOFF.pause(0, Duration::from_millis(950), u64::MAX), None);
        assert!(BACKOFF.pause(0, Duration::from_millis(950), 0).is_some());
        assert_eq!(BACKOFF.pause(0, Duration::from_secs(2), 0), None);
    }

    proptest! {
        #[test]
        fn pause_never_passes_cap_or_budget(
            retry in 0_u32..40,
            elapsed_ms in 0_u64..2_000,
            draw: u64,
        ) {
            let elapsed = Duration::from_millis(elapsed_ms);
            if let Some(pause) = BACKOFF.pause(retry, elapsed, draw) {
                prop_assert!(retry < BACKOFF.retries);
                prop_assert!(pause <= BACKOFF.cap);
                prop_assert!(elapsed + pause <= BACKOFF.budget);
            }
        }
    }
}
