//! When requests are meant to leave, and when a burst counts as over. Pure.

use std::time::Duration;

use super::tally::Second;
use crate::rig::real;

/// The share of what is offered that must come back.
const BACK: f64 = 0.95;
/// For so many seconds in a row.
const BACK_FOR: usize = 3;

/// A part of a load: how long it lasts, and how many arrive in a second of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    /// Its length.
    pub(super) lasts: Duration,
    /// Arrivals a second.
    pub(super) per_second: f64,
}

/// Arrivals at even distances, step after step.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Schedule {
    steps: Vec<Opened>,
    count: u64,
}

/// A step in its place.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Opened {
    opens: Duration,
    first: u64,
    per_second: f64,
}

impl Schedule {
    /// One step after the other.
    pub(super) fn new(steps: &[Step]) -> Self {
        let (mut opens, mut count) = (Duration::ZERO, 0);
        let steps = steps.iter().map(|step| {
            let opened = Opened { opens, first: count, per_second: step.per_second };
            opens += step.lasts;
            count += arrivals(step);
            opened
        });
        Self { steps: steps.collect(), count }
    }

    /// When the arrival with this number is due, from the opening on; `None` after the last one.
    pub(super) fn due(&self, number: u64) -> Option<Duration> {
        if self.count <= number {
            return None;
        }
        let step = self.steps.iter().rfind(|step| step.first <= number)?;
        let seconds = real(number - step.first) / step.per_second;
        step.opens.checked_add(Duration::try_from_secs_f64(seconds).ok()?)
    }
}

/// Those whose moment lies within a step.
fn arrivals(step: &Step) -> u64 {
    // A duration of as many seconds as there are arrivals rounds without a cast.
    let all = Duration::try_from_secs_f64(step.per_second * step.lasts.as_secs_f64());
    let all = all.unwrap_or_default();
    all.as_secs().saturating_add(u64::from(0 < all.subsec_nanos()))
}

/// The first second from which on those who come get what they came for; `None` when there is
/// none. The last second may be cut short and does not count.
pub(super) fn recovered_after(seconds: &[Second]) -> Option<usize> {
    let whole = seconds.split_last().map(|(_, whole)| whole).unwrap_or_default();
    whole.windows(BACK_FOR).position(|window| {
        window.iter().all(|second| real(second.came) * BACK <= real(second.served))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(seconds: u64, per_second: f64) -> Step {
        Step { lasts: Duration::from_secs(seconds), per_second }
    }

    #[test]
    fn arrivals_keep_their_distance_for_hours() {
        let schedule = Schedule::new(&[step(7_200, 8_000.0)]);
        assert_eq!(schedule.due(0), Some(Duration::ZERO));
        assert_eq!(schedule.due(4), Some(Duration::from_micros(500)));
        assert_eq!(schedule.due(8_000 * 3_600), Some(Duration::from_hours(1)));
        assert_eq!(schedule.due(8_000 * 7_200), None);
    }

    #[test]
    fn a_step_follows_the_other_without_a_gap() {
        let schedule = Schedule::new(&[step(2, 100.0), step(1, 0.0), step(2, 10.0)]);
        assert_eq!(schedule.due(199), Some(Duration::from_millis(1_990)));
        assert_eq!(schedule.due(200), Some(Duration::from_secs(3)));
        assert_eq!(schedule.due(201), Some(Duration::from_millis(3_100)));
        assert_eq!((schedule.due(219).is_some(), schedule.due(220)), (true, None));
    }

    fn seconds(served: &[u64]) -> Vec<Second> {
        served.iter().map(|served| Second { came: 100, served: *served }).collect()
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
