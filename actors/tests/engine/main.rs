//! The engine as a whole over memory stores, on paused time.
#![expect(clippy::unwrap_used, reason = "a failing step fails the test")]

mod checkout;
mod clocks;
mod crowding;
mod drills;
mod faulty;
mod feeds;
mod following;
mod processing;
mod recovery;
mod shop;
mod startled;
mod telling;
mod unavailable;
