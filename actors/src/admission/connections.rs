//! A cap on open connections: the first and cheapest door.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use metrics::{Counter, Gauge, counter, gauge};

use crate::metrics::{ADMISSION_REJECTED_TOTAL, CONNECTIONS_OPEN};

/// Counts open connections and rejects one too many.
#[derive(Clone)]
pub struct ConnectionCap(Arc<Counts>);

struct Counts {
    max: usize,
    open: AtomicUsize,
    gauge: Gauge,
    rejected: Counter,
}

/// One open connection. Dropping it makes room.
pub struct ConnectionPlace(Arc<Counts>);

impl fmt::Debug for ConnectionCap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionCap")
            .field("max", &self.0.max)
            .field("open", &self.open())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ConnectionPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionPlace").finish_non_exhaustive()
    }
}

impl ConnectionCap {
    /// At most `max` connections at once.
    pub fn new(max: usize) -> Self {
        Self(Arc::new(Counts {
            max,
            open: AtomicUsize::new(0),
            gauge: gauge!(CONNECTIONS_OPEN),
            rejected: counter!(ADMISSION_REJECTED_TOTAL, "reason" => "connections"),
        }))
    }

    /// Takes a place for a connection; `None` when it must be closed at once.
    pub fn open_one(&self) -> Option<ConnectionPlace> {
        let order = Ordering::Relaxed;
        let more = |open: usize| (open < self.0.max).then(|| open.saturating_add(1));
        if self.0.open.fetch_update(order, order, more).is_err() {
            self.0.rejected.increment(1);
            return None;
        }
        self.0.gauge.increment(1.0);
        Some(ConnectionPlace(Arc::clone(&self.0)))
    }

    /// Connections that are open.
    pub fn open(&self) -> usize {
        self.0.open.load(Ordering::Relaxed)
    }
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        self.0.gauge.decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_too_many_is_rejected_until_another_closes() {
        let cap = ConnectionCap::new(2);
        let first = cap.open_one().unwrap();
        let _second = cap.open_one().unwrap();
        assert!(cap.open_one().is_none());
        drop(first);
        assert_eq!(cap.open(), 1);
        assert!(cap.open_one().is_some());
    }
}
