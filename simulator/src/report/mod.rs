//! The result of a run and its three faces: a table, a JSON file and an HTML page.

mod charts;
pub mod file;
pub mod html;
pub mod json;
pub mod latency;
pub mod summary;
pub mod table;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::Serialize;

use crate::checks::Check;
use crate::crowd::arrivals::Shape;
use crate::history::{Fractions, Verdict};
use crate::record::{Stock, StockSample};
use latency::{Curve, Percentiles};
use summary::{Counts, Left, Second};

/// Version of the JSON result. It changes when a field changes its meaning or goes away.
pub const SCHEMA: &str = "millrace-sim/1";

/// What produced a result.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Tool {
    /// Name of the binary.
    pub name: &'static str,
    /// Version of the package.
    pub version: &'static str,
}

/// The tool as it was built.
pub const TOOL: Tool = Tool { name: "millrace-sim", version: env!("CARGO_PKG_VERSION") };

/// How a run was set up; enough to repeat it.
#[derive(Clone, Debug, Serialize)]
pub struct Options {
    /// Address of the server.
    pub url: String,
    /// Size of the crowd.
    pub shoppers: u32,
    /// Number of products.
    pub products: u32,
    /// Units of each product when the doors opened, summed over the products.
    pub units_loaded: u64,
    /// Units in one order.
    pub quantity: u32,
    /// Length of the arrival window.
    pub window_ms: u64,
    /// How arrivals spread over the window.
    pub shape: Shape,
    /// Connections that the client may hold.
    pub connections: usize,
    /// Tries per shopper, the first included.
    pub tries: u32,
    /// The client's time-out per try.
    pub timeout_ms: u64,
}

/// Latencies in microseconds, each counted from the intended moment.
#[derive(Clone, Debug, Serialize)]
pub struct Latencies {
    /// Tries that were accepted.
    pub accepted: Percentiles,
    /// Tries that got a definite no, "too busy" included.
    pub refused: Percentiles,
    /// From arrival to the last answer, waits between tries included.
    pub whole_visit: Percentiles,
    /// How late the generator itself sent people in.
    pub lateness: Percentiles,
}

/// Everything that is known about a finished run.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// [`TOOL`].
    pub tool: Tool,
    /// `flash-sale` or `spread`.
    pub command: &'static str,
    /// Name of this run; every key starts with it.
    pub run: String,
    /// Decides arrivals, picks and jitter.
    pub seed: u64,
    /// How it was set up.
    pub options: Options,
    /// Whether every check passed.
    pub passed: bool,
    /// What the history says about the server.
    pub verdict: Verdict,
    /// How the questions of the history ended.
    pub questions: Fractions,
    /// People and answers.
    pub counts: Counts,
    /// Latencies in microseconds.
    pub latency_us: Latencies,
    /// The verdict from outside.
    pub checks: Vec<Check>,
    /// Answers by second of the run.
    pub per_second: Vec<Second>,
    /// Units left by acknowledgement: what was loaded less what was promised so far.
    pub units_left: Vec<Left>,
    /// Stock left, as the product page showed it while the crowd was there.
    pub stock_samples: Vec<StockSample>,
    /// Stock of all products together after everything had settled.
    pub stock_after: Option<Stock>,
    /// Latency by share of answers, for the chart.
    #[serde(skip)]
    pub curves: Vec<(&'static str, Curve)>,
}

/// Whole milliseconds of a duration.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
