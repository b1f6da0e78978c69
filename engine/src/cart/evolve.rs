//! The bookkeeping of a cart.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::model::{CartEvent, CartState, OpenCart};
use crate::values::{Answered, Moment};

pub(super) fn evolve(state: &mut CartState, event: &CartEvent, at: Moment) {
    if let CartEvent::Opened { cart, customer } = event {
        state.0 = Some(Arc::new(OpenCart {
            id: *cart,
            customer: customer.clone(),
            lines: BTreeMap::new(),
            contents: 1,
            promo: None,
            joined: None,
            taken: Vec::new(),
            ordered_as: None,
            answered: Answered::default(),
            created_at: at,
            updated_at: at,
            version: 1,
        }));
        return;
    }
    // Nothing but an opening can come first; a change of nothing is kept as nothing.
    let Some(open) = &mut state.0 else { return };
    let open = Arc::make_mut(open);
    open.version = open.version.saturating_add(1);
    open.updated_at = at;
    match event {
        CartEvent::Opened { .. } => {}
        CartEvent::LineSet { product, quantity } => {
            open.contents = open.version;
            open.lines.insert(product.clone(), *quantity);
        }
        CartEvent::LineRemoved { product } => {
            open.contents = open.version;
            open.lines.remove(product);
        }
        CartEvent::Cleared => {
            open.contents = open.version;
            open.lines.clear();
        }
        CartEvent::PromoSet { code } => {
            open.contents = open.version;
            open.promo.clone_from(code);
        }
        CartEvent::Joined { cart } => open.joined = Some(*cart),
        CartEvent::Took { from } => open.taken.push(*from),
        CartEvent::CheckedOut { order } => open.ordered_as = Some(*order),
        CartEvent::Reopened { .. } => open.ordered_as = None,
        CartEvent::Answered { request } => open.answered.remember(*request),
    }
}
