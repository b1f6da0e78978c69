//! What one product's stock does, rule by rule.

mod counts;
mod holds;
mod limits;
mod memory;

use super::{Inventory, InventoryCommand, InventoryEvent, StockLevel};
use crate::aggregate::Aggregate;
use crate::samples::{adjustment, customer, hold, seconds, units};
use crate::values::Moment;

const ALICE: u128 = 1;
const BOB: u128 = 2;

fn who(number: u128) -> crate::values::CustomerId {
    customer(if number == ALICE { "alice" } else { "bob" })
}

/// A shelf with `count` units.
fn received(count: i64) -> InventoryEvent {
    InventoryEvent::Adjusted {
        adjustment: adjustment(1),
        delta: count,
        reason: "delivery".to_owned(),
    }
}

fn held(by: u128, count: u32) -> InventoryEvent {
    held_until(by, count, seconds(60))
}

fn held_until(by: u128, count: u32, expires_at: Moment) -> InventoryEvent {
    InventoryEvent::Held { hold: hold(by), quantity: units(count), customer: who(by), expires_at }
}

fn committed(by: u128, count: u32) -> InventoryEvent {
    InventoryEvent::Committed { hold: hold(by), quantity: units(count) }
}

fn committed_late(by: u128, count: u32) -> InventoryEvent {
    InventoryEvent::CommittedLate { hold: hold(by), quantity: units(count) }
}

fn released(by: u128, count: u32) -> InventoryEvent {
    InventoryEvent::Released { hold: hold(by), quantity: units(count) }
}

fn expired(by: u128, count: u32) -> InventoryEvent {
    InventoryEvent::Expired { hold: hold(by), quantity: units(count) }
}

fn restocked(by: u128, count: u32) -> InventoryEvent {
    InventoryEvent::Restocked { hold: hold(by), quantity: units(count) }
}

fn extended(by: u128, until: Moment) -> InventoryEvent {
    InventoryEvent::Extended { hold: hold(by), expires_at: until }
}

fn limited(count: u32) -> InventoryEvent {
    InventoryEvent::LimitSet { limit: Some(units(count)) }
}

/// Asked at the epoch, for a minute.
fn take(by: u128, count: u32) -> InventoryCommand {
    take_at(seconds(0), by, count)
}

fn take_at(now: Moment, by: u128, count: u32) -> InventoryCommand {
    InventoryCommand::Hold {
        hold: hold(by),
        quantity: units(count),
        customer: who(by),
        expires_at: now.saturating_add(std::time::Duration::from_mins(1)),
        valid_until: now.saturating_add(super::HOLD_COMMAND_VALID),
    }
}

fn commit(by: u128, count: u32) -> InventoryCommand {
    InventoryCommand::Commit { hold: hold(by), quantity: units(count) }
}

fn release(by: u128) -> InventoryCommand {
    InventoryCommand::Release { hold: hold(by) }
}

fn restock(by: u128, count: u32) -> InventoryCommand {
    InventoryCommand::Restock { hold: hold(by), quantity: units(count) }
}

fn extend(by: u128, until: Moment) -> InventoryCommand {
    InventoryCommand::Extend { hold: hold(by), expires_at: until }
}

fn adjust(number: u128, delta: i64) -> InventoryCommand {
    adjust_if(number, delta, None)
}

fn adjust_if(number: u128, delta: i64, if_version: Option<u64>) -> InventoryCommand {
    InventoryCommand::Adjust {
        adjustment: adjustment(number),
        delta,
        reason: "delivery".to_owned(),
        if_version,
    }
}

/// The books after events at given moments.
fn books(history: &[(InventoryEvent, Moment)]) -> StockLevel {
    Inventory::replay(history.iter().map(|(event, at)| (event, *at)))
}
