//! The bookkeeping of a buyer.

use std::sync::Arc;

use super::model::{BuyerEvent, BuyerState, RECENT_MAX, Trust, Trusted};
use crate::values::Moment;

pub(super) fn evolve(state: &mut BuyerState, event: &BuyerEvent, at: Moment) {
    state.changed_at = at;
    let version = state.trust.as_ref().map_or(0, |trust| trust.version).saturating_add(1);
    match event {
        BuyerEvent::Trusted(Trusted { customer, by, reason }) => {
            state.trust = Some(Arc::new(Trust {
                customer: customer.clone(),
                is_trusted: true,
                by: Arc::clone(by),
                reason: reason.clone(),
                at,
                version,
            }));
        }
        BuyerEvent::Distrusted { by, reason } => {
            // Nobody loses a trust that was never given; such an event is kept as nothing.
            let Some(trust) = &mut state.trust else { return };
            let trust = Arc::make_mut(trust);
            trust.is_trusted = false;
            trust.by = Arc::clone(by);
            trust.reason.clone_from(reason);
            trust.at = at;
            trust.version = version;
        }
        BuyerEvent::Ordered { order } => {
            let recent = Arc::make_mut(&mut state.recent);
            recent.push_back((*order, at));
            if RECENT_MAX < recent.len() {
                recent.pop_front();
            }
        }
    }
}
