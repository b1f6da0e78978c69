//! The lines of one cart go to another: first it joins and changes no more, then they are taken, once.
//!
//! Whoever is cut off in between repeats it: joining the same cart again changes nothing, and neither
//! does taking from it again. Until then the lines are in the cart that has joined.

use std::collections::BTreeMap;

use super::decide::set_line;
use super::model::{
    CART_LINES_MAX, CARTS_TAKEN_MAX, CartCommand, CartEvent, CartRefusal, OpenCart,
};
use crate::values::{CartId, ProductId, Quantity};

type Decision = Result<Vec<CartEvent>, CartRefusal>;

/// What can be asked of a cart that has joined another.
pub(super) fn joined(open: &OpenCart, into: CartId, command: &CartCommand) -> Decision {
    match command {
        CartCommand::Join { cart } if *cart == into => Ok(Vec::new()),
        CartCommand::Leave { cart } if *cart == into => Ok(vec![CartEvent::Left { cart: into }]),
        CartCommand::Take { from, .. } if open.taken.contains(from) => Ok(Vec::new()),
        CartCommand::Leave { .. }
        | CartCommand::Reopen { .. }
        | CartCommand::Abandon { .. }
        | CartCommand::Empty { .. } => Ok(Vec::new()),
        CartCommand::Open { .. }
        | CartCommand::Once { .. }
        | CartCommand::SetLine { .. }
        | CartCommand::AddUnits { .. }
        | CartCommand::Clear
        | CartCommand::SetPromo { .. }
        | CartCommand::Join { .. }
        | CartCommand::Take { .. }
        | CartCommand::CheckOut { .. } => Err(CartRefusal::Joined(into)),
    }
}

/// Adds the lines of another cart, all or none.
pub(super) fn take(
    open: &OpenCart,
    from: CartId,
    lines: &BTreeMap<ProductId, Quantity>,
) -> Decision {
    if from == open.id {
        return Err(CartRefusal::Itself);
    }
    if open.taken.contains(&from) {
        return Ok(Vec::new());
    }
    if CARTS_TAKEN_MAX <= open.taken.len() {
        return Err(CartRefusal::TooManyTaken);
    }
    let fresh = lines.keys().filter(|product| !open.lines.contains_key(*product)).count();
    if CART_LINES_MAX < open.lines.len().saturating_add(fresh) {
        return Err(CartRefusal::TooManyLines);
    }
    let mut events = Vec::new();
    for (product, quantity) in lines {
        let before = open.lines.get(product).copied().unwrap_or_default();
        let sum = before.checked_add(*quantity).ok_or(CartRefusal::TooManyUnits)?;
        events.extend(set_line(open, product, sum)?);
    }
    events.push(CartEvent::Took { from });
    Ok(events)
}
