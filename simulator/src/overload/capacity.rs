//! The highest rate that a server carries well, closed in upon between a rate that it carries and
//! one that it does not. Pure.

use serde::Serialize;

use super::tally::Tally;
use crate::report::latency::Percentiles;
use crate::report::table::in_millis;
use crate::rig::{quotient, real};

/// The rate is known when the lowest that is too high is at most so much above it.
const CLOSE_ENOUGH: f64 = 1.02;
/// How far the first look upwards from what a closed crowd reached goes.
const UPWARDS: f64 = 1.25;
/// Looks upwards, or to the half, before the search gives up.
const LOOKS_MAX: u32 = 5;
/// Orders that come in time at a rate within the capacity.
const GOOD_FROM: f64 = 0.999;
/// p99 of a rate within the capacity.
const P99_MAX_US: u64 = 100_000;

/// The highest rate that the server carries well.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Capacity {
    /// Orders a second; levels are multiples of this. What a closed crowd reached when no rate
    /// qualified.
    pub(super) per_second: f64,
    /// Whether 99.9 % came in time at this rate, with p99 at most 100 ms.
    pub(super) is_qualified: bool,
    /// The lowest rate that was found too high, if any.
    pub(super) too_high_per_second: Option<f64>,
    /// p99 of orders at the rate that qualified, in microseconds.
    pub(super) p99_us: u64,
    /// What a crowd reached that sends as soon as it has its answer.
    pub(super) closed_per_second: f64,
    /// Processor time of the server for an order in that crowd, in microseconds.
    pub(super) order_us: f64,
}

/// Whether a rate was carried well. What was not even sent did not come in time.
pub(super) fn qualifies(tally: &Tally) -> bool {
    0 < tally.done
        && real(tally.offered) * GOOD_FROM <= real(tally.good)
        && Percentiles::of(&tally.admitted_us).p99 <= P99_MAX_US
}

/// What was found of a rate, in words.
pub(super) fn words(tally: &Tally) -> String {
    let in_time = quotient(real(tally.good), real(tally.offered)).unwrap_or_default();
    format!(
        "{}, p99 {} ms, {:.2} % in time",
        if qualifies(tally) { "carried" } else { "too high" },
        in_millis(Percentiles::of(&tally.admitted_us).p99),
        in_time * 100.0
    )
}

/// A search between what is carried and what is not.
#[derive(Clone, Debug)]
pub(super) struct Search {
    first: f64,
    carried: Option<f64>,
    too_high: Option<f64>,
    looks: u32,
}

impl Search {
    /// Begins with a rate that is about right.
    pub(super) fn from(first: f64) -> Self {
        Self { first, carried: None, too_high: None, looks: 0 }
    }

    /// The rate to be tried next; `None` when all is known that can be.
    pub(super) fn next(&self) -> Option<f64> {
        match (self.carried, self.too_high) {
            (None, None) => (0.0 < self.first).then_some(self.first),
            (Some(carried), Some(too_high)) => {
                (carried * CLOSE_ENOUGH < too_high).then(|| (carried * too_high).sqrt())
            }
            (Some(carried), None) => (self.looks <= LOOKS_MAX).then_some(carried * UPWARDS),
            (None, Some(too_high)) => (self.looks <= LOOKS_MAX).then_some(too_high / 2.0),
        }
    }

    /// What was found of a rate.
    pub(super) fn found(&mut self, rate: f64, is_carried: bool) {
        self.looks += 1;
        if is_carried {
            self.carried = Some(rate);
        } else {
            self.too_high = Some(rate);
        }
    }

    /// The highest rate that was carried well; `None`: none was.
    pub(super) fn carried(&self) -> Option<f64> {
        self.carried
    }

    /// The lowest rate that was not.
    pub(super) fn too_high(&self) -> Option<f64> {
        self.too_high
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::overload::tally::Ending;

    fn search(first: f64, truth: f64) -> (Search, u32) {
        let (mut search, mut tries) = (Search::from(first), 0);
        while let Some(rate) = search.next() {
            search.found(rate, rate <= truth);
            tries += 1;
            assert!(tries < 20, "the search does not end");
        }
        (search, tries)
    }

    #[test]
    fn the_capacity_is_found_within_two_per_cent_from_either_side() {
        for truth in [700.0, 1_000.0, 3_333.0, 4_264.0, 7_000.0, 7_107.0, 9_000.0] {
            let (search, tries) = search(7_107.0, truth);
            let (carried, too_high) = (search.carried().unwrap(), search.too_high().unwrap());
            assert!(carried <= truth && truth < too_high && too_high <= carried * CLOSE_ENOUGH);
            assert!(tries <= 12, "{tries} tries for {truth}");
        }
    }

    #[test]
    fn a_server_that_carries_no_rate_well_has_no_capacity() {
        let (search, _) = search(1_000.0, 1.0);
        assert_eq!(search.carried(), None);
        assert!(search.too_high().unwrap() < 40.0);
    }

    #[test]
    fn a_rate_qualifies_when_nearly_all_of_it_came_in_time() {
        let mut tally = Tally::new(Duration::from_secs(1));
        assert!(!qualifies(&tally), "nothing came");
        for _ in 0..1_000 {
            tally.arrived(Duration::ZERO);
        }
        for _ in 0..999 {
            tally.ended(Ending::Done, Duration::from_millis(99), Duration::ZERO);
        }
        assert!(qualifies(&tally));
        let mut slow = tally.clone();
        for _ in 0..20 {
            slow.ended(Ending::Done, Duration::from_millis(150), Duration::ZERO);
        }
        assert!(!qualifies(&slow));
        tally.arrived(Duration::ZERO);
        assert!(!qualifies(&tally), "999 of 1,001 are 99.8 %");
    }
}
