//! Bodies that are no JSON, too much JSON, or JSON of the wrong shape.

use anyhow::Result;
use serde_json::{Value, json};

use crate::{Case, INVALID, MALFORMED, TOO_LARGE, UNREADABLE, UNREADABLE_OR_LARGE, Victim};

const GOOD: &str = r#"{"items":[{"product_id":"mouse","quantity":1}]}"#;

#[tokio::test]
async fn bodies_that_are_no_json() -> Result<()> {
    let utf16: Vec<u8> = GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bom = [b"\xef\xbb\xbf", GOOD.as_bytes()].concat();
    let cases = vec![
        Case::order("nothing", "", MALFORMED),
        Case::order("blanks", "   \n\t", MALFORMED),
        Case::order("trailing bytes", format!("{GOOD} x"), MALFORMED),
        Case::order("two documents", format!("{GOOD}{GOOD}"), MALFORMED),
        Case::order("a zero byte behind", format!("{GOOD}\0"), MALFORMED),
        Case::order("a byte order mark", bom, MALFORMED),
        Case::order("UTF-16", utf16, MALFORMED),
        Case::order("invalid UTF-8", b"{\"customer_id\":\"\xff\xfe\"}".to_vec(), MALFORMED),
        Case::order("single quotes", "{'items':[]}", MALFORMED),
        Case::order("a comment", format!("/* order */{GOOD}"), MALFORMED),
        Case::order("a trailing comma", r#"{"items":[],}"#, MALFORMED),
        Case::order("a raw line break in a string", "{\"customer_id\":\"a\nb\"}", MALFORMED),
        Case::order("a lone surrogate", r#"{"customer_id":"\ud800","items":[]}"#, MALFORMED),
        Case::order("an unfinished string", r#"{"customer_id":"a"#, MALFORMED),
    ];
    Victim::start().await?.suffer("no_json", cases).await
}

#[tokio::test]
async fn bodies_that_are_too_much() -> Result<()> {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let nested_field = |depth: usize| format!(r#"{{"items":{}}}"#, nested(depth));
    let many: serde_json::Map<String, Value> =
        (0..100_000).map(|number| (format!("k{number}"), json!(1))).collect();
    let lines: Vec<Value> =
        (0..10_000).map(|n| json!({"product_id": format!("p{n}"), "quantity": 1})).collect();
    let digits =
        format!(r#"{{"items":[{{"product_id":"mouse","quantity":{}}}]}}"#, "9".repeat(1_000_000));
    let cases = vec![
        Case::order("10 MB of blanks", vec![b' '; 10 << 20], TOO_LARGE),
        Case::order(
            "a name of 10 MB",
            format!(r#"{{"customer_id":"{}"}}"#, "a".repeat(10 << 20)),
            TOO_LARGE,
        ),
        Case::order("128 brackets", nested(128), UNREADABLE),
        Case::order("10,000 brackets", nested(10_000), UNREADABLE),
        Case::order("10,000 brackets in a field", nested_field(10_000), UNREADABLE),
        Case::order("a million brackets", nested(1_000_000), UNREADABLE_OR_LARGE),
        Case::order(
            "a key of 1 MB",
            format!(r#"{{"{}":1}}"#, "k".repeat(1 << 20)),
            UNREADABLE_OR_LARGE,
        ),
        Case::order("100,000 keys", Value::Object(many).to_string(), UNREADABLE_OR_LARGE),
        Case::order("10,000 lines", json!({"items": lines}).to_string(), UNREADABLE_OR_LARGE),
        Case::order("a million digits", digits, UNREADABLE_OR_LARGE),
    ];
    Victim::start().await?.suffer("too_much", cases).await
}

#[tokio::test]
async fn bodies_of_the_wrong_shape() -> Result<()> {
    // A form that is read by position instead of by name would take this one.
    let by_position = r#"["c-1",[{"product_id":"mouse","quantity":1}],null,null,null,null,null]"#;
    let line_by_position = r#"{"items":[["mouse",1,null]]}"#;
    let doubled = r#"{"items":[{"product_id":"mouse","quantity":1,"quantity":99}]}"#;
    let cases = vec![
        Case::order("a list for the form", "[]", UNREADABLE),
        Case::order("a form by position", by_position, UNREADABLE),
        Case::order("a line by position", line_by_position, UNREADABLE),
        Case::order("a text", "\"order\"", UNREADABLE),
        Case::order("a number", "1", UNREADABLE),
        Case::order("null", "null", UNREADABLE),
        Case::order("an empty form", "{}", INVALID),
        Case::order("items that are null", r#"{"items":null}"#, INVALID),
        Case::order("items that are a form", r#"{"items":{}}"#, INVALID),
        Case::order("a line that is null", r#"{"items":[null]}"#, INVALID),
        Case::order("a line without a product", r#"{"items":[{"quantity":1}]}"#, INVALID),
        Case::order("a line without a quantity", r#"{"items":[{"product_id":"mouse"}]}"#, INVALID),
        Case::order("a field twice", doubled, UNREADABLE),
        Case::order("__proto__", r#"{"__proto__":{},"items":[]}"#, INVALID),
        Case::order("a content type of text", GOOD, &[(415, ""), (400, ""), (422, "")])
            .header("content-type", "text/plain"),
        Case::order(
            "a compressed body",
            vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0],
            &[(415, ""), (400, "")],
        )
        .header("content-encoding", "gzip"),
    ];
    Victim::start().await?.suffer("shapes", cases).await
}
