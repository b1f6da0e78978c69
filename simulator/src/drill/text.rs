//! The scorecard as plain text for the terminal.

use std::fmt::Write as _;

use super::scorecard::{Row, Scorecard};

/// One drill with its figures.
pub(super) fn row(row: &Row) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_row(&mut text, row);
    text
}

/// The last line of a run.
pub(super) fn total(card: &Scorecard) -> String {
    let Scorecard { passed, failed, not_run, .. } = card;
    format!("{passed} passed, {failed} failed, {not_run} not run\n")
}

fn write_row(text: &mut String, row: &Row) -> std::fmt::Result {
    let (word, name, seconds) = (row.verdict.word(), row.sheet.name, row.took_ms.div_ceil(1_000));
    writeln!(text, "{word:<8}{name:<18}{} ({seconds} s)", row.sheet.fault)?;
    if let Some(reason) = &row.reason {
        writeln!(text, "          {reason}")?;
    }
    for figure in &row.figures {
        let mark = if figure.met { ' ' } else { '!' };
        let demand = figure.demand.as_ref().map(|demand| format!("  ({demand})"));
        let demand = demand.unwrap_or_default();
        writeln!(text, "        {mark} {:<52} {}{demand}", figure.name, figure.value)?;
    }
    Ok(())
}
