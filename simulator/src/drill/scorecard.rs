//! The verdicts of a run, one row for each drill.

use serde::Serialize;

use super::findings::Figure;
use super::sheets::Sheet;
use crate::report::Tool;

/// What came of a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// Every demand was met.
    Passed,
    /// A demand was missed, or the drill broke off.
    Failed,
    /// The fault could not be injected here.
    NotRun,
}

impl Verdict {
    /// As it is shown.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Passed => "PASS",
            Self::Failed => "FAIL",
            Self::NotRun => "NOT RUN",
        }
    }
}

/// One drill.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    /// What it is, and what was expected.
    #[serde(flatten)]
    pub(super) sheet: Sheet,
    /// What came of it.
    pub(super) verdict: Verdict,
    /// Why it was not run or broke off.
    pub(super) reason: Option<String>,
    /// What was measured.
    pub(super) figures: Vec<Figure>,
    /// The end of the server's log, where a demand was missed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) log: String,
    /// How long it took, in milliseconds.
    pub(super) took_ms: u64,
}

/// All drills of a run.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Scorecard {
    /// Changes when a field changes its meaning.
    pub(super) schema: &'static str,
    /// What made it.
    pub(super) tool: Tool,
    /// Cores that the drills could use.
    pub(super) cores: usize,
    /// The version of the server, as it says.
    pub(super) server: String,
    /// Whether the short versions were run.
    pub(super) short: bool,
    /// One for each drill.
    pub(super) rows: Vec<Row>,
    /// How many passed.
    pub(super) passed: usize,
    /// How many failed.
    pub(super) failed: usize,
    /// How many were not run.
    pub(super) not_run: usize,
}

impl Scorecard {
    /// Counts the verdicts of `rows`.
    pub(super) fn of(tool: Tool, server: String, short: bool, rows: Vec<Row>) -> Self {
        let count = |verdict| rows.iter().filter(|row| row.verdict == verdict).count();
        Self {
            schema: "millrace-drill/1",
            tool,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            server,
            short,
            passed: count(Verdict::Passed),
            failed: count(Verdict::Failed),
            not_run: count(Verdict::NotRun),
            rows,
        }
    }

    /// Whether something was seen to hold and nothing to break.
    pub(super) const fn is_good(&self) -> bool {
        self.failed == 0 && 0 < self.passed
    }
}
