//! Carts that become orders: one each, whatever the keys and whatever comes in between.

use http::Method;
use serde_json::{Value, json};

use crate::shop::{Answer, TestShop};

async fn cart_with(shop: &TestShop, quantity: i64) -> String {
    let cart = shop.post("/v1/carts", json!({})).await.expect(201);
    let path = cart.header("location").to_owned();
    put(shop, &path, quantity).await.expect(200);
    path
}

async fn put(shop: &TestShop, cart: &str, quantity: i64) -> Answer {
    let line = json!({"quantity": quantity});
    shop.call(Method::PUT, &format!("{cart}/items/mug"), &[], Some(line)).await
}

async fn check_out(shop: &TestShop, cart: &str, key: &str, token: &str) -> Answer {
    let pay = json!({"payment": {"method": "card", "token": token}});
    let key = [("idempotency-key", key)];
    shop.call(Method::POST, &format!("{cart}/checkout"), &key, Some(pay)).await
}

#[tokio::test]
async fn a_cart_that_is_checked_out_under_many_keys_at_once_becomes_one_order() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 100).await;
    let cart = cart_with(&shop, 2).await;
    let keys: Vec<String> = (0..8).map(|number| format!("k-{number}")).collect();
    let tries = keys.iter().map(|key| check_out(&shop, &cart, key, "tok_ok"));
    let answers = futures::future::join_all(tries).await;
    let placed: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(placed.len(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(refused.body["code"], "cart_checked_out");
        assert_eq!(refused.body["order_id"], placed[0].body["id"]);
    }
    assert_eq!(shop.stock("mug").await, [98, 0, 98, 2]);
    put(&shop, &cart, 3).await.expect_problem(409, "cart_checked_out");
}

#[tokio::test]
async fn an_order_that_names_a_cart_takes_it_as_well() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 100).await;
    let cart = cart_with(&shop, 2).await;
    let id = cart.rsplit('/').next().unwrap();
    let order = |id: &str| {
        json!({"items": [{"product_id": "mug", "quantity": 1}], "cart_id": id,
               "payment": {"method": "cash"}})
    };
    let placed = shop.place("k-1", order(id)).await.expect(201);
    let again = shop.place("k-1", order(id)).await.expect(201);
    assert_eq!(again.body["id"], placed.body["id"]);
    shop.place("k-2", order(id)).await.expect_problem(409, "cart_checked_out");
    let nowhere = shop.place("k-3", order("00000000-0000-8000-8000-000000000000")).await;
    let nowhere = nowhere.expect_problem(422, "validation_failed");
    assert_eq!(nowhere.body["errors"][0]["code"], "unknown_cart");
    assert_eq!(shop.stock("mug").await, [99, 0, 99, 1]);
}

#[tokio::test]
async fn a_cart_whose_order_came_to_nothing_can_be_changed_and_checked_out_again() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 3).await;
    let cart = cart_with(&shop, 4).await;
    check_out(&shop, &cart, "k-1", "tok_ok").await.expect_problem(409, "insufficient_stock");
    put(&shop, &cart, 2).await.expect(200);
    check_out(&shop, &cart, "k-2", "tok_declined").await.expect_problem(402, "payment_declined");
    let open = shop.get(&cart).await.expect(200);
    assert_eq!(open.body["order_id"], Value::Null);
    put(&shop, &cart, 1).await.expect(200);
    let placed = check_out(&shop, &cart, "k-3", "tok_ok").await.expect(201);
    // The declined key names its order for good, and takes no cart from another.
    check_out(&shop, &cart, "k-2", "tok_declined").await;
    assert_eq!(shop.get(&cart).await.expect(200).body["order_id"], placed.body["id"]);
    assert_eq!(shop.stock("mug").await, [2, 0, 2, 1]);
}
