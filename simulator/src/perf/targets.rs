//! What is wanted: one line for each target.

use serde::Serialize;

use crate::report::table::in_millis;

/// How a figure is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Limit {
    /// Fewer microseconds than these.
    UnderMicros(u64),
    /// At most so many bytes.
    AtMostBytes(u64),
    /// At least so many.
    AtLeast(u64),
    /// Nobody without an answer, or with one that is no order.
    None,
}

impl Limit {
    /// Whether a figure is good enough.
    pub(super) const fn is_met(self, found: u64) -> bool {
        match self {
            Self::UnderMicros(limit) => found < limit,
            Self::AtMostBytes(limit) => found <= limit,
            Self::AtLeast(limit) => limit <= found,
            Self::None => found == 0,
        }
    }

    /// The limit in words.
    pub(super) fn wanted(self) -> String {
        match self {
            Self::UnderMicros(limit) => format!("< {}", self.figure(limit)),
            Self::AtMostBytes(limit) => format!("≤ {}", self.figure(limit)),
            Self::AtLeast(limit) => format!("≥ {limit}"),
            Self::None => "0".to_owned(),
        }
    }

    /// A figure with its unit.
    pub(super) fn figure(self, found: u64) -> String {
        match self {
            Self::UnderMicros(_) if found == u64::MAX => "over 10 s".to_owned(),
            Self::UnderMicros(_) => format!("{} ms", in_millis(found)),
            Self::AtMostBytes(_) => format!("{} MiB", found.div_ceil(1 << 20)),
            Self::AtLeast(_) | Self::None => found.to_string(),
        }
    }
}

/// One target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Target {
    /// The requirement.
    pub(super) id: &'static str,
    /// What is measured.
    pub(super) what: &'static str,
    /// How it is judged.
    pub(super) limit: Limit,
}

const fn millis(id: &'static str, what: &'static str, limit: u64) -> Target {
    Target { id, what, limit: Limit::UnderMicros(limit * 1_000) }
}

const fn count(id: &'static str, what: &'static str, limit: Limit) -> Target {
    Target { id, what, limit }
}

pub(super) const CREATE: Target = millis("PERF-1", "an order, normal load, p95", 200);
pub(super) const PIPELINE: Target = millis("PERF-2", "an order until it is paid, mean", 2_000);
pub(super) const READ: Target = millis("PERF-3", "reading an order, p95", 100);
pub(super) const LIST: Target = millis("PERF-4", "a list of 1,000 orders, p95", 500);
pub(super) const RUSH: Target = millis("PERF-5", "an accepted order in the rush, p95", 500);
pub(super) const VALIDATE: Target =
    millis("PERF-6", "an order that is refused by its rules, p95", 500);
pub(super) const HOLD: Target = millis("PERF-6", "an order that holds its units, p95", 100);
pub(super) const COMMIT: Target =
    millis("PERF-6", "an order that sells its units at once, p95", 200);
pub(super) const FOLLOW: Target =
    millis("PERF-6", "from an answer until the list shows it, p95", 1_000);
pub(super) const STOCK_WAIT: Target =
    millis("PERF-7", "wait for a stock in the rush, p95 at most", 50);
pub(super) const HOURLY: Target =
    count("PERF-8", "orders an hour, normal load", Limit::AtLeast(1_000));
pub(super) const AT_ONCE: Target = count("PERF-8", "failures of 100 orders at once", Limit::None);
pub(super) const DATABASE: Target = millis("PERF-9", "a commit in the rush, p95 at most", 100);
pub(super) const PARTS: Target =
    millis("PERF-10", "a call to the provider in the rush, p95 at most", 500);
pub(super) const START: Target = millis("PERF-11", "start with a new database until ready", 2_000);
pub(super) const MEMORY: Target =
    count("PERF-12", "memory after the start", Limit::AtMostBytes(50 << 20));
pub(super) const MEMORY_LOADED: Target =
    count("PERF-12", "memory after everything", Limit::AtMostBytes(50 << 20));
pub(super) const CLIENTS: Target =
    count("PERF-13", "clients at once without an answer", Limit::None);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_met_at_its_limit_as_its_words_say() {
        let cases = [
            (Limit::UnderMicros(200_000), 199_999, 200_000, "< 200.00 ms"),
            (Limit::AtMostBytes(50 << 20), 50 << 20, (50 << 20) + 1, "≤ 50 MiB"),
            (Limit::AtLeast(1_000), 1_000, 999, "≥ 1000"),
            (Limit::None, 0, 1, "0"),
        ];
        for (limit, good, bad, words) in cases {
            assert_eq!((limit.is_met(good), limit.is_met(bad)), (true, false), "{limit:?}");
            assert_eq!(limit.wanted(), words);
        }
    }
}
