//! What an order wants of a stock, as the stock hears it, and what its view alone can answer.

use super::model::{InventoryCommand, StockView};
use crate::process::{HeldUnits, Intent, StockRefusal};
use crate::values::Quantity;

impl InventoryCommand {
    /// What `intent` asks of the stock of `unit`; nothing where it is not for stocks.
    pub fn of(intent: &Intent, unit: &HeldUnits) -> Option<Self> {
        let HeldUnits { hold, quantity, .. } = *unit;
        Some(match intent {
            Intent::Hold { customer, expires_at, valid_until, .. } => Self::Hold {
                hold,
                quantity,
                customer: customer.clone(),
                expires_at: *expires_at,
                valid_until: *valid_until,
            },
            Intent::Extend { expires_at, .. } => Self::Extend { hold, expires_at: *expires_at },
            Intent::Commit { .. } => Self::Commit { hold, quantity },
            Intent::Release { .. } => Self::Release { hold },
            Intent::Restock { .. } => Self::Restock { hold, quantity },
            Intent::TakeBack { .. } => Self::TakeBack { hold, quantity },
            Intent::Deposit { rma, amount, .. } => Self::Adjust {
                adjustment: rma.deposit(),
                delta: amount.minor(),
                reason: format!("return {}", rma.number()),
                if_version: None,
            },
            Intent::Lookup { .. }
            | Intent::LookupPromo { .. }
            | Intent::NoteOrder { .. }
            | Intent::AskTrust { .. }
            | Intent::NoteReview { .. }
            | Intent::ClaimCart { .. }
            | Intent::ReopenCart { .. }
            | Intent::Charge { .. }
            | Intent::QueryCharge { .. }
            | Intent::Refund { .. }
            | Intent::RefundPart { .. }
            | Intent::ForReturn { .. } => return None,
        })
    }
}

impl StockView {
    /// The refusal of so many units that needs no message: nothing is held that could come back.
    /// Only a durable view may tell it.
    pub fn refusal(&self, wanted: Quantity) -> Option<StockRefusal> {
        let sold_out = self.held == Quantity::ZERO && self.available < wanted;
        sold_out.then_some(StockRefusal::NotEnough { available: self.available })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::units;

    #[test]
    fn a_view_refuses_only_when_no_held_unit_can_come_back() {
        let view = |available, held| StockView {
            available: units(available),
            held: units(held),
            ..StockView::default()
        };
        let not_enough = |available| Some(StockRefusal::NotEnough { available: units(available) });
        assert_eq!(view(1, 0).refusal(units(2)), not_enough(1));
        assert_eq!(view(2, 0).refusal(units(2)), None);
        assert_eq!(
            view(0, 1).refusal(units(2)),
            None,
            "the held one may lapse, so the stock is asked"
        );
    }
}
