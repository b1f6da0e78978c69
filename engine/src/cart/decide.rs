//! The rules of a cart.

use std::sync::Arc;

use super::merge;
use super::model::{
    CART_LINES_MAX, CLAIM_VALID, CLAIM_YOUNG, Cart, CartCommand, CartEvent, CartRefusal, CartState,
    LINE_UNITS_MAX, OpenCart,
};
use crate::aggregate::Aggregate;
use crate::planted::{Bug, planted};
use crate::values::{KeyUse, Moment, OrderId, ProductId, Quantity};

type Decision = Result<Vec<CartEvent>, CartRefusal>;

impl Aggregate for Cart {
    const KIND: &'static str = "cart";
    type State = CartState;
    type Command = CartCommand;
    type Event = CartEvent;
    type Refusal = CartRefusal;
    type View = Option<Arc<OpenCart>>;

    fn decide(state: &CartState, command: &CartCommand, now: Moment) -> Decision {
        if let CartCommand::Open { cart, customer } = command {
            return match &state.0 {
                None => Ok(vec![CartEvent::Opened { cart: *cart, customer: customer.clone() }]),
                Some(open) if open.customer == *customer => Ok(Vec::new()),
                Some(_) => Err(CartRefusal::Exists),
            };
        }
        let open = state.0.as_ref().ok_or(CartRefusal::Unknown)?;
        if let CartCommand::Once { request, command } = command {
            return match open.answered.judge(request) {
                KeyUse::Repeat => Ok(Vec::new()),
                KeyUse::Other => Err(CartRefusal::KeyReused),
                KeyUse::New => {
                    let mut events = Self::decide(state, command, now)?;
                    events.push(CartEvent::Answered { request: *request });
                    Ok(events)
                }
            };
        }
        if let Some(into) = open.joined {
            return merge::joined(open, into, command);
        }
        match (open.ordered_as, command) {
            (Some(order), command) => belonging(open, order, command, now),
            (None, CartCommand::SetLine { product, quantity }) => {
                set_line(open, product, *quantity)
            }
            (None, CartCommand::AddUnits { product, quantity }) => {
                let before = open.lines.get(product).copied().unwrap_or_default();
                let sum = before.checked_add(*quantity).ok_or(CartRefusal::TooManyUnits)?;
                set_line(open, product, sum)
            }
            (None, CartCommand::Clear) if open.lines.is_empty() => Ok(Vec::new()),
            (None, CartCommand::Clear) => Ok(vec![CartEvent::Cleared]),
            (None, CartCommand::SetPromo { code }) if *code == open.promo => Ok(Vec::new()),
            (None, CartCommand::SetPromo { code }) => {
                Ok(vec![CartEvent::PromoSet { code: code.clone() }])
            }
            (None, CartCommand::Join { cart }) if *cart == open.id => Err(CartRefusal::Itself),
            (None, CartCommand::Join { cart }) => Ok(vec![CartEvent::Joined { cart: *cart }]),
            (None, CartCommand::Take { from, lines }) => open.take(*from, lines),
            (None, CartCommand::CheckOut { order, contents }) => {
                if contents.is_some_and(|seen| seen != open.contents) {
                    return Err(CartRefusal::Changed);
                }
                Ok(vec![CartEvent::CheckedOut { order: *order }])
            }
            (
                None,
                CartCommand::Open { .. }
                | CartCommand::Once { .. }
                | CartCommand::Reopen { .. }
                | CartCommand::Abandon { .. }
                | CartCommand::Empty { .. },
            ) => Ok(Vec::new()),
        }
    }

    fn evolve(state: &mut CartState, event: &CartEvent, at: Moment) {
        super::evolve::evolve(state, event, at);
    }

    fn view(state: &CartState) -> Option<Arc<OpenCart>> {
        state.0.clone()
    }
}

/// What can be asked of a cart that belongs to `order`. Nothing changes it while it does, so its last
/// change is the claim itself.
fn belonging(open: &OpenCart, order: OrderId, command: &CartCommand, now: Moment) -> Decision {
    let claimed_for = |span| open.updated_at.saturating_add(span) <= now;
    match command {
        // An order that asks again is about to be placed now, so its claim must not end soon.
        CartCommand::CheckOut { order: again, .. } if *again == order => {
            if claimed_for(CLAIM_YOUNG) {
                return Ok(vec![CartEvent::Reopened { order }, CartEvent::CheckedOut { order }]);
            }
            Ok(Vec::new())
        }
        CartCommand::Reopen { order: ended } if *ended == order => {
            Ok(vec![CartEvent::Reopened { order }])
        }
        CartCommand::Abandon { order: missing } if *missing == order => {
            if claimed_for(CLAIM_VALID) {
                return Ok(vec![CartEvent::Reopened { order }]);
            }
            Err(CartRefusal::CheckedOut(order))
        }
        CartCommand::Empty { order: stands } if *stands == order => {
            Ok(vec![CartEvent::Reopened { order }, CartEvent::Cleared])
        }
        CartCommand::CheckOut { order, .. } if planted(Bug::CartTwice) => {
            Ok(vec![CartEvent::CheckedOut { order: *order }])
        }
        // It does not belong to them.
        CartCommand::Reopen { .. } | CartCommand::Abandon { .. } | CartCommand::Empty { .. } => {
            Ok(Vec::new())
        }
        // What it has taken it has taken.
        CartCommand::Take { from, .. } if open.taken.contains(from) => Ok(Vec::new()),
        CartCommand::Open { .. }
        | CartCommand::Once { .. }
        | CartCommand::SetLine { .. }
        | CartCommand::AddUnits { .. }
        | CartCommand::Clear
        | CartCommand::SetPromo { .. }
        | CartCommand::Join { .. }
        | CartCommand::Take { .. }
        | CartCommand::CheckOut { .. } => Err(CartRefusal::CheckedOut(order)),
    }
}

pub(super) fn set_line(open: &OpenCart, product: &ProductId, quantity: Quantity) -> Decision {
    let before = open.lines.get(product).copied();
    if quantity == Quantity::ZERO {
        let removed = before.map(|_| CartEvent::LineRemoved { product: product.clone() });
        return Ok(removed.into_iter().collect());
    }
    if before == Some(quantity) {
        return Ok(Vec::new());
    }
    if LINE_UNITS_MAX < quantity.units() {
        return Err(CartRefusal::TooManyUnits);
    }
    if before.is_none() && CART_LINES_MAX <= open.lines.len() {
        return Err(CartRefusal::TooManyLines);
    }
    Ok(vec![CartEvent::LineSet { product: product.clone(), quantity }])
}
