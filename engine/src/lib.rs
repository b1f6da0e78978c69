//! Values and rules of the shop; nothing here can vary: no I/O, no clock, no randomness, no async.
//!
//! Every aggregate is a folder with the same files: `model` (state, command, event, refusal),
//! `decide` (rules), `evolve` (bookkeeping), `tests` (one rule per test). `ledger` checks the same
//! promises on a stored history, without using any of them.

// A new variant must be looked at everywhere; a cent must not pass through a float.
#![deny(clippy::wildcard_enum_match_arm, clippy::float_arithmetic, clippy::arithmetic_side_effects)]

pub mod aggregate;
pub mod buyer;
pub mod card;
pub mod cart;
pub mod catalog;
pub mod drill;
pub mod endpoint;
pub mod fraud;
pub mod import;
pub mod inventory;
pub mod job;
pub mod ledger;
pub mod notification;
pub mod order;
pub mod partner;
pub mod planted;
pub mod pricing;
pub mod process;
pub mod promo;
pub mod public;
pub mod reviews;
pub mod rma;
#[cfg(test)]
mod samples;
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
pub mod toggle;
pub mod validation;
pub mod values;

pub use aggregate::{Aggregate, EventName, Step};
