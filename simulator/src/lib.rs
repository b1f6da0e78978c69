//! A crowd that buys over HTTP, and the checks that tell whether it was served honestly.
//!
//! Everything here is black box: it knows the HTTP contract and nothing of the server's crates.

pub mod bench;
pub mod checks;
pub mod cli;
pub mod client;
pub mod crowd;
pub mod drill;
pub mod dst;
pub mod history;
pub mod overload;
pub mod perf;
pub mod progress;
pub mod provider;
pub mod record;
pub mod report;
mod rig;
pub mod sale;
