//! The journal writer: commits everything that waits in one batch, one commit in flight.
//!
//! [`logic`] is sans-I/O; [`task`] runs it over a journal.

pub mod logic;
mod recent;
mod task;
#[cfg(test)]
mod tests;

pub use logic::{Notify, Submission, WriterEffect, WriterInput, WriterLogic};
pub use task::{Writer, WriterStopped};
