//! A sliding window: at most so many checkouts within any span of a given length.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many checkouts, for all callers together, within which span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowPolicy {
    /// Checkouts within the span.
    pub checkouts_max: NonZeroU32,
    /// The span.
    pub span: Duration,
}

/// Times of the last admitted checkouts: one entry per admitted one, never more than the maximum.
#[derive(Debug)]
pub(super) struct SlidingWindow {
    policy: WindowPolicy,
    admitted: Mutex<VecDeque<Duration>>,
}

impl SlidingWindow {
    pub(super) const fn new(policy: WindowPolicy) -> Self {
        Self { policy, admitted: Mutex::new(VecDeque::new()) }
    }

    /// Admits at `now`, or says how long until there is room.
    pub(super) fn admit(&self, now: Duration) -> Result<(), Duration> {
        let mut admitted = self.admitted_since(now);
        if let Some(wait) = self.wait_behind(&admitted, now) {
            return Err(wait);
        }
        admitted.push_back(now);
        Ok(())
    }

    /// How long until there is room; `None` when there is now. Nothing is counted.
    pub(super) fn wait(&self, now: Duration) -> Option<Duration> {
        self.wait_behind(&self.admitted_since(now), now)
    }

    /// Those that still count at `now`.
    fn admitted_since(&self, now: Duration) -> MutexGuard<'_, VecDeque<Duration>> {
        let mut admitted = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = |oldest: &Duration| oldest.saturating_add(self.policy.span) <= now;
        while admitted.front().is_some_and(gone) {
            admitted.pop_front();
        }
        admitted
    }

    fn wait_behind(&self, admitted: &VecDeque<Duration>, now: Duration) -> Option<Duration> {
        let room = u32::try_from(admitted.len())
            .is_ok_and(|taken| taken < self.policy.checkouts_max.get());
        let oldest = admitted.front().filter(|_| !room)?;
        Some(oldest.saturating_add(self.policy.span).saturating_sub(now))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TWO_A_SECOND: WindowPolicy =
        WindowPolicy { checkouts_max: NonZeroU32::new(2).unwrap(), span: Duration::from_secs(1) };

    #[test]
    fn third_within_a_second_waits_for_the_first_to_leave_the_window() {
        let window = SlidingWindow::new(TWO_A_SECOND);
        let ms = Duration::from_millis;
        assert_eq!(window.admit(ms(0)), Ok(()));
        assert_eq!(window.admit(ms(600)), Ok(()));
        assert_eq!(window.admit(ms(900)), Err(ms(100)));
        assert_eq!((window.wait(ms(900)), window.wait(ms(1_000))), (Some(ms(100)), None));
        assert_eq!(window.admit(ms(1_000)), Ok(()));
        assert_eq!(window.admit(ms(1_100)), Err(ms(500)));
    }

    proptest! {
        #[test]
        fn no_second_ever_sees_more_than_two(gaps in prop::collection::vec(0_u64..700, 1..200)) {
            let window = SlidingWindow::new(TWO_A_SECOND);
            let mut now = Duration::ZERO;
            let mut admitted: Vec<Duration> = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                match window.admit(now) {
                    Ok(()) => admitted.push(now),
                    Err(wait) => prop_assert!(Duration::ZERO < wait && wait <= TWO_A_SECOND.span),
                }
            }
            for three in admitted.windows(3) {
                prop_assert!(three[0] + TWO_A_SECOND.span <= three[2]);
            }
        }
    }
}
