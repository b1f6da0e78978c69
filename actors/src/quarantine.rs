//! Streams that are left alone for a while, because their actor keeps dying of them.

use std::sync::Arc;

use dashmap::DashMap;
use metrics::{Gauge, gauge};
use tokio::time::Instant;

use crate::metrics::QUARANTINED;
use crate::outcome::NotAccepted;

/// Streams of one kind in quarantine at once; further ones are served, and die, as before.
const QUARANTINED_MAX: usize = 10_000;

/// The quarantined streams of one kind.
pub(crate) struct Quarantine {
    until: DashMap<Arc<str>, Instant>,
    shown: Gauge,
}

impl Quarantine {
    /// Nobody is in it. Install the recorder before.
    pub(crate) fn of(kind: &'static str) -> Self {
        Self { until: DashMap::new(), shown: gauge!(QUARANTINED, "actor" => kind) }
    }

    /// How many are in it.
    pub(crate) fn len(&self) -> usize {
        self.until.len()
    }

    /// Puts a stream in until then; whether there was room for it.
    pub(crate) fn put(&self, key: &str, until: Instant) -> bool {
        if QUARANTINED_MAX <= self.len() {
            self.release();
        }
        let has_room = self.len() < QUARANTINED_MAX;
        if has_room {
            self.until.insert(key.into(), until);
            self.show();
        }
        has_room
    }

    /// Whether a stream may be served.
    pub(crate) fn check(&self, key: &str) -> Result<(), NotAccepted> {
        if self.until.is_empty() {
            return Ok(());
        }
        let until = self.until.get(key).map(|until| *until);
        let over = until.is_none_or(|until| until <= Instant::now());
        over.then_some(()).ok_or(NotAccepted::Quarantined)
    }

    /// Lets out those whose time is over.
    pub(crate) fn release(&self) {
        let now = Instant::now();
        self.until.retain(|_, until| now < *until);
        self.show();
    }

    fn show(&self) {
        self.shown.set(f64::from(u32::try_from(self.len()).unwrap_or(u32::MAX)));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_quarantine_ends_by_itself_and_leaves_nothing_behind() {
        let quarantine = Quarantine::of("order");
        assert!(quarantine.put("a", Instant::now() + Duration::from_mins(1)));
        assert!(quarantine.put("b", Instant::now() + Duration::from_mins(2)));
        assert_eq!(quarantine.check("a"), Err(NotAccepted::Quarantined));
        assert_eq!(quarantine.check("c"), Ok(()));

        tokio::time::advance(Duration::from_mins(1)).await;

        assert_eq!(quarantine.check("a"), Ok(()));
        quarantine.release();
        assert_eq!(quarantine.len(), 1);
        assert_eq!(quarantine.check("b"), Err(NotAccepted::Quarantined));
    }

    #[tokio::test(start_paused = true)]
    async fn a_quarantine_takes_a_bounded_number_of_streams() {
        let quarantine = Quarantine::of("order");
        let until = Instant::now() + Duration::from_mins(1);
        assert!((0..QUARANTINED_MAX).all(|key| quarantine.put(&key.to_string(), until)));
        assert!(!quarantine.put("late", until));
        assert_eq!(quarantine.check("late"), Ok(()));

        tokio::time::advance(Duration::from_mins(1)).await;

        assert!(quarantine.put("late", Instant::now() + Duration::from_mins(1)));
        assert_eq!(quarantine.len(), 1);
    }
}
