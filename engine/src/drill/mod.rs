//! Faults that were injected on purpose, by whom and for how long: the log of drills.
//!
//! One stream holds all of it. What is injected now follows from it, so whoever asks for the log
//! and whoever asks for the present hear the same. It touches no order and no stock.
//!
//! - DRILL-1: a fault ends only while it is injected, and once.

mod decide;
mod evolve;
mod model;
#[cfg(test)]
mod tests;

pub use model::{
    ActorKind, Asker, Drill, DrillCommand, DrillEvent, DrillRefusal, DrillState, Ending,
    FAULT_MILLIS_MAX, FailedPayment, Fault, FaultName, Injection, LOG, PER_MILLION_MAX,
};
