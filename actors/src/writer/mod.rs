//! The journal writer: commits everything that waits in one batch, one commit in flight.
//!
//! [`logic`] is sans-I/O; [`task`] runs it over a journal,
//! [`address`] is what others hold of it.

mod address;
mod effect;
pub mod logic;
mod recent;
mod task;
#[cfg(test)]
mod tests;

pub use address::{Writer, WriterStopped};
pub use effect::{Notify, Publish, Submission, WriterEffect, WriterInput};
pub use logic::WriterLogic;
