//! Deterministic simulation: the real rules, process managers, entity and writer logic and the
//! journal contract under a seeded scheduler with virtual time.
//!
//! A seed draws its own world ([`options`]), its own plan ([`plan`]) and everything that goes wrong.
//! [`world`] runs it; [`books`] judges every event that becomes durable and every answer that leaves.
//! The same seed gives the same trace in every process.

mod agenda;
mod args;
mod books;
mod calls;
mod campaign;
mod case;
mod cast;
mod chance;
mod clients;
mod deals;
mod diary;
mod edge;
mod effects;
mod events;
mod intents;
mod lives;
mod names;
mod options;
mod outside;
mod panics;
mod plan;
mod planting;
mod process;
mod provider;
mod reply;
mod rows;
mod shell;
mod shrink;
mod sights;
mod store;
#[cfg(feature = "planted")]
mod teeth;
mod waking;
mod watch;
mod world;
mod writing;

pub use args::{DstArgs, run};
#[cfg(feature = "planted")]
pub use teeth::{PlantedArgs, run as run_planted};
