//! What levels look like over their multiples, as inline SVG.

use super::behaviour::Behaviour;
use super::report::Report;
use super::row::Row;
use crate::report::charts::{self, AMBER, Axes, BLUE, GREEN, LEFT, Line, RIGHT};
use crate::rig::real;

type Failure = Box<dyn std::error::Error>;

/// Goodput over what is offered, one line for each kind of clients.
pub(super) fn goodput(report: &Report) -> Result<String, Failure> {
    let axes = Axes { x: "× capacity asked for", y: "goodput, %", steps: 11, legend: LEFT };
    charts::draw(&lines(report, |row| row.goodput * 100.0), &axes, &charts::plain)
}

/// p99 of orders over what is offered.
pub(super) fn latency(report: &Report) -> Result<String, Failure> {
    let axes =
        Axes { x: "× capacity asked for", y: "p99 of orders, ms", steps: 11, legend: RIGHT };
    charts::draw(&lines(report, |row| real(row.admitted_us.p99) / 1_000.0), &axes, &charts::plain)
}

fn lines(report: &Report, figure: fn(&Row) -> f64) -> Vec<Line> {
    let kinds = Behaviour::ALL.into_iter().zip([GREEN, AMBER, BLUE]);
    kinds
        .map(|(kind, colour)| {
            let rows = report.rows.iter().filter(|row| row.clients == kind);
            let mut points: Vec<(f64, f64)> = rows.map(|row| (row.multiple, figure(row))).collect();
            points.sort_by(|one, other| one.0.total_cmp(&other.0));
            (kind.name(), colour, points)
        })
        .filter(|(_, _, points)| !points.is_empty())
        .collect()
}
