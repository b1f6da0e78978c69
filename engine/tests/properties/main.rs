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
mod orders;
mod provider;
mod stock;
mod world;
