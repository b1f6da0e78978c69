//! What goes wrong, told to the client: RFC 9457 bodies from one table of codes.

mod codes;
mod field;
mod refusals;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use engine::validation::{Class, Finding, Severity};
use engine::values::{Money, OrderId};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue};
use serde::Serialize;

pub use codes::{Code, Entry, FIELD_CODES, Outcome};
pub use field::FieldError;

use crate::wire::MoneyBody;

/// Media type of all problem bodies.
pub(crate) const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// One refusal or failure on its way to the client.
#[derive(Clone, Debug)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    order: Option<OrderId>,
    refund_due: Option<Money>,
    retry_after: Option<u32>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The body as it stands on the wire.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem, description = "RFC 9457 problem details")]
pub struct ProblemBody<'a> {
    /// Names the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    /// What people read first; the same for every occurrence.
    title: &'a str,
    /// HTTP status.
    status: u16,
    /// What happened this time.
    detail: &'a str,
    /// The path that was asked for; absent when the request was rejected at the door (401, 429
    /// and 503 before anything of it was read, or a head that cannot be read).
    #[schema(required = false)]
    instance: &'a str,
    /// Stable code for machines; see docs/error-codes.md.
    code: &'a str,
    /// Whether repeating the same request can succeed.
    retryable: bool,
    /// `nothing_happened`, `recorded` or `unknown`.
    outcome: &'a str,
    /// What to do about it.
    hint: &'a str,
    /// The same as in the header x-request-id; absent where `instance` is.
    #[schema(required = false)]
    request_id: &'a str,
    /// The order that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<uuid::Uuid>)]
    order_id: Option<OrderId>,
    /// Money that was taken for it and goes back by itself, but has not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_due: Option<MoneyBody>,
    /// One entry per broken rule.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    /// A problem, with what happened this time.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        let retry_after = match code {
            Code::Throttled
            | Code::Overloaded
            | Code::Unavailable
            | Code::Draining
            | Code::FeatureOff
            | Code::NotFreshYet
            | Code::OutcomeUnknown => Some(1),
            _ => None,
        };
        Self(Box::new(Parts {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            order: None,
            refund_due: None,
            retry_after,
            headers: Vec::new(),
        }))
    }

    /// A request that can never be right, and why.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [only] => only.message.clone(),
            several => Cow::Owned(format!("{} rules were broken", several.len())),
        };
        let mut problem = Self::new(Code::ValidationFailed, detail);
        problem.0.errors = errors;
        problem
    }

    /// A request that broke rules of the shop: whether it can never be right or not now, their
    /// classes tell (C-11).
    pub fn broken(findings: Vec<Finding>) -> Self {
        let blocking = findings.iter().filter(|found| found.severity() == Severity::Error);
        let is_business = {
            let mut classes = blocking.map(|found| found.rule.entry().class).peekable();
            classes.peek().is_some() && classes.all(|class| class == Class::Business)
        };
        let mut problem = Self::invalid(findings.into_iter().map(FieldError::from).collect());
        if is_business {
            problem.0.code = Code::BusinessRuleBroken;
        }
        problem
    }

    /// Names the order that it is about.
    #[must_use]
    pub fn about(mut self, order: OrderId) -> Self {
        self.0.order = Some(order);
        self
    }

    /// Names the money that goes back.
    #[must_use]
    pub fn refund_due(mut self, amount: Money) -> Self {
        self.0.refund_due = Some(amount);
        self
    }

    /// Says how many seconds to wait.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// The same, met after something was `done`: it must not say that nothing happened.
    #[must_use]
    pub fn after(self, done: &str) -> Self {
        Self::new(Code::OutcomeUnknown, format!("{done}, and then: {}", self.0.detail))
    }

    /// Its code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The single fields that it is about.
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// Writes headers and body into `response`, which carried this problem from a handler.
    pub(crate) fn render(&self, response: &mut Response, instance: &str, request_id: &str) {
        let Entry { code, status, title, retryable, outcome, hint } = self.0.code.entry();
        let body = ProblemBody {
            kind: kind_uri(code),
            title,
            status: status.as_u16(),
            detail: &self.0.detail,
            instance,
            code,
            retryable,
            outcome: outcome.as_str(),
            hint,
            request_id,
            order_id: self.0.order,
            refund_due: self.0.refund_due.map(MoneyBody::from),
            errors: &self.0.errors,
        };
        // Plain strings and numbers always have a JSON form.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        *response.status_mut() = status;
        let headers = response.headers_mut();
        // The router has measured the empty body that carried the problem.
        headers.remove(CONTENT_LENGTH);
        headers.insert(CONTENT_TYPE, PROBLEM_JSON);
        if let Some(seconds) = self.0.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        for (name, value) in &self.0.headers {
            headers.insert(name, value.clone());
        }
        *response.body_mut() = axum::body::Body::from(Bytes::from(body));
    }
}

/// The `type` of a problem: a name, not an address, so that nobody has to host it.
fn kind_uri(code: &str) -> String {
    format!("urn:millrace:problem:{code}")
}

/// The body of a refusal that is given before anything is known about the request.
pub(crate) fn fixed_body(code: Code, detail: &str) -> Bytes {
    let Entry { code, status, title, retryable, outcome, hint } = code.entry();
    let body = serde_json::json!({
        "type": kind_uri(code), "title": title, "status": status.as_u16(), "detail": detail,
        "code": code, "retryable": retryable, "outcome": outcome.as_str(), "hint": hint,
    });
    Bytes::from(body.to_string())
}

// The request's id and path are known outside of the handler; the front renders it there.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(axum::body::Body::empty());
        *response.status_mut() = self.0.code.entry().status;
        response.extensions_mut().insert(self);
        response
    }
}
