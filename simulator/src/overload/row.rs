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
    /// Its memory before, in bytes.
    pub(super) memory_before: u64,
    /// The most that it had meanwhile.
    pub(super) memory_max: u64,
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
    /// Tries of which the client does not know what came of them.
    pub(super) unknown: u64,
    /// Refusals by code, and what was unknown by kind.
    pub(super) errors: BTreeMap<String, u64>,
    /// Processor time of the server for one rejection, in parts of that for an order. What is
    /// left of its time when its orders have had theirs; `None` below the capacity.
    pub(super) rejection_cost: Option<f64>,
    /// By how much the server's memory grew, in bytes.
    pub(super) memory_growth: u64,
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
        let left = real(seen.server_us) - real(tally.done) * capacity.order_us;
        let rejection_cost = quotient(left, real(tally.rejected))
            .and_then(|micros| quotient(micros.max(0.0), capacity.order_us));
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
            unknown: tally.unknown,
            errors: tally.errors.clone(),
            rejection_cost: rejection_cost.filter(|_| 1.0 < multiple && 0 < tally.rejected),
            memory_growth: seen.memory_max.saturating_sub(seen.memory_before),
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
        Seen { tallies: vec![tally], server_us: 12_000, memory_before: 10, memory_max: 30 }
    }

    fn row(multiple: f64, done: u64, rejected: u64) -> Row {
        let seen = seen(done, rejected);
        let second = Duration::from_secs(1);
        Row::of(Behaviour::NoRetry, multiple, &CAPACITY, second, &seen, &seen).unwrap()
    }

    #[test]
    fn goodput_is_a_share_of_what_could_be_had() {
        assert_eq!(row(0.5, 50, 0).goodput, 1.0);
        assert_eq!(row(2.0, 50, 150).goodput, 0.5);
    }

    #[test]
    fn a_rejection_costs_what_the_orders_left_over() {
        assert_eq!(row(2.0, 100, 100).rejection_cost, Some(0.2));
        assert_eq!(row(2.0, 150, 50).rejection_cost, Some(0.0));
        assert_eq!(row(1.0, 80, 20).rejection_cost, None);
    }

    #[test]
    fn what_did_not_come_was_not_offered() {
        assert!(row(2.0, 95, 95).is_offered);
        assert!(!row(2.0, 95, 94).is_offered);
        assert_eq!(row(2.0, 95, 94).memory_growth, 20);
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
