//! What the generator counts: arrivals, answers, and how late it was itself.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::report::latency;

/// An order that comes later than this after its intended moment is of no use to its client.
pub(super) const DEADLINE: Duration = Duration::from_secs(1);
/// A request that leaves later than this after its intended moment was not offered in time.
const LATE_FROM: Duration = Duration::from_millis(10);
/// A request whose moment is longer ago than this is not sent any more: what the generator cannot
/// send in one level must not fall upon the next.
pub(super) const BEHIND_MAX: Duration = Duration::from_millis(20);
/// Kinds of errors that are told apart.
const KINDS_MAX: usize = 32;

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending<'a> {
    /// 201.
    Done,
    /// Turned away at the door: 429 or 503.
    Rejected,
    /// A rule said no: another 4xx, with its code.
    Refused(u16, Option<&'a str>),
    /// The deadline passed, the connection broke, or the server does not know.
    Unknown(&'static str),
}

/// Those who came in one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Second {
    /// How many.
    pub(super) came: u64,
    /// Those of them who had their order within the deadline, counted from their first try.
    pub(super) served: u64,
}

/// Counts of one stream of requests during one step. A try belongs to the step in which it was
/// meant to leave.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    /// Intended moments of first tries that came.
    pub(super) offered: u64,
    /// Tries that got a connection, retries included.
    pub(super) made: u64,
    /// Those of them whose bytes left.
    pub(super) sent: u64,
    /// Those that were made late, because the generator was busy.
    pub(super) late: u64,
    /// Tries that the generator could not make: it was too busy, or had no socket left.
    pub(super) withheld: u64,
    /// Orders within the deadline of their try.
    pub(super) good: u64,
    /// Orders.
    pub(super) done: u64,
    /// Rejections at the door.
    pub(super) rejected: u64,
    /// Refusals by a rule.
    pub(super) refused: u64,
    /// Tries of which the client does not know what came of them.
    pub(super) unknown: u64,
    /// Latencies of orders from the intended moment of their try, in microseconds.
    pub(super) admitted_us: Histogram<u64>,
    /// The same from the first try of the client.
    pub(super) visit_us: Histogram<u64>,
    /// The same of rejections and refusals.
    pub(super) rejected_us: Histogram<u64>,
    /// How much later than intended tries were made.
    pub(super) lateness_us: Histogram<u64>,
    /// Refusals by code, and what was unknown or withheld by kind.
    pub(super) errors: BTreeMap<String, u64>,
    /// By second.
    pub(super) seconds: Vec<Second>,
}

impl Tally {
    /// Nothing yet, over so many seconds.
    pub(super) fn new(lasts: Duration) -> Self {
        let seconds = usize::try_from(lasts.as_secs()).unwrap_or_default().saturating_add(1);
        Self {
            offered: 0,
            made: 0,
            sent: 0,
            late: 0,
            withheld: 0,
            good: 0,
            done: 0,
            rejected: 0,
            refused: 0,
            unknown: 0,
            admitted_us: latency::histogram(),
            visit_us: latency::histogram(),
            rejected_us: latency::histogram(),
            lateness_us: latency::histogram(),
            errors: BTreeMap::new(),
            seconds: vec![Second::default(); seconds],
        }
    }

    /// Somebody came, so long after the start of the step.
    pub(super) fn arrived(&mut self, at: Duration) {
        self.offered += 1;
        if let Some(second) = self.second(at) {
            second.came += 1;
        }
    }

    /// Somebody who came then has an order within the deadline.
    pub(super) fn served(&mut self, came: Duration) {
        if let Some(second) = self.second(came) {
            second.served += 1;
        }
    }

    /// A try got a connection, so much later than it was meant to.
    pub(super) fn made(&mut self, late_by: Duration) {
        self.made += 1;
        self.late += u64::from(LATE_FROM < late_by);
        latency::note(&mut self.lateness_us, late_by);
    }

    /// A try was not made.
    pub(super) fn withheld(&mut self, why: &str) {
        self.withheld += 1;
        self.count(why);
    }

    /// A try ended so long after its intended moment, and after that of the client's first one.
    pub(super) fn ended(&mut self, ending: Ending<'_>, took: Duration, visit: Duration) {
        match ending {
            Ending::Done => {
                self.done += 1;
                self.good += u64::from(took <= DEADLINE);
                latency::note(&mut self.admitted_us, took);
                latency::note(&mut self.visit_us, visit);
            }
            Ending::Rejected => {
                self.rejected += 1;
                latency::note(&mut self.rejected_us, took);
            }
            Ending::Refused(status, code) => {
                self.refused += 1;
                latency::note(&mut self.rejected_us, took);
                self.count(&format!("{status} {}", code.unwrap_or_default()));
            }
            Ending::Unknown(what) => {
                self.unknown += 1;
                self.count(what);
            }
        }
    }

    fn count(&mut self, what: &str) {
        if let Some(count) = self.errors.get_mut(what) {
            *count += 1;
        // A server that makes up codes must not fill the memory.
        } else if self.errors.len() < KINDS_MAX {
            self.errors.insert(what.to_owned(), 1);
        }
    }

    fn second(&mut self, at: Duration) -> Option<&mut Second> {
        self.seconds.get_mut(usize::try_from(at.as_secs()).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn an_order_after_its_deadline_is_done_and_not_good() {
        let mut tally = Tally::new(2_000 * MS);
        tally.ended(Ending::Done, 1_000 * MS, 2_000 * MS);
        tally.ended(Ending::Done, 1_001 * MS, 1_001 * MS);
        assert_eq!((tally.done, tally.good), (2, 1));
        assert!(tally.admitted_us.max() < tally.visit_us.max());
    }

    #[test]
    fn what_is_late_is_told_apart_from_what_is_withheld() {
        let mut tally = Tally::new(1_000 * MS);
        tally.made(10 * MS);
        tally.made(11 * MS);
        tally.withheld("why");
        assert_eq!((tally.made, tally.late, tally.withheld), (2, 1, 1));
        assert_eq!(tally.errors.get("why"), Some(&1));
    }

    #[test]
    fn refusals_are_counted_by_code_and_the_unknown_by_kind() {
        let mut tally = Tally::new(1_000 * MS);
        tally.ended(Ending::Refused(409, Some("insufficient_stock")), MS, MS);
        tally.ended(Ending::Unknown("cut"), MS, MS);
        tally.ended(Ending::Rejected, MS, MS);
        let errors: Vec<_> = tally.errors.iter().map(|(what, n)| (what.as_str(), *n)).collect();
        assert_eq!(errors, [("409 insufficient_stock", 1), ("cut", 1)]);
        assert_eq!((tally.refused, tally.unknown, tally.rejected), (1, 1, 1));
    }

    #[test]
    fn whoever_is_served_counts_for_the_second_in_which_they_came() {
        let mut tally = Tally::new(2_000 * MS);
        for at in [100, 1_100, 1_200] {
            tally.arrived(at * MS);
        }
        tally.served(1_100 * MS);
        tally.served(9_000 * MS);
        let both = [Second { came: 1, served: 0 }, Second { came: 2, served: 1 }];
        assert_eq!(tally.seconds.get(..2), Some(both.as_slice()));
    }
}
