//! Routes over a whole shop in memory: what they promise in statuses, headers and bodies.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected ends"
)]

mod bodies;
mod callbacks;
mod cards;
mod carts;
mod compat;
mod deadlines;
mod faults;
mod keys;
mod media;
mod places;
mod shop;
mod unreadable;

use std::time::Duration;

use actors::admission::AdmissionConfig;
use axum::body::Body;
use http::{Method, Request};
use http_edge::front::FrontConfig;
use serde_json::{Value, json};
use shop::{CLERK_KEY, TestShop, card_order};

/// What never changes about an order; a later event may have moved the rest on.
fn facts(mut order: Value) -> Value {
    let fields = order.as_object_mut().unwrap();
    fields.retain(|name, _| !matches!(name.as_str(), "version" | "updated_at"));
    order
}

#[tokio::test]
async fn an_order_is_placed_paid_and_read_back() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    let placed = shop.place("k-1", card_order("mug", 3, "tok_ok")).await.expect(201);
    let id = placed.body["id"].as_str().unwrap();
    assert_eq!(placed.header("location"), format!("/v1/orders/{id}"));
    assert_eq!(placed.body["payment_status"], "paid");
    assert_eq!(placed.body["total"], json!({"minor": 3_750, "currency": "USD"}));
    assert_eq!(placed.header("x-version"), placed.body["version"].to_string());
    assert!(placed.header("x-position").contains(':'));
    assert_eq!(shop.stock("mug").await, [7, 0, 7, 3]);
    let read = shop.get(&format!("/v1/orders/{id}")).await.expect(200);
    assert_eq!(facts(read.body), facts(placed.body.clone()));
    let history = shop.get(&format!("/v1/orders/{id}/history")).await.expect(200);
    assert_eq!(history.body["items"][0]["to"], "PENDING");
}

#[tokio::test]
async fn a_repeat_is_told_as_one_and_another_body_is_refused() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    let first = shop.place("k-1", card_order("mug", 1, "tok_ok")).await.expect(201);
    assert_eq!(first.header("idempotent-replayed"), "");
    // The same request with other spacing and order is the same request.
    let again = json!({"payment": {"token": "tok_ok", "method": "card"},
                       "items": [{"quantity": 1, "product_id": "mug"}]});
    let again = shop.place("k-1", again).await.expect(201);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(facts(again.body), facts(first.body));
    let other = shop.place("k-1", card_order("mug", 2, "tok_ok")).await;
    other.expect_problem(422, "idempotency_key_reused");
    assert_eq!(shop.stock("mug").await, [9, 0, 9, 1]);
}

#[tokio::test]
async fn a_declined_payment_is_recorded_and_replayed() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    for replayed in ["", "true"] {
        let declined = shop.place("k-1", card_order("mug", 1, "tok_declined")).await;
        let declined = declined.expect_problem(402, "payment_declined");
        assert_eq!(declined.body["outcome"], "recorded");
        assert_eq!(declined.header("idempotent-replayed"), replayed);
        assert!(declined.header("x-position").contains(':'));
        let id = declined.body["order_id"].as_str().unwrap();
        let order = shop.get(&format!("/v1/orders/{id}")).await.expect(200);
        assert_eq!(order.body["status"], "CANCELLED");
        assert_eq!(order.body["payment_status"], "failed");
    }
    assert_eq!(shop.stock("mug").await, [10, 0, 10, 0]);
}

#[tokio::test]
async fn too_few_units_are_a_conflict_that_changes_nothing() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 2).await;
    let refused = shop.place("k-1", card_order("mug", 3, "tok_ok")).await;
    let refused = refused.expect_problem(409, "insufficient_stock");
    assert_eq!(refused.body["outcome"], "nothing_happened");
    assert_eq!(refused.header("x-position"), "");
    assert_eq!(shop.stock("mug").await, [2, 0, 2, 0]);
}

#[tokio::test]
async fn an_order_lives_as_its_states_allow() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    let order = shop.place("k-1", card_order("mug", 1, "tok_ok")).await.expect(201);
    let path = format!("/v1/orders/{}", order.body["id"].as_str().unwrap());
    let status = format!("{path}/status");
    let put = |to: &'static str| shop.call(Method::PUT, &status, &[], Some(json!({"status": to})));
    put("SHIPPED").await.expect_problem(409, "invalid_transition");
    put("PAID").await.expect_problem(422, "validation_failed");
    put("PROCESSING").await.expect(200);
    shop.call(Method::DELETE, &path, &[], None).await.expect_problem(409, "invalid_transition");
    let called_off = shop.post(&format!("{path}/cancellation"), json!({"reason": "regret"})).await;
    assert_eq!(called_off.expect(200).body["status"], "CANCELLED");
}

#[tokio::test]
async fn stock_changes_once_per_key_and_only_from_the_version_that_was_seen() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    let path = "/v1/products/mug/stock";
    let body = || Some(json!({"delta": 5, "reason": "delivery"}));
    let adjust = |headers| shop.call(Method::POST, path, headers, body());
    let adjusted = adjust(&[("idempotency-key", "d-1")]).await.expect(200);
    assert_eq!(adjusted.body["stock"]["on_hand"], 15);
    let again = adjust(&[("idempotency-key", "d-1")]).await.expect(200);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.body["stock"]["on_hand"], 15);
    let other = json!({"delta": 6, "reason": "delivery"});
    let other = shop.call(Method::POST, path, &[("idempotency-key", "d-1")], Some(other)).await;
    other.expect_problem(422, "idempotency_key_reused");
    let etag = again.header("etag").to_owned();
    let seen = [("if-match", etag.as_str())];
    adjust(&seen).await.expect(200);
    adjust(&seen).await.expect_problem(412, "stale_version");
    adjust(&[("if-match", "17")]).await.expect_problem(422, "invalid_header");
    let unknown = shop.call(Method::POST, "/v1/products/none/stock", &[], body()).await;
    unknown.expect_problem(404, "not_found");
}

#[tokio::test]
async fn creating_a_product_again_changes_nothing() {
    let shop = TestShop::open().await;
    let mug = |stock: u32| {
        json!({"id": "mug", "name": "Mug", "price": {"minor": 5, "currency": "USD"},
               "stock": stock})
    };
    let first = shop.post("/v1/products", mug(3)).await.expect(201);
    assert_eq!(first.header("location"), "/v1/products/mug");
    let again = shop.post("/v1/products", mug(3)).await.expect(201);
    assert_eq!(again.header("idempotent-replayed"), "", "there was no key");
    shop.post("/v1/products", mug(4)).await.expect_problem(409, "product_exists");
    assert_eq!(shop.stock("mug").await, [3, 0, 3, 0]);
    let change = json!({"price": {"minor": 7, "currency": "USD"}, "status": "inactive"});
    let changed = shop.call(Method::PATCH, "/v1/products/mug", &[], Some(change)).await;
    assert_eq!(changed.expect(200).body["price"]["minor"], 7);
    let refused = shop.place("k-1", card_order("mug", 1, "tok_ok")).await;
    let refused = refused.expect_problem(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["code"], "product_unavailable");
}

#[tokio::test]
async fn a_cart_becomes_an_order_once() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    let cart = shop.post("/v1/carts", json!({"customer_id": "c-1"})).await.expect(201);
    let path = cart.header("location").to_owned();
    let line = format!("{path}/items/mug");
    let put =
        |quantity: i64| shop.call(Method::PUT, &line, &[], Some(json!({"quantity": quantity})));
    put(2).await.expect(200);
    for quantity in [0, -1, 101] {
        put(quantity).await.expect_problem(422, "validation_failed");
    }
    let checkout = format!("{path}/checkout");
    let pay = |token: &str| json!({"payment": {"method": "card", "token": token}});
    let poor =
        shop.call(Method::POST, &checkout, &[("idempotency-key", "a")], Some(pay("tok_declined")));
    poor.await.expect_problem(402, "payment_declined");
    let order = shop.post(&checkout, pay("tok_ok")).await.expect(201);
    assert_eq!(order.body["customer_id"], "c-1");
    // Without a key of its own the cart itself is the key.
    let again = shop.post(&checkout, pay("tok_ok")).await.expect(201);
    assert_eq!(again.body["id"], order.body["id"]);
    let other =
        shop.call(Method::POST, &checkout, &[("idempotency-key", "b")], Some(pay("tok_ok")));
    let other = other.await.expect_problem(409, "cart_checked_out");
    assert_eq!(other.body["order_id"], order.body["id"]);
    put(3).await.expect_problem(409, "cart_checked_out");
    assert_eq!(shop.stock("mug").await, [8, 0, 8, 2]);
}

#[tokio::test(start_paused = true)]
async fn reads_can_insist_on_a_position() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    let placed = shop.place("k-1", card_order("mug", 1, "tok_ok")).await.expect(201);
    let headers = [("x-min-position", placed.header("x-position"))];
    let list = shop.call(Method::GET, "/v1/orders", &headers, None).await.expect(200);
    assert_eq!(list.body["total"], 1);
    let far = [("x-min-position", "0:1000000")];
    let late = shop.call(Method::GET, "/v1/orders", &far, None).await;
    late.expect_problem(503, "not_fresh_yet");
    let order = placed.header("location");
    let cart = shop.post("/v1/carts", json!({})).await.expect(201).header("location").to_owned();
    for path in [
        "/v1/orders",
        order,
        &format!("{order}/history"),
        "/v1/products",
        "/v1/products/mug",
        "/v1/products/mug/holds",
        &cart,
        "/cart/u-1",
    ] {
        for odd in ["17", "70:1"] {
            let odd = shop.call(Method::GET, path, &[("x-min-position", odd)], None).await;
            odd.expect_problem(422, "invalid_header");
        }
    }
}

#[tokio::test]
async fn scopes_are_asked_for() {
    let shop = TestShop::open().await;
    let clerk = [("x-api-key", CLERK_KEY)];
    shop.call(Method::GET, "/v1/orders", &clerk, None).await.expect(200);
    for path in ["/v1/products", "/admin/metrics", "/v1/products/mug/holds"] {
        let refused = shop.call(Method::GET, path, &clerk, None).await;
        refused.expect_problem(403, "forbidden");
    }
    let prices = [("x-api-key", CLERK_KEY), ("x-trusted-price", "true")];
    let order = Some(card_order("mug", 1, "tok_ok"));
    let refused = shop.call(Method::POST, "/v1/orders", &prices, order).await;
    refused.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn prices_are_taken_from_those_who_may_set_them_and_say_so() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    let order = json!({"items": [{"product_id": "mug", "quantity": 2,
                                  "unit_price": {"minor": 1_000, "currency": "USD"}}]});
    let wrong = shop.place("k-1", order.clone()).await.expect_problem(422, "validation_failed");
    assert_eq!(wrong.body["errors"][0]["code"], "price_mismatch");
    let headers = [("x-trusted-price", "true")];
    let set = shop.call(Method::POST, "/v1/orders", &headers, Some(order)).await.expect(201);
    assert_eq!(set.body["total"]["minor"], 2_000);
}

#[tokio::test]
async fn every_way_to_be_unreadable_has_its_own_answer() {
    let shop = TestShop::open().await;
    let send = |kind: &'static str, body: Vec<u8>| {
        let request = Request::post("/v1/orders").header("x-api-key", shop::KEY);
        shop.send(request.header("content-type", kind).body(Body::from(body)).unwrap())
    };
    let json = "application/json";
    send(json, b"{".to_vec()).await.expect_problem(400, "malformed_json");
    send(json, b"{}".to_vec()).await.expect_problem(422, "validation_failed");
    send("text/plain", b"{}".to_vec()).await.expect_problem(415, "unsupported_media_type");
    send(json, vec![b' '; 300_000]).await.expect_problem(413, "body_too_large");
    shop.call(Method::PUT, "/v1/orders", &[], None).await.expect_problem(405, "method_not_allowed");
    let key = [("idempotency-key", "")];
    let order = Some(card_order("mug", 1, "tok_ok"));
    let refused = shop.call(Method::POST, "/v1/orders", &key, order).await;
    refused.expect_problem(422, "invalid_idempotency_key");
    shop.get("/v1/orders/17").await.expect_problem(404, "not_found");
    for path in ["/v1/nothing", "/docs/nothing", "/docs/a/b"] {
        shop.get(path).await.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_key_opens_and_nothing_else_does() {
    let shop = TestShop::open().await;
    for key in ["", "wrong"] {
        let refused = shop.call(Method::GET, "/v1/orders", &[("x-api-key", key)], None).await;
        refused.expect_problem(401, "unauthorised");
    }
    for path in ["/health", "/health/live", "/health/ready", "/openapi.json"] {
        shop.call(Method::GET, path, &[("x-api-key", "")], None).await.expect(200);
    }
    let page = shop.call(Method::GET, "/docs/", &[("x-api-key", "")], None).await.expect(200);
    let page = page.body.as_str().unwrap().to_owned();
    assert!(page.contains("swagger") && !page.contains("https://"), "{page}");
}

#[tokio::test]
async fn request_ids_are_taken_over_or_minted() {
    let shop = TestShop::open().await;
    let named = shop.call(Method::GET, "/v1/nothing", &[("x-request-id", "trace-17")], None).await;
    assert_eq!(named.header("x-request-id"), "trace-17");
    assert_eq!(named.body["request_id"], "trace-17");
    assert_eq!(named.body["instance"], "/v1/nothing");
    assert!(shop.get("/health").await.header("x-request-id").len() == 36);
}

/// Two requests of one address at once.
fn two_at_once() -> AdmissionConfig {
    let policy = actors::admission::BucketPolicy {
        per_second: 1.try_into().unwrap(),
        burst: 2.try_into().unwrap(),
    };
    AdmissionConfig { by_address: Some(policy), ..AdmissionConfig::default() }
}

// Time stands still, so that no token comes back.
#[tokio::test(start_paused = true)]
async fn a_crowd_is_told_to_come_back() {
    let shop = TestShop::with(FrontConfig::default(), two_at_once()).await;
    for _ in 0..2 {
        shop.get("/v1/nothing").await.expect_problem(404, "not_found");
    }
    let answer = shop.get("/v1/nothing").await.expect_problem(429, "throttled");
    assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
}

#[tokio::test(start_paused = true)]
async fn only_health_is_told_however_often_somebody_asks() {
    let shop = TestShop::with(FrontConfig::default(), two_at_once()).await;
    for _ in 0..2 {
        shop.get("/metrics").await.expect(200);
    }
    for path in ["/metrics", "/openapi.json", "/docs/", "/docs/index.css"] {
        shop.get(path).await.expect_problem(429, "throttled");
    }
    for path in ["/health", "/health/live", "/health/ready"] {
        shop.get(path).await.expect(200);
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let config = FrontConfig { body_within: Duration::from_millis(50), ..FrontConfig::default() };
    let shop = TestShop::with(config, AdmissionConfig::default()).await;
    let never = futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
    let request = Request::post("/v1/orders").header("x-api-key", shop::KEY);
    let request = request.header("content-type", "application/json");
    let answer = shop.send(request.body(Body::from_stream(never)).unwrap()).await;
    answer.expect_problem(408, "request_timeout");
}

#[tokio::test]
async fn lists_walk_by_page_and_by_cursor() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    let mut placed = Vec::new();
    let mut position = String::new();
    for key in ["a", "b", "c"] {
        let order = shop.place(key, card_order("mug", 1, "tok_ok")).await.expect(201);
        placed.push(order.body["id"].clone());
        position = order.header("x-position").to_owned();
        let headers = [("x-min-position", position.as_str())];
        shop.call(Method::GET, "/v1/orders", &headers, None).await.expect(200);
    }
    assert!(!position.is_empty());
    placed.reverse();
    let ids = |page: &Value| -> Vec<Value> {
        page["items"].as_array().unwrap().iter().map(|order| order["id"].clone()).collect()
    };
    let first = shop.get("/v1/orders?limit=2").await.expect(200).body;
    assert_eq!((ids(&first), &first["total"]), (placed[..2].to_vec(), &json!(3)));
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = shop.get(&format!("/v1/orders?limit=2&cursor={cursor}")).await.expect(200).body;
    assert_eq!((ids(&rest), &rest["next_cursor"]), (placed[2..].to_vec(), &Value::Null));
    let second = shop.get("/v1/orders?limit=2&page=2").await.expect(200).body;
    assert_eq!(ids(&second), placed[2..]);
    for bad in ["page=0", "limit=1001", "status=LOST", "cursor=x", "page=1&cursor=x", "sort=asc"] {
        let refused = shop.get(&format!("/v1/orders?{bad}")).await;
        refused.expect_problem(422, "validation_failed");
    }
}
