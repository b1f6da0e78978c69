//! The present moment, injected: the only way to learn it outside of this file.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::values::Moment;
use persistence::StoreError;
use persistence::journal::{Journal, Shard};
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

/// The newest moment that a journal tells of.
pub(crate) async fn newest(journal: &dyn Journal) -> Result<Moment, StoreError> {
    let mut newest = Moment::default();
    for (shard, head) in (0_u16..).map(Shard).zip(journal.heads().await?) {
        match journal.read_shard(shard, head.saturating_sub(1), 1).await {
            Ok(last) => newest = last.last().map_or(newest, |record| newest.max(record.at)),
            // A damaged row concerns those whose history it is, and nobody else.
            Err(StoreError::Corrupt(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(newest)
}

/// Moments closer together than this may be told in either order.
const GRAIN_MICROS: i64 = 1_000;

/// A wall clock that is never set back.
///
/// Histories do not go back either, and what one entity asks of another is void after seconds. With
/// a clock that was set back, whatever had been asked before would be ahead of whoever asks, and
/// would find every question too old until the clock had caught up. So this one goes on instead, at
/// half the speed while it is ahead: what was an hour is worked off in two.
pub(crate) struct SteadyClock {
    wall: Arc<dyn Clock>,
    /// The latest moment that was told, in microseconds.
    latest: AtomicI64,
    /// While it is ahead: what was told last, and when.
    ahead: Mutex<(i64, Instant)>,
}

impl SteadyClock {
    /// Goes by `wall`, and starts no earlier than at `newest`.
    pub(crate) fn over(wall: Arc<dyn Clock>, newest: Moment) -> Self {
        let latest = newest.as_unix_micros();
        Self { wall, latest: AtomicI64::new(latest), ahead: Mutex::new((latest, Instant::now())) }
    }

    fn go_on_from(&self, latest: i64) -> i64 {
        // Nothing is left half-done under this lock.
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let (told, at) = *ahead;
        let now = Instant::now();
        let since = if told == latest { now.saturating_duration_since(at) } else { Duration::ZERO };
        let half = i64::try_from((since / 2).as_micros()).unwrap_or_default();
        let next = latest.saturating_add(half);
        *ahead = (next, now);
        self.latest.fetch_max(next, Ordering::Relaxed);
        next
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Moment {
        let wall = self.wall.now().as_unix_micros();
        let latest = self.latest.load(Ordering::Relaxed);
        if latest <= wall.saturating_add(GRAIN_MICROS) {
            if latest.saturating_add(GRAIN_MICROS) < wall {
                self.latest.fetch_max(wall, Ordering::Relaxed);
            }
            return Moment::from_unix_micros(wall);
        }
        Moment::from_unix_micros(self.go_on_from(latest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wall clock that is set by hand, in seconds.
    #[derive(Default)]
    struct SetClock(AtomicI64);

    impl Clock for SetClock {
        fn now(&self) -> Moment {
            Moment::from_unix_micros(self.0.load(Ordering::Relaxed) * 1_000_000)
        }
    }

    fn seconds(moment: Moment) -> i64 {
        moment.as_unix_micros() / 1_000_000
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_back_goes_on_at_half_the_speed_until_it_is_caught_up() {
        let wall = Arc::new(SetClock::default());
        let steady = SteadyClock::over(wall.clone(), Moment::default());
        wall.0.store(10_000, Ordering::Relaxed);
        assert_eq!(seconds(steady.now()), 10_000);
        wall.0.store(6_400, Ordering::Relaxed);
        assert_eq!(seconds(steady.now()), 10_000);
        tokio::time::sleep(Duration::from_secs(100)).await;
        wall.0.store(6_500, Ordering::Relaxed);
        assert_eq!(seconds(steady.now()), 10_050);
        tokio::time::sleep(Duration::from_secs(100)).await;
        assert_eq!(seconds(steady.now()), 10_100);
        wall.0.store(10_200, Ordering::Relaxed);
        assert_eq!(seconds(steady.now()), 10_200);
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_starts_no_earlier_than_the_newest_event() {
        let wall = Arc::new(SetClock::default());
        let steady = SteadyClock::over(wall, Moment::from_unix_micros(7_000_000));
        assert_eq!(seconds(steady.now()), 7);
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert_eq!(seconds(steady.now()), 9);
    }

    #[tokio::test(start_paused = true)]
    async fn wall_clock_follows_the_paused_timer() {
        let clock = TokioClock::starting_at(Moment::from_unix_micros(1_000));
        tokio::time::sleep(Duration::from_mins(10)).await;
        assert_eq!(clock.now(), Moment::from_unix_micros(600_001_000));
    }
}
