//! Texts that are made to deceive a reader, a log or a database.

use anyhow::Result;
use serde_json::json;

use crate::{Case, INVALID, Victim};

#[tokio::test]
async fn product_names_that_look_like_another() -> Result<()> {
    let cases = [
        ("a zero-width joiner", "mouse\u{200d}"),
        ("a Cyrillic letter", "m\u{043e}use"),
        ("a full-width letter", "\u{ff4d}ouse"),
        ("a blank before", " mouse"),
        ("a blank behind", "mouse "),
        ("capitals", "MOUSE"),
        ("a zero byte", "mouse\0"),
        ("quotes", "mouse' OR '1'='1"),
        ("a statement", "'; DROP TABLE journal; --"),
        ("a path", "../../etc/passwd"),
    ];
    let cases = cases.iter().map(|(name, product)| {
        let form = json!({"items": [{"product_id": product, "quantity": 1}]});
        Case::order(name, form.to_string(), INVALID)
    });
    Victim::start().await?.suffer("look_alikes", cases.collect()).await
}

#[tokio::test]
async fn customers_that_would_write_into_the_log() -> Result<()> {
    let cases = [
        ("a line break", "a\r\nb"),
        ("an escape", "a\u{1b}[2Jb"),
        ("a zero byte", "a\0b"),
        ("a right-to-left override", "a\u{202e}b"),
    ];
    let cases = cases.iter().map(|(name, customer)| {
        let items = json!([{"product_id": "mouse", "quantity": 1}]);
        let form = json!({"customer_id": customer, "items": items});
        Case::order(name, form.to_string(), INVALID)
    });
    Victim::start().await?.suffer("customers", cases.collect()).await
}
