//! Says whether an honest shop can have given the answers of a history.

mod docket;
mod freshness;
mod ledger;
mod orders;
mod positions;
mod replay;
mod sweep;
mod units;

use serde::Serialize;

use super::load::History;
use crate::checks::Check;
use crate::provider::Entry;
use docket::Docket;

/// What a history says about a shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// An honest shop can have answered so, and everything was looked at in the end.
    Valid,
    /// No honest shop can have answered so.
    Violated,
    /// Nothing speaks against the shop, but not everything was looked at in the end.
    Unknown,
}

/// How many questions ended how. A run in which all failed is valid and says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fractions {
    /// Questions that ended with a yes.
    pub ok: usize,
    /// Questions that ended with a definite no.
    pub rejected: usize,
    /// Questions that nobody knows the end of.
    pub unknown: usize,
}

/// The verdict and its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// In one word.
    pub verdict: Verdict,
    /// How the questions ended.
    pub ended: Fractions,
    /// Promise by promise.
    pub checks: Vec<Check>,
}

impl Judgement {
    /// The first violation, in a sentence.
    pub fn first(&self) -> Option<&str> {
        self.checks.iter().find_map(|check| check.violations.first()).map(String::as_str)
    }
}

/// Judges a history, and joins it with the ledger of its payment provider if there is one.
pub fn check(history: &History, ledger: Option<&[Entry]>) -> Judgement {
    let docket = Docket::open(history);
    let (fates, walk) = (units::fates(&docket), sweep::walk(&docket));
    let mut checks = vec![
        units::nothing_oversold(&docket, &fates, walk.oversold),
        orders::acknowledged_orders_kept(&docket),
        orders::one_order_per_key(&docket),
        units::stock_adds_up(&docket, &fates, walk.unsound, walk.looks),
        replay::answers_agree(&docket),
        positions::positions_agree(&docket),
        freshness::reads_are_fresh(&docket),
    ];
    checks.extend(ledger.map(|entries| ledger::ledger_agrees(&docket, entries)));
    let violated = checks.iter().any(|check| !check.passed);
    let looked = docket.final_looks();
    let verdict = match (violated, looked.passed) {
        (true, _) => Verdict::Violated,
        (false, true) => Verdict::Valid,
        (false, false) => Verdict::Unknown,
    };
    checks.push(looked);
    Judgement { verdict, ended: docket.ended(), checks }
}
