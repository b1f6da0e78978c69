//! Time and concurrency around the rules: one shell for every aggregate, and what keeps it alive.
//!
//! Nothing here knows SQL or HTTP. Logic is sans-I/O (`on(input) -> effects`); ractor runs it in
//! production, a seeded scheduler in simulation.

pub mod admission;
pub mod answers;
mod background;
pub mod clock;
pub mod config;
pub mod directory;
pub mod entity;
mod eviction;
pub mod faults;
mod feed;
pub mod followers;
mod histories;
pub mod intake;
pub mod jobs;
mod kinds;
mod latest;
mod loader;
mod mailbox;
pub mod metrics;
mod newcomers;
pub mod outcome;
pub mod payments;
mod performer;
mod projector;
mod quarantine;
pub mod reads;
pub mod registers;
mod returns;
pub mod runtime;
mod scheduler;
mod supervisor;
pub mod system;
mod trail;
mod upkeep;
pub mod writer;

pub use clock::{Clock, Steadied, SteadyClock, SystemClock, TokioClock};
pub use config::EngineConfig;
pub use directory::Directory;
pub use outcome::{Accepted, Asking, Cause, NotAccepted, NotDone, Position};
pub use reads::ReadError;
pub use system::{OrderSystem, Ports, Readiness, StartError};
