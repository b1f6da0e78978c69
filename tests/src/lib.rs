//! What the black-box suites and the drills stand on: servers to start and kill, fakes to lie, clients to ask.
//!
//! Nothing here knows the code under test. It knows the HTTP contract, the PostgreSQL wire
//! protocol and the signals of the operating system.

#![expect(
    clippy::missing_errors_doc,
    reason = "every error here is the reason why a test fails; the message says what was missing"
)]

pub mod cluster;
pub mod crowd;
pub mod disk;
pub mod figures;
pub mod listener;
pub mod mounts;
pub mod ports;
pub mod postgres;
pub mod processes;
pub mod provider;
pub mod proxy;
pub mod redis;
pub mod server;
pub mod shop;
pub mod store;
pub mod wait;
