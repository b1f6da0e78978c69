//! Who follows the journal to tell the outside: webhooks, messages to customers, live streams.
//!
//! The journal is the only queue. A follower has a place in each shard and goes on from there, so it
//! hears of every event at least once, of one entity's in their order, and holds a page of them at a
//! time. It reads behind the commits, in tasks of its own: no sale waits for it, however slow it is.
//! Where it stands is kept in `Stores::followers`, which nobody can rebuild (ADR 0033).

mod lanes;
pub mod notices;
mod places;
pub mod streams;
mod told;
pub mod webhooks;

pub use told::Told;
