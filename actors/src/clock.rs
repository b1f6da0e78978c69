//! The present moment, injected: the only way to learn it outside of this file.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::planted::{Bug, planted};
use engine::values::Moment;
use tokio::time::Instant;

/// Tells the present moment.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Moment;
}

/// The machine's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    fn now(&self) -> Moment {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Moment::from_unix_micros(0).saturating_add(since.unwrap_or(Duration::ZERO))
    }
}

/// How much of the time that has passed may be told too much or too little while a leap of the wall
/// clock is made up for: a tenth.
const CORRECTION: u64 = 10;

/// Shorter spans are told on top of the last one, so that rounding loses nothing.
const TOLD_AGAIN_AFTER: Duration = Duration::from_millis(10);

/// A wall clock without its leaps: it never goes back, and no span told by it is off by more than a
/// tenth. Sans-I/O, so that simulated leaps are made up for as real ones are.
#[derive(Clone, Copy, Debug)]
pub struct Steadied {
    /// What was told at `since` of the monotonic clock.
    base: Moment,
    since: Duration,
    last: Moment,
}

impl Steadied {
    /// Begins with what both clocks show, but no earlier than at the newest moment that the journal
    /// tells of.
    ///
    /// Histories do not go back, and what one entity asks of another is void after seconds. If a new
    /// process told an earlier time than the old one had, every stock that had sold would be ahead of
    /// whoever asks it, and would find every question too old.
    pub fn new(wall: Moment, monotonic: Duration, newest: Option<Moment>) -> Self {
        let base = newest.map_or(wall, |newest| newest.max(wall));
        Self { base, since: monotonic, last: base }
    }

    /// The present moment, by what both clocks show.
    pub fn tell(&mut self, wall: Moment, monotonic: Duration) -> Moment {
        if planted(Bug::FollowsLeaps) {
            return wall;
        }
        let passed = monotonic.saturating_sub(self.since);
        let expected = self.base.saturating_add(passed);
        let most = i64::try_from(passed.as_micros()).unwrap_or(i64::MAX) / CORRECTION.cast_signed();
        let gap = wall.as_unix_micros().saturating_sub(expected.as_unix_micros());
        let corrected = expected.as_unix_micros().saturating_add(gap.clamp(-most, most));
        self.last = Moment::from_unix_micros(corrected).max(self.last);
        if TOLD_AGAIN_AFTER <= passed {
            self.base = self.last;
            self.since = monotonic;
        }
        self.last
    }
}

/// A wall clock without its leaps. A leap would let holds lapse before their time, or pauses and
/// timers last for hours; what an administrator or a time server changes is made up for little by
/// little instead.
pub struct SteadyClock {
    wall: Arc<dyn Clock>,
    started: Instant,
    steadied: Mutex<Steadied>,
}

impl SteadyClock {
    /// Follows `wall`; see [`Steadied::new`].
    pub fn over(wall: Arc<dyn Clock>, newest: Option<Moment>) -> Self {
        let steadied = Steadied::new(wall.now(), Duration::ZERO, newest);
        Self { wall, started: Instant::now(), steadied: Mutex::new(steadied) }
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Moment {
        let mut steadied = self.steadied.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, so that no thread tells an older moment after a later one.
        steadied.tell(self.wall.now(), self.started.elapsed())
    }
}

/// A wall clock geared to tokio's timer: pausing one pauses the other.
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    origin: Moment,
    started: Instant,
}

impl TokioClock {
    /// Starts at `origin`.
    pub fn starting_at(origin: Moment) -> Self {
        Self { origin, started: Instant::now() }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Moment {
        self.origin.saturating_add(self.started.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: i64 = 1_000_000_000;

    fn at(micros: i64) -> Moment {
        Moment::from_unix_micros(ORIGIN + micros)
    }

    /// What is told at each of these seconds of a monotonic clock when the wall is `off` by then.
    fn told(seconds: std::ops::RangeInclusive<i64>, off: impl Fn(i64) -> i64) -> Vec<i64> {
        let mut steadied = Steadied::new(at(0), Duration::ZERO, None);
        let tell = |second: i64| {
            let monotonic = Duration::from_secs(second.unsigned_abs());
            let told = steadied.tell(at((second + off(second)) * 1_000_000), monotonic);
            (told.as_unix_micros() - ORIGIN) / 1_000_000
        };
        seconds.map(tell).collect()
    }

    #[test]
    fn a_clock_that_does_not_leap_is_told_as_it_is() {
        assert_eq!(told(1..=5, |_| 0), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_leap_forward_is_made_up_for_by_a_tenth() {
        let told = told(1..=700, |second| if second < 100 { 0 } else { 60 });
        assert_eq!(told[98], 99);
        assert_eq!(told[198], 209, "a hundred seconds later ten are made up for");
        assert_eq!(told[699], 760, "all of it is");
    }

    #[test]
    fn a_leap_back_never_shows() {
        let told = told(1..=700, |second| if second < 100 { 0 } else { -60 });
        assert!(told.is_sorted());
        assert_eq!(told[198], 189, "a hundred seconds later ten are made up for");
        assert_eq!(told[699], 640, "all of it is");
    }

    #[test]
    fn it_begins_no_earlier_than_at_the_newest_moment_of_the_journal() {
        let newest = Some(at(60_000_000));
        let mut steadied = Steadied::new(at(0), Duration::ZERO, newest);
        assert_eq!(steadied.tell(at(0), Duration::ZERO), at(60_000_000));
        let later = steadied.tell(at(100_000_000), Duration::from_secs(100));
        assert_eq!(later, at(150_000_000), "ten of the sixty seconds are made up for");
        let mut ahead = Steadied::new(at(90_000_000), Duration::ZERO, newest);
        assert_eq!(ahead.tell(at(90_000_000), Duration::ZERO), at(90_000_000));
    }

    #[test]
    fn often_asked_it_makes_up_for_a_leap_as_well() {
        let mut steadied = Steadied::new(at(0), Duration::ZERO, None);
        let mut last = at(0);
        for micros in (0..100_000_000).step_by(1_500) {
            let monotonic = Duration::from_micros(micros);
            let wall = at(i64::try_from(micros).unwrap() + 5_000_000);
            let told = steadied.tell(wall, monotonic);
            assert!(last <= told);
            last = told;
        }
        assert!(at(104_990_000) <= last, "{last:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn wall_clock_follows_the_paused_timer() {
        let clock = TokioClock::starting_at(Moment::from_unix_micros(1_000));
        tokio::time::sleep(Duration::from_mins(10)).await;
        assert_eq!(clock.now(), Moment::from_unix_micros(600_001_000));
    }
}
