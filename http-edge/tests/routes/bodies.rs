//! Bodies on their way in: whoever is slow to send one takes nothing away from others.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actors::SystemClock;
use actors::admission::{
    AdmissionConfig, Dependency, LimitPolicy, Report, ServiceHealth, WindowPolicy,
};
use axum::body::Body;
use futures::FutureExt as _;
use http::{Method, Request};
use http_edge::front::FrontConfig;

use crate::shop::{KEY, TestShop, card_order};

/// A body that never comes.
fn never() -> Body {
    Body::from_stream(futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>())
}

fn slow(path: &str, key: Option<&str>) -> Request<Body> {
    slow_to(Method::POST, path, key)
}

fn slow_to(method: Method, path: &str, key: Option<&str>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("content-type", "application/json");
    key.into_iter()
        .fold(request, |request, key| request.header("x-api-key", key))
        .body(never())
        .unwrap()
}

fn one_place() -> AdmissionConfig {
    let limit = LimitPolicy { min: 1, start: 1, max: 1, ..LimitPolicy::default() };
    AdmissionConfig { limit, strangers_bodies_max: 3, ..AdmissionConfig::default() }
}

const CALLBACKS: &str = "/v1/payments/webhooks/sandbox";

#[tokio::test]
async fn slow_bodies_take_no_place_from_those_who_are_quick() {
    let shop = TestShop::with(FrontConfig::default(), one_place()).await;
    shop.stocked("mug", 1_250, 10).await;
    let slow = [slow(CALLBACKS, None), slow(CALLBACKS, None), slow("/v1/orders", Some(KEY))];
    let mut slow = slow.map(|request| Box::pin(shop.send(request)));
    for request in &mut slow {
        assert!(futures::poll!(request.as_mut()).is_pending());
    }
    shop.place("k-1", card_order("mug", 1, "tok_ok")).await.expect(201);
}

#[tokio::test]
async fn one_slow_body_of_a_stranger_too_many_is_rejected_and_those_with_a_key_are_not() {
    let shop = TestShop::with(FrontConfig::default(), one_place()).await;
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(shop.send(slow(CALLBACKS, None)))).collect();
    for request in &mut waiting {
        assert!(futures::poll!(request.as_mut()).is_pending());
    }
    let refused = shop.send(slow(CALLBACKS, None)).await.expect_problem(503, "overloaded");
    assert!(!refused.header("retry-after").is_empty());
    let mut shopper = Box::pin(shop.send(slow("/v1/orders", Some(KEY))));
    assert!(futures::poll!(shopper.as_mut()).is_pending());
}

#[tokio::test(start_paused = true)]
async fn slow_bodies_do_not_make_the_server_look_slow() {
    let limit = LimitPolicy { min: 1, start: 64, max: 64, ..LimitPolicy::default() };
    let admission = AdmissionConfig { limit, ..AdmissionConfig::default() };
    let shop = TestShop::with(FrontConfig::default(), admission).await;
    for _ in 0..10 {
        let slow: Vec<_> = (0..50).map(|_| shop.send(slow("/v1/orders", Some(KEY)))).collect();
        for answer in futures::future::join_all(slow).await {
            answer.expect_problem(408, "request_timeout");
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(shop.admission.limit(), 64);
}

#[tokio::test]
async fn whoever_has_no_key_is_rejected_before_anything_is_counted_or_read() {
    let window =
        Some(WindowPolicy { checkouts_max: 1.try_into().unwrap(), span: Duration::from_mins(1) });
    let config = AdmissionConfig { window, ..one_place() };
    let shop = TestShop::with(FrontConfig::default(), config).await;
    shop.stocked("mug", 1_250, 10).await;
    for _ in 0..5 {
        shop.send(slow("/v1/orders", None)).await.expect_problem(401, "unauthorised");
    }
    shop.place("k-1", card_order("mug", 1, "tok_ok")).await.expect(201);
}

#[tokio::test]
async fn one_address_does_not_keep_the_callbacks_of_others_out() {
    let config = AdmissionConfig { address_bodies_max: 2, ..one_place() };
    let shop = TestShop::with(FrontConfig::default(), config).await;
    let [here, there] = ["192.0.2.7", "192.0.2.8"].map(|address| address.parse().unwrap());
    let send = |peer| Box::pin(shop.send_from(peer, slow(CALLBACKS, None)));
    let mut waiting = [send(here), send(here)];
    for request in &mut waiting {
        assert!(futures::poll!(request.as_mut()).is_pending());
    }
    send(here).await.expect_problem(503, "overloaded");
    assert!(futures::poll!(send(there).as_mut()).is_pending());
}

#[tokio::test]
async fn a_body_is_waited_for_where_somebody_takes_it_and_nowhere_else() {
    let shop = TestShop::open().await;
    for (method, path, code) in [
        (Method::POST, "/v1/nothing", "not_found"),
        (Method::POST, "/v1/orders/a/b/c", "not_found"),
        (Method::POST, "/health", "method_not_allowed"),
        (Method::POST, "/metrics", "method_not_allowed"),
        (Method::PUT, "/v1/orders", "method_not_allowed"),
        (Method::POST, "/v1/payments/webhooks/other", "not_found"),
        // Its handler takes none.
        (Method::DELETE, "/v1/orders/17", "not_found"),
    ] {
        let answer = shop.send(slow_to(method, path, Some(KEY))).now_or_never();
        let answer = answer.unwrap_or_else(|| panic!("{path} waits"));
        assert_eq!(answer.body["code"], code, "{path}: {}", answer.body);
    }
    let described = serde_json::to_value(http_edge::routes::openapi()).unwrap();
    let mut takers: Vec<(Method, String)> = [
        (Method::POST, "/orders"),
        (Method::POST, "/orders/"),
        (Method::PUT, "/orders/17/status"),
        (Method::POST, "/checkout"),
    ]
    .map(|(method, path)| (method, path.to_owned()))
    .into();
    for (path, item) in described["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            // A feed is read while it comes, once it is known whose it is.
            if !operation["requestBody"].is_null() && operation["operationId"] != "feed_catalog" {
                let path = path.replace(['{', '}'], "");
                takers.push((method.to_uppercase().parse().unwrap(), path));
            }
        }
    }
    assert!(10 < takers.len());
    for (method, path) in takers {
        let answer = shop.send(slow_to(method, &path, Some(KEY))).now_or_never();
        assert!(answer.is_none(), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn what_would_be_rejected_whatever_the_body_says_is_rejected_before_it_is_there() {
    let window =
        Some(WindowPolicy { checkouts_max: 1.try_into().unwrap(), span: Duration::from_mins(1) });
    let shop = TestShop::with(
        FrontConfig::default(),
        AdmissionConfig { window, ..AdmissionConfig::default() },
    );
    let shop = shop.await;
    shop.stocked("mug", 1_250, 10).await;
    // Those that are looked at and then never come do not fill the window.
    for _ in 0..3 {
        assert!(shop.send(slow("/v1/orders", Some(KEY))).now_or_never().is_none());
    }
    shop.place("k-1", card_order("mug", 1, "tok_ok")).await.expect(201);
    let full = shop.send(slow("/v1/orders", Some(KEY))).now_or_never().unwrap();
    full.expect_problem(429, "throttled");
}

#[tokio::test]
async fn nothing_is_taken_for_a_store_that_is_out_of_service() {
    let health = Arc::new(ServiceHealth::new(Arc::new(SystemClock)));
    let config =
        AdmissionConfig { health: Some(Arc::clone(&health)), ..AdmissionConfig::default() };
    let shop = TestShop::with(FrontConfig::default(), config).await;
    health.report(Dependency::Store, Report::Failing("the disk is full"));
    for path in ["/v1/orders", "/v1/products"] {
        let refused = shop.send(slow(path, Some(KEY))).now_or_never().unwrap();
        refused.expect_problem(503, "unavailable");
    }
}

#[tokio::test]
async fn a_body_that_is_announced_as_too_large_is_not_waited_for() {
    let config = FrontConfig { body_limit: 10, ..FrontConfig::default() };
    let shop = TestShop::with(config, AdmissionConfig::default()).await;
    let mut request = Request::post("/v1/orders").header("x-api-key", KEY);
    request = request.header("content-type", "application/json");
    let request = request.body(Body::new(Announced(11))).unwrap();
    let refused = shop.send(request).now_or_never().unwrap();
    refused.expect_problem(413, "body_too_large");
}

/// A body that says how long it is and never comes.
struct Announced(u64);

impl http_body::Body for Announced {
    type Data = bytes::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<bytes::Bytes>, std::io::Error>>> {
        Poll::Pending
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.0)
    }
}
