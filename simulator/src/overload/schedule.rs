//! When requests are meant to leave, and when a burst counts as over. Pure.

use std::time::Duration;

use super::tally::Second;

/// The share of what is offered that must come back.
const BACK: f64 = 0.95;
/// For so many seconds in a row.
const BACK_FOR: usize = 3;
/// Rates that are tried for the capacity, in parts of the highest that a closed crowd reached.
pub(super) const TRIED: [f64; 6] = [1.0, 0.95, 0.9, 0.85, 0.75, 0.6];

/// Arrivals at even distances.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Schedule {
    per_second: f64,
}

impl Schedule {
    /// So many a second; at least one in a thousand seconds.
    pub(super) fn new(per_second: f64) -> Self {
        Self { per_second: per_second.max(0.001) }
    }

    /// When the arrival with this number is due, from the opening on.
    pub(super) fn due(self, number: u64) -> Duration {
        let seconds = crate::rig::real(number) / self.per_second;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

/// The first second from which on what comes back is what is offered; `None` when it never is.
/// The last second may be cut short and does not count.
pub(super) fn recovered_after(seconds: &[Second]) -> Option<usize> {
    let whole = seconds.split_last().map(|(_, whole)| whole).unwrap_or_default();
    whole.windows(BACK_FOR).position(|window| {
        window
            .iter()
            .all(|second| crate::rig::real(second.offered) * BACK <= crate::rig::real(second.good))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_keep_their_distance_for_hours() {
        let schedule = Schedule::new(8_000.0);
        assert_eq!(schedule.due(0), Duration::ZERO);
        assert_eq!(schedule.due(4), Duration::from_micros(500));
        assert_eq!(schedule.due(8_000 * 3_600), Duration::from_hours(1));
    }

    #[test]
    fn a_schedule_without_arrivals_does_not_divide_by_nothing() {
        assert_eq!(Schedule::new(0.0).due(1), Duration::from_secs(1_000));
    }

    fn seconds(good: &[u64]) -> Vec<Second> {
        good.iter().map(|good| Second { offered: 100, good: *good }).collect()
    }

    #[test]
    fn recovery_is_the_first_of_three_good_seconds() {
        assert_eq!(recovered_after(&seconds(&[95, 96, 100, 0])), Some(0));
        assert_eq!(recovered_after(&seconds(&[99, 94, 95, 95, 95, 0])), Some(2));
        assert_eq!(recovered_after(&seconds(&[99, 99, 94, 99, 99, 99])), None);
    }

    #[test]
    fn too_short_a_time_shows_no_recovery() {
        assert_eq!(recovered_after(&seconds(&[100, 100, 100])), None);
        assert_eq!(recovered_after(&[]), None);
    }
}
