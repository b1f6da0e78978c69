//! Checks on people: everybody got an honest answer, and was served while there was stock. What
//! the answers say together is judged by [`crate::history`].

mod demand;
mod people;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::record::{Shelf, ShopperRecord};

/// Violations that are kept word by word; the rest is counted.
const KEPT: usize = 10;

/// Everything that a run knows when it is over.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// How many shoppers were sent.
    pub shoppers: u32,
    /// What each of them saw.
    pub records: &'a [ShopperRecord],
    /// The products, before and after.
    pub shelves: &'a [Shelf],
}

/// One promise and whether it held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable name, for machines.
    pub name: &'static str,
    /// Whether no violation was found.
    pub passed: bool,
    /// What was counted, for people.
    pub figure: String,
    /// The first violations, one sentence each.
    pub violations: Vec<String>,
    /// How many violations there were in all.
    pub violation_count: usize,
}

/// Runs every check.
pub fn all(evidence: &Evidence<'_>) -> Vec<Check> {
    vec![
        demand::demand_is_served(evidence),
        people::no_server_errors(evidence),
        people::outcomes_known(evidence),
        people::everybody_answered(evidence),
    ]
}

/// Collects violations without keeping all of their words.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    kept: Vec<String>,
    count: usize,
}

impl Findings {
    pub(crate) fn add(&mut self, violation: impl FnOnce() -> String) {
        self.count = self.count.saturating_add(1);
        if self.kept.len() < KEPT {
            self.kept.push(violation());
        }
    }

    pub(crate) fn unless(&mut self, fine: bool, violation: impl FnOnce() -> String) {
        if !fine {
            self.add(violation);
        }
    }

    pub(crate) fn into_check(self, name: &'static str, figure: String) -> Check {
        Check {
            name,
            passed: self.count == 0,
            figure,
            violations: self.kept,
            violation_count: self.count,
        }
    }
}
