//! Routes of older installations: decimals in and out, one cart for each user.

use crate::shop::{Answer, TestShop};
use http::Method;
use http_edge::idempotency::RequestKey;
use serde_json::{Value, json};

async fn with_mug() -> TestShop {
    let shop = TestShop::open().await;
    shop.stocked("mug", 99_999, 10).await;
    shop.stocked("2", 2_550, 10).await;
    shop
}

#[tokio::test]
async fn an_order_is_placed_with_decimals_and_read_with_decimals() {
    let shop = with_mug().await;
    let order = json!({
        "customer_id": "customer_123",
        "items": [
            {"product_id": "mug", "quantity": 1, "unit_price": 999.99},
            {"product_id": 2, "quantity": 2, "unit_price": 25.50},
        ],
    });
    let placed = shop.post("/orders/", order).await.expect(201);
    assert_eq!(placed.body["total"].to_string(), "1050.99");
    assert_eq!(placed.body["items"][1]["unit_price"].to_string(), "25.5");
    assert_eq!(placed.body["currency"], "USD");
    assert_eq!(placed.body["customer_id"], "customer_123");
    let path = format!("/orders/{}", placed.body["id"].as_str().unwrap());
    assert_eq!(shop.get(&path).await.expect(200).body["total"], placed.body["total"]);
    let status = Some(json!({"status": "DELIVERED"}));
    let refused = shop.call(Method::PUT, &format!("{path}/status"), &[], status).await;
    refused.expect_problem(409, "invalid_transition");
    let cancelled = shop.call(Method::DELETE, &path, &[], None).await.expect(200);
    assert_eq!(cancelled.body["status"], "CANCELLED");
}

#[tokio::test]
async fn a_list_of_items_is_an_order_of_the_user_in_the_address() {
    let shop = with_mug().await;
    let items = json!([{"product_id": "mug", "quantity": 1, "price": 999.99}]);
    let placed = shop.post("/orders?user_id=u-1", items).await.expect(201);
    assert_eq!(placed.body["customer_id"], "u-1");
    for (price, code) in [(json!(999.98), "price_mismatch"), (json!(1.234), "invalid_value")] {
        let items = json!([{"product_id": "mug", "quantity": 1, "price": price}]);
        let refused = shop.post("/orders?user_id=u-1", items).await;
        let refused = refused.expect_problem(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["code"], code);
    }
}

#[tokio::test]
async fn products_are_listed_with_decimals() {
    let shop = with_mug().await;
    // The list follows the journal; a read of the position waits for it.
    let change = json!({"delta": 1, "reason": "count"});
    let position = shop.post("/v1/products/mug/stock", change).await.expect(200);
    let headers = [("x-min-position", position.header("x-position"))];
    let list = shop.call(Method::GET, "/products", &headers, None).await.expect(200);
    let mug = list.body["items"].as_array().unwrap().iter().find(|item| item["id"] == "mug");
    assert_eq!(mug.unwrap()["price"].to_string(), "999.99");
    assert_eq!(mug.unwrap()["currency"], "USD");
}

#[tokio::test]
async fn a_user_has_one_cart_that_a_checkout_empties() {
    let shop = with_mug().await;
    let empty = shop.get("/cart/u-1").await.expect(200);
    assert_eq!(empty.body["items"], json!([]));
    let add = |product: &'static str, quantity: u32| {
        let path = format!("/cart/u-1/add?product_id={product}&quantity={quantity}");
        let shop = &shop;
        async move { shop.call(Method::POST, &path, &[], None).await }
    };
    add("mug", 1).await.expect(200);
    add("nothing", 1).await.expect_problem(404, "not_found");
    let filled: Answer = add("mug", 1).await.expect(200);
    assert_eq!(filled.body["items"][0]["quantity"], 2);
    assert_eq!(filled.body["total"].to_string(), "1999.98");
    let pay = || Some(json!({"user_id": "u-1", "payment": {"method": "card", "token": "tok_ok"}}));
    let key = [("idempotency-key", "k-1")];
    let order = shop.call(Method::POST, "/checkout", &key, pay()).await.expect(201);
    assert_eq!(order.body["total"].to_string(), "1999.98");
    assert_eq!(shop.get("/cart/u-1").await.expect(200).body["items"], json!([]));
    let again = shop.call(Method::POST, "/checkout", &key, pay()).await.expect(201);
    assert_eq!(again.body["id"], order.body["id"]);
    assert_eq!(again.header("idempotent-replayed"), "true");
    for header in ["location", "x-position", "x-version"] {
        assert_eq!(again.header(header), order.header(header), "{header}");
    }
    let nothing = shop.call(Method::POST, "/checkout", &[], pay()).await;
    nothing.expect_problem(422, "validation_failed");
    add("2", 3).await.expect(200);
    let cleared = shop.call(Method::DELETE, "/cart/u-1/clear", &[], None).await.expect(200);
    assert_eq!(cleared.body["total"], Value::Null);
    for changed in [&filled, &cleared] {
        assert!(changed.header("x-position").contains(':'), "{changed:?}");
        assert!(changed.header("x-version").parse::<u64>().unwrap() > 0);
    }
    assert_eq!(shop.get("/cart/u-1").await.expect(200).body["items"], json!([]));
    assert_eq!(shop.stock("mug").await, [8, 0, 8, 2]);
}

async fn add(shop: &TestShop, product: &str, quantity: u32) -> Answer {
    let path = format!("/cart/u-1/add?product_id={product}&quantity={quantity}");
    shop.call(Method::POST, &path, &[], None).await
}

async fn check_out(shop: &TestShop, key: &str) -> Answer {
    let pay = json!({"user_id": "u-1", "payment": {"method": "card", "token": "tok_ok"}});
    shop.call(Method::POST, "/checkout", &[("idempotency-key", key)], Some(pay)).await
}

#[tokio::test]
async fn the_cart_of_a_user_is_bought_once_however_many_keys_ask_at_once() {
    let shop = with_mug().await;
    add(&shop, "mug", 1).await.expect(200);
    let keys: Vec<String> = (0..6).map(|number| format!("k-{number}")).collect();
    let tries = keys.iter().map(|key| check_out(&shop, key));
    let answers = futures::future::join_all(tries).await;
    let placed = answers.iter().filter(|answer| answer.status == 201).count();
    let refused = answers.iter().filter(|answer| answer.status == 409).count();
    assert_eq!((placed, refused), (1, 5), "{answers:?}");
    assert_eq!(shop.stock("mug").await, [9, 0, 9, 1]);
    assert_eq!(shop.get("/cart/u-1").await.expect(200).body["items"], json!([]));
}

#[tokio::test]
async fn units_that_are_added_at_the_same_time_are_all_in_the_cart() {
    let shop = with_mug().await;
    let filled = futures::future::join_all((0..8).map(|_| add(&shop, "mug", 2))).await;
    assert!(filled.iter().all(|answer| answer.status == 200), "{filled:?}");
    assert_eq!(shop.get("/cart/u-1").await.expect(200).body["items"][0]["quantity"], 16);
    add(&shop, "mug", 85).await.expect_problem(422, "validation_failed");
}

#[tokio::test]
async fn a_cart_that_was_not_emptied_after_its_order_sells_nothing_again() {
    let shop = with_mug().await;
    for next in ["add", "check out"] {
        add(&shop, "mug", 1).await.expect(200);
        // An order that took the cart and died before it emptied it looks like this.
        let cart = RequestKey::composed("user:u-1").cart("owner");
        let order = json!({"items": [{"product_id": "mug", "quantity": 1}], "cart_id": cart,
                           "payment": {"method": "cash"}});
        shop.post("/v1/orders", order).await.expect(201);
        if next == "add" {
            let filled = add(&shop, "2", 3).await.expect(200);
            assert_eq!(filled.body["items"].as_array().unwrap().len(), 1);
            let bought = check_out(&shop, "k-1").await.expect(201);
            assert_eq!(bought.body["total"].to_string(), "76.5");
        } else {
            let nothing = check_out(&shop, "k-2").await;
            nothing.expect_problem(422, "validation_failed");
        }
    }
    assert_eq!(shop.stock("mug").await, [8, 0, 8, 2]);
}

#[tokio::test]
async fn older_routes_need_a_key_as_well() {
    let shop = with_mug().await;
    for path in ["/orders", "/orders/", "/products", "/cart/u-1"] {
        let refused = shop.call(Method::GET, path, &[("x-api-key", "")], None).await;
        refused.expect_problem(401, "unauthorised");
    }
}

#[tokio::test]
async fn a_cart_that_cannot_be_added_up_has_no_total() {
    let shop = with_mug().await;
    shop.stocked("dear", 1_i64 << 60, 100).await;
    let price = json!({"minor": 700, "currency": "EUR"});
    let euro = json!({"id": "euro", "name": "A thing", "price": price, "stock": 3});
    shop.post("/v1/products", euro).await.expect(201);
    for (user, product) in [("u-2", "dear"), ("u-3", "euro")] {
        let path = |product| format!("/cart/{user}/add?product_id={product}&quantity=16");
        shop.call(Method::POST, &path("mug"), &[], None).await.expect(200);
        let filled = shop.call(Method::POST, &path(product), &[], None).await.expect(200);
        assert_eq!(filled.body["total"], Value::Null, "{}", filled.body);
        assert_eq!(filled.body["items"].as_array().unwrap().len(), 2);
    }
}
