//! The present moment, injected: the only way to learn it outside of this file.

use std::time::Duration;

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

    #[tokio::test(start_paused = true)]
    async fn wall_clock_follows_the_paused_timer() {
        let clock = TokioClock::starting_at(Moment::from_unix_micros(1_000));
        tokio::time::sleep(Duration::from_mins(10)).await;
        assert_eq!(clock.now(), Moment::from_unix_micros(600_001_000));
    }
}
