//! The rules of a cart.

use std::sync::Arc;

use super::model::{
    CART_LINES_MAX, Cart, CartCommand, CartEvent, CartRefusal, CartState, LINE_UNITS_MAX, OpenCart,
};
use crate::aggregate::Aggregate;
use crate::values::{Moment, ProductId, Quantity};

type Decision = Result<Vec<CartEvent>, CartRefusal>;

impl Aggregate for Cart {
    const KIND: &'static str = "cart";
    type State = CartState;
    type Command = CartCommand;
    type Event = CartEvent;
    type Refusal = CartRefusal;
    type View = Option<Arc<OpenCart>>;

    fn decide(state: &CartState, command: &CartCommand, _now: Moment) -> Decision {
        if let CartCommand::Open { cart, customer } = command {
            return match &state.0 {
                None => Ok(vec![CartEvent::Opened { cart: *cart, customer: customer.clone() }]),
                Some(open) if open.customer == *customer => Ok(Vec::new()),
                Some(_) => Err(CartRefusal::Exists),
            };
        }
        let open = state.0.as_ref().ok_or(CartRefusal::Unknown)?;
        match (open.ordered_as, command) {
            (Some(order), CartCommand::CheckOut { order: again }) if order == *again => {
                Ok(Vec::new())
            }
            (Some(order), _) => Err(CartRefusal::CheckedOut(order)),
            (None, CartCommand::SetLine { product, quantity }) => {
                set_line(open, product, *quantity)
            }
            (None, CartCommand::Clear) if open.lines.is_empty() => Ok(Vec::new()),
            (None, CartCommand::Clear) => Ok(vec![CartEvent::Cleared]),
            (None, CartCommand::CheckOut { order }) => {
                Ok(vec![CartEvent::CheckedOut { order: *order }])
            }
            (None, CartCommand::Open { .. }) => Ok(Vec::new()),
        }
    }

    fn evolve(state: &mut CartState, event: &CartEvent, at: Moment) {
        super::evolve::evolve(state, event, at);
    }

    fn view(state: &CartState) -> Option<Arc<OpenCart>> {
        state.0.clone()
    }
}

fn set_line(open: &OpenCart, product: &ProductId, quantity: Quantity) -> Decision {
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
