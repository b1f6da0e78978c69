//! One broken rule about one field.

use std::borrow::Cow;

use engine::order::{Finding, Severity};
use serde::Serialize;

/// One entry of `errors`. Messages never repeat what the client sent in a free text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// Where, as a path into the request, for example `items[0].quantity`.
    #[schema(value_type = String)]
    pub field: Cow<'static, str>,
    /// Stable code for machines; see docs/error-codes.md.
    pub code: &'static str,
    /// What is wrong, for people.
    #[schema(value_type = String)]
    pub message: Cow<'static, str>,
    /// `error`, or `warning` for what does not block.
    pub severity: &'static str,
    /// What to do about it.
    #[schema(value_type = String)]
    pub hint: Cow<'static, str>,
}

impl FieldError {
    /// An error, as opposed to a warning.
    pub fn new(
        field: impl Into<Cow<'static, str>>,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            field: field.into(),
            code,
            message: message.into(),
            severity: "error",
            hint: hint.into(),
        }
    }
}

impl From<Finding> for FieldError {
    fn from(finding: Finding) -> Self {
        Self {
            field: finding.field.into(),
            code: finding.code,
            message: finding.message.into(),
            severity: match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            hint: finding.hint.into(),
        }
    }
}
