//! The generator against small servers, and the result on paper.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::behaviour::Behaviour;
use super::generator::{self, Load, Source};
use super::report::{Report, Setup};
use super::row::Capacity;
use super::tally::Tally;
use super::{html, table};
use crate::rig::request::Template;

const CREATED: &str = "HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}";
const BUSY: &str =
    "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n";
const SOLD_OUT: &str =
    "HTTP/1.1 409 Conflict\r\ncontent-length: 29\r\n\r\n{\"code\":\"insufficient_stock\"}";

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
        if read == 0 || answer.is_empty() || stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
        assert!(buffer[..read].starts_with(b"POST /v1/orders "));
    }
}

fn load(
    answers: &'static [&'static str],
    per_second: Option<f64>,
    behaviour: Behaviour,
) -> Vec<Tally> {
    load_on(serve(answers), per_second, behaviour)
}

fn load_on(address: SocketAddr, per_second: Option<f64>, behaviour: Behaviour) -> Vec<Tally> {
    let source = Source {
        template: Template::new(&address.to_string(), "key", 1, 1),
        per_second,
        behaviour,
        connections: 8,
        from: None,
    };
    let lasts = Duration::from_millis(300);
    generator::run(&Load { address, sources: vec![source.clone(), source], lasts }).unwrap()
}

#[test]
fn everybody_who_is_to_come_comes_and_is_counted_once() {
    for tally in load(&[CREATED], Some(100.0), Behaviour::Naive) {
        assert_eq!(tally.offered, 30);
        assert_eq!(tally.sent + tally.stuck, 30);
        assert_eq!((tally.done, tally.rejected, tally.unknown), (tally.sent, 0, 0));
        assert_eq!(tally.admitted_us.len(), tally.done);
    }
}

#[test]
fn a_closed_crowd_sends_as_fast_as_it_is_answered() {
    for tally in load(&[CREATED], None, Behaviour::NoRetry) {
        assert!(tally.sent >= 8 && tally.done == tally.sent);
        assert_eq!(tally.stuck, 0);
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
    assert_eq!((tally.refused, tally.sent + tally.stuck), (tally.sent, tally.offered));
    assert_eq!(tally.errors.get("409 insufficient_stock"), Some(&tally.refused));
}

#[test]
fn a_cut_connection_is_unknown_and_replaced() {
    let [tally, _] = load(&[CREATED, ""], Some(100.0), Behaviour::NoRetry).try_into().unwrap();
    assert!(tally.unknown > 0 && tally.done > 0, "{tally:?}");
    assert_eq!(tally.done + tally.unknown, tally.sent);
}

#[test]
fn a_server_that_takes_no_connections_holds_nobody_up() {
    // With room for two connections in its queue; the system drops the others without a word.
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(1).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    for tally in load_on(address, Some(100.0), Behaviour::NoRetry) {
        assert_eq!((tally.offered, tally.unknown), (30, tally.sent));
        assert_eq!(tally.sent + tally.stuck, 30);
    }
}

#[test]
fn the_result_says_what_is_untrue() {
    let report = Report {
        schema: "millrace-overload/1",
        setup: Setup { version: "1", pinned: false, connections: 8, seconds: 1, optimised: true },
        capacity: Capacity { per_second: 1.0, p99_us: 1, closed_per_second: 1.0, order_us: 1.0 },
        rows: Vec::new(),
        fairness: None,
        products: None,
        rejections: None,
        sold_out: None,
        goals: Vec::new(),
        violations: vec!["1 < 2".to_owned()],
        passed: true,
    }
    .judge();
    assert!(!report.passed);
    assert!(table::render(&report).contains("FAILED: 1 < 2"));
    let page = html::render(&report).unwrap();
    assert!(page.contains("NOT HONEST") && page.contains("1 &lt; 2"));
    assert!(!page.contains("http://") && !page.contains("https://"));
}
