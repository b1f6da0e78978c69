//! The whole measurement: how it was made, its levels, who stood beside whom, and the goals.

use serde::Serialize;

use super::beside::{Fairness, Products, Rejections, SoldOut};
use super::capacity::Capacity;
use super::goals::{self, Goal};
use super::row::Row;

/// What everything was measured with.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Setup {
    /// Version of this tool.
    pub(super) version: &'static str,
    /// Server and generator had a core each.
    pub(super) pinned: bool,
    /// Connections that a crowd has from the beginning.
    pub(super) connections: u16,
    /// Most that it may have.
    pub(super) connections_max: u16,
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
    /// Parts of the run after which orders were under way for too long to agree upon the books.
    pub(super) unsettled: Vec<String>,
    /// Whether the history is honest. Goals that are missed do not change it.
    pub(super) passed: bool,
}

impl Report {
    /// Judges everything that was measured.
    pub(super) fn judge(mut self) -> Self {
        let levels = self.rows.iter().flat_map(|row| goals::of_level(row, &self.capacity));
        self.goals = levels.collect();
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
             included. Withheld: tries that the generator could not make, because it was too busy \
             or had no connection left; they are part of the offer, and their clients go away. \
             Late: tries that it made more than 10 ms after their moment. A level is offered in \
             full when 95 % of its tries left, and 95 % of those in time."
                .to_owned(),
            "Who finds no connection free opens one more; who has heard nothing for 1 s hangs up. \
             Goodput: orders within 1 s of the intended moment of their try, in parts of the offer \
             and at most of the capacity. Latencies count from that moment, those of a visit from \
             the first try of the client."
                .to_owned(),
            "Back: the first of three seconds at 0.7 of the capacity in each of which 95 % of those \
             who came were served within 1 s of their first try. Nobody was sent home before: who \
             waits or is about to come back does so beside them. Memory counts from before the \
             first request of all."
                .to_owned(),
            "Cost of a rejection or a refusal: the server's processor time for it, in parts of \
             that for an order, each in a crowd that sends as fast as it is answered. The window \
             rejects before a body is read."
                .to_owned(),
        ];
        if !self.unsettled.is_empty() {
            remarks.push(format!(
                "Something still moved 10 s after {}, so that what was unknown then excuses as much \
                 later on.",
                self.unsettled.join(", ")
            ));
        }
        if !self.capacity.is_qualified {
            remarks.push(
                "No rate was carried well, so that levels are multiples of what was reached when \
                 sent as fast as answered, and no goal of theirs is met."
                    .to_owned(),
            );
        }
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
