//! Places in flight and the lines before them: who gets one, who waits, who is next. Pure.
//!
//! A line keeps its order while it is short. One that stands is served from its end: kept in order
//! it would make everybody wait for as long as the first one is willing to, and nobody faster. Those
//! whom it has left behind come in while half of the places are free, so that what they lost is not
//! lost by those who come now as well.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use super::shares::{Seat, Shares};

/// Bounds of the lines.
#[derive(Clone, Copy, Debug)]
pub struct LinePolicy {
    /// Requests that may wait for a place; one more is rejected at once.
    pub waiting_max: usize,
    /// A line keeps its order while nobody in it has waited for longer.
    pub orderly: Duration,
    /// Whoever has waited for longer is left behind, unless half of the places are free.
    pub fresh: Duration,
    /// Longest wait in a burst.
    pub patience: Duration,
    /// Once requests have been waiting for [`Self::patience`] without a break, so many of them are
    /// rejected in a second if that can be: each rejection takes its time from those who are served.
    pub rejections_per_second: NonZeroU32,
    /// Shortest wait then.
    pub crowded_min: Duration,
    /// Longest wait then, even if more are rejected in a second.
    pub crowded_max: Duration,
}

const A_THOUSAND: NonZeroU32 = NonZeroU32::new(1_000).unwrap();

impl Default for LinePolicy {
    fn default() -> Self {
        Self {
            waiting_max: 16_384,
            orderly: Duration::from_millis(20),
            fresh: Duration::from_millis(50),
            patience: Duration::from_secs(2),
            rejections_per_second: A_THOUSAND,
            crowded_min: Duration::from_millis(50),
            crowded_max: Duration::from_millis(500),
        }
    }
}

/// Places, and those who wait for one.
#[derive(Debug)]
pub(super) struct Places<W> {
    policy: LinePolicy,
    limit: usize,
    taken: usize,
    peak: usize,
    shares: Shares,
    /// Those who came below their share.
    below: Line<W>,
    /// Those who came above it. They are served when none of the others wait.
    above: Line<W>,
    next_ticket: u64,
    crowded_since: Duration,
}

/// By ticket, which is the order of coming.
type Line<W> = BTreeMap<u64, Waiting<W>>;

#[derive(Debug)]
struct Waiting<W> {
    seat: Seat,
    since: Duration,
    who: W,
}

impl<W> Places<W> {
    pub(super) fn new(policy: LinePolicy, limit: usize) -> Self {
        Self {
            policy,
            limit,
            taken: 0,
            peak: 0,
            shares: Shares::new(),
            below: Line::new(),
            above: Line::new(),
            next_ticket: 0,
            crowded_since: Duration::ZERO,
        }
    }

    /// Takes a place, unless none is free or the last ones must be left to others.
    pub(super) fn take(&mut self, seat: Seat) -> bool {
        let may = self.may_take(seat);
        if may {
            self.occupy(seat);
        }
        may
    }

    /// Lets somebody wait; the ticket, and for how long. `None` when too many do.
    pub(super) fn join(&mut self, seat: Seat, now: Duration, who: W) -> Option<(u64, Duration)> {
        let waiting = self.waiting();
        if self.policy.waiting_max <= waiting {
            return None;
        }
        if waiting == 0 {
            self.crowded_since = now;
        }
        let ticket = self.next_ticket;
        self.next_ticket = ticket.wrapping_add(1);
        let is_above = self.shares.is_spent(seat, self.limit);
        let line = if is_above { &mut self.above } else { &mut self.below };
        line.insert(ticket, Waiting { seat, since: now, who });
        Some((ticket, self.patience(now)))
    }

    /// Somebody waits no longer. Nothing happens to whoever was called.
    pub(super) fn give_up(&mut self, ticket: u64) {
        if self.below.remove(&ticket).is_none() {
            self.above.remove(&ticket);
        }
    }

    pub(super) fn give_back(&mut self, seat: Seat) {
        self.shares.give_back(seat);
        self.taken = self.taken.saturating_sub(1);
    }

    /// Who gets the next free place, and on which seat; it is taken then.
    pub(super) fn call(&mut self, now: Duration) -> Option<(W, Seat)> {
        if self.waiting() == 0 || self.free() == 0 {
            return None;
        }
        let ticket = self.next_in(&self.below, now).or_else(|| {
            let ticket = self.next_in(&self.above, now)?;
            self.above.get(&ticket).is_some_and(|next| self.may_take(next.seat)).then_some(ticket)
        })?;
        let Waiting { seat, who, .. } =
            self.below.remove(&ticket).or_else(|| self.above.remove(&ticket))?;
        self.occupy(seat);
        Some((who, seat))
    }

    /// Those inside above a lowered limit stay; nobody follows them.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    pub(super) const fn taken(&self) -> usize {
        self.taken
    }

    pub(super) const fn free(&self) -> usize {
        self.limit.saturating_sub(self.taken)
    }

    pub(super) fn waiting(&self) -> usize {
        self.below.len().saturating_add(self.above.len())
    }

    /// Most places that were taken at once since this was asked last.
    pub(super) fn peak(&mut self) -> usize {
        std::mem::replace(&mut self.peak, self.taken)
    }

    fn may_take(&self, seat: Seat) -> bool {
        let free = self.free();
        0 < free && !self.shares.must_yield(seat, free, self.limit)
    }

    /// The first of a line that keeps its order, the last of one that stands.
    fn next_in(&self, line: &Line<W>, now: Duration) -> Option<u64> {
        let waited = |one: &Waiting<W>| now.saturating_sub(one.since);
        let (first, oldest) = line.first_key_value()?;
        if waited(oldest) <= self.policy.orderly {
            return Some(*first);
        }
        let (last, newest) = line.last_key_value()?;
        let is_roomy = self.taken < self.limit.div_ceil(2);
        (is_roomy || waited(newest) <= self.policy.fresh).then_some(*last)
    }

    fn occupy(&mut self, seat: Seat) {
        self.shares.take(seat);
        self.taken = self.taken.saturating_add(1);
        self.peak = self.peak.max(self.taken);
    }

    fn patience(&self, now: Duration) -> Duration {
        let LinePolicy { patience, rejections_per_second, crowded_min, crowded_max, .. } =
            self.policy;
        if now.saturating_sub(self.crowded_since) < patience {
            return patience;
        }
        let waiting = u64::try_from(self.waiting()).unwrap_or(u64::MAX);
        let turn = Duration::from_secs(waiting) / rejections_per_second.get();
        turn.max(crowded_min).min(crowded_max)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: Seat = Seat::at(1);
    const OTHER: Seat = Seat::at(2);

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// All of `limit` places taken by one client.
    fn full(limit: usize) -> Places<u32> {
        let mut places = Places::new(LinePolicy::default(), limit);
        while places.take(ONE) {}
        assert_eq!((places.taken(), places.free()), (limit, 0));
        places
    }

    fn called(places: &mut Places<u32>, now: Duration) -> Option<u32> {
        places.call(now).map(|(who, _)| who)
    }

    #[test]
    fn a_short_line_keeps_its_order_and_one_that_stands_is_served_from_its_end() {
        let mut places = full(1);
        for who in 0..4 {
            places.join(ONE, ms(10 * u64::from(who)), who);
        }
        places.give_back(ONE);
        assert_eq!(called(&mut places, ms(20)), Some(0));
        assert_eq!(called(&mut places, ms(20)), None, "its place is taken");
        places.give_back(ONE);
        assert_eq!(called(&mut places, ms(31)), Some(3));
        places.give_back(ONE);
        assert_eq!(called(&mut places, ms(32)), Some(2));
        places.give_back(ONE);
        assert_eq!(called(&mut places, ms(33)), Some(1));
        assert_eq!(places.waiting(), 0);
    }

    #[test]
    fn whoever_was_left_behind_comes_in_while_half_of_the_places_are_free() {
        let mut places = full(4);
        for who in 0..2 {
            places.join(ONE, ms(0), who);
        }
        places.join(ONE, ms(1), 2);
        places.give_back(ONE);
        assert_eq!(called(&mut places, ms(51)), Some(2), "nobody is left behind yet");
        places.give_back(ONE);
        assert_eq!(called(&mut places, ms(51)), None, "three of four are taken");
        places.give_back(ONE);
        assert_eq!(called(&mut places, ms(51)), None, "half of them are");
        places.give_back(ONE);
        assert_eq!(called(&mut places, ms(51)), Some(1));
        assert!(places.take(ONE) && places.take(ONE), "the others are for those who come now");
    }

    #[test]
    fn whoever_was_left_behind_before_the_only_place_comes_in() {
        let mut places = full(1);
        places.join(ONE, ms(0), 0);
        places.give_back(ONE);
        assert_eq!(called(&mut places, ms(1_000)), Some(0));
    }

    #[test]
    fn whoever_gave_up_is_not_called() {
        let mut places = full(1);
        let (first, _) = places.join(ONE, ms(0), 0).unwrap();
        places.join(ONE, ms(0), 1);
        places.give_up(first);
        places.give_back(ONE);
        assert_eq!(called(&mut places, ms(1)), Some(1));
        places.give_up(1);
        assert_eq!(places.taken(), 1, "whoever was called has its place");
    }

    #[test]
    fn a_burst_is_waited_out_and_a_standing_crowd_is_told_at_a_pace() {
        let mut places = full(1);
        let burst = places.policy.patience;
        let mut patience = |now, who| places.join(ONE, now, who).unwrap().1;
        assert_eq!(patience(ms(0), 0), burst);
        assert_eq!(patience(ms(1_999), 1), burst);
        assert_eq!(patience(burst, 2), ms(50), "three would be told in 3 ms");
        for who in 3..199 {
            patience(burst, who);
        }
        assert_eq!(patience(burst, 200), ms(200));
        for who in 201..999 {
            patience(burst, who);
        }
        assert_eq!(patience(burst, 1_000), ms(500), "nobody is left without an answer for long");
    }

    #[test]
    fn one_more_than_may_wait_does_not() {
        let mut places: Places<u32> =
            Places::new(LinePolicy { waiting_max: 1, ..LinePolicy::default() }, 0);
        assert!(places.join(ONE, ms(0), 0).is_some());
        assert_eq!(places.join(ONE, ms(0), 1), None);
    }

    #[test]
    fn whoever_pushes_waits_until_nobody_below_a_share_does() {
        let mut places = full(16);
        places.give_back(ONE);
        assert!(places.take(OTHER));
        places.join(ONE, ms(0), 1);
        places.join(OTHER, ms(1), 2);
        places.give_back(ONE);
        assert_eq!(called(&mut places, ms(2)), Some(2));
        places.give_back(ONE);
        assert_eq!(called(&mut places, ms(2)), None, "the last places are kept");
        places.give_back(ONE);
        assert_eq!(called(&mut places, ms(2)), None);
        places.give_back(ONE);
        assert_eq!(called(&mut places, ms(2)), Some(1));
    }

    proptest! {
        #[test]
        fn every_place_is_held_by_somebody_and_half_are_never_free_while_somebody_waits(
            steps in prop::collection::vec((0_u8..5, 0_usize..16, 0_u64..40, 1_usize..4), 0..200),
        ) {
            let mut places = Places::new(LinePolicy::default(), 4);
            let (mut inside, mut tickets, mut now) = (Vec::new(), Vec::new(), Duration::ZERO);
            for (what, number, gap, seat) in steps {
                now += ms(gap);
                let seat = Seat::at(seat);
                match what {
                    0 => inside.extend(places.take(seat).then_some(seat)),
                    1 => if let Some(seat) = inside.pop() { places.give_back(seat) },
                    2 => tickets.extend(places.join(seat, now, number)),
                    3 => places.set_limit(number.max(1)),
                    _ => if let Some((ticket, _)) = tickets.pop() { places.give_up(ticket) },
                }
                while let Some((_, seat)) = places.call(now) { inside.push(seat); }
                prop_assert_eq!(places.taken(), inside.len());
                prop_assert!(places.waiting() == 0 || places.limit() <= 2 * places.taken());
            }
        }
    }
}
