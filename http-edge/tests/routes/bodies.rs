//! Bodies on their way in: whoever is slow to send one takes nothing away from others.

use std::time::Duration;

use actors::admission::{AdmissionConfig, LimitPolicy, WindowPolicy};
use axum::body::Body;
use http::{Method, Request};
use http_edge::front::FrontConfig;

use crate::shop::{KEY, TestShop, card_order};

/// A body that never comes.
fn never() -> Body {
    Body::from_stream(futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>())
}

fn slow(path: &str, key: Option<&str>) -> Request<Body> {
    let request = Request::post(path).header("content-type", "application/json");
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
async fn one_slow_body_of_a_stranger_too_many_is_turned_away_and_those_with_a_key_are_not() {
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
async fn whoever_has_no_key_is_sent_away_before_anything_is_counted_or_read() {
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
async fn a_body_that_is_announced_as_too_large_is_not_waited_for() {
    let config = FrontConfig { body_limit: 10, ..FrontConfig::default() };
    let shop = TestShop::with(config, AdmissionConfig::default()).await;
    let order = Some(card_order("mug", 1, "tok_ok"));
    let refused = shop.call(Method::POST, "/v1/orders", &[], order).await;
    refused.expect_problem(413, "body_too_large");
}
