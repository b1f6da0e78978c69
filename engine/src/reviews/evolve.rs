//! The bookkeeping of the list of reviews.

use std::sync::Arc;

use super::model::{ReviewsEvent, ReviewsState, WAITING_MAX};
use crate::values::Moment;

pub(super) fn evolve(state: &mut ReviewsState, event: &ReviewsEvent, at: Moment) {
    let waiting = Arc::make_mut(&mut state.waiting);
    match event {
        ReviewsEvent::Opened { order, waiting: new } => {
            waiting.insert(*order, new.clone());
            assert!(waiting.len() <= WAITING_MAX, "REVIEWS-1 violated: too many orders wait");
        }
        ReviewsEvent::Closed { order } => {
            waiting.remove(order);
        }
    }
    state.changed_at = at;
}
