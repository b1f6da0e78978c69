//! Who holds how many places in flight, so that one client cannot keep all others out.
//!
//! Counts lie in a fixed table. Two clients whose hashes meet there count as one, which costs
//! both of them a little and nobody any memory.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Caller;
use super::buckets::prefix;

/// Clients that are told apart.
const SEATS: u64 = 1_024;
/// The part of the places that is kept for those below their share: one in so many.
const KEPT: usize = 8;

/// Places in flight by client.
#[derive(Debug)]
pub(super) struct Shares {
    hashes: RandomState,
    held: Box<[AtomicUsize]>,
    /// Clients that hold a place.
    clients: AtomicUsize,
}

/// Where the count of a client lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat(usize);

impl Shares {
    pub(super) fn new() -> Self {
        Self {
            hashes: RandomState::new(),
            held: (0..SEATS).map(|_| AtomicUsize::new(0)).collect(),
            clients: AtomicUsize::new(0),
        }
    }

    /// The seat of a client: a key at an address (IPv6: in a /64).
    pub(super) fn seat(&self, caller: &Caller) -> Seat {
        let hash = self.hashes.hash_one((caller.key_hash, prefix(caller.address)));
        Seat(usize::try_from(hash % SEATS).unwrap_or_default())
    }

    /// Whether a client that wants one more must leave the last places to others.
    pub(super) fn must_yield(&self, seat: Seat, free: usize, limit: usize) -> bool {
        if limit / KEPT < free {
            return false;
        }
        let held = self.held(seat).map_or(0, |held| held.load(Ordering::Relaxed));
        let others = self.clients.load(Ordering::Relaxed).saturating_sub(usize::from(0 < held));
        // Alone it may have everything: nobody else has shown up.
        0 < others && limit / others.saturating_add(1) <= held
    }

    pub(super) fn take(&self, seat: Seat) {
        let before = self.held(seat).map(|held| held.fetch_add(1, Ordering::Relaxed));
        if before == Some(0) {
            self.clients.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn give_back(&self, seat: Seat) {
        let before = self.held(seat).map(|held| held.fetch_sub(1, Ordering::Relaxed));
        if before == Some(1) {
            self.clients.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn held(&self, seat: Seat) -> Option<&AtomicUsize> {
        self.held.get(seat.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Seat = Seat(1);
    const OTHER: Seat = Seat(2);

    fn held(counts: [usize; 2]) -> Shares {
        let shares = Shares::new();
        for (seat, count) in [ONE, OTHER].into_iter().zip(counts) {
            (0..count).for_each(|_| shares.take(seat));
        }
        shares
    }

    #[test]
    fn whoever_is_alone_may_have_everything() {
        assert!(!held([79, 0]).must_yield(ONE, 1, 80));
    }

    #[test]
    fn the_last_places_are_kept_for_those_below_their_share() {
        let shares = held([60, 2]);
        assert!(!shares.must_yield(ONE, 11, 80), "there is room for everybody");
        assert!(shares.must_yield(ONE, 10, 80));
        assert!(!shares.must_yield(OTHER, 1, 80));
        assert!(!shares.must_yield(Seat(3), 1, 80), "a third one has nothing yet");
    }

    #[test]
    fn equal_clients_do_not_yield_to_each_other() {
        let shares = held([39, 39]);
        assert!(!shares.must_yield(ONE, 2, 80) && !shares.must_yield(OTHER, 2, 80));
    }

    #[test]
    fn a_client_that_has_left_does_not_count() {
        let shares = held([60, 1]);
        assert!(shares.must_yield(ONE, 1, 80));
        shares.give_back(OTHER);
        assert!(!shares.must_yield(ONE, 1, 80));
    }
}
