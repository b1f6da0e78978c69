//! What an entity was asked last under names of its own: each is done once (R3).

use std::collections::VecDeque;

use super::violation::{Found, broken};
use crate::inventory::ADJUSTMENTS_REMEMBERED_MIN;
use crate::values::{AdjustmentId, KeyedRequest, REQUESTS_REMEMBERED_MAX};

/// The last requests that a listing or a cart has answered under keys. They are as many as the entity
/// itself must remember; what it has forgotten counts as new.
#[derive(Debug, Default)]
pub(super) struct Requests(VecDeque<KeyedRequest>);

impl Requests {
    pub(super) fn answer(&mut self, request: KeyedRequest) -> Result<(), Found> {
        if let Some(known) = self.0.iter().find(|known| known.key == request.key) {
            let other = if *known == request { "" } else { ", the second time to another request" };
            return broken("R3", format!("key {} was answered twice{other}", request.key));
        }
        push(&mut self.0, request, REQUESTS_REMEMBERED_MAX);
        Ok(())
    }
}

/// The last changes of a stock by hand, as many as the stock remembers however old they are.
#[derive(Debug, Default)]
pub(super) struct Adjustments(VecDeque<AdjustmentId>);

impl Adjustments {
    pub(super) fn make(&mut self, adjustment: AdjustmentId) -> Result<(), Found> {
        if self.0.contains(&adjustment) {
            return broken("R3", format!("adjustment {adjustment} was made twice"));
        }
        push(&mut self.0, adjustment, ADJUSTMENTS_REMEMBERED_MIN);
        Ok(())
    }
}

/// Remembers one more, and forgets the oldest when there are too many.
fn push<T>(items: &mut VecDeque<T>, item: T, max: usize) {
    items.push_back(item);
    if max < items.len() {
        items.pop_front();
    }
}
