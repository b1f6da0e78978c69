//! The generator against a small server, and the comparison on paper.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use super::generator::{Generator, Load};
use super::plan::{Scenario, Side};
use super::report::{NotRun, Report, Setup};
use super::row::{self, Half, Row};
use super::{goals, html, table};
use crate::report::latency::Percentiles;
use crate::rig::request::Template;

/// Answers each request with the next of `answers`, over and over.
fn serve(answers: &'static [&'static str]) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            std::thread::spawn(move || answer(stream, answers));
        }
    });
    address
}

fn answer(mut stream: TcpStream, answers: &[&str]) {
    let mut buffer = [0; 4_096];
    for answer in answers.iter().cycle() {
        let read = stream.read(&mut buffer).unwrap_or_default();
        if read == 0 || answer.is_empty() {
            return;
        }
        assert!(buffer[..read].starts_with(b"POST /v1/orders "));
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Lets the generator work until it has begun that many requests.
async fn until_begun(generator: &Generator, requests: u64) {
    let begun = async {
        while generator.begun() < requests {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), begun).await.unwrap();
}

const CREATED: &str = "HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}";
const BUSY: &str =
    "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 21\r\n\r\n{\"code\":\"overloaded\"}";

fn load(address: SocketAddr, interval: Option<Duration>) -> Load {
    let template = Template::new(&address.to_string(), "key", 1, 10);
    Load { address, template, connections: 3, interval }
}

#[tokio::test]
async fn what_is_acknowledged_is_counted_and_the_rest_is_named() {
    let address = serve(&[CREATED, CREATED, BUSY, ""]);
    let generator = Generator::start(load(address, None)).unwrap();
    generator.measure();
    until_begun(&generator, 60).await;
    let tally = generator.end().await.unwrap();
    assert!(tally.measured > 0 && tally.measured <= tally.acknowledged);
    assert_eq!(tally.latencies.len(), tally.measured);
    let names: Vec<&str> = tally.errors.keys().map(String::as_str).collect();
    assert!(names.contains(&"503 overloaded"), "{names:?}");
    // Each connection gets two orders, one refusal, and is then closed.
    assert!(tally.acknowledged.abs_diff(2 * tally.errors["503 overloaded"]) <= 6);
}

#[tokio::test]
async fn a_pace_is_kept_and_never_exceeded() {
    let address = serve(&[CREATED]);
    let begun = tokio::time::Instant::now();
    let generator = Generator::start(load(address, Some(Duration::from_millis(10)))).unwrap();
    generator.measure();
    until_begun(&generator, 20).await;
    let tally = generator.end().await.unwrap();
    let most = begun.elapsed().as_millis() / 10 + 4;
    assert!(tally.errors.is_empty(), "{:?}", tally.errors);
    assert!(tally.acknowledged > 0 && u128::from(tally.acknowledged) <= most);
}

#[tokio::test]
async fn without_a_server_nothing_is_acknowledged() {
    let address = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let generator = Generator::start(load(address, None)).unwrap();
    until_begun(&generator, 9).await;
    let tally = generator.end().await.unwrap();
    assert_eq!((tally.acknowledged, tally.measured), (0, 0));
    assert!(tally.errors.contains_key("no connection"), "{:?}", tally.errors);
}

fn report(failure: Option<&str>) -> Report {
    let latency_us = Percentiles { count: 10, p50: 1_500, p99: 9_990, ..Percentiles::default() };
    let row = |side, orders_per_s| Row {
        orders_per_s,
        latency_us,
        at_half: Some(Half { offered_per_s: 9.0, orders_per_s: 9.0, latency_us }),
        ..Row::new(side, Scenario::BARE)
    };
    let mut rows = vec![
        row(Side::Edge, 100_000.0),
        row(Side::Peer(4), 4_000.0),
        row(Side::Postgres, 36_000.0),
    ];
    rows[2].failures.extend(failure.map(str::to_owned));
    row::compare(&mut rows);
    let setup = Setup {
        version: "0",
        cores: 2,
        file_system: Some("tmpfs".to_owned()),
        forced_write_us: 120,
        postgres: None,
        connections: 256,
        seconds: 10,
        optimised: true,
    };
    let reason = "strace <is> absent".to_owned();
    Report {
        schema: "millrace-bench/1",
        setup,
        goals: goals::judge(&rows),
        passed: rows.iter().all(Row::counts),
        rows,
        not_run: vec![NotRun { what: "Millrace, SQLite".to_owned(), reason }],
    }
}

#[test]
fn the_table_shows_ratios_goals_and_what_is_missing() {
    let text = table::render(&report(None));
    let line = text.lines().find(|line| line.starts_with("Millrace, Postgres")).unwrap();
    let figures: Vec<&str> = line.split_whitespace().skip(2).collect();
    assert_eq!(figures[..6], ["36000", "9.00", "36.0", "1.50", "9.99", "9.99"]);
    assert!(text.contains("not run: Millrace, SQLite (strace <is> absent)"));
    assert!(text.contains("at least 8 × the best peer: 9.00 ×"));
    assert!(text.contains("tmpfs") && text.contains("all 3 rows sold exactly"));
}

#[test]
fn a_failed_row_says_why_and_has_no_goals() {
    let report = report(Some("9 units sold, 10 acknowledged"));
    let text = table::render(&report);
    assert!(!report.passed && report.goals.is_empty());
    assert!(text.contains("FAILED: 9 units sold, 10 acknowledged"));
    assert!(text.contains("1 of 3 rows FAILED"));
    assert!(html::render(&report).contains("9 units sold, 10 acknowledged"));
}

#[test]
fn the_page_fetches_nothing_and_escapes_what_it_is_told() {
    let page = html::render(&report(None));
    assert!(!page.contains("http://") && !page.contains("https://"));
    assert!(page.contains("strace &lt;is&gt; absent") && page.contains("width:36.0%"));
    assert!(page.contains("prefers-color-scheme:dark"));
}
