//! What must hold for the list of reviews.

use std::collections::BTreeSet;

use super::violation::{Found, holds};
use crate::reviews::ReviewsEvent;
use crate::values::OrderId;

/// The list: which orders wait.
#[derive(Debug, Default)]
pub(super) struct ReviewsBook {
    waiting: BTreeSet<OrderId>,
}

impl ReviewsBook {
    pub(super) fn enter(&mut self, event: &ReviewsEvent) -> Result<(), Found> {
        match event {
            ReviewsEvent::Opened { order, .. } => {
                holds("R12", self.waiting.insert(*order), || format!("order {order} waits twice"))
            }
            ReviewsEvent::Closed { order } => holds("R12", self.waiting.remove(order), || {
                format!("order {order} was decided and did not wait")
            }),
        }
    }
}
