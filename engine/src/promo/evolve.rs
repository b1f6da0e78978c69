//! The bookkeeping of a promo code.

use std::sync::Arc;

use super::model::{NewPromo, OpenPromo, PromoEvent, PromoState};
use crate::values::Moment;

pub(super) fn evolve(state: &mut PromoState, event: &PromoEvent, at: Moment) {
    match event {
        PromoEvent::Created(made) => {
            state.0 = Some(Arc::new(OpenPromo {
                made: NewPromo::clone(made),
                is_active: true,
                created_at: at,
                updated_at: at,
                version: 1,
            }));
        }
        PromoEvent::Ended => {
            // Nothing but its making can come first; a change of nothing is kept as nothing.
            let Some(known) = &mut state.0 else { return };
            let known = Arc::make_mut(known);
            known.is_active = false;
            known.updated_at = at;
            known.version = known.version.saturating_add(1);
        }
    }
}
