//! State, commands, events and refusals of a job.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::aggregate::EventName;
use crate::values::Moment;

/// The key of the job that moves orders from PENDING to PROCESSING.
pub const PROCESS_PENDING: &str = "process-pending";

/// Runs that are remembered; earlier ones stand in the journal only.
pub const RUNS_KEPT: usize = 20;

/// The aggregate of a job.
#[derive(Clone, Copy, Debug)]
pub struct Job;

/// What became of the items that a run looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Moved on.
    pub advanced: u64,
    /// Left where they were, because something holds them.
    pub held: u64,
    /// Not answered for; the next run tries them again.
    pub failed: u64,
    /// Not looked at, because the time of the run was over.
    pub left: u64,
}

impl Tally {
    /// Whether nothing moved and nothing went wrong. An order that something holds is no news: it may
    /// be held for days.
    pub fn is_no_news(&self) -> bool {
        *self == Self { held: self.held, ..Self::default() }
    }
}

/// A run that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// When it started.
    pub started_at: Moment,
    /// When it was written down.
    pub ended_at: Moment,
    /// Who asked for it: an account, or `system` when it was its time.
    pub by: String,
    /// What it did.
    pub tally: Tally,
}

/// The latest runs, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobState {
    /// At most [`RUNS_KEPT`].
    pub runs: VecDeque<Run>,
}

/// What can be asked of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobCommand {
    /// Note what a run did.
    RecordRun {
        /// When it started.
        started_at: Moment,
        /// Who asked for it.
        by: String,
        /// What it did.
        tally: Tally,
    },
}

/// What happened to a job. Journaled: add variants, never change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobEvent {
    /// It ran.
    Ran {
        /// When it started.
        started_at: Moment,
        /// Who asked for it: an account, or `system`.
        by: String,
        /// What it did.
        tally: Tally,
    },
}

impl EventName for JobEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Ran { .. } => "job.ran",
        }
    }
}

/// Why a command was turned down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobRefusal {
    /// It would have ended before it started.
    #[error("a run cannot start in the future")]
    StartsInFuture,
}
