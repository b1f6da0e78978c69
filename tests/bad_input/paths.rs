//! Addresses and queries that lead nowhere.

use anyhow::Result;
use reqwest::Method;

use crate::{Case, Expected, INVALID, NOT_FOUND, Victim};

/// An id that is none may be called unknown or invalid, as long as it is called something.
const NOWHERE: Expected = &[(404, ""), (400, ""), (422, "")];
const NO_METHOD: Expected = &[(405, ""), (404, "")];

#[tokio::test]
async fn addresses_that_lead_nowhere() -> Result<()> {
    let long = format!("/v1/products/{}", "x".repeat(5_000));
    let get = |path: &str, expected: Expected| Case::new(path, Method::GET, path, expected);
    let cases = vec![
        get("/v1/nothing", NOT_FOUND),
        get("/v1/orders/no-id", NOWHERE),
        get("/v1/orders/00000000-0000-0000-0000-000000000000", NOT_FOUND),
        get("/v1/orders/ffffffff-ffff-8fff-bfff-ffffffffffff", NOT_FOUND),
        get("/v1/orders/00000000-0000-8000-8000-000000000000/history", NOT_FOUND),
        get("/v1/orders/..%2f..%2fetc%2fpasswd", NOWHERE),
        get("/v1/products/%00", NOWHERE),
        get("/v1/products/..%2f..%2fetc%2fpasswd", NOWHERE),
        get("/v1/products/%ff%fe", NOWHERE),
        get("/v1/products/'%20OR%201=1", NOWHERE),
        get("/v1/products/mouse;admin=1", NOWHERE),
        get("/v1/products/mouse%E2%80%8D", NOWHERE),
        Case::new(
            "a product of 5,000 letters",
            Method::GET,
            &long,
            &[(404, ""), (422, ""), (400, ""), (414, "")],
        ),
        get("/v1/carts/00000000-0000-8000-8000-000000000000", NOT_FOUND),
        Case::new("an unknown method", Method::from_bytes(b"BREW")?, "/v1/orders", NO_METHOD),
        Case::new("a method of another route", Method::PATCH, "/v1/orders", NO_METHOD),
        Case::new("TRACE", Method::TRACE, "/v1/orders", NO_METHOD),
    ];
    Victim::start().await?.suffer("addresses", cases).await
}

#[tokio::test]
async fn queries_that_can_never_be_right() -> Result<()> {
    let queries = [
        "status=LOST",
        "status=",
        "status=pending",
        "page=0",
        "page=-1",
        "page=x",
        "page=18446744073709551616",
        "limit=0",
        "limit=-1",
        "limit=1.5",
        "limit=1000000",
        "cursor=x",
        "cursor=%00",
        "sort=;drop",
    ];
    let cases = queries.iter().map(|query| {
        let path = format!("/v1/orders?{query}");
        Case::new(&path, Method::GET, &path, INVALID)
    });
    Victim::start().await?.suffer("queries", cases.collect()).await
}

#[tokio::test]
async fn callbacks_that_nobody_signed() -> Result<()> {
    let body = r#"{"type":"charge.captured","order_id":"00000000-0000-8000-8000-000000000000"}"#;
    let refused: Expected = &[(401, ""), (400, ""), (403, "")];
    let callback = |name: &str| {
        Case::new(name, Method::POST, "/v1/payments/webhooks/sandbox", refused).body(body)
    };
    let cases = vec![
        callback("no signature"),
        callback("an empty signature").header("webhook-signature", ""),
        callback("a wrong signature")
            .header("webhook-id", "msg_1")
            .header("webhook-timestamp", "1700000000")
            .header("webhook-signature", "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        callback("an older scheme")
            .header("webhook-id", "msg_1")
            .header("webhook-timestamp", "1700000000")
            .header("webhook-signature", "v0,AAAA"),
        Case::new(
            "an unknown provider",
            Method::POST,
            "/v1/payments/webhooks/nobody",
            &[(404, ""), (401, ""), (400, "")],
        )
        .body(body),
    ];
    Victim::start().await?.suffer("callbacks", cases).await
}
