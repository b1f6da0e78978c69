//! The comparison as one HTML page with bars and without anything to fetch.

use std::fmt::Write as _;

use super::plan::{Scenario, Side};
use super::report::Report;
use super::row::Row;
use super::table::{HEADINGS, figures};
use crate::report::html::escape;
use crate::report::table::in_millis;

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--ours:#26985c;--theirs:#4285d6;--good:#1a7f4b;--bad:#c4322f}\
@media (prefers-color-scheme:dark){:root{--ground:#14171b;--ink:#e6e9ed;--soft:#9aa4af;--line:#363c44;--good:#4cc38a;--bad:#ff7b72}}\
body{margin:2rem auto;max-width:72rem;padding:0 1rem;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}\
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{padding:.3rem .5rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\
th:first-child,td:first-child{text-align:left}\
.bar{display:grid;grid-template-columns:11rem 1fr 6rem;gap:.6rem;align-items:center}\
.bar i{display:block;height:1rem;border-radius:2px;background:var(--theirs)}.bar i.ours{background:var(--ours)}\
.bar b{font-weight:400;text-align:right;font-variant-numeric:tabular-nums}\
.soft{color:var(--soft)}.good{color:var(--good)}.bad{color:var(--bad);white-space:normal;text-align:left}";

/// The whole page.
pub(super) fn render(report: &Report) -> String {
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut page, report);
    page
}

fn write(page: &mut String, report: &Report) -> std::fmt::Result {
    let (class, word) =
        if report.passed { ("good", "every row counts") } else { ("bad", "rows FAILED") };
    let setup = &report.setup;
    writeln!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>Millrace bench</title><style>{STYLE}</style></head><body><main>\n\
         <h1>Millrace bench <span class=\"{class}\">{word}</span></h1>\n\
         <p class=\"soft\">millrace-sim {}, {} connections, {} s each, {} cores, data on {} ({} ms per \
         forced write), Postgres {}</p>",
        escape(setup.version),
        setup.connections,
        setup.seconds,
        setup.cores,
        escape(setup.file_system.as_deref().unwrap_or("an unknown file system")),
        in_millis(setup.forced_write_us),
        escape(setup.postgres.as_deref().unwrap_or("absent"))
    )?;
    for scenario in report.scenarios() {
        section(page, report, scenario)?;
    }
    if !report.goals.is_empty() {
        writeln!(page, "<h2>Goals</h2>\n<div class=\"wide\"><table>")?;
        for goal in &report.goals {
            let (class, word) = if goal.met { ("good", "met") } else { ("bad", "missed") };
            let (name, found) = (escape(&goal.name), escape(&goal.found));
            writeln!(page, "<tr><td>{name}<td>{found}<td class=\"{class}\">{word}</tr>")?;
        }
        writeln!(page, "</table></div>")?;
    }
    writeln!(page, "<h2>How to read this</h2>\n<ul>")?;
    for missing in &report.not_run {
        writeln!(page, "<li>Not run: {} ({})", escape(&missing.what), escape(&missing.reason))?;
    }
    for remark in report.remarks() {
        writeln!(page, "<li>{}", escape(&remark))?;
    }
    writeln!(page, "</ul></main></body></html>")
}

fn section(page: &mut String, report: &Report, scenario: Scenario) -> std::fmt::Result {
    let rows = || report.rows.iter().filter(move |row| row.scenario == scenario);
    let longest = rows().map(|row| row.orders_per_s).fold(1.0, f64::max);
    writeln!(page, "<h2>{}</h2>", escape(&scenario.name()))?;
    for row in rows() {
        bar(page, row, longest)?;
    }
    write!(page, "<div class=\"wide\"><table><tr><th>")?;
    for heading in HEADINGS {
        write!(page, "<th>{heading}")?;
    }
    writeln!(page, "</tr>")?;
    for row in rows() {
        write!(page, "<tr><td>{}", escape(&row.side.name()))?;
        for figure in figures(row) {
            write!(page, "<td>{figure}")?;
        }
        writeln!(page, "</tr>")?;
        for failure in &row.failures {
            let span = HEADINGS.len() + 1;
            writeln!(page, "<tr><td class=\"bad\" colspan=\"{span}\">{}</tr>", escape(failure))?;
        }
    }
    writeln!(page, "</table></div>")
}

fn bar(page: &mut String, row: &Row, longest: f64) -> std::fmt::Result {
    let ours = matches!(row.side, Side::Postgres | Side::Sqlite);
    writeln!(
        page,
        "<div class=\"bar\"><span>{}</span><i class=\"{}\" style=\"width:{:.1}%\"></i><b>{:.0}/s</b></div>",
        escape(&row.side.name()),
        if ours { "ours" } else { "theirs" },
        row.orders_per_s / longest * 100.0,
        row.orders_per_s
    )
}
