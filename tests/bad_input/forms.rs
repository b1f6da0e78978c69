//! Forms that are well shaped and can never be right.

use anyhow::Result;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Case, INVALID, NOT_FOUND, Victim};

fn order(name: &str, change: &Value) -> Case {
    let mut form = json!({
        "items": [{"product_id": "mouse", "quantity": 1}],
        "payment": {"method": "card", "token": "tok_ok"},
    });
    if let (Some(form), Some(change)) = (form.as_object_mut(), change.as_object()) {
        form.extend(change.clone());
    }
    Case::order(name, form.to_string(), INVALID)
}

#[tokio::test]
async fn orders_that_can_never_be_right() -> Result<()> {
    let twice = json!([
        {"product_id": "mouse", "quantity": 60},
        {"product_id": "mouse", "quantity": 60},
    ]);
    let cases = vec![
        order("no lines", &json!({"items": []})),
        order("the same product twice", &json!({"items": twice})),
        order("an unknown product", &json!({"items": [{"product_id": "nothing", "quantity": 1}]})),
        order("an empty product", &json!({"items": [{"product_id": "", "quantity": 1}]})),
        order("a product that is a number", &json!({"items": [{"product_id": 1, "quantity": 1}]})),
        order("an unknown method", &json!({"payment": {"method": "shells"}})),
        order("a method in capitals", &json!({"payment": {"method": "CARD", "token": "tok_ok"}})),
        order("a card without a token", &json!({"payment": {"method": "card"}})),
        order("an empty token", &json!({"payment": {"method": "card", "token": ""}})),
        order("a payment that is a text", &json!({"payment": "card"})),
        order("a payment with an amount", &json!({"payment": {"method": "cash", "amount": 1}})),
        order("a status of its own", &json!({"status": "DELIVERED"})),
        order("a total of its own", &json!({"total": {"minor": 1, "currency": "USD"}})),
        order("a discount of its own", &json!({"discount": {"minor": 1, "currency": "USD"}})),
        order("an id of its own", &json!({"id": "00000000-0000-8000-8000-000000000000"})),
        order("a date of its own", &json!({"created_at": "0000-01-01T00:00:00Z"})),
        order("a customer that is a number", &json!({"customer_id": 7})),
        order("a customer without a name", &json!({"customer_id": ""})),
        order("a customer of 10,000 letters", &json!({"customer_id": "c".repeat(10_000)})),
        order("a channel of 10,000 letters", &json!({"channel": "c".repeat(10_000)})),
        order("a cart that is no id", &json!({"cart_id": "no-id"})),
        order("an address that is a text", &json!({"shipping_address": "somewhere"})),
    ];
    Victim::start().await?.suffer("orders", cases).await
}

#[tokio::test]
async fn products_that_can_never_be_right() -> Result<()> {
    let product = |name: &str, change: Value| {
        let mut form =
            json!({"id": "new", "name": "New", "price": {"minor": 1, "currency": "USD"}});
        if let (Some(form), Some(change)) = (form.as_object_mut(), change.as_object()) {
            form.extend(change.clone());
        }
        Case::new(name, Method::POST, "/v1/products", INVALID).body(form.to_string())
    };
    let cases = vec![
        product("a negative price", json!({"price": {"minor": -1, "currency": "USD"}})),
        product("a price with a fraction", json!({"price": {"minor": 1.5, "currency": "USD"}})),
        product("a price that is a number", json!({"price": 9.99})),
        product("an unknown currency", json!({"price": {"minor": 1, "currency": "ZZZ"}})),
        product("no price", json!({"price": null})),
        product("no name", json!({"name": ""})),
        product("a name of 100,000 letters", json!({"name": "n".repeat(100_000)})),
        product("an empty id", json!({"id": ""})),
        product("an id with a slash", json!({"id": "a/b"})),
        product("an id with a blank", json!({"id": "a b"})),
        product("an id of 10,000 letters", json!({"id": "i".repeat(10_000)})),
        product("a negative stock", json!({"stock": -1})),
        product("a stock beyond counting", json!({"stock": u64::MAX})),
        product("a stock that is a text", json!({"stock": "many"})),
        product("an unknown field", json!({"owner": "me"})),
    ];
    Victim::start().await?.suffer("products", cases).await
}

#[tokio::test]
async fn corrections_that_can_never_be_right() -> Result<()> {
    let correction = |name: &str, form: Value| {
        Case::new(name, Method::POST, "/v1/products/mouse/stock", INVALID).body(form.to_string())
    };
    let cases = vec![
        correction("no change", json!({"delta": 0, "reason": "count"})),
        correction("half a unit", json!({"delta": 0.5, "reason": "count"})),
        correction("a text", json!({"delta": "1", "reason": "count"})),
        correction(
            "beyond counting",
            json!({"delta": 9_223_372_036_854_775_808_u64, "reason": "a"}),
        ),
        correction("everything there is", json!({"delta": i64::MAX, "reason": "count"})),
        correction("no delta", json!({"reason": "count"})),
        correction("no reason", json!({"delta": 1})),
        correction("an empty reason", json!({"delta": 1, "reason": ""})),
        correction(
            "a reason of 100,000 letters",
            json!({"delta": 1, "reason": "r".repeat(100_000)}),
        ),
        correction("an unknown field", json!({"delta": 1, "reason": "count", "force": true})),
        Case::new("nothing there", Method::POST, "/v1/products/nothing/stock", NOT_FOUND)
            .body(json!({"delta": 1, "reason": "count"}).to_string()),
    ];
    Victim::start().await?.suffer("corrections", cases).await
}
