//! One level of one kind of clients, and the arithmetic that makes levels comparable.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::behaviour::Behaviour;
use super::schedule::recovered_after;
use super::tally::Tally;
use crate::report::latency::Percentiles;
use crate::rig::{quotient, real};

/// A level counts as offered when at least this share of its tries came in time.
const OFFERED_FROM: f64 = 0.95;
/// A level that lasts as long as this tells whether memory is flat.
const FLAT_FROM: Duration = Duration::from_mins(1);

/// The highest rate that the server carries well.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Capacity {
    /// Orders a second with p99 ≤ 100 ms and errors < 0.1 %.
    pub(super) per_second: f64,
    /// p99 of the answers at that rate, in microseconds.
    pub(super) p99_us: u64,
    /// What a crowd reached that sends as soon as it has its answer.
    pub(super) closed_per_second: f64,
    /// Processor time of the server for an order in that crowd, in microseconds.
    pub(super) order_us: f64,
}

/// What was seen of the server during one load.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// By source.
    pub(super) tallies: Vec<Tally>,
    /// Processor time that the server used, in microseconds.
    pub(super) server_us: u64,
    /// Its memory in bytes, from just before on, at even distances.
    pub(super) memory: Vec<u64>,
}

impl Seen {
    /// By how much the server's memory grew.
    fn memory_growth(&self) -> u64 {
        let before = self.memory.first().copied().unwrap_or_default();
        most(&self.memory).saturating_sub(before)
    }

    /// By how much it grew in the second half: what is bounded has filled up in the first.
    fn late_growth(&self) -> u64 {
        let (first, second) = self.memory.split_at(self.memory.len() / 2);
        most(second).saturating_sub(most(first))
    }
}

fn most(memory: &[u64]) -> u64 {
    memory.iter().copied().max().unwrap_or_default()
}

/// A level.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    /// What clients do when they are turned away.
    pub(super) clients: Behaviour,
    /// What was to be offered, in parts of the capacity.
    pub(super) multiple: f64,
    /// First tries that came, a second.
    pub(super) offered_per_s: f64,
    /// Tries whose bytes left, retries included, a second.
    pub(super) sent_per_s: f64,
    /// Share of the tries that found every connection waiting for the server.
    pub(super) stuck: f64,
    /// Share of the tries that left more than 10 ms late, because the generator was busy.
    pub(super) late: f64,
    /// p99 of the generator's own lateness, in microseconds.
    pub(super) lateness_p99_us: u64,
    /// Whether the generator offered what it was to offer.
    pub(super) is_offered: bool,
    /// Orders within the deadline of their try, a second.
    pub(super) good_per_s: f64,
    /// The same in parts of what could be had: the offer, and at most the capacity.
    pub(super) goodput: f64,
    /// Latencies of orders from the intended moment, in microseconds.
    pub(super) admitted_us: Percentiles,
    /// The same of rejections and refusals.
    pub(super) rejected_us: Percentiles,
    /// Orders.
    pub(super) done: u64,
    /// Rejections at the door.
    pub(super) rejected: u64,
    /// The same, a second.
    pub(super) rejected_per_s: f64,
    /// Tries of which the client does not know what came of them.
    pub(super) unknown: u64,
    /// Refusals by code, and what was unknown by kind.
    pub(super) errors: BTreeMap<String, u64>,
    /// By how much the server's memory grew, in bytes.
    pub(super) memory_growth: u64,
    /// By how much it grew in the second half; `None` for a level that is too short to tell.
    pub(super) late_growth: Option<u64>,
    /// Seconds at 0.7 of the capacity until all was as before; `None`: not within the time given.
    pub(super) recovered_s: Option<usize>,
}

impl Row {
    /// A level from what was seen during it and during the time to recover.
    pub(super) fn of(
        clients: Behaviour,
        multiple: f64,
        capacity: &Capacity,
        lasts: Duration,
        seen: &Seen,
        after: &Seen,
    ) -> Option<Self> {
        let tally = seen.tallies.first()?;
        let per_second = |count| quotient(real(count), lasts.as_secs_f64()).unwrap_or_default();
        let share = |part, whole| quotient(real(part), real(whole)).unwrap_or_default();
        let tries = tally.sent.saturating_add(tally.stuck);
        let (offered_per_s, good_per_s) = (per_second(tally.offered), per_second(tally.good));
        let wanted = multiple * capacity.per_second;
        let late = share(tally.late, tries);
        Some(Self {
            clients,
            multiple,
            offered_per_s,
            sent_per_s: per_second(tally.sent),
            stuck: share(tally.stuck, tries),
            late,
            lateness_p99_us: Percentiles::of(&tally.lateness_us).p99,
            is_offered: OFFERED_FROM * wanted <= offered_per_s && late <= 1.0 - OFFERED_FROM,
            good_per_s,
            goodput: quotient(good_per_s, wanted.min(capacity.per_second)).unwrap_or_default(),
            admitted_us: Percentiles::of(&tally.admitted_us),
            rejected_us: Percentiles::of(&tally.rejected_us),
            done: tally.done,
            rejected: tally.rejected,
            rejected_per_s: per_second(tally.rejected),
            unknown: tally.unknown,
            errors: tally.errors.clone(),
            memory_growth: seen.memory_growth(),
            late_growth: (FLAT_FROM <= lasts).then(|| seen.late_growth()),
            recovered_s: after.tallies.first().and_then(|tally| recovered_after(&tally.seconds)),
        })
    }
}

/// Whether what was sold is what clients were told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Honesty {
    /// Units that were put on the shelf.
    pub(super) loaded: u64,
    /// Units that are on the shelf or gone, according to the product pages.
    pub(super) accounted: u64,
    /// Units that the pages call sold, and those that are held.
    pub(super) taken: u64,
    /// Orders that were acknowledged.
    pub(super) acknowledged: u64,
    /// Tries of which clients do not know what came of them.
    pub(super) unknown: u64,
}

impl Honesty {
    /// What is wrong, in words; `None` when nothing is.
    pub(super) fn violation(&self) -> Option<String> {
        let Self { loaded, accounted, taken, acknowledged, unknown } = self;
        if accounted != loaded {
            return Some(format!("{accounted} units are accounted for, {loaded} were loaded"));
        }
        if taken < acknowledged {
            return Some(format!("{acknowledged} orders acknowledged, {taken} units taken"));
        }
        if acknowledged.saturating_add(*unknown) < *taken {
            return Some(format!(
                "{taken} units taken, {acknowledged} orders acknowledged and {unknown} unknown"
            ));
        }
        None
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the quotients are exact in binary")]
mod tests {
    use super::*;
    use crate::overload::tally::Ending;

    const CAPACITY: Capacity =
        Capacity { per_second: 100.0, p99_us: 1, closed_per_second: 110.0, order_us: 100.0 };

    fn seen(done: u64, rejected: u64) -> Seen {
        let second = Duration::from_secs(1);
        let mut tally = Tally::new(second);
        for _ in 0..done + rejected {
            tally.arrived(Duration::ZERO);
            tally.left(Duration::ZERO);
        }
        for _ in 0..done {
            tally.ended(Ending::Done, Duration::from_millis(1), Duration::ZERO);
        }
        for _ in 0..rejected {
            tally.ended(Ending::Rejected, Duration::from_millis(1), Duration::ZERO);
        }
        Seen { tallies: vec![tally], server_us: 12_000, memory: vec![10, 30, 20, 34] }
    }

    fn row(multiple: f64, done: u64, rejected: u64) -> Row {
        lasting(Duration::from_secs(1), multiple, &seen(done, rejected))
    }

    fn lasting(lasts: Duration, multiple: f64, seen: &Seen) -> Row {
        Row::of(Behaviour::NoRetry, multiple, &CAPACITY, lasts, seen, seen).unwrap()
    }

    #[test]
    fn goodput_is_a_share_of_what_could_be_had() {
        assert_eq!(row(0.5, 50, 0).goodput, 1.0);
        assert_eq!(row(2.0, 50, 150).goodput, 0.5);
    }

    #[test]
    fn memory_is_judged_by_its_second_half_when_there_was_time() {
        let seen = seen(1, 0);
        let [short, long] = [59, 60].map(|lasts| lasting(Duration::from_secs(lasts), 1.0, &seen));
        assert_eq!((short.memory_growth, short.late_growth), (24, None));
        assert_eq!((long.memory_growth, long.late_growth), (24, Some(4)));
    }

    #[test]
    fn what_did_not_come_was_not_offered() {
        assert!(row(2.0, 95, 95).is_offered);
        assert!(!row(2.0, 95, 94).is_offered);
    }

    #[test]
    fn honest_books_have_no_room_for_a_unit_more_or_less() {
        let honest =
            Honesty { loaded: 100, accounted: 100, taken: 11, acknowledged: 10, unknown: 1 };
        assert_eq!(honest.violation(), None);
        assert!(Honesty { accounted: 99, ..honest }.violation().is_some());
        assert!(Honesty { taken: 9, ..honest }.violation().is_some());
        assert!(Honesty { taken: 12, ..honest }.violation().is_some());
    }
}
