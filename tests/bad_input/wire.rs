//! Requests that are no HTTP, or HTTP that means two things at once.

use std::time::Duration;

use acceptance_tests::figures;
use anyhow::{Result, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::Victim;

/// The status and the code of a refusal.
type Refusal = (u16, &'static str);

/// Refused by the protocol.
const UNREADABLE: Refusal = (400, "malformed_request");
const LARGE: Refusal = (431, "head_too_large");
/// Refused because two readers would read two things.
const DOUBLED: Refusal = (400, "duplicate_header");
/// Refused by the form: what is left of the body is no JSON.
const EMPTY: Refusal = (400, "malformed_json");

/// Requests, and what each must hear.
fn requests() -> Vec<(&'static str, Vec<u8>, Refusal)> {
    let post = |headers: &str, body: &str| {
        format!(
            "POST /v1/orders HTTP/1.1\r\nHost: shop\r\nX-API-Key: secret-key-123\r\n\
             Content-Type: application/json\r\n{headers}\r\n{body}"
        )
        .into_bytes()
    };
    // An order that would be placed, but for what its head says twice.
    let closing = |headers: &str| {
        let order = r#"{"items":[{"product_id":"mouse","quantity":1}]}"#;
        let length = format!("Connection: close\r\nContent-Length: {}\r\n", order.len());
        post(&(length + headers), order)
    };
    let get = |headers: &str| {
        format!("GET /v1/products HTTP/1.1\r\nConnection: close\r\n{headers}\r\n").into_bytes()
    };
    let many: String = (0..1000).fold(String::new(), |all, n| all + &format!("X-H{n}: 1\r\n"));
    let long = format!("X-Long: {}\r\n", "a".repeat(600_000));
    vec![
        ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), UNREADABLE),
        ("no words", b"\r\n\r\n\r\n\r\nx\r\n\r\n".to_vec(), UNREADABLE),
        ("no version", b"GET /v1/orders\r\n\r\n".to_vec(), UNREADABLE),
        (
            "an unknown version",
            b"GET /v1/orders HTTP/9.9\r\nHost: shop\r\n\r\n".to_vec(),
            UNREADABLE,
        ),
        ("two lengths", post("Content-Length: 2\r\nContent-Length: 5\r\n", "{}xxx"), UNREADABLE),
        ("a negative length", post("Content-Length: -1\r\n", "{}"), UNREADABLE),
        (
            "a length beyond counting",
            post("Content-Length: 18446744073709551616\r\n", "{}"),
            UNREADABLE,
        ),
        (
            "a length and chunks",
            post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
            EMPTY,
        ),
        (
            "chunks that are none",
            post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
            UNREADABLE,
        ),
        (
            "a chunk beyond counting",
            post("Transfer-Encoding: chunked\r\n", "ffffffffffffffffff\r\n{}"),
            EMPTY,
        ),
        (
            "a chunk without a size",
            post("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"),
            EMPTY,
        ),
        ("a blank before a colon", post("Content-Length : 2\r\n", "{}"), UNREADABLE),
        ("a folded header", post("X-A: 1\r\n 2\r\nContent-Length: 2\r\n", "{}"), UNREADABLE),
        ("a zero byte in a header", post("X-A: a\0b\r\nContent-Length: 2\r\n", "{}"), UNREADABLE),
        ("1,000 headers", post(&many, "{}"), LARGE),
        ("a header of 600 KB", post(&long, "{}"), LARGE),
        ("no host", get("X-API-Key: secret-key-123\r\n"), UNREADABLE),
        ("two hosts", get("Host: shop\r\nHost: shop\r\n"), UNREADABLE),
        ("two keys", closing("X-API-Key: secret-key-123\r\n"), DOUBLED),
        ("two media types", closing("Content-Type: application/json\r\n"), DOUBLED),
        (
            "two idempotency keys",
            closing("Idempotency-Key: one\r\nIdempotency-Key: two\r\n"),
            DOUBLED,
        ),
        ("HTTP/2 taken for granted", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), UNREADABLE),
    ]
}

#[tokio::test]
async fn requests_that_are_no_http() -> Result<()> {
    let mut victim = Victim::start().await?;
    let before = victim.state().await?;
    let mut faults = Vec::new();
    let requests = requests();
    let count = requests.len();
    for (name, bytes, (status, code)) in requests {
        let answer = exchange(&victim, &bytes).await?;
        let text = String::from_utf8_lossy(&answer);
        let head = format!("HTTP/1.1 {status} ");
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let told = serde_json::from_str::<Value>(body).unwrap_or_default();
        if !text.starts_with(&head) || told["code"] != code {
            faults.push(format!("{name}: {code} was expected: {text}"));
        }
        if !text.contains("application/problem+json") {
            faults.push(format!("{name}: a refusal without a problem: {text}"));
        }
        if victim.state().await? != before {
            faults.push(format!("{name}: it had an effect"));
        }
    }
    figures::report("bad_input", &format!("table=wire cases={count} failed={}", faults.len()))?;
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    victim.health().await
}

#[tokio::test]
async fn a_request_that_is_older_than_the_header_needs_no_host() -> Result<()> {
    let mut victim = Victim::start().await?;
    let answer = exchange(&victim, b"GET /health/live HTTP/1.0\r\n\r\n").await?;
    let text = String::from_utf8_lossy(&answer);
    ensure!(text.starts_with("HTTP/1.0 200 ") || text.starts_with("HTTP/1.1 200 "), "{text}");
    victim.health().await
}

#[tokio::test]
async fn a_length_and_chunks_are_not_read_as_two_requests() -> Result<()> {
    let mut victim = Victim::start().await?;
    let before = victim.state().await?;
    let hidden = "DELETE /v1/orders/x HTTP/1.1\r\nHost: shop\r\nX-API-Key: secret-key-123\r\n\r\n";
    let request = format!(
        "POST /v1/orders HTTP/1.1\r\nHost: shop\r\nX-API-Key: secret-key-123\r\n\
         Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}",
        5 + hidden.len()
    );
    let answer =
        String::from_utf8_lossy(&exchange(&victim, request.as_bytes()).await?).into_owned();
    let answers = answer.matches("HTTP/1.1 ").count();
    ensure!(answers <= 1, "{answers} answers to what one reader calls one request:\n{answer}");
    ensure!(victim.state().await? == before, "it had an effect");
    victim.health().await
}

#[tokio::test]
async fn requests_that_never_end_do_not_keep_others_out() -> Result<()> {
    let mut victim = Victim::start().await?;
    let mut held = Vec::new();
    for start in [
        "POST /v1/orders HTTP/1.1\r\nHost: sh",
        "POST /v1/orders HTTP/1.1\r\nHost: shop\r\nX-API-Key: secret-key-123\r\nContent-Length: 50\r\n\r\n{",
        "POST /v1/orders HTTP/1.1\r\nHost: shop\r\nX-API-Key: secret-key-123\r\n\
         Content-Length: 50\r\nExpect: 100-continue\r\n\r\n",
    ] {
        for _ in 0..60 {
            let mut stream = TcpStream::connect(victim.server.address()).await?;
            stream.write_all(start.as_bytes()).await?;
            held.push(stream);
        }
    }
    victim.health().await?;
    drop(held);
    Ok(())
}

#[tokio::test]
async fn a_body_without_an_end_is_cut_off() -> Result<()> {
    let mut victim = Victim::start().await?;
    let mut stream = TcpStream::connect(victim.server.address()).await?;
    let head = "POST /v1/orders HTTP/1.1\r\nHost: shop\r\nX-API-Key: secret-key-123\r\n\
                Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await?;
    let chunk = [b"10000\r\n".to_vec(), vec![b' '; 0x10000], b"\r\n".to_vec()].concat();
    let mut sent = 0_usize;
    // 100 MB are offered; a server with a limit answers or hangs up long before.
    while sent < 100 << 20 {
        if stream.write_all(&chunk).await.is_err() {
            break;
        }
        sent += chunk.len();
    }
    ensure!(sent < 100 << 20, "the server read {sent} bytes");
    victim.health().await
}

async fn exchange(victim: &Victim, request: &[u8]) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(victim.server.address()).await?;
    // The server may hang up while the request is still being written.
    drop(stream.write_all(request).await);
    let mut answer = Vec::new();
    let read = timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await;
    ensure!(read.is_ok(), "neither an answer nor an end");
    Ok(answer)
}
