//! The rules of the list: once each, and so many at most.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::model::{
    Reviews, ReviewsCommand, ReviewsEvent, ReviewsRefusal, ReviewsState, WAITING_MAX, Waiting,
};
use crate::aggregate::Aggregate;
use crate::values::{Moment, OrderId};

impl Aggregate for Reviews {
    const KIND: &'static str = "reviews";
    const SPEAKS_WHEN_EMPTY: bool = true;
    type State = ReviewsState;
    type Command = ReviewsCommand;
    type Event = ReviewsEvent;
    type Refusal = ReviewsRefusal;
    type View = Arc<BTreeMap<OrderId, Waiting>>;

    fn decide(
        state: &ReviewsState,
        command: &ReviewsCommand,
        _now: Moment,
    ) -> Result<Vec<ReviewsEvent>, ReviewsRefusal> {
        match command {
            ReviewsCommand::Open { order, .. } if state.waiting.contains_key(order) => {
                Ok(Vec::new())
            }
            ReviewsCommand::Open { .. } if WAITING_MAX <= state.waiting.len() => {
                Err(ReviewsRefusal::Full)
            }
            ReviewsCommand::Open { order, waiting } => {
                Ok(vec![ReviewsEvent::Opened { order: *order, waiting: waiting.clone() }])
            }
            ReviewsCommand::Close { order } if state.waiting.contains_key(order) => {
                Ok(vec![ReviewsEvent::Closed { order: *order }])
            }
            ReviewsCommand::Close { .. } => Ok(Vec::new()),
        }
    }

    fn evolve(state: &mut ReviewsState, event: &ReviewsEvent, at: Moment) {
        super::evolve::evolve(state, event, at);
    }

    fn view(state: &ReviewsState) -> Arc<BTreeMap<OrderId, Waiting>> {
        Arc::clone(&state.waiting)
    }

    fn decided_at(state: &ReviewsState) -> Moment {
        state.changed_at
    }
}
