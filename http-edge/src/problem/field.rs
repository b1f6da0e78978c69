//! One broken rule about one field.

use std::borrow::Cow;

use engine::validation::{Finding, Severity, Warning};
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
            code: finding.code(),
            severity: finding.severity().as_str(),
            hint: finding.hint().into(),
            field: finding.field.into(),
            message: finding.message.into(),
        }
    }
}

impl FieldError {
    /// What an order keeps of a rule that did not block it; nothing for a rule of another build.
    pub(crate) fn kept(warning: &Warning) -> Option<Self> {
        let entry = warning.rule()?.entry();
        Some(Self {
            field: warning.field.clone().into(),
            code: entry.code,
            message: entry.means.into(),
            severity: Severity::Warning.as_str(),
            hint: entry.hint.into(),
        })
    }
}
