//! Reading a JSON body strictly: media type, size, syntax, then shape; each with its own code.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::Object;
use crate::problem::{Code, FieldError, Problem};

/// A body that was read and has the shape of `T`.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let (head, body) = request.into_parts();
        expect_json(&head.headers)?;
        parse(&whole(body).await?).map(Self)
    }
}

/// A body that is said to be JSON, for those who take more than one form of it.
pub(crate) struct JsonText(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonText {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let (head, body) = request.into_parts();
        expect_json(&head.headers)?;
        whole(body).await.map(Self)
    }
}

/// A body as it came, for those who must check a signature over it.
pub(crate) struct Raw(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        whole(request.into_body()).await.map(Self)
    }
}

/// A body that the front has read already.
async fn whole(body: axum::body::Body) -> Result<Bytes, Problem> {
    let unread = |_| Problem::new(Code::Internal, "the body was not read by the front");
    body.collect().await.map(http_body_util::Collected::to_bytes).map_err(unread)
}

fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.get(CONTENT_TYPE).is_some_and(is_json) && !headers.contains_key(CONTENT_ENCODING) {
        return Ok(());
    }
    let detail = "the body must be application/json in UTF-8, not compressed";
    Err(Problem::new(Code::UnsupportedMediaType, detail))
}

fn is_json(value: &HeaderValue) -> bool {
    if value == "application/json" {
        return true;
    }
    let Ok(text) = value.to_str() else { return false };
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    let utf8 = |parameter: &str| {
        let parameter = parameter.to_ascii_lowercase();
        matches!(parameter.as_str(), "charset=utf-8" | "charset=\"utf-8\"")
    };
    media && parts.all(utf8)
}

/// Parses one JSON object of the shape `T`.
///
/// # Errors
///
/// `malformed_json` for what is not JSON, `validation_failed` for JSON of another shape.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    parse_any::<Object<T>>(body).map(|Object(value)| value)
}

/// Parses a JSON list of objects of the shape `T`.
pub(crate) fn parse_list<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<Object<T>>, Problem> {
    parse_any(body)
}

fn parse_any<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    match serde_json::from_slice::<T>(body) {
        Ok(value) => Ok(value),
        // Some misfits are called errors of syntax, `null` for a word of a list among them.
        Err(error) if error.classify() == Category::Data || is_json_text(body) => {
            Err(misshapen::<T>(body))
        }
        Err(error) => Err(Problem::new(
            Code::MalformedJson,
            format!("not JSON at line {}, column {}", error.line(), error.column()),
        )),
    }
}

fn is_json_text(body: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(body).is_ok()
}

/// Reads once more, slowly, to learn where it went wrong.
fn misshapen<T: DeserializeOwned>(body: &[u8]) -> Problem {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut reader) else {
        return Problem::new(Code::MalformedJson, "not one JSON object");
    };
    let (path, reason) = (error.path().to_string(), error.inner().to_string());
    Problem::invalid(vec![field_error(&path, &reason)])
}

/// Tells apart what the parser says in words. Values are left out: a client may have put into a
/// field what must not come back in an answer.
fn field_error(path: &str, reason: &str) -> FieldError {
    let reason = reason.rsplit_once(" at line ").map_or(reason, |(reason, _)| reason);
    let named = reason.split('`').nth(1).unwrap_or_default();
    let expected = reason.split_once(", expected ").map(|(_, expected)| expected);
    let field = |named: &str| match path {
        "." => named.to_owned(),
        path if path.ends_with(named) => path.to_owned(),
        path => format!("{path}.{named}"),
    };
    let known = |expected: Option<&str>| {
        expected.map_or_else(|| "Leave it out.".to_owned(), |known| format!("Known: {known}."))
    };
    if reason.starts_with("unknown field") {
        // The name stands at the end of the path as well.
        let (parent, shown) = (path.strip_suffix(named).unwrap_or(path), printable(named));
        let field = format!("{}{shown}", parent.trim_start_matches('.'));
        let message = format!("{shown} is not known here");
        return FieldError::new(field, "unknown_field", message, known(expected));
    }
    if reason.starts_with("missing field") {
        let message = format!("{named} is missing");
        return FieldError::new(field(named), "missing_field", message, "Add the field.");
    }
    if reason.starts_with("duplicate field") {
        let message = format!("{named} stands twice in its object");
        return FieldError::new(field(named), "duplicate_field", message, "Send it once.");
    }
    let path = if path == "." { "body".to_owned() } else { path.to_owned() };
    let hint = expected.map(|expected| format!("Expected {}.", short(expected)));
    if reason.starts_with("invalid type") {
        let hint = hint.unwrap_or_else(|| "Check the JSON type.".to_owned());
        return FieldError::new(path, "wrong_type", "the value has the wrong type", hint);
    }
    let hint = hint.unwrap_or_else(|| "Check the value.".to_owned());
    FieldError::new(path, "invalid_value", "the value cannot be used here", hint)
}

/// A field name that may come back; anything unusual may be data that was misplaced.
fn printable(name: &str) -> &str {
    let clean = name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
    if clean { name } else { "a field" }
}

/// The beginning of a list of what is expected; some lists have hundreds of entries.
fn short(expected: &str) -> &str {
    match expected {
        "i64" | "u64" | "u32" => return "a whole number",
        _ => {}
    }
    match expected.char_indices().nth(120) {
        Some((end, _)) => {
            let head = expected.get(..end).unwrap_or_default();
            head.rsplit_once(", ").map_or(head, |(head, _)| head)
        }
        None => expected,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::MoneyBody;
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[expect(dead_code, reason = "only its parsing is looked at")]
        items: Vec<Object<Item>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Item {
        #[expect(dead_code, reason = "only its parsing is looked at")]
        quantity: i64,
        #[expect(dead_code, reason = "only its parsing is looked at")]
        price: Option<Object<MoneyBody>>,
    }

    #[track_caller]
    fn refused(body: &str) -> Problem {
        parse::<Body>(body.as_bytes()).unwrap_err()
    }

    #[track_caller]
    fn misfit(body: &str) -> (String, &'static str) {
        let problem = refused(body);
        assert_eq!(problem.code(), Code::ValidationFailed, "{body}");
        let [error] = problem.errors() else { panic!("{problem:?}") };
        (error.field.to_string(), error.code)
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        for body in [
            "",
            "{",
            "{'items': []}",
            "{\"items\": []} x",
            "{\"items\": []}{}",
            "\u{feff}{\"items\": []}",
            "{\"items\": [\"\\ud800\"]}",
            "{\"items\": [], // none\n}",
        ] {
            assert_eq!(refused(body).code(), Code::MalformedJson, "{body}");
        }
        let latin1 = parse::<Body>(b"{\"items\": [\"\xe4\"]}").unwrap_err();
        assert_eq!(latin1.code(), Code::MalformedJson);
    }

    #[test]
    fn json_of_another_shape_names_the_field() {
        for (body, field, code) in [
            ("{}", "items", "missing_field"),
            ("[]", "body", "wrong_type"),
            (r#"{"items": {}}"#, "items", "wrong_type"),
            (r#"{"items": [], "status": 1}"#, "status", "unknown_field"),
            (r#"{"items": [], "items": []}"#, "items", "duplicate_field"),
            (r#"{"items": [{}]}"#, "items[0].quantity", "missing_field"),
            (r#"{"items": [[1, null]]}"#, "items[0]", "wrong_type"),
            (r#"{"items": [{"quantity": "1"}]}"#, "items[0].quantity", "wrong_type"),
            (r#"{"items": [{"quantity": 1.0}]}"#, "items[0].quantity", "wrong_type"),
            (r#"{"items": [{"quantity": 1e30}]}"#, "items[0].quantity", "wrong_type"),
            (r#"{"items": [{"quantity": 1, "x": 1}]}"#, "items[0].x", "unknown_field"),
            (
                r#"{"items": [{"quantity": 1, "quantity": 2}]}"#,
                "items[0].quantity",
                "duplicate_field",
            ),
            (
                r#"{"items": [{"quantity": 1, "price": {"minor": 1, "currency": "XQX"}}]}"#,
                "items[0].price.currency",
                "invalid_value",
            ),
            (
                r#"{"items": [{"quantity": 1, "price": {"minor": 1, "currency": null}}]}"#,
                "items[0].price.currency",
                "invalid_value",
            ),
            (
                r#"{"items": [{"quantity": 1, "price": [1, "USD"]}]}"#,
                "items[0].price",
                "wrong_type",
            ),
        ] {
            assert_eq!(misfit(body), (field.to_owned(), code), "{body}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_where_it_begins() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(misfit(&deep), ("body".to_owned(), "wrong_type"));
        let inside = format!("{{\"items\": {deep}}}");
        assert_eq!(misfit(&inside), ("items[0]".to_owned(), "wrong_type"));
    }

    #[test]
    fn a_value_in_the_wrong_place_does_not_come_back() {
        let problem = refused(r#"{"items": [{"quantity": "4242424242424242"}]}"#);
        assert!(!format!("{problem:?}").contains("4242"));
        let problem = refused(r#"{"items": [], "4242424242424242": 1}"#);
        assert!(!format!("{problem:?}").contains("4242"));
    }

    #[test]
    fn only_json_in_utf8_is_json() {
        for (kind, taken) in [
            ("application/json", true),
            ("application/json; charset=utf-8", true),
            ("Application/JSON;charset=UTF-8", true),
            ("application/json;charset=utf-7", false),
            ("application/problem+json", false),
            ("text/plain", false),
        ] {
            assert_eq!(is_json(&HeaderValue::from_static(kind)), taken, "{kind}");
        }
    }
}
