//! Quantities and prices that are no quantities and no prices.

use anyhow::Result;
use serde_json::{Value, json};

use crate::{Case, Expected, INVALID, MALFORMED, UNREADABLE, Victim};

/// A quantity as it stands in the body, and what must come back.
const QUANTITIES: &[(&str, Expected)] = &[
    ("0", INVALID),
    ("-1", INVALID),
    ("101", INVALID),
    ("2147483648", INVALID),
    ("4294967297", INVALID),
    ("9223372036854775807", INVALID),
    ("9223372036854775808", INVALID),
    ("18446744073709551616", INVALID),
    ("-9223372036854775809", INVALID),
    ("1e400", UNREADABLE),
    ("1.0", INVALID),
    ("1.5", INVALID),
    ("\"1\"", INVALID),
    ("\"１\"", INVALID),
    ("true", INVALID),
    ("null", INVALID),
    ("[]", INVALID),
    ("{}", INVALID),
    ("NaN", MALFORMED),
    ("Infinity", MALFORMED),
    ("-0", INVALID),
    ("0x10", MALFORMED),
    ("01", MALFORMED),
    ("+1", MALFORMED),
    ("1e2", INVALID),
    (".5", MALFORMED),
];

/// A price as it stands in the body. The product costs 25.50 USD.
const PRICES: &[&str] = &[
    r#"{"minor": 25.5, "currency": "USD"}"#,
    r#"{"minor": "2550", "currency": "USD"}"#,
    r#"{"minor": -2550, "currency": "USD"}"#,
    r#"{"minor": 9223372036854775808, "currency": "USD"}"#,
    r#"{"minor": 2550, "currency": "usd"}"#,
    r#"{"minor": 2550, "currency": "ZZZ"}"#,
    r#"{"minor": 2550, "currency": ""}"#,
    r#"{"minor": 2550, "currency": null}"#,
    r#"{"minor": 2550}"#,
    r#"{"minor": 2550, "currency": "EUR"}"#,
    r#"{"minor": 2550, "currency": "USD", "scale": 2}"#,
    "25.50",
    "2550",
    "\"25.50\"",
];

#[tokio::test]
async fn quantities_that_are_none() -> Result<()> {
    let body =
        |quantity: &str| format!(r#"{{"items":[{{"product_id":"mouse","quantity":{quantity}}}]}}"#);
    let cases = QUANTITIES.iter().map(|(quantity, expected)| {
        Case::order(&format!("quantity {quantity}"), body(quantity), expected)
    });
    Victim::start().await?.suffer("quantities", cases.collect()).await
}

#[tokio::test]
async fn prices_that_are_none() -> Result<()> {
    let body = |price: &str| {
        format!(r#"{{"items":[{{"product_id":"mouse","quantity":1,"unit_price":{price}}}]}}"#)
    };
    let cases = PRICES
        .iter()
        .map(|price| Case::order(&format!("unit_price {price}"), body(price), INVALID));
    Victim::start().await?.suffer("prices", cases.collect()).await
}

#[tokio::test]
async fn totals_that_no_number_can_hold() -> Result<()> {
    let victim = Victim::start().await?;
    // The dearest product that the shop takes; if it takes none of this price, it is safe.
    let mut dear = Vec::new();
    for minor in [i64::MAX, i64::MAX / 3, 1_000_000_000_000_000, 100_000_000_000_000] {
        let id = format!("dear-{minor}");
        let price = json!({"minor": minor, "currency": "USD"});
        let product = json!({"id": id, "name": "Dear", "price": price, "stock": 1_000_000});
        let answer = victim.shop.post("/v1/products", &product).await?;
        match answer.status {
            201 => dear.push((id, minor)),
            _ => drop(answer.expect_problem(422, "validation_failed")?),
        }
    }
    let mut cases = Vec::new();
    for (id, minor) in &dear {
        if minor.checked_mul(100).is_none() {
            let line = json!({"product_id": id, "quantity": 100});
            let body = json!({"items": [line]}).to_string();
            cases.push(Case::order(&format!("100 times {minor}"), body, INVALID));
        }
    }
    let lines: Vec<Value> =
        dear.iter().map(|(id, _)| json!({"product_id": id, "quantity": 1})).collect();
    let sum = dear.iter().try_fold(0_i64, |sum, (_, minor)| sum.checked_add(*minor));
    if sum.is_none() {
        let body = json!({"items": lines}).to_string();
        cases.push(Case::order("a sum that overflows", body, INVALID));
    }
    victim.suffer("totals", cases).await
}
