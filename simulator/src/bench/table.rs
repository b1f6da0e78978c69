//! The comparison as plain text for the terminal.

use std::fmt::Write as _;

use super::report::Report;
use super::row::Row;
use crate::report::table::in_millis;

/// Headings of the figures of a row.
pub(super) const HEADINGS: [&str; 12] = [
    "orders/s",
    "× peer",
    "% edge",
    "p50 ms",
    "p99 ms",
    "½: p99",
    "CPU srv",
    "CPU pg",
    "CPU gen",
    "B stored",
    "B written",
    "errors",
];

/// The figures of a row, in the order of [`HEADINGS`].
pub(super) fn figures(row: &Row) -> [String; 12] {
    let cost = &row.cost;
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let bytes = |value: Option<f64>| or_dash(value.map(|value| format!("{value:.0}")));
    [
        format!("{:.0}", row.orders_per_s),
        or_dash(row.to_peer.map(|ratio| format!("{ratio:.2}"))),
        or_dash(row.to_edge.map(|ratio| format!("{:.1}", ratio * 100.0))),
        in_millis(row.latency_us.p50),
        in_millis(row.latency_us.p99),
        or_dash(row.at_half.as_ref().map(|half| in_millis(half.latency_us.p99))),
        format!("{:.1}", cost.server_us),
        or_dash(cost.postgres_us.map(|micros| format!("{micros:.1}"))),
        format!("{:.1}", cost.generator_us),
        bytes(cost.stored_bytes),
        bytes(cost.written_bytes),
        row.errors.values().sum::<u64>().to_string(),
    ]
}

/// One line about a row that has just been measured.
pub(super) fn line(row: &Row) -> String {
    format!(
        "{:<22}{:>9.0} orders/s   p50 {:>8} ms   p99 {:>8} ms   {}{}",
        row.side.name(),
        row.orders_per_s,
        in_millis(row.latency_us.p50),
        in_millis(row.latency_us.p99),
        row.scenario.name(),
        if row.counts() { "" } else { "   FAILED" }
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
        "bench: {} connections, {} s each, {} cores, data on {} ({} ms per forced write), Postgres {}",
        setup.connections,
        setup.seconds,
        setup.cores,
        setup.file_system.as_deref().unwrap_or("an unknown file system"),
        in_millis(setup.forced_write_us),
        setup.postgres.as_deref().unwrap_or("absent")
    )?;
    for scenario in report.scenarios() {
        writeln!(text, "\n{}", scenario.name())?;
        write!(text, "{:<20}", "")?;
        for heading in HEADINGS {
            write!(text, "{heading:>11}")?;
        }
        writeln!(text)?;
        for row in report.rows.iter().filter(|row| row.scenario == scenario) {
            write!(text, "{:<20}", row.side.name())?;
            for figure in figures(row) {
                write!(text, "{figure:>11}")?;
            }
            writeln!(text)?;
            for failure in &row.failures {
                writeln!(text, "    FAILED: {failure}")?;
            }
        }
    }
    writeln!(text)?;
    for missing in &report.not_run {
        writeln!(text, "not run: {} ({})", missing.what, missing.reason)?;
    }
    for remark in report.remarks() {
        writeln!(text, "note: {remark}")?;
    }
    writeln!(text)?;
    for goal in &report.goals {
        let word = if goal.met { "met   " } else { "MISSED" };
        writeln!(text, "{word}  {}: {}", goal.name, goal.found)?;
    }
    let failed = report.rows.iter().filter(|row| !row.counts()).count();
    match failed {
        0 => writeln!(text, "all {} rows sold exactly what they acknowledged", report.rows.len()),
        _ => writeln!(text, "{failed} of {} rows FAILED", report.rows.len()),
    }
}
