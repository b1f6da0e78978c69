//! Monotonic time since an origin, as a plain span: what pure logic is told.

use std::time::Duration;

use tokio::time::Instant;

/// Tells how long ago it was made. Follows tokio's timer, so tests can pause it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uptime(Instant);

impl Uptime {
    pub(crate) fn starting_now() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Duration {
        self.0.elapsed()
    }
}

impl governor::clock::Clock for Uptime {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}
