//! The measurement as one HTML page with charts and without anything to fetch.

use std::fmt::Write as _;

use super::behaviour::Behaviour;
use super::charts;
use super::report::Report;
use super::table::{HEADINGS, beside, capacity, figures};
use crate::report::html::escape;

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--good:#1a7f4b;--bad:#c4322f}\
@media (prefers-color-scheme:dark){:root{--ground:#14171b;--ink:#e6e9ed;--soft:#9aa4af;--line:#363c44;--good:#4cc38a;--bad:#ff7b72}}\
body{margin:2rem auto;max-width:72rem;padding:0 1rem;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}\
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{padding:.3rem .5rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\
th:first-child,td:first-child{text-align:left}figure{margin:1rem 0;overflow-x:auto}svg{max-width:100%;height:auto}\
.soft{color:var(--soft)}.good{color:var(--good)}.bad{color:var(--bad)}";

/// The whole page.
///
/// # Errors
/// When a chart cannot be drawn.
pub(super) fn render(report: &Report) -> anyhow::Result<String> {
    let chart = |drawn: Result<String, Box<dyn std::error::Error>>| {
        drawn.map_err(|error| anyhow::anyhow!("cannot draw a chart: {error}"))
    };
    let mut page = String::new();
    head(&mut page, report)?;
    if !report.rows.is_empty() {
        figure(&mut page, "Goodput", &chart(charts::goodput(report))?)?;
        figure(&mut page, "p99 of orders", &chart(charts::latency(report))?)?;
    }
    for kind in Behaviour::ALL {
        levels(&mut page, report, kind)?;
    }
    goals(&mut page, report)?;
    writeln!(page, "<h2>How to read this</h2>\n<ul>")?;
    for remark in report.remarks() {
        writeln!(page, "<li>{}", escape(&remark))?;
    }
    writeln!(page, "</ul></main></body></html>")?;
    Ok(page)
}

fn head(page: &mut String, report: &Report) -> std::fmt::Result {
    let (class, word) = if report.passed { ("good", "honest") } else { ("bad", "NOT HONEST") };
    let setup = &report.setup;
    writeln!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>Millrace overload</title><style>{STYLE}</style></head><body><main>\n\
         <h1>Millrace overload <span class=\"{class}\">{word}</span></h1>\n\
         <p class=\"soft\">millrace-sim {}, {} to {} connections, {} s each level, {}</p>\n<p>{}</p>",
        escape(setup.version),
        setup.connections,
        setup.connections_max,
        setup.seconds,
        if setup.pinned { "one core for each side" } else { "shared cores" },
        escape(&capacity(report))
    )?;
    for line in beside(report) {
        writeln!(page, "<p>{}</p>", escape(&line))?;
    }
    for violation in &report.violations {
        writeln!(page, "<p class=\"bad\">{}</p>", escape(violation))?;
    }
    Ok(())
}

fn figure(page: &mut String, title: &str, svg: &str) -> std::fmt::Result {
    writeln!(page, "<h2>{title}</h2>\n<figure role=\"img\" aria-label=\"{title}\">{svg}</figure>")
}

fn levels(page: &mut String, report: &Report, kind: Behaviour) -> std::fmt::Result {
    let mut rows = report.rows.iter().filter(|row| row.clients == kind).peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    writeln!(page, "<h2>With {}</h2>\n<div class=\"wide\"><table><tr>", kind.name())?;
    for heading in HEADINGS {
        write!(page, "<th>{heading}")?;
    }
    writeln!(page, "</tr>")?;
    for row in rows {
        write!(page, "<tr>")?;
        for figure in figures(row) {
            write!(page, "<td>{}", escape(&figure))?;
        }
        writeln!(page, "</tr>")?;
    }
    writeln!(page, "</table></div>")
}

fn goals(page: &mut String, report: &Report) -> std::fmt::Result {
    if report.goals.is_empty() {
        return Ok(());
    }
    writeln!(page, "<h2>Goals</h2>\n<div class=\"wide\"><table>")?;
    for goal in &report.goals {
        let (class, word) = if goal.met { ("good", "met") } else { ("bad", "missed") };
        let (name, found) = (escape(&goal.name), escape(&goal.found));
        writeln!(page, "<tr><td>{name}<td>{found}<td class=\"{class}\">{word}</tr>")?;
    }
    writeln!(page, "</table></div>")
}
