//! All HTTP in and out of the shop, and the `millrace` binary. Rules live in `engine`.

pub mod access;
pub mod call;
mod carried_on;
pub mod cli;
pub mod commands;
pub mod compat;
mod feeds;
pub mod front;
mod guarded;
mod head;
pub mod idempotency;
pub mod listener;
pub mod media;
pub mod metrics;
pub mod outbound;
pub mod outside;
pub mod problem;
mod query;
pub mod reply;
pub mod routes;
pub mod rule_args;
pub mod shop;
pub mod telemetry;
pub mod wire;
