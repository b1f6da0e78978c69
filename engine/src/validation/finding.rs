//! One broken rule, and what is kept of one that does not block.

use serde::{Deserialize, Serialize};

use super::table::Rule;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The order cannot be placed like this.
    Error,
    /// Worth knowing; does not block (VAL-13).
    Warning,
}

impl Severity {
    /// The word that the outside reads.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One broken rule (VAL-12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: Rule,
    /// Where, as a path into the request, for example `items[0].quantity`.
    pub field: String,
    /// What is wrong, for people. It never repeats a free text.
    pub message: String,
}

impl Finding {
    /// Stable code for machines.
    pub const fn code(&self) -> &'static str {
        self.rule.entry().code
    }

    /// How bad.
    pub const fn severity(&self) -> Severity {
        self.rule.entry().severity
    }

    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        self.rule.entry().hint
    }
}

/// Whether any of the findings blocks the order.
pub fn blocks(found: &[Finding]) -> bool {
    found.iter().any(|finding| finding.severity() == Severity::Error)
}

/// What an order keeps of a finding that did not block it, so that every reader is told the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The code of the rule.
    pub code: String,
    /// Where, as in [`Finding::field`].
    pub field: String,
}

impl From<Finding> for Warning {
    fn from(finding: Finding) -> Self {
        Self { code: finding.code().to_owned(), field: finding.field }
    }
}

impl Warning {
    /// The rule, unless it is one that this build does not know.
    pub fn rule(&self) -> Option<Rule> {
        Rule::ALL.iter().copied().find(|rule| rule.entry().code == self.code)
    }
}
