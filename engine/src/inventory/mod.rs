//! The stock of one product: units on hand, holds on them, and what was sold.
//!
//! - INVENTORY-1: `held <= on_hand`; `available = on_hand - held`; nothing is ever negative.
//! - INVENTORY-2: `held` is the sum of all live holds.
//! - INVENTORY-3: `on_hand + sold` changes only by receipts and adjustments.
//! - INVENTORY-4: a hold ends exactly once: committed, released or expired, and not before its time.
//! - INVENTORY-5: repeating a command changes nothing.
//!
//! A late repeat must not take units anew, and memory must stay bounded, so ended holds are
//! remembered for a while: see [`HOLD_COMMAND_VALID`] and [`EXCEPTIONAL_END_REMEMBERED`]. The normal
//! end, a commit, is forgotten first: a commit for an unknown hold is a repeat, because a hold
//! that lapsed or was released is remembered for longer than any order stays open.

mod asked;
mod decide;
mod evolve;
mod model;
mod stored;
#[cfg(test)]
mod tests;

pub use model::{
    ADJUSTMENT_REMEMBERED, ADJUSTMENTS_REMEMBERED_MAX, ADJUSTMENTS_REMEMBERED_MIN, Adjustment,
    EXCEPTIONAL_END_REMEMBERED, Ended, HOLD_COMMAND_VALID, Hold, HoldEnd, Inventory,
    InventoryCommand, InventoryEvent, InventoryRefusal, StockLevel, StockView,
};
