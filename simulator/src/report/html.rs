//! The result as one HTML page without anything to fetch, readable in light and dark.

use std::fmt::Write as _;

use super::table::in_millis;
use super::{RunReport, charts};
use crate::checks::Check;

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--good:#1a7f4b;--bad:#c4322f}\
@media (prefers-color-scheme:dark){:root{--ground:#14171b;--ink:#e6e9ed;--soft:#9aa4af;--line:#363c44;--good:#4cc38a;--bad:#ff7b72}}\
body{margin:2rem auto;max-width:60rem;padding:0 1rem;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}\
table{border-collapse:collapse;width:100%}th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:left}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\
.soft{color:var(--soft)}.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}\
figure{margin:1rem 0;overflow-x:auto}svg{max-width:100%;height:auto}ul{margin:.2rem 0}";

/// The whole page.
///
/// # Errors
/// When a chart cannot be drawn.
pub fn render(report: &RunReport) -> anyhow::Result<String> {
    let chart = |drawn: Result<String, Box<dyn std::error::Error>>| {
        drawn.map_err(|error| anyhow::anyhow!("cannot draw a chart: {error}"))
    };
    let mut page = String::new();
    head(&mut page, report)?;
    checks(&mut page, &report.checks)?;
    counts(&mut page, report)?;
    latencies(&mut page, report)?;
    figure(&mut page, "Latency by share of answers", &chart(charts::latency(report))?)?;
    figure(&mut page, "Answers per second", &chart(charts::answers(report))?)?;
    figure(&mut page, "Stock left", &chart(charts::stock(report))?)?;
    options(&mut page, report)?;
    page.push_str("</main></body></html>\n");
    Ok(page)
}

fn head(page: &mut String, report: &RunReport) -> std::fmt::Result {
    let command = escape(report.command);
    let run = escape(&report.run);
    let (class, word) = if report.passed { ("good", "passed") } else { ("bad", "FAILED") };
    writeln!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{command} {run}: {word}</title><style>{STYLE}</style></head><body><main>\n\
         <h1>{command} <span class=\"soft\">{run}</span> <span class=\"{class}\">{word}</span></h1>"
    )?;
    writeln!(
        page,
        "<p>{} shoppers wanted {} units: {} units sold, {} shoppers refused, \
         {} server errors, {} time-outs.</p>",
        report.options.shoppers,
        report.options.units_loaded,
        report.counts.units_accepted,
        report.counts.refused,
        report.counts.answers_5xx,
        report.counts.time_outs
    )
}

fn checks(page: &mut String, checks: &[Check]) -> std::fmt::Result {
    writeln!(page, "<h2>Checks</h2>\n<table><tr><th>Verdict<th>Check<th>Figure</tr>")?;
    for check in checks {
        let (class, word) = if check.passed { ("good", "PASS") } else { ("bad", "FAIL") };
        write!(
            page,
            "<tr><td class=\"{class}\">{word}<td>{}<td>{}",
            escape(check.name),
            escape(&check.figure)
        )?;
        if !check.violations.is_empty() {
            write!(page, "<ul>")?;
            for violation in &check.violations {
                write!(page, "<li>{}", escape(violation))?;
            }
            let more = check.violation_count.saturating_sub(check.violations.len());
            if more > 0 {
                write!(page, "<li>and {more} more")?;
            }
            write!(page, "</ul>")?;
        }
        writeln!(page, "</tr>")?;
    }
    writeln!(page, "</table>")
}

fn counts(page: &mut String, report: &RunReport) -> std::fmt::Result {
    let counts = &report.counts;
    writeln!(page, "<h2>People and answers</h2>\n<table>")?;
    let rows = [
        ("shoppers with an order", counts.accepted),
        ("… of them queued first (202)", counts.queued),
        ("shoppers refused", counts.refused),
        ("shoppers who do not know", counts.unknown),
        ("shoppers never reached", counts.unreached),
        ("tries", counts.attempts),
        ("answers 2xx", counts.answers_2xx),
        ("answers 4xx", counts.answers_4xx),
        ("answers 5xx", counts.answers_5xx),
        ("time-outs", counts.time_outs),
        ("connections cut", counts.cut),
        ("answers per second", counts.answers_per_second),
        ("last sale, ms after the opening", counts.last_acceptance_ms),
        ("last answer, ms after the opening", counts.elapsed_ms),
    ];
    for (name, count) in rows {
        writeln!(page, "<tr><td>{}<td class=\"n\">{count}</tr>", escape(name))?;
    }
    for (code, count) in &counts.refused_by_code {
        writeln!(page, "<tr><td>refused: {}<td class=\"n\">{count}</tr>", escape(code))?;
    }
    writeln!(page, "</table>")
}

fn latencies(page: &mut String, report: &RunReport) -> std::fmt::Result {
    writeln!(
        page,
        "<h2>Latency in ms, from the intended moment</h2>\n<table><tr><th><th class=\"n\">count\
         <th class=\"n\">p50<th class=\"n\">p95<th class=\"n\">p99<th class=\"n\">p99.9<th class=\"n\">max</tr>"
    )?;
    let latency = &report.latency_us;
    let rows = [
        ("accepted", &latency.accepted),
        ("refused", &latency.refused),
        ("whole visit", &latency.whole_visit),
        ("generator's lateness", &latency.lateness),
    ];
    for (name, read) in rows {
        write!(page, "<tr><td>{}<td class=\"n\">{}", escape(name), read.count)?;
        for micros in [read.p50, read.p95, read.p99, read.p99_9, read.max] {
            write!(page, "<td class=\"n\">{}", in_millis(micros))?;
        }
        writeln!(page, "</tr>")?;
    }
    writeln!(page, "</table>")
}

fn figure(page: &mut String, title: &str, svg: &str) -> std::fmt::Result {
    let title = escape(title);
    writeln!(page, "<h2>{title}</h2>\n<figure role=\"img\" aria-label=\"{title}\">{svg}</figure>")
}

fn options(page: &mut String, report: &RunReport) -> std::fmt::Result {
    let options = &report.options;
    writeln!(page, "<h2>Set-up</h2>\n<table>")?;
    let rows = [
        ("server", options.url.clone()),
        ("seed", report.seed.to_string()),
        ("products", options.products.to_string()),
        ("units in one order", options.quantity.to_string()),
        ("arrival window, ms", options.window_ms.to_string()),
        ("arrivals", format!("{:?}", options.shape).to_lowercase()),
        ("connections", options.connections.to_string()),
        ("tries per shopper", options.tries.to_string()),
        ("client time-out, ms", options.timeout_ms.to_string()),
        ("made by", format!("{} {}", report.tool.name, report.tool.version)),
    ];
    for (name, value) in rows {
        writeln!(page, "<tr><td>{}<td>{}</tr>", escape(name), escape(&value))?;
    }
    writeln!(page, "</table>")
}

/// Text that cannot become markup.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
