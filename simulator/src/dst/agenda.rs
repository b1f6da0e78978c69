//! What is to happen, by virtual time: the scheduler of a simulated world.
//!
//! Time leaps from one event to the next. Events of the same moment come in an order that is drawn,
//! so that whoever could be first in production is first in some seed.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::chance::Chance;

struct Due<E> {
    at: u64,
    tie: u64,
    number: u64,
    event: E,
}

impl<E> Due<E> {
    const fn rank(&self) -> (u64, u64, u64) {
        (self.at, self.tie, self.number)
    }
}

impl<E> PartialEq for Due<E> {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl<E> Eq for Due<E> {}

impl<E> PartialOrd for Due<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Due<E> {
    /// The earliest is the greatest, as the heap wants it.
    fn cmp(&self, other: &Self) -> Ordering {
        other.rank().cmp(&self.rank())
    }
}

/// The agenda of one world. Times are microseconds since its beginning.
pub(super) struct Agenda<E> {
    now: u64,
    number: u64,
    chance: Chance,
    queue: BinaryHeap<Due<E>>,
}

impl<E> Agenda<E> {
    pub(super) const fn new(chance: Chance) -> Self {
        Self { now: 0, number: 0, chance, queue: BinaryHeap::new() }
    }

    /// The time of the event that was taken last, or to which time was moved on since.
    pub(super) const fn now(&self) -> u64 {
        self.now
    }

    /// Time moves on although nothing on the agenda was due. It never goes back.
    pub(super) fn move_on(&mut self, to: u64) {
        self.now = self.now.max(to);
    }

    /// When the next event is due.
    pub(super) fn due(&self) -> Option<u64> {
        self.queue.peek().map(|due| due.at)
    }

    /// Something happens at that time, or now if that is past.
    pub(super) fn at(&mut self, at: u64, event: E) {
        let tie = self.chance.below(1 << 20);
        self.number = self.number.wrapping_add(1);
        self.queue.push(Due { at: at.max(self.now), tie, number: self.number, event });
    }

    /// Something happens after that span.
    pub(super) fn after(&mut self, span: u64, event: E) {
        self.at(self.now.saturating_add(span), event);
    }

    /// Something happens within that span, nobody knows when.
    pub(super) fn within(&mut self, longest: u64, event: E) {
        let span = self.chance.between(1, longest.max(1));
        self.after(span, event);
    }

    /// The next event; time moves on to it.
    pub(super) fn next(&mut self) -> Option<E> {
        let due = self.queue.pop()?;
        self.move_on(due.at);
        Some(due.event)
    }
}

#[cfg(test)]
mod tests {
    use super::super::chance::Purpose;
    use super::*;

    #[test]
    fn events_come_in_the_order_of_time_and_time_never_goes_back() {
        let mut agenda = Agenda::new(Chance::of(3, Purpose::Schedule));
        agenda.at(50, 'b');
        agenda.at(10, 'a');
        assert_eq!(agenda.next(), Some('a'));
        agenda.at(5, 'c');
        assert_eq!((agenda.next(), agenda.now()), (Some('c'), 10));
        assert_eq!((agenda.next(), agenda.now()), (Some('b'), 50));
        assert_eq!(agenda.next(), None);
    }

    #[test]
    fn events_of_one_moment_come_in_any_order() {
        let first = |seed| {
            let mut agenda = Agenda::new(Chance::of(seed, Purpose::Schedule));
            agenda.at(1, 'a');
            agenda.at(1, 'b');
            agenda.next()
        };
        let firsts: std::collections::BTreeSet<_> = (0..20).filter_map(first).collect();
        assert_eq!(firsts.len(), 2);
    }
}
