//! The three faces of a report: complete, escaped, self-contained.

use std::collections::BTreeMap;

use super::latency::{Percentiles, curve, histogram, note};
use super::summary::{Counts, Left, Second};
use super::{Latencies, Options, RunReport, SCHEMA, TOOL, html, json, table};
use crate::checks::Check;
use crate::crowd::arrivals::Shape;
use crate::history::{Fractions, Verdict};
use crate::record::{Stock, StockSample};

const MALICE: &str = "<script>alert('x')</script> & \"more\"";

fn report(passed: bool, text: &str) -> RunReport {
    let mut times = histogram();
    for millis in 1..=100 {
        note(&mut times, std::time::Duration::from_millis(millis));
    }
    let read = Percentiles::of(&times);
    RunReport {
        schema: SCHEMA,
        tool: TOOL,
        command: "flash-sale",
        run: "run-1".to_owned(),
        seed: 7,
        options: Options {
            url: text.to_owned(),
            shoppers: 3,
            products: 1,
            units_loaded: 2,
            quantity: 1,
            window_ms: 1_000,
            shape: Shape::Rush,
            connections: 4,
            tries: 5,
            timeout_ms: 10_000,
        },
        passed,
        verdict: if passed { Verdict::Valid } else { Verdict::Violated },
        questions: Fractions { ok: 1, rejected: 2, unknown: 1 },
        counts: Counts {
            shoppers: 3,
            refused_by_code: BTreeMap::from([(text.to_owned(), 1)]),
            ..Counts::default()
        },
        latency_us: Latencies { accepted: read, refused: read, whole_visit: read, lateness: read },
        checks: vec![Check {
            name: "nothing_oversold",
            passed,
            figure: text.to_owned(),
            violations: if passed { Vec::new() } else { vec![text.to_owned()] },
            violation_count: if passed { 0 } else { 3 },
        }],
        per_second: vec![Second { second: 0, accepted: 2, units: 2, ..Second::default() }],
        units_left: vec![Left { at_ms: 0, units: 2 }, Left { at_ms: 40, units: 0 }],
        stock_samples: vec![StockSample { at_ms: 10, stock: Stock::default() }],
        stock_after: Some(Stock::default()),
        curves: vec![("accepted", curve(&times)), ("refused", Vec::new())],
    }
}

#[test]
fn text_from_outside_cannot_become_markup() {
    let page = html::render(&report(false, MALICE)).unwrap();
    assert!(!page.contains("<script"));
    assert!(
        page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;more&quot;")
    );
    assert_eq!(html::escape("plain · text"), "plain · text");
}

#[test]
fn the_page_fetches_nothing() {
    let page = html::render(&report(true, "http://127.0.0.1:8000")).unwrap();
    for asset in ["src=", "<link", "@import", "url(", "<script"] {
        assert!(!page.contains(asset), "{asset}");
    }
    // The only addresses are the server's, as text, and the name of the SVG dialect.
    let addresses = page.matches("http://").count();
    let dialects = page.matches("http://www.w3.org/2000/svg").count();
    assert_eq!(addresses, dialects + page.matches("http://127.0.0.1:8000").count());
}

#[test]
fn charts_take_their_ink_from_the_page() {
    let page = html::render(&report(true, "x")).unwrap();
    assert_eq!(page.matches("<svg").count(), 3);
    assert!(page.contains("prefers-color-scheme:dark"));
    assert!(page.contains("currentColor"));
    assert!(!page.contains("#010203") && !page.contains("#000000") && !page.contains("#FFFFFF"));
}

#[test]
fn an_empty_run_still_has_a_page() {
    let mut empty = report(true, "x");
    empty.per_second.clear();
    empty.units_left.clear();
    empty.stock_samples.clear();
    empty.curves.clear();
    assert!(html::render(&empty).unwrap().contains("</html>"));
}

#[test]
fn the_file_names_its_schema_and_every_part() {
    let text = json::render(&report(true, "x")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["schema"], "millrace-sim/1");
    assert_eq!(value["tool"]["name"], "millrace-sim");
    assert_eq!(value["options"]["shape"], "rush");
    assert_eq!(value["latency_us"]["accepted"]["p50"].as_u64().unwrap() / 1_000, 50);
    assert_eq!(value["checks"][0]["passed"], true);
    assert_eq!(value["per_second"][0]["units"], 2);
    assert_eq!(value["units_left"][1]["at_ms"], 40);
    assert_eq!(value["stock_samples"][0]["stock"]["on_hand"], 0);
    for part in ["command", "run", "seed", "passed", "counts", "stock_after"] {
        assert!(!value[part].is_null(), "{part}");
    }
}

#[test]
fn the_table_says_what_failed_and_how_much_more() {
    let good = table::render(&report(true, "fine"));
    assert!(good.contains("PASS  nothing_oversold"));
    assert!(good.contains("all 1 checks passed"));
    let bad = table::render(&report(false, "two units too many"));
    assert!(bad.contains("FAIL  nothing_oversold"));
    assert!(bad.contains("and 2 more"));
    assert!(bad.contains("1 of 1 checks FAILED"));
}
