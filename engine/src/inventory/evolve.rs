//! The bookkeeping of one product's stock, with assertions that stay on in production.

use std::collections::VecDeque;

use super::model::{
    ADJUSTMENT_REMEMBERED, ADJUSTMENTS_REMEMBERED_MAX, ADJUSTMENTS_REMEMBERED_MIN, Adjustment,
    EXCEPTIONAL_END_REMEMBERED, Ended, HOLD_COMMAND_VALID, Hold, HoldEnd, InventoryEvent,
    StockLevel,
};
use crate::planted::{Bug, planted};
use crate::values::{CustomerId, HoldId, Moment, Quantity};

/// Whether the oldest change by hand is to be forgotten.
fn is_too_much(adjustments: &VecDeque<Adjustment>, now: Moment) -> bool {
    let is_old = |oldest: &Adjustment| oldest.at.saturating_add(ADJUSTMENT_REMEMBERED) < now;
    ADJUSTMENTS_REMEMBERED_MAX < adjustments.len()
        || (ADJUSTMENTS_REMEMBERED_MIN < adjustments.len()
            && adjustments.front().is_some_and(is_old))
}

pub(super) fn evolve(stock: &mut StockLevel, event: &InventoryEvent, at: Moment) {
    stock.version = stock.version.saturating_add(1);
    stock.decided_at = at;
    forget_old(stock, at);
    match event {
        InventoryEvent::Adjusted { adjustment, delta, reason } => {
            stock.on_hand = moved(stock.on_hand, *delta);
            stock.adjustments.push_back(Adjustment::new(*adjustment, *delta, reason, at));
            while is_too_much(&stock.adjustments, at) {
                stock.adjustments.pop_front();
            }
        }
        InventoryEvent::LimitSet { limit } => {
            stock.limit_per_customer = *limit;
            stock.bought.clear();
            // Live holds count, so that each that goes back is taken off exactly once.
            let live: Vec<(CustomerId, Quantity)> =
                stock.holds.values().map(|hold| (hold.customer.clone(), hold.quantity)).collect();
            for (customer, quantity) in live {
                count_for_customer(stock, &customer, quantity);
            }
        }
        InventoryEvent::Held { hold, quantity, customer, expires_at } => {
            stock.held = add(stock.held, *quantity);
            stock.expiries.insert((*expires_at, *hold));
            let taken = Hold {
                quantity: *quantity,
                expires_at: *expires_at,
                held_at: at,
                customer: customer.clone(),
            };
            stock.holds.insert(*hold, taken);
            // Taken again after it had ended: the old end is no longer its end.
            if let Some(ended) = stock.ended.remove(hold) {
                stock.forget_at.remove(&(ended.until, *hold));
            }
            count_for_customer(stock, customer, *quantity);
        }
        InventoryEvent::Extended { hold, expires_at } => {
            if let Some(known) = stock.holds.get_mut(hold) {
                stock.expiries.remove(&(known.expires_at, *hold));
                stock.expiries.insert((*expires_at, *hold));
                known.expires_at = *expires_at;
            }
        }
        InventoryEvent::Committed { hold, quantity: _ } => {
            if let Some(ended) = end(stock, *hold) {
                stock.on_hand = subtract(stock.on_hand, ended.quantity);
                stock.sold = add(stock.sold, ended.quantity);
                let until = ended.held_at.saturating_add(HOLD_COMMAND_VALID);
                remember(stock, *hold, Ended { how: HoldEnd::Committed, until, customer: None });
            }
        }
        InventoryEvent::CommittedLate { hold, quantity } => {
            stock.on_hand = subtract(stock.on_hand, *quantity);
            stock.sold = add(stock.sold, *quantity);
            let lapsed_for = stock.ended.get(hold).and_then(|ended| ended.customer.clone());
            if let Some(customer) = lapsed_for {
                count_for_customer(stock, &customer, *quantity);
            }
            let until = at.saturating_add(HOLD_COMMAND_VALID);
            remember(stock, *hold, Ended { how: HoldEnd::Committed, until, customer: None });
        }
        InventoryEvent::Released { hold, quantity: _ } => {
            if let Some(ended) = end(stock, *hold) {
                uncount_for_customer(stock, &ended.customer, ended.quantity);
                remember(stock, *hold, exceptional(HoldEnd::Released, at));
            }
        }
        InventoryEvent::Expired { hold, quantity: _ } => {
            if let Some(ended) = end(stock, *hold) {
                uncount_for_customer(stock, &ended.customer, ended.quantity);
                let customer = Some(ended.customer);
                remember(stock, *hold, Ended { customer, ..exceptional(HoldEnd::Expired, at) });
            }
        }
        InventoryEvent::Restocked { hold, quantity }
        | InventoryEvent::TakenBack { hold, quantity } => {
            stock.on_hand = add(stock.on_hand, *quantity);
            stock.sold = subtract(stock.sold, *quantity);
            remember(stock, *hold, exceptional(HoldEnd::Restocked, at));
        }
    }
    // Kept in release builds: a corrupt count must stop the actor, not sell phantom units.
    assert!(stock.held <= stock.on_hand, "INVENTORY-1 violated: {:?}", super::Inventory);
    assert!(stock.holds.len() == stock.expiries.len(), "INVENTORY-4 violated");
}

fn end(stock: &mut StockLevel, hold: HoldId) -> Option<Hold> {
    let ended = stock.holds.remove(&hold)?;
    stock.expiries.remove(&(ended.expires_at, hold));
    stock.held = subtract(stock.held, ended.quantity);
    Some(ended)
}

fn exceptional(how: HoldEnd, at: Moment) -> Ended {
    Ended { how, until: at.saturating_add(EXCEPTIONAL_END_REMEMBERED), customer: None }
}

fn remember(stock: &mut StockLevel, hold: HoldId, ended: Ended) {
    let until = ended.until;
    if let Some(before) = stock.ended.insert(hold, ended) {
        stock.forget_at.remove(&(before.until, hold));
    }
    stock.forget_at.insert((until, hold));
}

fn forget_old(stock: &mut StockLevel, at: Moment) {
    while let Some((until, hold)) = stock.forget_at.first().copied() {
        // A command is still valid at its last moment, so its hold is still known then.
        if at <= until && !planted(Bug::ForgetsEnds) {
            break;
        }
        stock.forget_at.pop_first();
        stock.ended.remove(&hold);
    }
}

fn count_for_customer(stock: &mut StockLevel, customer: &CustomerId, quantity: Quantity) {
    if stock.limit_per_customer.is_some() {
        let bought = stock.bought.entry(customer.clone()).or_default();
        *bought = add(*bought, quantity);
    }
}

fn uncount_for_customer(stock: &mut StockLevel, customer: &CustomerId, quantity: Quantity) {
    if let Some(bought) = stock.bought.get_mut(customer) {
        *bought = bought.checked_sub(quantity).unwrap_or_default();
        if *bought == Quantity::ZERO {
            stock.bought.remove(customer);
        }
    }
}

#[expect(clippy::expect_used, reason = "decide checked the range; overflow here is corruption")]
fn add(left: Quantity, right: Quantity) -> Quantity {
    left.checked_add(right).expect("stock count overflow")
}

#[expect(clippy::expect_used, reason = "nothing is taken that was not there before")]
fn subtract(left: Quantity, right: Quantity) -> Quantity {
    left.checked_sub(right).expect("stock count underflow")
}

#[expect(clippy::expect_used, reason = "decide checked the range; overflow here is corruption")]
fn moved(count: Quantity, delta: i64) -> Quantity {
    let after = i64::from(count.units()).checked_add(delta);
    let after = after.and_then(|units| u32::try_from(units).ok());
    Quantity::new(after.expect("stock count out of range"))
}
