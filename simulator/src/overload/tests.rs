//! The generator against small servers, and the result on paper.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::behaviour::Behaviour;
use super::capacity::Capacity;
use super::generator::{self, Heard, Load, Source};
use super::report::{Report, Setup};
use super::tally::Tally;
use super::{html, table};
use crate::rig::request::Template;

const CREATED: &str = "HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}";
const BUSY: &str =
    "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n";
const SOLD_OUT: &str =
    "HTTP/1.1 409 Conflict\r\ncontent-length: 29\r\n\r\n{\"code\":\"insufficient_stock\"}";

/// No answer at all.
const SILENT: &str = "silent";

/// Answers each request of a connection with the next of `answers`, over and over; an empty one
/// hangs up.
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
        if *answer == SILENT && read > 0 {
            continue;
        }
        if read == 0 || answer.is_empty() || stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
        assert!(buffer[..read].starts_with(b"POST /v1/orders "));
    }
}

/// Two sources of 8 connections each, and of 16 at most, for 300 ms.
fn load(
    answers: &'static [&'static str],
    per_second: Option<f64>,
    behaviour: Behaviour,
) -> Vec<Tally> {
    load_on(serve(answers), per_second, behaviour)
}

fn load_on(address: SocketAddr, per_second: Option<f64>, behaviour: Behaviour) -> Vec<Tally> {
    let source = source(address, per_second.map(|rate| vec![rate]), behaviour);
    let steps = vec![Duration::from_millis(300)];
    let load = Load { address, sources: vec![source.clone(), source], steps };
    let heard = generator::run(&load).unwrap();
    heard.into_iter().map(|heard| heard.steps[0].clone()).collect()
}

fn source(address: SocketAddr, per_second: Option<Vec<f64>>, behaviour: Behaviour) -> Source {
    Source {
        template: Template::new(&address.to_string(), "key", 1, 1),
        per_second,
        behaviour,
        connections: 8,
        connections_max: 16,
        from: vec!["127.0.0.2".parse().unwrap(), "127.0.0.3".parse().unwrap()],
    }
}

/// One source, step after step.
fn steps(answers: &'static [&'static str], rates: &[(u64, f64)], behaviour: Behaviour) -> Heard {
    let address = serve(answers);
    let source = source(address, Some(rates.iter().map(|(_, rate)| *rate).collect()), behaviour);
    let steps = rates.iter().map(|(millis, _)| Duration::from_millis(*millis)).collect();
    let load = Load { address, sources: vec![source], steps };
    generator::run(&load).unwrap().remove(0)
}

#[test]
fn everybody_who_is_to_come_comes_and_is_counted_once() {
    for tally in load(&[CREATED], Some(100.0), Behaviour::Naive) {
        assert_eq!(tally.offered, 30);
        assert_eq!(tally.made + tally.withheld, 30);
        assert_eq!((tally.done, tally.rejected, tally.unknown), (tally.sent, 0, 0));
        assert_eq!(tally.admitted_us.len(), tally.done);
        assert!(tally.sent > 0);
    }
}

#[test]
fn a_closed_crowd_sends_as_fast_as_it_is_answered() {
    for tally in load(&[CREATED], None, Behaviour::NoRetry) {
        assert!(tally.sent >= 8 && tally.done == tally.sent);
    }
}

#[test]
fn naive_clients_come_back_and_others_do_not() {
    let [tally, _] = load(&[BUSY], Some(50.0), Behaviour::Naive).try_into().unwrap();
    assert!(tally.sent > tally.offered, "{} of {}", tally.sent, tally.offered);
    assert_eq!((tally.rejected, tally.done), (tally.sent, 0));
    let [tally, _] = load(&[BUSY], Some(50.0), Behaviour::Good).try_into().unwrap();
    assert!(tally.sent <= tally.offered, "the pause outlasts the load");
    let [tally, _] = load(&[BUSY], Some(50.0), Behaviour::NoRetry).try_into().unwrap();
    assert!(tally.sent <= tally.offered);
}

#[test]
fn refusals_are_final_and_told_by_their_code() {
    let [tally, _] = load(&[SOLD_OUT], Some(50.0), Behaviour::Naive).try_into().unwrap();
    assert_eq!((tally.refused, tally.made + tally.withheld), (tally.sent, tally.offered));
    assert_eq!(tally.errors.get("409 insufficient_stock"), Some(&tally.refused));
}

#[test]
fn a_cut_connection_is_unknown_and_replaced() {
    let [tally, _] = load(&[CREATED, ""], Some(100.0), Behaviour::NoRetry).try_into().unwrap();
    assert!(tally.unknown > 0 && tally.done > 0, "{tally:?}");
    assert_eq!(tally.done + tally.unknown, tally.made);
}

#[test]
fn whoever_finds_no_connection_free_opens_one_up_to_the_bound() {
    for tally in load(&[SILENT], Some(200.0), Behaviour::NoRetry) {
        assert_eq!((tally.offered, tally.made, tally.withheld), (60, 16, 44));
        assert_eq!(tally.errors.get("no answer within 1 s"), Some(&16));
    }
}

#[test]
fn whoever_gives_up_hangs_up() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).map(|_| bytes.len())
    });
    let source = source(address, Some(vec![100.0]), Behaviour::NoRetry);
    let source = Source { connections: 1, connections_max: 1, ..source };
    let load = Load { address, sources: vec![source], steps: vec![Duration::from_millis(200)] };
    let heard = generator::run(&load).unwrap().remove(0);
    assert_eq!(heard.steps[0].errors.get("no answer within 1 s"), Some(&1));
    assert!(server.join().unwrap().unwrap() > 0);
}

#[test]
fn retries_carry_over_into_the_next_step() {
    let heard = steps(&[BUSY], &[(100, 100.0), (400, 0.0)], Behaviour::Naive);
    let [crowd, calm] = heard.steps.as_slice() else { panic!("two steps were asked for") };
    assert_eq!((crowd.offered, calm.offered), (10, 0));
    assert!(calm.rejected > 0, "those of the crowd come back: {calm:?}");
    assert!(calm.made <= 3 * crowd.made, "three times at most");
}

#[test]
fn a_visit_is_as_long_as_all_its_tries() {
    let heard = steps(&[BUSY, CREATED], &[(100, 50.0), (400, 0.0)], Behaviour::Naive);
    let calm = &heard.steps[1];
    assert!(calm.done > 0 && calm.visit_us.min() >= 50_000, "{calm:?}");
    assert!(calm.admitted_us.min() < calm.visit_us.min());
}

#[test]
fn a_server_that_takes_no_connections_holds_nobody_up() {
    // With room for two connections in its queue; the system drops the others without a word.
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(1).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    for tally in load_on(address, Some(100.0), Behaviour::NoRetry) {
        assert_eq!((tally.offered, tally.unknown), (30, tally.made));
        assert_eq!(tally.made + tally.withheld, 30);
        assert!(tally.sent < tally.made, "nobody heard of most of them");
    }
}

#[test]
fn the_result_says_what_is_untrue() {
    let report = Report {
        schema: "millrace-overload/2",
        setup: Setup {
            version: "1",
            pinned: false,
            connections: 8,
            connections_max: 16,
            seconds: 1,
            optimised: true,
        },
        capacity: Capacity {
            per_second: 10.0,
            is_qualified: false,
            too_high_per_second: Some(5.0),
            p99_us: 1,
            closed_per_second: 10.0,
            order_us: 1.0,
        },
        rows: Vec::new(),
        fairness: None,
        products: None,
        rejections: None,
        sold_out: None,
        goals: Vec::new(),
        violations: vec!["1 < 2".to_owned()],
        unsettled: vec!["the capacity".to_owned()],
        passed: true,
    }
    .judge();
    assert!(!report.passed);
    let text = table::render(&report);
    assert!(text.contains("FAILED: 1 < 2"));
    assert!(text.contains("Capacity: none, 5 was too high; 10 orders/s"), "{text}");
    assert!(text.contains("Something still moved 10 s after the capacity"));
    let page = html::render(&report).unwrap();
    assert!(page.contains("NOT HONEST") && page.contains("1 &lt; 2"));
    assert!(!page.contains("http://") && !page.contains("https://"));
}
