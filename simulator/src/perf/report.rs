//! The targets with what was found, as a table, a page and a value for JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::targets::Target;
use crate::report::html::escape;

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--good:#1a7f4b;--bad:#c4322f}\
@media (prefers-color-scheme:dark){:root{--ground:#14171b;--ink:#e6e9ed;--soft:#9aa4af;--line:#363c44;--good:#4cc38a;--bad:#ff7b72}}\
body{margin:2rem auto;max-width:60rem;padding:0 1rem;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}\
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:left}td.n{text-align:right;font-variant-numeric:tabular-nums}\
.soft{color:var(--soft)}.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}";

/// What was found about one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    /// The target.
    #[serde(flatten)]
    pub(super) target: Target,
    /// The figure: microseconds, bytes or a count.
    pub(super) found: u64,
    /// How many it was told from.
    pub(super) samples: u64,
    /// Whether it is good enough.
    pub(super) met: bool,
}

impl Row {
    /// Judges a figure.
    pub(super) const fn new(target: Target, found: u64, samples: u64) -> Self {
        Self { target, found, samples, met: target.limit.is_met(found) }
    }
}

/// One store.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Sheet {
    /// Its name.
    pub(super) store: &'static str,
    /// One for each target that was measured.
    pub(super) rows: Vec<Row>,
    /// Orders that were acknowledged in the rush, of those that were asked for.
    pub(super) rush: (u64, u64),
    /// What went wrong: figures beside it are not to be believed.
    pub(super) failures: Vec<String>,
}

/// How it was measured.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Setup {
    /// Version of this tool.
    pub(super) version: &'static str,
    /// Cores that everything shares.
    pub(super) cores: usize,
    /// Length of each load in seconds.
    pub(super) seconds: u64,
    /// Orders a second of the normal load.
    pub(super) normal: u32,
    /// Orders a second of the rush.
    pub(super) rush: u32,
    /// What a charge takes, in milliseconds.
    pub(super) charge_ms: u64,
    /// Built with optimisation.
    pub(super) optimised: bool,
}

/// The whole result.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    /// Changes when a field changes its meaning.
    pub(super) schema: &'static str,
    /// How it was measured.
    pub(super) setup: Setup,
    /// One for each store.
    pub(super) sheets: Vec<Sheet>,
    /// Whether every target was met and nothing went wrong.
    pub(super) passed: bool,
}

impl Report {
    /// A result of these sheets.
    pub(super) fn new(setup: Setup, sheets: Vec<Sheet>) -> Self {
        let good =
            |sheet: &Sheet| sheet.failures.is_empty() && sheet.rows.iter().all(|row| row.met);
        Self { schema: "millrace-perf/1", setup, passed: sheets.iter().all(good), sheets }
    }

    fn introduction(&self) -> String {
        let Setup { version, cores, seconds, normal, rush, charge_ms, optimised } = &self.setup;
        let built = if *optimised { "" } else { "; this tool was built without optimisation" };
        format!(
            "millrace-sim {version}, {cores} cores for everything, loads of {seconds} s with {normal} \
             and {rush} orders/s, a charge takes {charge_ms} ms{built}"
        )
    }

    /// For the terminal.
    pub(super) fn table(&self) -> String {
        let mut text = String::new();
        // Writing to a text cannot fail.
        let _ = self.write_table(&mut text);
        text
    }

    fn write_table(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "perf: {}", self.introduction())?;
        for sheet in &self.sheets {
            writeln!(text, "\n{}", sheet.store)?;
            for Row { target, found, samples, met } in &sheet.rows {
                let (word, limit) = (if *met { "met" } else { "MISSED" }, target.limit);
                let (wanted, found) = (limit.wanted(), limit.figure(*found));
                let (id, what) = (target.id, target.what);
                writeln!(
                    text,
                    "{word:<7} {id:<8} {what:<50} {wanted:>14} {found:>14} of {samples}"
                )?;
            }
            let (accepted, asked) = sheet.rush;
            writeln!(text, "        in the rush {accepted} of {asked} orders were accepted")?;
            for failure in &sheet.failures {
                writeln!(text, "FAILED  {failure}")?;
            }
        }
        let rows = || self.sheets.iter().flat_map(|sheet| &sheet.rows);
        let missed = rows().filter(|row| !row.met).count();
        writeln!(text, "\n{missed} of {} targets missed", rows().count())
    }

    /// For a browser; nothing is fetched.
    pub(super) fn page(&self) -> String {
        let mut page = String::new();
        // Writing to a text cannot fail.
        let _ = self.write_page(&mut page);
        page
    }

    fn write_page(&self, page: &mut String) -> std::fmt::Result {
        let (class, word) = if self.passed { ("good", "all met") } else { ("bad", "not all met") };
        writeln!(
            page,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <title>Millrace performance targets</title><style>{STYLE}</style></head><body><main>\n\
             <h1>Performance targets <span class=\"{class}\">{word}</span></h1>\n\
             <p class=\"soft\">{}</p>",
            escape(&self.introduction())
        )?;
        for sheet in &self.sheets {
            let (accepted, asked) = sheet.rush;
            writeln!(
                page,
                "<h2>{}</h2>\n<p>In the rush {accepted} of {asked} orders were accepted.</p>\n\
                 <div class=\"wide\"><table><tr><th>Verdict<th>Target<th>What<th>Wanted<th>Found<th>Of</tr>",
                escape(sheet.store)
            )?;
            for Row { target, found, samples, met } in &sheet.rows {
                let (class, word) = if *met { ("good", "met") } else { ("bad", "missed") };
                writeln!(
                    page,
                    "<tr><td class=\"{class}\">{word}<td>{}<td>{}<td class=\"n\">{}<td class=\"n\">{}\
                     <td class=\"n\">{samples}</tr>",
                    target.id,
                    escape(target.what),
                    escape(&target.limit.wanted()),
                    escape(&target.limit.figure(*found))
                )?;
            }
            writeln!(page, "</table></div>")?;
            for failure in &sheet.failures {
                writeln!(page, "<p class=\"bad\">{}</p>", escape(failure))?;
            }
        }
        writeln!(page, "</main></body></html>")
    }
}

#[cfg(test)]
mod tests {
    use super::super::targets::{CREATE, MEMORY};
    use super::*;

    fn report(found: u64, failures: Vec<String>) -> Report {
        let rows = vec![Row::new(CREATE, found, 10), Row::new(MEMORY, 30 << 20, 1)];
        let setup = Setup {
            version: "0",
            cores: 2,
            seconds: 1,
            normal: 5,
            rush: 10,
            charge_ms: 0,
            optimised: true,
        };
        Report::new(setup, vec![Sheet { store: "SQLite", rows, rush: (9, 10), failures }])
    }

    #[test]
    fn every_target_stands_in_the_table_with_its_verdict() {
        let text = report(250_000, Vec::new()).table();
        let line = |id| text.lines().find(|line| line.contains(id)).unwrap().to_owned();
        assert!(line("PERF-1 ").starts_with("MISSED"), "{text}");
        assert!(line("PERF-1 ").contains("< 200.00 ms") && line("PERF-1 ").contains("250.00 ms"));
        assert!(line("PERF-12").starts_with("met") && line("PERF-12").contains("30 MiB"));
        assert!(
            text.contains("9 of 10 orders were accepted") && text.contains("1 of 2 targets missed")
        );
    }

    #[test]
    fn a_missed_target_and_a_failure_both_fail_the_run() {
        assert!(report(1, Vec::new()).passed);
        assert!(!report(200_000, Vec::new()).passed);
        let failed = report(1, vec!["<lost> an order".to_owned()]);
        assert!(!failed.passed && failed.table().contains("FAILED  <lost> an order"));
        let page = failed.page();
        assert!(page.contains("&lt;lost&gt; an order") && !page.contains("http://"));
    }
}
