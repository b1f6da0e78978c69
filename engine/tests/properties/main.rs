//! Promises that hold after any sequence of commands: few ids and small numbers, so that they
//! collide often, and long sequences.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected stops there"
)]

mod carts;
mod feeds;
mod orders;
mod provider;
mod published;
mod returns;
mod stock;
mod turns;
mod world;

use engine::ledger::{Entry, LedgerEvent, Place};
use engine::values::Moment;

/// An event as the ledger takes it; where it lies does not matter to anybody here.
const fn entry<'a>(stream: &'a str, version: u64, at: Moment, event: LedgerEvent<'a>) -> Entry<'a> {
    Entry { place: Place { shard: 0, position: version }, stream, version, at, event }
}
