//! Card numbers: refused where they would be kept, and shown nowhere.

use http::Method;
use serde_json::json;

use crate::shop::{Answer, TestShop, card_order};

/// What an answer says, without the id it was given: of that any four digits may be drawn.
fn said(answer: &Answer) -> String {
    let mut body = answer.body.clone();
    body["request_id"].take();
    body.to_string()
}

#[tokio::test]
async fn card_numbers_are_refused_and_not_repeated() {
    let shop = TestShop::open().await;
    for order in [
        json!({"customer_id": "4242 4242 4242 4242", "items": []}),
        json!({"items": [{"product_id": "4242424242424242", "quantity": 1}]}),
        json!({"items": [], "payment": {"method": "card", "token": "4242-4242-4242-4242"}}),
        json!({"items": [], "channel": "4242424242424242"}),
        json!({"items": [], "shipping_address": {"name": "4242424242424242", "lines": ["x"],
               "city": "x", "country": "DE"}}),
    ] {
        let refused = shop.place("k", order).await.expect_problem(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["code"], "card_number_refused", "{}", refused.body);
        assert!(!said(&refused).contains("4242"), "{}", refused.body);
    }
}

#[tokio::test]
async fn an_article_number_that_looks_like_a_card_number_can_be_ordered() {
    let shop = TestShop::open().await;
    shop.stocked("4242424242424242", 100, 5).await;
    shop.place("k", card_order("4242424242424242", 1, "tok_ok")).await.expect(201);
}

#[tokio::test]
async fn what_is_shown_of_a_request_is_never_a_card_number() {
    let shop = TestShop::open().await;
    for path in [
        "/v1/products/4242424242424242",
        "/v1/products/4242.4242.4242.4242",
        "/v1/products/4242%204242%204242%204242",
        "/v1/nothing/4242/4242/4242/4242",
    ] {
        let headers = [("x-request-id", "4242424242424242")];
        let refused = shop.call(Method::GET, path, &headers, None).await;
        let refused = refused.expect_problem(404, "not_found");
        assert!(!said(&refused).contains("4242"), "{}", refused.body);
        assert_ne!(refused.header("x-request-id"), "4242424242424242");
    }
}

#[tokio::test]
async fn a_quantity_that_is_a_card_number_is_not_repeated() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    let cart = shop.post("/v1/carts", json!({})).await.expect(201).header("location").to_owned();
    let line = Some(json!({"quantity": 4_242_424_242_424_242_i64}));
    let refused = [
        shop.place("k", card_order("mug", 4_242_424_242_424_242, "tok_ok")).await,
        shop.call(Method::PUT, &format!("{cart}/items/mug"), &[], line).await,
    ];
    for refused in refused {
        let refused = refused.expect_problem(422, "validation_failed");
        assert!(!said(&refused).contains("4242"), "{}", refused.body);
    }
}

#[tokio::test]
async fn a_key_that_looks_like_a_card_number_is_a_key_like_any_other() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    for replayed in ["", "true"] {
        let placed = shop.place("4242-4242-4242-4242", card_order("mug", 1, "tok_ok")).await;
        assert_eq!(placed.expect(201).header("idempotent-replayed"), replayed);
    }
}

fn card(number: &str) -> serde_json::Value {
    json!({"number": number, "exp_month": 12, "exp_year": 2099, "cvc": "123"})
}

#[tokio::test]
async fn a_number_for_tests_becomes_the_token_that_pays_pay_2() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    for (number, status) in [("4242 4242 4242 4242", 201), ("4000000000000002", 402)] {
        let token = shop.post("/v1/payments/tokens", card(number)).await.expect(200);
        assert!(!said(&token).contains("4242") && !said(&token).contains("0002"), "{}", token.body);
        let token = token.body["token"].as_str().unwrap();
        shop.place(number.split(' ').next().unwrap(), card_order("mug", 1, token))
            .await
            .expect(status);
    }
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_card_is_told_and_nothing_of_it_pay_2() {
    let shop = TestShop::open().await;
    for (card, codes) in [
        (
            json!({"number": "4242424242424241", "exp_month": 1, "exp_year": 2001, "cvc": "12"}),
            &["card_number_invalid", "card_expired", "cvc_invalid"][..],
        ),
        (card("6011000990139424"), &["test_card_required"]),
        (
            json!({"number": "4242424242424242", "exp_month": 13, "exp_year": 30, "cvc": "123"}),
            &["card_expiry_invalid"],
        ),
    ] {
        let refused = shop.post("/v1/payments/tokens", card).await;
        let refused = refused.expect_problem(422, "validation_failed");
        let told: Vec<_> =
            refused.body["errors"].as_array().unwrap().iter().map(|told| &told["code"]).collect();
        assert_eq!(told, codes);
        for digits in ["4242424242", "6011000990"] {
            assert!(!said(&refused).contains(digits), "{}", refused.body);
        }
    }
    // Nor is it repeated by those who only read the form.
    for body in [
        json!({"number": 4_242_424_242_424_242_i64, "exp_month": 1, "exp_year": 2099, "cvc": "1"}),
        json!({"number": "4242424242424242", "exp_month": "4242424242424242", "exp_year": 1,
               "cvc": "1"}),
        json!({"4242424242424242": "number"}),
    ] {
        let refused = shop.post("/v1/payments/tokens", body).await;
        let refused = refused.expect_problem(422, "validation_failed");
        assert!(!said(&refused).contains("4242"), "{}", refused.body);
    }
}
