//! The scorecard as one HTML page without anything to fetch, readable in light and dark.

use std::fmt::Write as _;

use super::scorecard::{Row, Scorecard, Verdict};
use crate::report::html::escape;

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--good:#1a7f4b;--bad:#c4322f}\
@media (prefers-color-scheme:dark){:root{--ground:#14171b;--ink:#e6e9ed;--soft:#9aa4af;--line:#363c44;--good:#4cc38a;--bad:#ff7b72}}\
body{margin:2rem auto;max-width:64rem;padding:0 1rem;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\
h1{font-size:1.6rem}h2{font-size:1.15rem;margin:2rem 0 .2rem}p{margin:.2rem 0}\
table{border-collapse:collapse;width:100%}th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:left}\
td.n{text-align:right;font-variant-numeric:tabular-nums}\
a{color:inherit}.soft{color:var(--soft)}.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}";

/// The whole page.
pub(super) fn render(card: &Scorecard) -> String {
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut page, card);
    page
}

fn write(page: &mut String, card: &Scorecard) -> std::fmt::Result {
    let Scorecard { passed, failed, not_run, .. } = card;
    let length = if card.short { "short versions" } else { "full length" };
    writeln!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>Millrace drills</title><style>{STYLE}</style></head><body><main>\n\
         <h1>Millrace drills</h1>\n<p>{passed} passed, {failed} failed, {not_run} not run; {length}</p>\n\
         <p class=\"soft\">{} {}, {}, {} cores</p>",
        escape(card.tool.name),
        escape(card.tool.version),
        escape(&card.server),
        card.cores
    )?;
    writeln!(page, "<table><tr><th>Verdict<th>Drill<th>Fault</tr>")?;
    for row in &card.rows {
        let (name, fault) = (escape(row.sheet.name), escape(row.sheet.fault));
        writeln!(page, "<tr>{}<td><a href=\"#{name}\">{name}</a><td>{fault}</tr>", cell(row))?;
    }
    writeln!(page, "</table>")?;
    for row in &card.rows {
        section(page, row)?;
    }
    writeln!(page, "</main></body></html>")
}

fn cell(row: &Row) -> String {
    let class = match row.verdict {
        Verdict::Passed => "good",
        Verdict::Failed => "bad",
        Verdict::NotRun => "soft",
    };
    format!("<td class=\"{class}\">{}", row.verdict.word())
}

fn section(page: &mut String, row: &Row) -> std::fmt::Result {
    let name = escape(row.sheet.name);
    writeln!(page, "<h2 id=\"{name}\">{name}: {}</h2>", escape(row.sheet.fault))?;
    writeln!(page, "<p class=\"soft\">Expected: {}</p>", escape(row.sheet.expected))?;
    if let Some(reason) = &row.reason {
        writeln!(page, "<p>{}: {}</p>", row.verdict.word(), escape(reason))?;
    }
    if row.figures.is_empty() {
        return Ok(());
    }
    writeln!(page, "<table><tr><th>Figure<th>Measured<th>Demanded</tr>")?;
    for figure in &row.figures {
        let class = if figure.met { "n" } else { "n bad" };
        writeln!(
            page,
            "<tr><td>{}<td class=\"{class}\">{}<td>{}</tr>",
            escape(&figure.name),
            escape(&figure.value),
            escape(figure.demand.as_deref().unwrap_or(""))
        )?;
    }
    writeln!(page, "</table>")
}
