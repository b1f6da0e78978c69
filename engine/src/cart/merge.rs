//! The lines of one cart go to another: first it joins and changes no more, then they are taken, once.
//!
//! Whoever is cut off in between repeats it: joining the same cart again changes nothing, and neither
//! does taking from it again. Until then the lines are in the cart that has joined. It never leaves:
//! another repeat may be about to take them.

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
        CartCommand::Take { from, .. } if open.taken.contains(from) => Ok(Vec::new()),
        CartCommand::Reopen { .. } | CartCommand::Abandon { .. } | CartCommand::Empty { .. } => {
            Ok(Vec::new())
        }
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

impl OpenCart {
    /// Whether it could take the lines of another cart now. Asked before that one joins, which it
    /// never takes back.
    ///
    /// # Errors
    ///
    /// What [`CartCommand::Take`] would be refused with.
    pub fn could_take(
        &self,
        from: CartId,
        lines: &BTreeMap<ProductId, Quantity>,
    ) -> Result<(), CartRefusal> {
        if self.taken.contains(&from) {
            return Ok(());
        }
        if let Some(into) = self.joined {
            return Err(CartRefusal::Joined(into));
        }
        match self.ordered_as {
            Some(order) => Err(CartRefusal::CheckedOut(order)),
            None => self.take(from, lines).map(drop),
        }
    }

    /// Adds the lines of another cart, all or none.
    pub(super) fn take(&self, from: CartId, lines: &BTreeMap<ProductId, Quantity>) -> Decision {
        if from == self.id {
            return Err(CartRefusal::Itself);
        }
        if self.taken.contains(&from) {
            return Ok(Vec::new());
        }
        if CARTS_TAKEN_MAX <= self.taken.len() {
            return Err(CartRefusal::TooManyTaken);
        }
        let fresh = lines.keys().filter(|product| !self.lines.contains_key(*product)).count();
        if CART_LINES_MAX < self.lines.len().saturating_add(fresh) {
            return Err(CartRefusal::TooManyLines);
        }
        let mut events = Vec::new();
        for (product, quantity) in lines {
            let before = self.lines.get(product).copied().unwrap_or_default();
            let sum = before.checked_add(*quantity).ok_or(CartRefusal::TooManyUnits)?;
            events.extend(set_line(self, product, sum)?);
        }
        events.push(CartEvent::Took { from });
        Ok(events)
    }
}
