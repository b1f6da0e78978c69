//! The measurement as plain text for the terminal.

use std::fmt::{Display, Write as _};

use super::report::Report;
use super::row::Row;
use crate::report::table::in_millis;

/// Headings of the figures of a level.
pub(super) const HEADINGS: [&str; 15] = [
    "×",
    "offered/s",
    "sent/s",
    "withheld %",
    "late %",
    "good/s",
    "goodput %",
    "p50 ms",
    "p99 ms",
    "visit p99",
    "rejected/s",
    "rej p99",
    "unknown",
    "MB more",
    "back s",
];

/// The figures of a level, in the order of [`HEADINGS`].
pub(super) fn figures(row: &Row) -> [String; 15] {
    let percent = |share: f64| format!("{:.1}", share * 100.0);
    [
        row.name(),
        format!("{:.0}", row.offered_per_s),
        format!("{:.0}", row.sent_per_s),
        percent(row.withheld),
        percent(row.late),
        format!("{:.0}", row.good_per_s),
        percent(row.goodput),
        in_millis(row.admitted_us.p50),
        in_millis(row.admitted_us.p99),
        in_millis(row.visit_us.p99),
        format!("{:.0}", row.rejected_per_s),
        in_millis(row.rejected_us.p99),
        row.unknown.to_string(),
        (row.memory_growth / 1_048_576).to_string(),
        row.recovered_s.map_or_else(|| "never".to_owned(), |after| after.to_string()),
    ]
}

/// The sentences about who stood beside whom.
pub(super) fn beside(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(fairness) = &report.fairness {
        lines.push(format!(
            "A polite client with {:.0} orders/s got {:.1} % of them (p99 {} ms) beside one that \
             asked for {:.0}, sent {:.0} and got {:.1} %.",
            fairness.polite_per_s,
            fairness.polite_success * 100.0,
            in_millis(fairness.polite_us.p99),
            fairness.pushed_per_s,
            fairness.pushed_sent_per_s,
            fairness.pusher_success * 100.0
        ));
    }
    if let Some(products) = &report.products {
        lines.push(format!(
            "Orders of a cold product: p99 {} ms beside a hot one, {} ms beside the same load \
             spread over many.",
            in_millis(products.beside_hot_us.p99),
            in_millis(products.beside_spread_us.p99)
        ));
    }
    if let Some(rejections) = &report.rejections {
        lines.push(format!(
            "A full checkout window: {:.0} rejections/s, p99 {} ms, {:.1} % of the cost of an order \
             each.",
            rejections.per_second,
            in_millis(rejections.rejected_us.p99),
            rejections.cost * 100.0
        ));
    }
    if let Some(sold_out) = &report.sold_out {
        lines.push(format!(
            "A sold-out product: {:.0} refusals/s, p99 {} ms, {:.1} % of the cost of an order \
             each, {} messages to stocks.",
            sold_out.refused_per_s,
            in_millis(sold_out.refused_us.p99),
            sold_out.cost * 100.0,
            sold_out.messages.map_or_else(|| "unknown".to_owned(), |count| count.to_string())
        ));
    }
    lines
}

/// The capacity in a sentence or two.
pub(super) fn capacity(report: &Report) -> String {
    let capacity = &report.capacity;
    let (found, too_high) = match (capacity.is_qualified, capacity.too_high_per_second) {
        (true, too_high) => (
            format!("{:.0} orders/s at p99 {} ms", capacity.per_second, in_millis(capacity.p99_us)),
            too_high,
        ),
        (false, too_high) => ("none".to_owned(), too_high),
    };
    let too_high = too_high.map(|rate| format!(", {rate:.0} was too high")).unwrap_or_default();
    format!(
        "Capacity: {found}{too_high}; {:.0} orders/s and {:.1} µs each when sent as fast as they \
         are answered.",
        capacity.closed_per_second, capacity.order_us
    )
}

/// The whole table.
pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut text, report);
    text
}

fn write(text: &mut String, report: &Report) -> std::fmt::Result {
    let setup = &report.setup;
    writeln!(
        text,
        "overload: {} to {} connections, {} s each level, {}",
        setup.connections,
        setup.connections_max,
        setup.seconds,
        if setup.pinned { "one core for each side" } else { "shared cores" }
    )?;
    writeln!(text, "{}", capacity(report))?;
    let mut clients = None;
    for row in &report.rows {
        if clients.replace(row.clients) != Some(row.clients) {
            writeln!(text, "\n{}", row.clients.name())?;
            line(text, HEADINGS)?;
        }
        line(text, figures(row))?;
        for (what, count) in &row.errors {
            writeln!(text, "    {count} × {what}")?;
        }
    }
    writeln!(text)?;
    for line in beside(report) {
        writeln!(text, "{line}")?;
    }
    for remark in report.remarks() {
        writeln!(text, "note: {remark}")?;
    }
    writeln!(text)?;
    for goal in &report.goals {
        let word = if goal.met { "met   " } else { "MISSED" };
        writeln!(text, "{word}  {}: {}", goal.name, goal.found)?;
    }
    for violation in &report.violations {
        writeln!(text, "FAILED: {violation}")?;
    }
    match report.violations.len() {
        0 => writeln!(text, "what was sold is what was acknowledged, and the journal is clean"),
        count => writeln!(text, "{count} violations"),
    }
}

fn line(text: &mut String, fields: [impl Display; 15]) -> std::fmt::Result {
    let [first, rest @ ..] = fields;
    write!(text, "{first:>20}")?;
    for field in rest {
        write!(text, "{field:>11}")?;
    }
    writeln!(text)
}
