//! Idempotency keys, route by route: a repeat does nothing again, another request is refused.

use actors::outcome::{Asking, Cause};
use engine::inventory::{ADJUSTMENTS_REMEMBERED_MAX, Inventory, InventoryCommand};
use engine::values::AdjustmentId;
use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::shop::{Answer, TestShop, card_order};

async fn keyed(shop: &TestShop, method: Method, path: &str, key: &str, body: Value) -> Answer {
    let body = (!body.is_null()).then_some(body);
    shop.call(method, path, &[("idempotency-key", key)], body).await
}

async fn with_cart(shop: &TestShop) -> String {
    shop.stocked("mug", 1_250, 100).await;
    shop.post("/v1/carts", json!({})).await.expect(201).header("location").to_owned()
}

#[tokio::test]
async fn a_late_repeat_brings_no_old_cart_line_back() {
    let shop = TestShop::open().await;
    let line = format!("{}/items/mug", with_cart(&shop).await);
    let put =
        |key, quantity: u32| keyed(&shop, Method::PUT, &line, key, json!({"quantity": quantity}));
    let first = put("a", 2).await.expect(200);
    assert_eq!(first.header("idempotent-replayed"), "");
    put("b", 7).await.expect(200);
    let late = put("a", 2).await.expect(200);
    assert_eq!(late.header("idempotent-replayed"), "true");
    assert_eq!(late.body["items"][0]["quantity"], 7);
    put("a", 3).await.expect_problem(422, "idempotency_key_reused");
    let remove = |key| keyed(&shop, Method::DELETE, &line, key, Value::Null);
    remove("a").await.expect_problem(422, "idempotency_key_reused");
    remove("c").await.expect(200);
    put("d", 4).await.expect(200);
    let late = remove("c").await.expect(200);
    assert_eq!(late.body["items"][0]["quantity"], 4);
}

#[tokio::test]
async fn a_late_repeat_brings_no_old_price_back() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    let patch = |key, minor: i64| {
        let price = json!({"price": {"minor": minor, "currency": "USD"}});
        keyed(&shop, Method::PATCH, "/v1/products/mug", key, price)
    };
    patch("a", 1_100).await.expect(200);
    patch("b", 1_200).await.expect(200);
    let late = patch("a", 1_100).await.expect(200);
    assert_eq!(late.header("idempotent-replayed"), "true");
    assert_eq!(late.body["price"]["minor"], 1_200);
    patch("a", 1_300).await.expect_problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_product_is_created_once_for_a_key() {
    let shop = TestShop::open().await;
    for id in [Value::Null, json!("mug")] {
        let create = |name: &'static str| {
            let mut body =
                json!({"name": name, "price": {"minor": 5, "currency": "USD"}, "stock": 3});
            if !id.is_null() {
                body["id"] = id.clone();
            }
            keyed(&shop, Method::POST, "/v1/products", "a", body)
        };
        let first = create("Mug").await.expect(201);
        create("Cup").await.expect_problem(422, "idempotency_key_reused");
        let change = json!({"name": "Beaker"});
        shop.call(Method::PATCH, first.header("location"), &[], Some(change)).await.expect(200);
        let again = create("Mug").await.expect(201);
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!((&again.body["id"], &again.body["name"]), (&first.body["id"], &json!("Beaker")));
        assert_eq!(again.body["stock"]["on_hand"], 3);
    }
}

#[tokio::test]
async fn stock_is_not_changed_for_another_reason_under_the_same_key() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    let adjust = |reason: &'static str| {
        let body = json!({"delta": 5, "reason": reason});
        keyed(&shop, Method::POST, "/v1/products/mug/stock", "a", body)
    };
    adjust("delivery").await.expect(200);
    adjust("delivery").await.expect(200);
    adjust("theft").await.expect_problem(422, "idempotency_key_reused");
    assert_eq!(shop.stock("mug").await, [15, 0, 15, 0]);
}

#[tokio::test]
async fn a_cart_is_not_opened_for_another_customer_under_the_same_key() {
    let shop = TestShop::open().await;
    let open = |body| keyed(&shop, Method::POST, "/v1/carts", "a", body);
    open(json!({"customer_id": "c-1"})).await.expect(201);
    let other = open(json!({"customer_id": "c-2"})).await;
    other.expect_problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn units_are_added_to_the_cart_of_a_user_once_for_a_key() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    let add = |query: &'static str| keyed(&shop, Method::POST, query, "a", Value::Null);
    for replayed in ["", "true"] {
        let cart = add("/cart/u-1/add?product_id=mug&quantity=2").await.expect(200);
        assert_eq!(cart.header("idempotent-replayed"), replayed);
        assert_eq!(cart.body["items"][0]["quantity"], 2);
    }
    let other = add("/cart/u-1/add?product_id=mug&quantity=3").await;
    other.expect_problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn the_cart_of_a_user_is_emptied_once_for_a_key_even_before_it_was_filled() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    let clear = || keyed(&shop, Method::DELETE, "/cart/u-1/clear", "a", Value::Null);
    let first = clear().await.expect(200);
    assert_eq!(first.header("idempotent-replayed"), "");
    shop.call(Method::POST, "/cart/u-1/add?product_id=mug", &[], None).await.expect(200);
    let late = clear().await.expect(200);
    assert_eq!(late.header("idempotent-replayed"), "true");
    assert_eq!(late.body["items"][0]["quantity"], 1);
}

/// Changes a stock by hand until it does not remember its first change any more.
async fn forget_first_delivery(shop: &TestShop, product: &str) {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_mins(1);
    let changes: Vec<u128> = (1..=ADJUSTMENTS_REMEMBERED_MAX as u128 + 2).collect();
    for changes in changes.chunks(500) {
        let asked = changes.iter().map(|number| {
            let adjust = InventoryCommand::Adjust {
                adjustment: AdjustmentId::new(Uuid::from_u128(*number)),
                delta: if number % 2 == 0 { -1 } else { 1 },
                reason: "count".to_owned(),
                if_version: None,
            };
            let asking = Asking { deadline, cause: Cause::default() };
            shop.system.ask::<Inventory>(product, adjust, asking)
        });
        assert!(futures::future::join_all(asked).await.iter().all(Result::is_ok));
    }
}

#[tokio::test]
async fn a_creation_is_repeated_after_its_first_delivery_was_forgotten() {
    let shop = TestShop::open().await;
    let create = || {
        let price = json!({"minor": 5, "currency": "USD"});
        let mug = json!({"id": "mug", "name": "Mug", "price": price, "stock": 3});
        keyed(&shop, Method::POST, "/v1/products", "a", mug)
    };
    create().await.expect(201);
    forget_first_delivery(&shop, "mug").await;
    let again = create().await.expect(201);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.body["stock"]["on_hand"], 3);
}

#[tokio::test]
async fn a_checkout_of_a_user_is_not_repeated_with_another_body() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    shop.place("an-order", card_order("mug", 1, "tok_ok")).await.expect(201);
    shop.call(Method::POST, "/cart/u-1/add?product_id=mug", &[], None).await.expect(200);
    let cash = |user: &str| json!({"user_id": user, "payment": {"method": "cash"}});
    let check_out = |key, body| keyed(&shop, Method::POST, "/checkout", key, body);
    let first = check_out("a", cash("u-1")).await.expect(201);
    let again = check_out("a", cash("u-1")).await.expect(201);
    assert_eq!(again.body["id"], first.body["id"]);
    assert_eq!(again.header("idempotent-replayed"), "true");
    for (key, body) in
        [("a", cash("u-2")), ("a", json!({"user_id": "u-1"})), ("an-order", cash("u-1"))]
    {
        check_out(key, body).await.expect_problem(422, "idempotency_key_reused");
    }
}

#[tokio::test]
async fn a_key_that_looks_like_the_name_of_a_cart_does_not_reach_it() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    shop.call(Method::POST, "/cart/u-1/add?product_id=mug", &[], None).await.expect(200);
    let cart = keyed(&shop, Method::POST, "/v1/carts", "user:u-1", json!({"customer_id": "u-1"}));
    assert_eq!(cart.await.expect(201).body["items"], json!([]));
}

#[tokio::test]
async fn a_declined_checkout_is_repeated_as_such_after_the_cart_was_changed() {
    let shop = TestShop::open().await;
    let cart = with_cart(&shop).await;
    let line = format!("{cart}/items/mug");
    let put =
        |quantity: u32| shop.call(Method::PUT, &line, &[], Some(json!({"quantity": quantity})));
    put(1).await.expect(200);
    let pay = |token: &str| json!({"payment": {"method": "card", "token": token}});
    let path = format!("{cart}/checkout");
    let check_out = |token| keyed(&shop, Method::POST, &path, "a", pay(token));
    check_out("tok_declined").await.expect_problem(402, "payment_declined");
    put(2).await.expect(200);
    check_out("tok_declined").await.expect_problem(402, "payment_declined");
    check_out("tok_ok").await.expect_problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_late_repeat_of_a_status_does_not_bring_it_back() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    let order = shop.place("k-1", card_order("mug", 1, "tok_ok")).await.expect(201);
    let path = format!("{}/status", order.header("location"));
    let put =
        |status: &'static str| keyed(&shop, Method::PUT, &path, "a", json!({"status": status}));
    put("PROCESSING").await.expect(200);
    put("PROCESSING").await.expect(200);
    shop.call(Method::PUT, &path, &[], Some(json!({"status": "SHIPPED"}))).await.expect(200);
    put("PROCESSING").await.expect_problem(409, "invalid_transition");
}
