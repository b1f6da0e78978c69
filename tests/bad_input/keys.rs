//! Idempotency keys and API keys that are none.

use anyhow::Result;
use reqwest::Method;

use crate::{Case, Expected, Victim};

const GOOD: &str = r#"{"items":[{"product_id":"mouse","quantity":1}]}"#;
const REFUSED: Expected = &[(400, ""), (422, "")];
/// A header that is too long may be refused before anybody looks at its name.
const REFUSED_OR_LONG: Expected = &[(400, ""), (422, ""), (431, "")];

#[tokio::test]
async fn idempotency_keys_that_are_none() -> Result<()> {
    let key = |name: &str, value: &str, expected: Expected| {
        Case::order(name, GOOD, expected).header("idempotency-key", value)
    };
    let cases = vec![
        key("an empty key", "", REFUSED),
        key("a blank key", "   ", REFUSED),
        key("a key of 300 letters", &"k".repeat(300), REFUSED),
        key("a key of 10,000 letters", &"k".repeat(10_000), REFUSED_OR_LONG),
        key("a key that is no ASCII", "\u{1f600}", REFUSED),
        key("a key with a tab", "a\tb", REFUSED),
    ];
    Victim::start().await?.suffer("idempotency_keys", cases).await
}

#[tokio::test]
async fn api_keys_that_are_none() -> Result<()> {
    let mut cases = Vec::new();
    for (name, value) in [
        ("no letters", String::new()),
        ("a prefix", "secret".to_owned()),
        ("one letter more", "secret-key-1234".to_owned()),
        ("another case", "Secret-Key-123".to_owned()),
        ("8,000 letters", "s".repeat(8_000)),
        ("a JWT without a signature", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.".to_owned()),
    ] {
        for (method, path) in [(Method::GET, "/v1/orders"), (Method::POST, "/v1/orders")] {
            let case = Case::new(&format!("{name}, {method}"), method, path, &[(401, "")]);
            cases.push(case.header("x-api-key", &value).body(GOOD));
        }
    }
    // The table sends its own key only.
    let mut victim = Victim::start().await?;
    let owner = victim.shop.clone();
    let mut faults = Vec::new();
    for case in &cases {
        faults.extend(case.judge(&case.send(&owner.with_key(None)).await));
    }
    anyhow::ensure!(faults.is_empty(), "{}", faults.join("\n"));
    victim.health().await
}
