//! The bookkeeping of a job.

use super::model::{JobEvent, JobState, RUNS_KEPT, Run};
use crate::values::Moment;

pub(super) fn evolve(state: &mut JobState, event: &JobEvent, at: Moment) {
    let JobEvent::Ran { started_at, by, tally } = event;
    if RUNS_KEPT <= state.runs.len() {
        state.runs.pop_front();
    }
    let run = Run { started_at: *started_at, ended_at: at, by: by.clone(), tally: *tally };
    state.runs.push_back(run);
}
