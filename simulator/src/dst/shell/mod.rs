//! The second tier: real engines under the same worlds. What is around a process stays as simulated as
//! it was; the processes are `OrderSystem`s, with ractor, supervision, directory, timers and all.
//!
//! A seed runs on one thread, on tokio's paused clock. Whatever an engine wants of the outside goes
//! through its ports, behind which the agenda of the world decides when it happens and how it fails.

mod asking;
mod engines;
mod ground;
mod journal;
mod provider;
mod rest;
mod run;
mod shelf;
#[cfg(test)]
mod tests;
mod views;

pub(super) use run::run;
