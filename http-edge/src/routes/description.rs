//! The interface as OpenAPI 3.1, completed by what all operations have in common.

use http::Method;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{Object, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{Content, Header, OpenApi, Ref, RefOr, Response, ResponseBuilder};

use super::is_open;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Millrace",
        description = "An order engine for shops that sell scarce things to crowds. Every answer \
                       says whether anything happened; the same Idempotency-Key never buys twice.",
        license(name = "MIT", identifier = "MIT"),
    ),
    security(("api_key" = [])),
    modifiers(&KeyScheme),
)]
pub(super) struct Description;

struct KeyScheme;

impl utoipa::Modify for KeyScheme {
    fn modify(&self, openapi: &mut OpenApi) {
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key")));
        openapi
            .components
            .get_or_insert_with(Default::default)
            .add_security_scheme("api_key", scheme);
    }
}

/// Where the schema of problems stands.
const PROBLEM: &str = "#/components/schemas/Problem";
/// Media type of problems.
const PROBLEM_JSON: &str = "application/problem+json";

/// The same answer of many operations.
const UNREADABLE: &str = "The head is ambiguous, the body is no JSON, or it ended early";
const NO_KEY: &str = "The key is missing or unknown";
const NO_SCOPE: &str = "The key lacks the scope that this needs";
const SLOW: &str = "The body did not arrive in time";
const LARGE: &str = "The body is too large";
const OTHER_MEDIA: &str = "The body is not announced as JSON";
const UNUSABLE: &str = "A parameter, a header or a field cannot be used";
const TOO_OFTEN: &str = "Too many requests";
const NOT_NOW: &str = "Not accepted, nothing happened";
const UNKNOWN: &str = "Unknown; repeat with the same key";

/// Adds to every operation what the front, the limits and the headers make of it. What an operation
/// says by itself stays.
pub(super) fn complete(openapi: &mut OpenApi) {
    for (path, item) in &mut openapi.paths.paths {
        let PathItem { get, post, put, patch, delete, .. } = item;
        if let Some(read) = get {
            complete_operation(read, path, false);
        }
        for change in [post, put, patch, delete].into_iter().flatten() {
            complete_operation(change, path, true);
        }
    }
}

/// The operations that take a body.
pub(super) fn with_body(openapi: &OpenApi) -> Vec<(Method, String)> {
    let mut found = Vec::new();
    for (path, item) in &openapi.paths.paths {
        let PathItem { post, put, patch, delete, .. } = item;
        for (method, operation) in [
            (Method::POST, post),
            (Method::PUT, put),
            (Method::PATCH, patch),
            (Method::DELETE, delete),
        ] {
            if operation.as_ref().is_some_and(|operation| operation.request_body.is_some()) {
                found.push((method, path.clone()));
            }
        }
    }
    found
}

fn complete_operation(operation: &mut Operation, path: &str, changes: bool) {
    let (open, health) = (is_open(path), path.starts_with("/health"));
    let has_body = operation.request_body.is_some();
    let is_keyed = takes(operation, "Idempotency-Key");
    for (status, description, applies) in [
        ("400", UNREADABLE, true),
        ("401", NO_KEY, !open),
        ("403", NO_SCOPE, !open),
        ("408", SLOW, has_body),
        ("413", LARGE, has_body),
        ("415", OTHER_MEDIA, has_body && !open),
        ("422", UNUSABLE, has_body || is_keyed || takes(operation, "x-min-position")),
        ("429", TOO_OFTEN, !health),
        ("503", NOT_NOW, !open || changes),
        ("504", UNKNOWN, changes),
    ] {
        if applies {
            let answers = &mut operation.responses.responses;
            answers.entry(status.to_owned()).or_insert_with(|| problem(description));
        }
    }
    for (status, answer) in &mut operation.responses.responses {
        if let RefOr::T(answer) = answer {
            complete_answer(answer, status, changes, is_keyed);
        }
    }
}

/// Whether the operation has a parameter of that name.
fn takes(operation: &Operation, name: &str) -> bool {
    let parameters = operation.parameters.iter().flatten();
    parameters.into_iter().any(|parameter| match parameter {
        RefOr::T(parameter) => parameter.name == name,
        RefOr::Ref(_) => false,
    })
}

fn problem(description: &str) -> RefOr<Response> {
    let body = Content::new(Some(Ref::new(PROBLEM)));
    ResponseBuilder::new().description(description).content(PROBLEM_JSON, body).build().into()
}

fn complete_answer(answer: &mut Response, status: &str, changes: bool, is_keyed: bool) {
    let content = std::mem::take(&mut answer.content);
    answer.content = content
        .into_iter()
        .map(|(media, content)| {
            if is_problem(&content) { (PROBLEM_JSON.to_owned(), content) } else { (media, content) }
        })
        .collect();
    let recorded = changes && (status.starts_with('2') || status == "402");
    for (name, kind, description, applies) in [
        ("x-request-id", Type::String, "Names the request in every log line", true),
        ("x-position", Type::String, "Where the last event lies: <shard>:<position>", recorded),
        ("x-version", Type::Integer, "The version of the thing that was changed", recorded),
        (
            "idempotent-replayed",
            Type::Boolean,
            "`true` when an earlier request with the same key did it; absent otherwise",
            recorded && is_keyed,
        ),
        ("location", Type::String, "Where the new thing is", matches!(status, "201" | "202")),
        ("retry-after", Type::Integer, "Seconds to wait", matches!(status, "429" | "503" | "504")),
    ] {
        if applies {
            let mut header = Header::new(Object::with_type(kind));
            header.description = Some(description.to_owned());
            answer.headers.entry(name.to_owned()).or_insert_with(|| header.into());
        }
    }
}

fn is_problem(content: &RefOr<Content>) -> bool {
    match content {
        RefOr::T(Content { schema: Some(RefOr::Ref(schema)), .. }) => {
            schema.ref_location == PROBLEM
        }
        _ => false,
    }
}
