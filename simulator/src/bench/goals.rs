//! What the figures should be, and whether they are. Reported, never asserted.

use serde::Serialize;

use super::plan::{Scenario, Side};
use super::row::Row;

/// One aim and what was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Goal {
    /// What is wanted.
    pub(super) name: String,
    /// The figure, with its unit.
    pub(super) found: String,
    /// Whether it is good enough.
    pub(super) met: bool,
}

/// All goals that the rows can tell something about.
pub(super) fn judge(rows: &[Row]) -> Vec<Goal> {
    rows.iter()
        .filter(|row| row.counts() && matches!(row.side, Side::Postgres | Side::Sqlite))
        .filter(|row| !row.scenario.slow_disk)
        .flat_map(|row| [to_peer(row), to_edge(row), at_half(row)])
        .flatten()
        .collect()
}

fn to_peer(row: &Row) -> Option<Goal> {
    let wanted = match (row.scenario.products, row.side) {
        (1, Side::Postgres) => 8.0,
        (1, _) => 10.0,
        _ => 4.0,
    };
    let found = row.to_peer?;
    Some(Goal {
        name: format!("{}: at least {wanted} × the best peer", place(row)),
        found: format!("{found:.2} ×"),
        met: found >= wanted,
    })
}

fn to_edge(row: &Row) -> Option<Goal> {
    let wanted = if row.side == Side::Postgres { 0.20 } else { 0.25 };
    let found = row.to_edge.filter(|_| row.scenario == Scenario::BARE)?;
    Some(Goal {
        name: format!("{}: at least {:.0} % of the edge alone", place(row), wanted * 100.0),
        found: format!("{:.1} %", found * 100.0),
        met: found >= wanted,
    })
}

fn at_half(row: &Row) -> Option<Goal> {
    let found = row.at_half.as_ref().filter(|_| row.scenario.charge_ms == 0)?.latency_us.p99;
    Some(Goal {
        name: format!("{}: p99 at half of the maximum at most 20 ms", place(row)),
        found: format!("{} ms", crate::report::table::in_millis(found)),
        met: found <= 20_000,
    })
}

fn place(row: &Row) -> String {
    format!("{}, {}", row.side.name(), row.scenario.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::row::Half;
    use crate::report::latency::Percentiles;

    fn row(side: Side, to_peer: f64) -> Row {
        let latency_us = Percentiles { p99: 20_001, ..Percentiles::default() };
        let at_half = Some(Half { offered_per_s: 5.0, orders_per_s: 5.0, latency_us });
        Row {
            to_peer: Some(to_peer),
            to_edge: Some(0.2),
            at_half,
            ..Row::new(side, Scenario::BARE)
        }
    }

    #[test]
    fn a_goal_is_met_at_its_figure_and_not_below() {
        let met = |row: Row| judge(&[row]).into_iter().map(|goal| goal.met).collect::<Vec<_>>();
        assert_eq!(met(row(Side::Postgres, 8.0)), [true, true, false]);
        assert_eq!(met(row(Side::Postgres, 7.99)), [false, true, false]);
        assert_eq!(met(row(Side::Sqlite, 9.0)), [false, false, false]);
    }

    #[test]
    fn peers_slow_disks_and_failed_rows_have_no_goals() {
        let mut failed = row(Side::Sqlite, 50.0);
        failed.failures.push("lost an order".to_owned());
        let mut slow = row(Side::Sqlite, 50.0);
        slow.scenario.slow_disk = true;
        assert_eq!(judge(&[failed, slow, row(Side::Peer(2), 1.0)]), []);
    }
}
