//! The rules of a job.

use super::model::{Job, JobCommand, JobEvent, JobRefusal, JobState};
use crate::aggregate::{Aggregate, Entry};
use crate::values::Moment;

impl Aggregate for Job {
    const KIND: &'static str = "job";
    const IS_LISTED: bool = true;
    type State = JobState;
    type Command = JobCommand;
    type Event = JobEvent;
    type Refusal = JobRefusal;
    type View = JobState;

    fn decide(
        _state: &JobState,
        command: &JobCommand,
        now: Moment,
    ) -> Result<Vec<JobEvent>, JobRefusal> {
        let JobCommand::RecordRun { started_at, by, tally } = command;
        if now < *started_at {
            return Err(JobRefusal::StartsInFuture);
        }
        Ok(vec![JobEvent::Ran { started_at: *started_at, by: by.clone(), tally: *tally }])
    }

    fn evolve(state: &mut JobState, event: &JobEvent, at: Moment) {
        super::evolve::evolve(state, event, at);
    }

    fn view(state: &JobState) -> JobState {
        state.clone()
    }

    fn entry(state: &JobState) -> Option<Entry> {
        let last = state.runs.back()?;
        let status = if last.tally.failed == 0 { "fine" } else { "failing" };
        Some(Entry { status, owner: None, at: last.ended_at })
    }
}
