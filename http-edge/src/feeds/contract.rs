//! What every adapter keeps to, the one of the guide among them: one suite over all formats.

use std::io::Read;

use engine::import::{Judge, PartnerRow, RawRow, RowError, RowFault, RowField, Supply};
use engine::values::Quantity;

use super::example::Blocks;
use super::{ADAPTERS, Adapter, FeedFault, adapter_for, csv, json, read, xml};

type Row<'a> = &'a [(&'a str, &'a str)];

/// A format, how rows are written in it, and what makes it unreadable.
struct Format {
    adapter: &'static dyn Adapter,
    write: fn(&[Row<'_>]) -> Vec<u8>,
    /// Put behind whole rows.
    broken: &'static [u8],
}

const FORMATS: [Format; 4] = [
    Format { adapter: &csv::Csv, write: as_csv, broken: b"" },
    Format { adapter: &json::Json, write: as_json, broken: b"\n}" },
    Format { adapter: &xml::Xml, write: as_xml, broken: b"<products>" },
    Format { adapter: &Blocks, write: as_blocks, broken: b"no colon\n" },
];

/// All rows of these tests have the same columns.
const COLUMNS: [&str; 5] = ["sku", "name", "price", "currency", "stock"];

fn value<'a>(row: Row<'a>, column: &str) -> &'a str {
    row.iter().find(|(name, _)| *name == column).map_or("", |(_, value)| value)
}

fn as_csv(rows: &[Row<'_>]) -> Vec<u8> {
    let mut text = COLUMNS.join(",") + "\n";
    for row in rows {
        let quoted =
            COLUMNS.map(|column| format!("\"{}\"", value(row, column).replace('"', "\"\"")));
        text += &(quoted.join(",") + "\n");
    }
    text.into_bytes()
}

fn as_json(rows: &[Row<'_>]) -> Vec<u8> {
    let mut lines = Vec::new();
    for row in rows {
        let fields = row.iter().map(|(name, value)| ((*name).to_owned(), (*value).into()));
        lines.push(serde_json::Value::Object(fields.collect()).to_string());
    }
    lines.join("\n").into_bytes()
}

fn as_xml(rows: &[Row<'_>]) -> Vec<u8> {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<products>");
    for row in rows {
        text += "\n<product>";
        for (name, value) in *row {
            let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            for part in ["<", name, ">", &value, "</", name, ">"] {
                text += part;
            }
        }
        text += "</product>";
    }
    (text + "\n</products>").into_bytes()
}

fn as_blocks(rows: &[Row<'_>]) -> Vec<u8> {
    let lines = |row: &Row<'_>| {
        let line = |(name, value): &(&str, &str)| format!("{name}: {value}\n");
        row.iter().map(line).collect::<String>()
    };
    rows.iter().map(lines).collect::<Vec<_>>().join("\n").into_bytes()
}

/// Gives its bytes one by one, as a slow client might.
struct OneByOne<'a>(&'a [u8]);

impl Read for OneByOne<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let room = into.len().min(1);
        self.0.read(&mut into[..room])
    }
}

type Judged = Vec<Result<PartnerRow, Vec<RowError>>>;

fn judged(format: &Format, input: impl Read) -> (Judged, Result<(), FeedFault>) {
    let (mut judge, mut rows) = (Judge::default(), Vec::new());
    let read = read(format.adapter, input, &mut |row: RawRow| {
        rows.push(judge.judge(row));
        true
    });
    (rows, read)
}

const MUG: Row<'static> = &[
    ("sku", "mug-1"),
    ("name", "Blue, \"big\" & tea mug – ü"),
    ("price", "12.50"),
    ("currency", "USD"),
    ("stock", "40"),
];
const CUP: Row<'static> =
    &[("sku", "cup"), ("name", "Cup"), ("price", "3"), ("currency", "EUR"), ("stock", "0")];
const FORMULA: Row<'static> =
    &[("sku", "evil"), ("name", "=1+1"), ("price", "3"), ("currency", "EUR"), ("stock", "0")];
const MARKUP: Row<'static> = &[
    ("sku", "evil-2"),
    ("name", "<script>alert(1)</script>"),
    ("price", "-3"),
    ("currency", "EUR"),
    ("stock", "0"),
];

#[test]
fn rows_are_the_same_whatever_they_are_written_in() {
    for format in &FORMATS {
        let name = format.adapter.name();
        let feed = (format.write)(&[MUG, CUP]);
        let (rows, read) = judged(format, &*feed);
        assert_eq!(read, Ok(()), "{name}");
        let rows: Vec<PartnerRow> = rows.into_iter().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 2, "{name}");
        assert_eq!(rows[0].name, "Blue, \"big\" & tea mug – ü", "{name}");
        assert_eq!(rows[0].price.minor(), 1_250, "{name}");
        assert_eq!(rows[0].supply, Some(Supply::OnHand(Quantity::new(40))), "{name}");
        assert_eq!(rows[1].sku.as_str(), "cup", "{name}");
        assert!(rows[0].line < rows[1].line, "{name}");
        let (slowly, read) = judged(format, OneByOne(&feed));
        assert_eq!(read, Ok(()), "{name}");
        assert_eq!(slowly.into_iter().map(Result::unwrap).collect::<Vec<_>>(), rows, "{name}");
    }
}

#[test]
fn bad_rows_are_told_and_good_ones_are_kept() {
    for format in &FORMATS {
        let (rows, read) = judged(format, &*(format.write)(&[FORMULA, MUG, MARKUP, CUP]));
        assert_eq!(read, Ok(()));
        let codes = |row: &Result<PartnerRow, Vec<RowError>>| match row {
            Ok(_) => Vec::new(),
            Err(errors) => errors.iter().map(|error| (error.field, error.code)).collect(),
        };
        let found: Vec<_> = rows.iter().map(codes).collect();
        let markup =
            vec![(RowField::Name, RowFault::Markup), (RowField::Price, RowFault::OutOfRange)];
        let formula = vec![(RowField::Name, RowFault::Formula)];
        assert_eq!(found, [formula, vec![], markup, vec![]], "{}", format.adapter.name());
    }
}

#[test]
fn a_row_that_never_ends_is_given_up_while_it_is_read() {
    for format in &FORMATS {
        let long = "x".repeat(1_024 * 1_024);
        let endless: Row<'_> =
            &[("sku", "a"), ("name", &long), ("price", "1"), ("currency", "USD")];
        let (rows, read) = judged(format, &*(format.write)(&[MUG, endless]));
        let name = format.adapter.name();
        assert_eq!(read.map_err(|fault| fault.code), Err("row_too_large"), "{name}");
        assert!(rows.len() <= 1, "{name}");
    }
}

#[test]
fn a_row_that_is_too_long_is_refused_and_the_next_is_taken() {
    for format in &FORMATS {
        let long = "x".repeat(60_000);
        let big: Row<'_> =
            &[("sku", "a"), ("name", &long), ("price", "1"), ("currency", "USD"), ("stock", "1")];
        let (rows, read) = judged(format, &*(format.write)(&[big, MUG]));
        let name = format.adapter.name();
        assert_eq!(read, Ok(()), "{name}");
        assert_eq!(rows[0].as_ref().unwrap_err()[0].code, RowFault::TooLong, "{name}");
        assert!(rows[1].is_ok(), "{name}");
    }
}

#[test]
fn a_feed_has_only_so_many_rows() {
    let row = b"{\"sku\":\"a\"}\n";
    let feed = row.repeat(200_001);
    let mut count = 0_u32;
    let read = read(&json::Json, &*feed, &mut |_| {
        count += 1;
        true
    });
    assert_eq!((count, read.map_err(|fault| fault.code)), (200_000, Err("too_many_rows")));
}

#[test]
fn nobody_is_given_rows_that_they_do_not_want() {
    for format in &FORMATS {
        let mut count = 0;
        let read = read(format.adapter, &*(format.write)(&[MUG, CUP]), &mut |_| {
            count += 1;
            false
        });
        assert_eq!((count, read.map_err(|fault| fault.code)), (1, Err("stopped")));
    }
}

#[test]
fn what_is_of_no_format_is_told() {
    for format in FORMATS.iter().filter(|format| !format.broken.is_empty()) {
        let mut feed = (format.write)(&[MUG]);
        feed.extend_from_slice(format.broken);
        let (rows, read) = judged(format, &*feed);
        let name = format.adapter.name();
        assert_eq!(read.map_err(|fault| fault.code), Err("malformed_feed"), "{name}");
        assert!(rows.len() <= 1, "{name}");
    }
}

#[test]
fn feeds_that_attack_their_reader_are_refused() {
    let bomb = "<!DOCTYPE a [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><products/>";
    let outside =
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><products>&x;</products>";
    let deep = "[".repeat(50_000);
    let nested = format!("<products><product>{}", "<a>".repeat(50_000));
    for (adapter, feed, code) in [
        (&xml::Xml as &dyn Adapter, bomb, "dtd_refused"),
        (&xml::Xml, outside, "dtd_refused"),
        (
            &xml::Xml,
            "<products><product><name>&nbsp;</name></product></products>",
            "entity_refused",
        ),
        (&xml::Xml, "<products><product><name>&#0;</name></product></products>", "malformed_feed"),
        (&xml::Xml, "<products><product></products>", "malformed_feed"),
        (&xml::Xml, "<products></products><products></products>", "malformed_feed"),
        (&xml::Xml, "<?php evil() ?><products/>", "malformed_feed"),
        (&xml::Xml, "<?xml version=\"1.0\" encoding=\"UTF-7\"?><products/>", "malformed_feed"),
        (&xml::Xml, "<html><body/></html>", "malformed_feed"),
        (&xml::Xml, "<products>text</products>", "malformed_feed"),
        (&xml::Xml, "<products", "malformed_feed"),
        (&xml::Xml, "", "malformed_feed"),
        (&xml::Xml, &nested, "row_too_large"),
        (&json::Json, &deep, "malformed_feed"),
        (&json::Json, "[{\"sku\":\"a\"},]", "malformed_feed"),
        (&json::Json, "[{\"sku\":\"a\"}] x", "malformed_feed"),
        (&json::Json, "{\"sku\":\"a\"", "malformed_feed"),
        (&json::Json, "sku,name", "malformed_feed"),
        (&csv::Csv, "", "malformed_feed"),
        (&csv::Csv, "sku,colour\n", "unknown_field"),
        (&csv::Csv, "sku,sku\n", "duplicate_field"),
        (&csv::Csv, "PK\u{3}\u{4}\0\0", "unknown_field"),
    ] {
        let read = read(adapter, feed.as_bytes(), &mut |_| true);
        let start = feed.get(..feed.len().min(40)).unwrap_or(feed);
        assert_eq!(read.map_err(|fault| fault.code), Err(code), "{start}");
    }
}

#[test]
fn rows_that_are_none_are_refused_one_by_one() {
    let refused = |adapter: &dyn Adapter, feed: &[u8]| {
        let (mut judge, mut faults) = (Judge::default(), Vec::new());
        let read = read(adapter, feed, &mut |row| {
            faults.push(judge.judge(row).err().unwrap_or_default());
            true
        });
        assert_eq!(read, Ok(()));
        let first = faults.first().and_then(|errors| errors.first());
        first.map(|error| (error.field, error.code))
    };
    let good = "\"sku\":\"a\",\"price\":1,\"currency\":\"USD\"";
    for (value, code) in [
        ("{\"a\":1}", RowFault::WrongType),
        ("[1]", RowFault::WrongType),
        ("true", RowFault::WrongType),
        ("\"\\ud800\"", RowFault::InvalidUtf8),
        ("\"a\\u0000\"", RowFault::ControlCharacter),
        ("null", RowFault::Missing),
    ] {
        let feed = format!("[{{{good},\"name\":{value}}}]");
        let found = refused(&json::Json, feed.as_bytes());
        assert_eq!(found, Some((RowField::Name, code)), "{value}");
    }
    for feed in ["[1]", "[null]", "[[]]", "\"a\""] {
        let found = refused(&json::Json, feed.as_bytes());
        assert_eq!(found, Some((RowField::Row, RowFault::WrongType)), "{feed}");
    }
    let found = refused(&csv::Csv, b"sku,name,price,currency\na,M\xfcg,1,USD\n");
    assert_eq!(found, Some((RowField::Name, RowFault::InvalidUtf8)));
    let found = refused(&csv::Csv, b"sku,name,price,currency\na,b,1,USD,5\n");
    assert_eq!(found, Some((RowField::Row, RowFault::WrongColumns)));
    for inner in ["<name><b>x</b></name>", "<name>a</name><name>b</name>"] {
        let row = format!(
            "<products><product><sku>a</sku><price>1</price><currency>USD</currency>{inner}\
             </product></products>"
        );
        let found = refused(&xml::Xml, row.as_bytes()).map(|(field, _)| field);
        assert_eq!(found, Some(RowField::Name), "{inner}");
    }
    let found = refused(&xml::Xml, b"<products><product id='1'/></products>");
    assert_eq!(found, Some((RowField::Row, RowFault::UnknownField)));
}

#[test]
fn an_array_and_one_object_after_the_other_are_both_json() {
    let format = &FORMATS[1];
    let lines = String::from_utf8((format.write)(&[MUG, CUP])).unwrap();
    let array = format!(" [{}]\n", lines.replace('\n', ","));
    let numbers = lines.replace("\"12.50\"", "12.50").replace("\"40\"", "40");
    let expected = judged(format, lines.as_bytes());
    assert_eq!(judged(format, array.as_bytes()), expected);
    assert_eq!(judged(format, numbers.as_bytes()), expected);
    assert_eq!(judged(format, &b"[]"[..]), (vec![], Ok(())));
}

#[test]
fn a_format_is_found_by_its_media_type() {
    let named =
        |text: &'static str| adapter_for(&http::HeaderValue::from_static(text)).map(Adapter::name);
    assert_eq!(named("text/csv"), Some("csv"));
    assert_eq!(named("Text/CSV; charset=UTF-8; header=present"), Some("csv"));
    assert_eq!(named("application/json"), Some("json"));
    assert_eq!(named("application/x-ndjson"), Some("json"));
    assert_eq!(named("text/xml"), Some("xml"));
    for other in ["text/csv; charset=latin1", "application/zip", "text/plain", "text/x-blocks", ""]
    {
        assert_eq!(named(other), None, "{other}");
    }
    let mut types: Vec<_> = ADAPTERS.iter().flat_map(|adapter| adapter.media_types()).collect();
    types.sort_unstable();
    types.dedup();
    let announced: usize = ADAPTERS.iter().map(|adapter| adapter.media_types().len()).sum();
    assert_eq!(types.len(), announced);
}

#[test]
fn the_guide_shows_an_adapter_that_works() {
    let guide = include_str!("../../../docs/partner-feeds.md");
    let example = include_str!("example.rs");
    assert!(guide.contains(example), "docs/partner-feeds.md shows another adapter than example.rs");
    assert!(example.lines().count() < 100);
}
