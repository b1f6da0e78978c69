//! The result as plain text for the terminal.

use std::fmt::Write as _;

use super::RunReport;
use super::latency::Percentiles;
use crate::checks::Check;
use crate::history::{Fractions, Verdict};

/// The final table: people, answers, latencies and the verdict.
pub fn render(report: &RunReport) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut text, report);
    text
}

fn write(text: &mut String, report: &RunReport) -> std::fmt::Result {
    let (counts, options) = (&report.counts, &report.options);
    writeln!(
        text,
        "{} {}: {} shoppers, {} product(s), {} units, seed {}",
        report.command,
        report.run,
        options.shoppers,
        options.products,
        options.units_loaded,
        report.seed
    )?;
    writeln!(text)?;
    line(text, "sold", counts.units_accepted, "units in accepted orders")?;
    line(text, "accepted", counts.accepted, "shoppers with an order")?;
    line(text, "  queued", counts.queued, "answered 202 first")?;
    line(text, "refused", counts.refused, "shoppers with a definite no")?;
    for (code, count) in &counts.refused_by_code {
        line(text, &format!("  {code}"), *count, "")?;
    }
    line(text, "unknown", counts.unknown, "shoppers who do not know whether they bought")?;
    line(text, "unreached", counts.unreached, "shoppers whose requests never left")?;
    line(text, "2xx", counts.answers_2xx, "answers")?;
    line(text, "4xx", counts.answers_4xx, "answers")?;
    line(text, "5xx", counts.answers_5xx, "answers")?;
    line(text, "time-outs", counts.time_outs, "tries")?;
    line(text, "cut", counts.cut, "tries")?;
    line(text, "throughput", counts.answers_per_second, "answers/s")?;
    line(text, "last sale", counts.last_acceptance_ms, "ms after the opening")?;
    line(text, "elapsed", counts.elapsed_ms, "ms to the last answer")?;
    writeln!(text)?;
    writeln!(
        text,
        "{:<22}{:>9}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "latency, ms", "count", "p50", "p95", "p99", "p99.9", "max"
    )?;
    let latency = &report.latency_us;
    row(text, "accepted", &latency.accepted)?;
    row(text, "refused", &latency.refused)?;
    row(text, "whole visit", &latency.whole_visit)?;
    row(text, "generator's lateness", &latency.lateness)?;
    writeln!(text)?;
    checks(text, &report.checks)?;
    writeln!(text)?;
    history(text, report.verdict, report.questions)?;
    let failed = report.checks.iter().filter(|check| !check.passed).count();
    if failed == 0 {
        writeln!(text, "all {} checks passed", report.checks.len())
    } else {
        writeln!(text, "{failed} of {} checks FAILED", report.checks.len())
    }
}

/// One line for each check, and its first violations.
pub(crate) fn checks(text: &mut String, checks: &[Check]) -> std::fmt::Result {
    checks.iter().try_for_each(|check| verdict(text, check))
}

/// The verdict on a history, with the share of questions that nobody knows the end of.
pub(crate) fn history(
    text: &mut String,
    verdict: Verdict,
    questions: Fractions,
) -> std::fmt::Result {
    let word = match verdict {
        Verdict::Valid => "valid",
        Verdict::Violated => "violated",
        Verdict::Unknown => "unknown",
    };
    let Fractions { ok, rejected, unknown } = questions;
    let all = ok.saturating_add(rejected).saturating_add(unknown);
    let share = |part: usize| {
        let hundredths = part.saturating_mul(10_000).checked_div(all).unwrap_or(0);
        format!("{}.{:02} %", hundredths / 100, hundredths % 100)
    };
    writeln!(
        text,
        "history {word}: {all} questions, {} ok, {} rejected, {} unknown",
        share(ok),
        share(rejected),
        share(unknown)
    )
}

fn line(text: &mut String, name: &str, count: u64, unit: &str) -> std::fmt::Result {
    let padded = format!("{name:<30}{count:>12}  {unit}");
    writeln!(text, "{}", padded.trim_end())
}

fn row(text: &mut String, name: &str, percentiles: &Percentiles) -> std::fmt::Result {
    let Percentiles { count, p50, p95, p99, p99_9, max } = percentiles;
    write!(text, "{name:<22}{count:>9}")?;
    for micros in [p50, p95, p99, p99_9, max] {
        write!(text, "{:>10}", in_millis(*micros))?;
    }
    writeln!(text)
}

fn verdict(text: &mut String, check: &Check) -> std::fmt::Result {
    let word = if check.passed { "PASS" } else { "FAIL" };
    writeln!(text, "{word}  {:<26}{}", check.name, check.figure)?;
    for violation in &check.violations {
        writeln!(text, "        {violation}")?;
    }
    let more = check.violation_count.saturating_sub(check.violations.len());
    if more > 0 {
        writeln!(text, "        and {more} more")?;
    }
    Ok(())
}

/// Microseconds as milliseconds with two digits, exactly.
pub(crate) fn in_millis(micros: u64) -> String {
    let hundredths = micros.saturating_add(5) / 10;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::in_millis;

    #[test]
    fn microseconds_read_as_milliseconds() {
        assert_eq!(in_millis(0), "0.00");
        assert_eq!(in_millis(1_234), "1.23");
        assert_eq!(in_millis(1_995), "2.00");
        assert_eq!(in_millis(20_000_000), "20000.00");
    }
}
