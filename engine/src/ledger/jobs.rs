//! What must hold for the runs of a job.

use super::violation::{Found, holds};
use crate::job::JobEvent;
use crate::values::Moment;

/// The runs of one job. No promise looks at two of them.
#[derive(Debug, Default)]
pub(super) struct JobBook;

impl JobBook {
    pub(super) fn enter(at: Moment, event: &JobEvent) -> Result<(), Found> {
        let JobEvent::Ran { started_at, .. } = event;
        holds("R12", *started_at <= at, || "a run ended before it started".to_owned())
    }
}
