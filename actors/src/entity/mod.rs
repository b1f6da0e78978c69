//! The one shell around every aggregate: judge ahead, become durable together, answer last.
//!
//! [`logic`] is sans-I/O and holds all decisions; [`shell`] is the thin ractor actor around it.

mod address;
mod effect;
mod fold;
mod gathering;
mod hearing;
pub mod logic;
mod message;
mod pursuit;
mod shell;
#[cfg(test)]
mod tests;
mod waiting;

pub use address::{Address, Incarnation, Letter};
pub use effect::{Asked, Effect, Loaded, Neighbour};
pub use fold::fold;
pub use logic::Entity;
pub use message::{Death, EntityMessage, NextWake, Nudge, ReplyTo};
pub use shell::EntityShell;
