//! Who holds how many places in flight, so that one client cannot keep all others out. Pure.
//!
//! Counts lie in a fixed table. Two clients whose hashes meet there count as one, which costs
//! both of them a little and nobody any memory.

use std::hash::{BuildHasher as _, RandomState};

use super::Caller;
use super::buckets::prefix;

/// Clients that are told apart.
const SEATS: u64 = 1_024;
/// The part of the places that is kept for those below their share: one in so many.
const KEPT: usize = 8;

/// Tells where the count of a client lies. Nobody outside can choose a neighbour.
#[derive(Debug, Default)]
pub(super) struct Seats(RandomState);

/// Where the count of a client lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat(usize);

/// Places in flight by client.
#[derive(Debug)]
pub(super) struct Shares {
    held: Box<[usize]>,
    /// Clients that hold a place.
    clients: usize,
}

impl Seats {
    /// The seat of a client: a key at an address (IPv6: in a /64).
    pub(super) fn of(&self, caller: &Caller) -> Seat {
        let hash = self.0.hash_one((caller.key_hash, prefix(caller.address)));
        Seat(usize::try_from(hash % SEATS).unwrap_or_default())
    }
}

#[cfg(test)]
impl Seat {
    pub(super) const fn at(number: usize) -> Self {
        Self(number)
    }
}

impl Shares {
    pub(super) fn new() -> Self {
        Self { held: (0..SEATS).map(|_| 0).collect(), clients: 0 }
    }

    /// Whether a client that wants one more must leave the last places to others.
    pub(super) fn must_yield(&self, seat: Seat, free: usize, limit: usize) -> bool {
        free <= limit / KEPT && self.is_spent(seat, limit)
    }

    /// Whether a client holds its share: what each would have if all that hold a place had equally
    /// many. Alone it may have everything, because nobody else has shown up.
    pub(super) fn is_spent(&self, seat: Seat, limit: usize) -> bool {
        let held = self.held.get(seat.0).copied().unwrap_or_default();
        let others = self.clients.saturating_sub(usize::from(0 < held));
        let share = (limit / others.saturating_add(1)).max(1);
        0 < others && share <= held
    }

    pub(super) fn take(&mut self, seat: Seat) {
        if let Some(held) = self.held.get_mut(seat.0) {
            self.clients = self.clients.saturating_add(usize::from(*held == 0));
            *held = held.saturating_add(1);
        }
    }

    pub(super) fn give_back(&mut self, seat: Seat) {
        if let Some(held) = self.held.get_mut(seat.0) {
            self.clients = self.clients.saturating_sub(usize::from(*held == 1));
            *held = held.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Seat = Seat(1);
    const OTHER: Seat = Seat(2);

    fn held(counts: [usize; 2]) -> Shares {
        let mut shares = Shares::new();
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
    fn among_more_clients_than_places_everybody_may_have_one() {
        let mut shares = Shares::new();
        (0..15).for_each(|seat| shares.take(Seat(seat)));
        assert!(!shares.must_yield(Seat(15), 1, 16));
        assert!(shares.must_yield(Seat(0), 1, 16));
    }

    #[test]
    fn a_client_that_has_left_does_not_count() {
        let mut shares = held([60, 1]);
        assert!(shares.must_yield(ONE, 1, 80));
        shares.give_back(OTHER);
        assert!(!shares.must_yield(ONE, 1, 80));
    }
}
