//! One level of one kind of clients, and the arithmetic that makes levels comparable.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::behaviour::Behaviour;
use super::capacity::Capacity;
use super::generator::Heard;
use super::schedule::recovered_after;
use super::tally::Tally;
use crate::report::latency::Percentiles;
use crate::rig::{quotient, real};

/// A level counts as offered when at least this share of its tries left, and in time.
const OFFERED_FROM: f64 = 0.95;
/// A level that lasts as long as this tells whether memory is flat.
const FLAT_FROM: Duration = Duration::from_mins(1);

/// What was seen of the server during one load.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// By source.
    pub(super) heard: Vec<Heard>,
    /// Processor time that the server used, in microseconds.
    pub(super) server_us: u64,
    /// Its memory in bytes, and when it had so much, from the beginning on.
    pub(super) memory: Vec<(Duration, u64)>,
}

impl Seen {
    /// What a source went through in a step.
    pub(super) fn tally(&self, source: usize, step: usize) -> Option<&Tally> {
        self.heard.get(source)?.steps.get(step)
    }

    /// The most memory that the server had between two moments.
    fn most(&self, from: Duration, to: Duration) -> u64 {
        let looks = self.memory.iter().filter(|(at, _)| (from..to).contains(at));
        looks.map(|(_, bytes)| *bytes).max().unwrap_or_default()
    }
}

/// What a level is to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    /// What clients do when they are turned away.
    pub(super) clients: Behaviour,
    /// What is to be offered, in parts of the capacity.
    pub(super) multiple: f64,
    /// Its length.
    pub(super) lasts: Duration,
    /// Memory of the server before the first request of all, in bytes.
    pub(super) memory_before: u64,
}

/// A level.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    /// What clients do when they are turned away.
    pub(super) clients: Behaviour,
    /// What was to be offered, in parts of the capacity.
    pub(super) multiple: f64,
    /// First tries whose moment came, a second.
    pub(super) offered_per_s: f64,
    /// Tries whose bytes left, retries included, a second.
    pub(super) sent_per_s: f64,
    /// The same in parts of the capacity.
    pub(super) sent_multiple: f64,
    /// Share of the tries that the generator could not make.
    pub(super) withheld: f64,
    /// Share of the others that it made more than 10 ms late.
    pub(super) late: f64,
    /// p99 of the generator's own lateness, in microseconds.
    pub(super) lateness_p99_us: u64,
    /// Whether the server got what it was to get.
    pub(super) is_offered: bool,
    /// Orders within the deadline of their try, a second.
    pub(super) good_per_s: f64,
    /// The same in parts of what could be had: the offer, and at most the capacity.
    pub(super) goodput: f64,
    /// Latencies of orders from the intended moment of their try, in microseconds.
    pub(super) admitted_us: Percentiles,
    /// The same from the first try of the client.
    pub(super) visit_us: Percentiles,
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
    /// Refusals by code, and what was unknown or withheld by kind.
    pub(super) errors: BTreeMap<String, u64>,
    /// The most memory that the server had in the level and after it, in bytes above what it had
    /// before the first request of all.
    pub(super) memory_growth: u64,
    /// By how much more it had in the second half of the level than in the first: what is bounded
    /// has filled up by then. `None` for a level that is too short to tell.
    pub(super) late_growth: Option<u64>,
    /// Seconds at 0.7 of the capacity, with the clients of the level and their retries still there,
    /// until whoever came was served within 1 s; `None`: not within the time given.
    pub(super) recovered_s: Option<usize>,
}

impl Row {
    /// A level from what was seen during it and during the time to recover, its second step.
    pub(super) fn of(level: &Level, capacity: &Capacity, seen: &Seen) -> Option<Self> {
        let Level { clients, multiple, lasts, memory_before } = *level;
        let (tally, after) = (seen.tally(0, 0)?, seen.tally(0, 1)?);
        let per_second = |count| quotient(real(count), lasts.as_secs_f64()).unwrap_or_default();
        let share = |part, whole| quotient(real(part), real(whole)).unwrap_or_default();
        let tries = tally.made.saturating_add(tally.withheld);
        let (sent_per_s, good_per_s) = (per_second(tally.sent), per_second(tally.good));
        let wanted = multiple * capacity.per_second;
        let late = share(tally.late, tally.made);
        let growth = seen.most(Duration::ZERO, Duration::MAX).saturating_sub(memory_before);
        let late_growth =
            seen.most(lasts / 2, lasts).saturating_sub(seen.most(Duration::ZERO, lasts / 2));
        Some(Self {
            clients,
            multiple,
            offered_per_s: per_second(tally.offered),
            sent_per_s,
            sent_multiple: quotient(sent_per_s, capacity.per_second).unwrap_or_default(),
            withheld: share(tally.withheld, tries),
            late,
            lateness_p99_us: Percentiles::of(&tally.lateness_us).p99,
            is_offered: is_offered(tally),
            good_per_s,
            goodput: quotient(good_per_s, wanted.min(capacity.per_second)).unwrap_or_default(),
            admitted_us: Percentiles::of(&tally.admitted_us),
            visit_us: Percentiles::of(&tally.visit_us),
            rejected_us: Percentiles::of(&tally.rejected_us),
            done: tally.done,
            rejected: tally.rejected,
            rejected_per_s: per_second(tally.rejected),
            unknown: tally.unknown,
            errors: tally.errors.clone(),
            memory_growth: growth,
            late_growth: (FLAT_FROM <= lasts).then_some(late_growth),
            recovered_s: recovered_after(&after.seconds),
        })
    }

    /// The multiple, and the one that was really sent when that is another.
    pub(super) fn name(&self) -> String {
        if self.is_offered {
            format!("{} ×", self.multiple)
        } else {
            format!("{} × ({:.1} × sent)", self.multiple, self.sent_multiple)
        }
    }
}

/// Whether the server got the tries that it was to get, and in time.
pub(super) fn is_offered(tally: &Tally) -> bool {
    let tries = tally.made.saturating_add(tally.withheld);
    0 < tries
        && OFFERED_FROM * real(tries) <= real(tally.sent)
        && real(tally.late) <= (1.0 - OFFERED_FROM) * real(tally.made)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the quotients are exact in binary")]
mod tests {
    use super::*;
    use crate::overload::honesty::Sales;
    use crate::overload::tally::Ending;

    const SECOND: Duration = Duration::from_secs(1);
    const CAPACITY: Capacity = Capacity {
        per_second: 100.0,
        is_qualified: true,
        too_high_per_second: None,
        p99_us: 1,
        closed_per_second: 110.0,
        order_us: 100.0,
    };

    fn tally(done: u64, rejected: u64) -> Tally {
        let mut tally = Tally::new(SECOND);
        for _ in 0..done + rejected {
            tally.arrived(Duration::ZERO);
            tally.made(Duration::ZERO);
            tally.sent += 1;
        }
        for _ in 0..done {
            tally.ended(Ending::Done, SECOND / 1_000, SECOND / 1_000);
        }
        for _ in 0..rejected {
            tally.ended(Ending::Rejected, SECOND / 1_000, SECOND / 1_000);
        }
        tally
    }

    fn of(lasts: Duration, multiple: f64, tally: Tally) -> Row {
        let steps = vec![tally, Tally::new(SECOND)];
        let heard = vec![Heard { steps, sales: Sales::default() }];
        let memory = [(0, 10), (3, 30), (6, 20), (9, 34), (12, 40)];
        let memory = memory.map(|(at, bytes)| (lasts / 10 * at, bytes)).to_vec();
        let level = Level { clients: Behaviour::NoRetry, multiple, lasts, memory_before: 8 };
        Row::of(&level, &CAPACITY, &Seen { heard, server_us: 12_000, memory }).unwrap()
    }

    #[test]
    fn goodput_is_a_share_of_what_could_be_had() {
        assert_eq!(of(SECOND, 0.5, tally(50, 0)).goodput, 1.0);
        assert_eq!(of(SECOND, 2.0, tally(50, 150)).goodput, 0.5);
    }

    #[test]
    fn memory_is_judged_by_its_second_half_when_there_was_time() {
        let [short, long] = [59, 60].map(|lasts| of(SECOND * lasts, 1.0, tally(1, 0)));
        assert_eq!((short.memory_growth, short.late_growth), (32, None));
        assert_eq!((long.memory_growth, long.late_growth), (32, Some(4)));
    }

    #[test]
    fn what_did_not_leave_was_not_offered() {
        let withholding = |count: u64| {
            let mut tally = tally(95, 95);
            (0..count).for_each(|_| tally.withheld("why"));
            of(SECOND, 2.0, tally)
        };
        assert!(withholding(10).is_offered);
        let row = withholding(11);
        assert!(!row.is_offered);
        assert_eq!(row.name(), "2 × (1.9 × sent)");
        let mut dialled = tally(95, 95);
        dialled.sent -= 20;
        assert!(!of(SECOND, 2.0, dialled).is_offered);
    }

    #[test]
    fn what_left_late_was_not_offered() {
        let mut late = tally(95, 5);
        late.late = 5;
        assert!(of(SECOND, 1.0, late.clone()).is_offered);
        late.late = 6;
        assert!(!of(SECOND, 1.0, late).is_offered);
    }
}
