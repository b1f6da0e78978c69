//! The journal writer: commits everything that waits in one batch, one commit in flight.
//!
//! [`logic`] is sans-I/O; [`task`] runs it over a journal.

mod effect;
pub mod logic;
mod recent;
mod task;
#[cfg(test)]
mod tests;

pub use effect::{Notify, Publish, Submission, WriterEffect, WriterInput};
pub use logic::WriterLogic;
pub use task::{Writer, WriterStopped};
