//! The whole measurement: how it was made, its levels, who stood beside whom, and the goals.

use serde::Serialize;

use super::beside::{Fairness, Products, Rejections, SoldOut};
use super::goals::{self, Goal};
use super::row::{Capacity, Row};

/// What everything was measured with.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Setup {
    /// Version of this tool.
    pub(super) version: &'static str,
    /// Server and generator had a core each.
    pub(super) pinned: bool,
    /// Connections of the generator.
    pub(super) connections: u16,
    /// Length of each level.
    pub(super) seconds: u64,
    /// Built with optimisation.
    pub(super) optimised: bool,
}

/// The measurement.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    /// Changes when a field changes its meaning.
    pub(super) schema: &'static str,
    /// How it was made.
    pub(super) setup: Setup,
    /// What the server carries.
    pub(super) capacity: Capacity,
    /// The levels in the order in which they were run.
    pub(super) rows: Vec<Row>,
    /// A polite client beside one that pushes.
    pub(super) fairness: Option<Fairness>,
    /// A cold product beside a hot one.
    pub(super) products: Option<Products>,
    /// A crowd that is rejected at the door.
    pub(super) rejections: Option<Rejections>,
    /// A product that is sold out.
    pub(super) sold_out: Option<SoldOut>,
    /// What the figures should be.
    pub(super) goals: Vec<Goal>,
    /// What was found to be untrue in the books and in the journal.
    pub(super) violations: Vec<String>,
    /// Whether the history is honest. Goals that are missed do not change it.
    pub(super) passed: bool,
}

impl Report {
    /// Judges everything that was measured.
    pub(super) fn judge(mut self) -> Self {
        self.goals = self.rows.iter().flat_map(goals::of_level).collect();
        self.goals.extend(self.fairness.as_ref().map(goals::of_fairness));
        self.goals.extend(self.products.as_ref().map(goals::of_products));
        self.goals.extend(self.rejections.as_ref().map(goals::of_rejections));
        self.goals.extend(self.sold_out.as_ref().map(goals::of_sold_out));
        self.passed = self.violations.is_empty();
        self
    }

    /// What a reader must know to read the figures, one sentence each.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut remarks = vec![
            "Offered: first tries whose moment came. Sent: tries whose bytes left, retries \
             included. Stuck: tries that found each of the client's connections waiting for the \
             server; their clients gave up. Late: tries that left more than 10 ms after their \
             moment because the generator was busy."
                .to_owned(),
            "Goodput: orders within 1 s of the intended moment of their try, in parts of the offer \
             and at most of the capacity. Latencies count from that moment."
                .to_owned(),
            "Cost of a rejection or a refusal: the server's processor time for it, in parts of \
             that for an order, each in a crowd that sends as fast as it is answered. The window \
             rejects before a body is read."
                .to_owned(),
        ];
        if !self.setup.pinned {
            remarks.push(
                "Server and generator shared their cores: taskset or a second core is missing, and \
                 no figure says what the server can do."
                    .to_owned(),
            );
        }
        if !self.setup.optimised {
            remarks.push("This generator was built without optimisation.".to_owned());
        }
        remarks
    }
}
