//! Jobs that run again and again, and what each run did: one stream for each job.
//!
//! What a job does to orders stands in their own streams, so a run that was cut off loses nothing:
//! the next one goes on. What is written here is only what a run came to.
//!
//! - JOB-1: a run ends no earlier than it starts, and only the latest are remembered.

mod decide;
mod evolve;
mod model;
#[cfg(test)]
mod tests;

pub use model::{
    Job, JobCommand, JobEvent, JobRefusal, JobState, PROCESS_PENDING, RUNS_KEPT, Run, Tally,
};
