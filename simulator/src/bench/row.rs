//! One line of the comparison, and the arithmetic that makes it comparable.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::generator::Tally;
use super::plan::{Scenario, Side};
use crate::report::latency::Percentiles;
use crate::rig::{quotient, real};

/// Running totals at one moment; two of them make a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sample {
    /// Processor time of the server, in microseconds.
    pub(super) server_us: u64,
    /// The same of Postgres with all its processes.
    pub(super) postgres_us: Option<u64>,
    /// The same of this process, which makes the load.
    pub(super) generator_us: u64,
    /// Size of the journal on disk, in bytes.
    pub(super) stored: Option<u64>,
    /// Bytes handed to the disk: the log of Postgres, or the writes of the server.
    pub(super) written: Option<u64>,
}

/// What one checkout costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Cost {
    /// Processor time of the server, in microseconds.
    pub(super) server_us: f64,
    /// Processor time of Postgres with all its processes; `None` when there is none here.
    pub(super) postgres_us: Option<f64>,
    /// Processor time of the load generator, in microseconds.
    pub(super) generator_us: f64,
    /// Bytes by which the journal grew.
    pub(super) stored_bytes: Option<f64>,
    /// Bytes handed to the disk.
    pub(super) written_bytes: Option<f64>,
}

impl Cost {
    /// The difference of two samples, divided among the orders between them.
    pub(super) fn between(before: &Sample, after: &Sample, orders: u64) -> Self {
        let each =
            |pick: fn(&Sample) -> u64| ratio(pick(after).saturating_sub(pick(before)), orders);
        let each_if = |pick: fn(&Sample) -> Option<u64>| {
            Some(ratio(pick(after)?.saturating_sub(pick(before)?), orders))
        };
        Self {
            server_us: each(|sample| sample.server_us),
            postgres_us: each_if(|sample| sample.postgres_us),
            generator_us: each(|sample| sample.generator_us),
            stored_bytes: each_if(|sample| sample.stored),
            written_bytes: each_if(|sample| sample.written),
        }
    }
}

/// What happened at half of the maximum rate, latencies from the intended moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Half {
    /// Orders that were to be sent in a second.
    pub(super) offered_per_s: f64,
    /// Orders that were acknowledged in a second.
    pub(super) orders_per_s: f64,
    /// Latencies in microseconds.
    pub(super) latency_us: Percentiles,
}

/// One side in one scenario.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    /// Who.
    pub(super) side: Side,
    /// Under what load.
    pub(super) scenario: Scenario,
    /// Orders acknowledged with 201 in a second.
    pub(super) orders_per_s: f64,
    /// Latencies in microseconds at the maximum rate.
    pub(super) latency_us: Percentiles,
    /// The same at half of that rate, if it was run.
    pub(super) at_half: Option<Half>,
    /// What one checkout costs at the maximum rate.
    pub(super) cost: Cost,
    /// Answers other than 201 by status, and broken connections, warm-up included.
    pub(super) errors: BTreeMap<String, u64>,
    /// Orders acknowledged from start to end.
    pub(super) acknowledged: u64,
    /// Units sold according to the product pages; `None` for the edge alone.
    pub(super) sold: Option<u64>,
    /// Fsyncs that were slowed, when the tracer counted them.
    pub(super) fsyncs_slowed: Option<usize>,
    /// The rate divided by that of the best peer in the same scenario.
    pub(super) to_peer: Option<f64>,
    /// The rate divided by that of the edge alone.
    pub(super) to_edge: Option<f64>,
    /// Why the row does not count.
    pub(super) failures: Vec<String>,
}

impl Row {
    /// A row with nothing in it yet.
    pub(super) fn new(side: Side, scenario: Scenario) -> Self {
        Self {
            side,
            scenario,
            orders_per_s: 0.0,
            latency_us: Percentiles::default(),
            at_half: None,
            cost: Cost::default(),
            errors: BTreeMap::new(),
            acknowledged: 0,
            sold: None,
            fsyncs_slowed: None,
            to_peer: None,
            to_edge: None,
            failures: Vec::new(),
        }
    }

    /// Whether the figures can be believed.
    pub(super) fn counts(&self) -> bool {
        self.failures.is_empty()
    }

    /// Adds what a load has brought that is not a measurement.
    pub(super) fn absorb(&mut self, tally: &Tally) {
        self.acknowledged = self.acknowledged.saturating_add(tally.acknowledged);
        for (what, count) in &tally.errors {
            let sum = self.errors.entry(what.clone()).or_default();
            *sum = sum.saturating_add(*count);
        }
    }

    /// Judges the row once all its figures are in.
    pub(super) fn judge(&mut self) {
        let errors: u64 = self.errors.values().sum();
        if errors > 0 {
            let kinds: Vec<String> =
                self.errors.iter().map(|(what, count)| format!("{count} × {what}")).collect();
            self.failures.push(format!("{errors} errors: {}", kinds.join(", ")));
        }
        if self.orders_per_s <= 0.0 {
            self.failures.push("no order was acknowledged while it was measured".to_owned());
        }
        if let Some(sold) = self.sold
            && sold != self.acknowledged
        {
            self.failures.push(format!("{sold} units sold, {} acknowledged", self.acknowledged));
        }
        if self.fsyncs_slowed == Some(0) {
            self.failures.push("no fsync was slowed".to_owned());
        }
    }
}

/// Marks each row with its ratio to the best peer of its scenario and to the edge alone.
pub(super) fn compare(rows: &mut [Row]) {
    let edge = rows.iter().find(|row| row.side == Side::Edge && row.counts());
    let edge = edge.map(|row| row.orders_per_s);
    let peers: Vec<(Scenario, f64)> = rows
        .iter()
        .filter(|row| matches!(row.side, Side::Peer(_)) && row.counts())
        .map(|row| (row.scenario, row.orders_per_s))
        .collect();
    for row in rows {
        row.to_edge = edge.and_then(|edge| quotient(row.orders_per_s, edge));
        let same = peers.iter().filter(|(scenario, _)| *scenario == row.scenario);
        let best = same.map(|(_, rate)| *rate).max_by(f64::total_cmp);
        let compared = row.side != Side::Edge;
        row.to_peer = best.filter(|_| compared).and_then(|best| quotient(row.orders_per_s, best));
    }
}

/// Orders in a second.
pub(super) fn rate(orders: u64, elapsed: Duration) -> f64 {
    quotient(real(orders), elapsed.as_secs_f64()).unwrap_or_default()
}

/// The time between two sends at half of the rate of `orders` in `elapsed`; `None` when
/// there were none.
pub(super) fn half_interval(orders: u64, elapsed: Duration) -> Option<Duration> {
    let nanos = elapsed.as_nanos().checked_mul(2)?.checked_div(u128::from(orders))?;
    u64::try_from(nanos).ok().map(Duration::from_nanos)
}

/// A quotient of two counts; nothing divided by nothing is nothing.
fn ratio(part: u64, whole: u64) -> f64 {
    quotient(real(part), real(whole)).unwrap_or_default()
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the quotients are exact in binary")]
mod tests {
    use super::*;

    fn row(side: Side, scenario: Scenario, orders_per_s: f64) -> Row {
        Row { orders_per_s, ..Row::new(side, scenario) }
    }

    #[test]
    fn cost_is_what_was_used_between_the_samples_divided_by_the_orders() {
        let before = Sample { server_us: 1_000, postgres_us: Some(10), ..Sample::default() };
        let after = Sample {
            server_us: 9_000,
            postgres_us: Some(1_010),
            generator_us: 500,
            stored: Some(99),
            written: None,
        };
        let cost = Cost::between(&before, &after, 1_000);
        assert_eq!((cost.server_us, cost.postgres_us), (8.0, Some(1.0)));
        assert_eq!((cost.generator_us, cost.stored_bytes), (0.5, None));
        assert_eq!(Cost::between(&before, &after, 0).server_us, 0.0);
    }

    #[test]
    fn half_of_the_rate_is_twice_the_distance() {
        let second = Duration::from_secs(1);
        assert_eq!(half_interval(1_000, second), Some(Duration::from_millis(2)));
        assert_eq!(half_interval(0, second), None);
        assert_eq!(rate(500, Duration::from_millis(250)), 2_000.0);
        assert_eq!(rate(500, Duration::ZERO), 0.0);
    }

    #[test]
    fn each_scenario_is_compared_with_its_own_best_peer_that_counts() {
        let slow = Scenario { slow_disk: true, ..Scenario::BARE };
        let mut rows = [
            row(Side::Edge, Scenario::BARE, 100.0),
            row(Side::Peer(2), Scenario::BARE, 4.0),
            row(Side::Peer(4), Scenario::BARE, 5.0),
            row(Side::Peer(8), Scenario::BARE, 50.0),
            row(Side::Postgres, Scenario::BARE, 40.0),
            row(Side::Postgres, slow, 10.0),
        ];
        rows[3].failures.push("sold too much".to_owned());
        compare(&mut rows);
        assert_eq!((rows[0].to_peer, rows[0].to_edge), (None, Some(1.0)));
        assert_eq!((rows[1].to_peer, rows[1].to_edge), (Some(0.8), Some(0.04)));
        assert_eq!((rows[4].to_peer, rows[4].to_edge), (Some(8.0), Some(0.4)));
        assert_eq!((rows[5].to_peer, rows[5].to_edge), (None, Some(0.1)));
    }

    #[test]
    fn a_row_fails_on_errors_on_a_wrong_count_and_on_silence() {
        let judged = |change: fn(&mut Row)| {
            let mut row = row(Side::Sqlite, Scenario::BARE, 9.0);
            (row.acknowledged, row.sold) = (10, Some(10));
            change(&mut row);
            row.judge();
            row.failures
        };
        assert!(judged(|_| {}).is_empty());
        assert_eq!(judged(|row| row.sold = Some(11)), ["11 units sold, 10 acknowledged"]);
        assert_eq!(judged(|row| row.errors.extend([("503".to_owned(), 3)])), ["3 errors: 3 × 503"]);
        assert_eq!(judged(|row| row.orders_per_s = 0.0).len(), 1);
        assert_eq!(judged(|row| row.fsyncs_slowed = Some(0)), ["no fsync was slowed"]);
    }
}
