//! One product's stock: never oversold, every unit accounted for, every repeat free.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::Aggregate;
use engine::inventory::{
    HOLD_COMMAND_VALID, Inventory, InventoryCommand, InventoryEvent, StockLevel,
};
use engine::ledger::{Ledger, LedgerEvent};
use engine::values::{AdjustmentId, CustomerId, HoldId, Moment, Quantity};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use uuid::Uuid;

use crate::entry;

/// What is asked next; ids and counts are small, so that they collide.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Adjust { id: u128, delta: i64, if_version: Option<u64> },
    Limit(Option<u32>),
    Hold { id: u128, quantity: u32, lasts: u64, delayed: u64 },
    Extend { id: u128, lasts: u64 },
    Commit(u128),
    Release(u128),
    Restock(u128),
    Expire,
    Pass(u64),
}

fn any_ask() -> impl Strategy<Value = Ask> {
    let id = || 0_u128..6;
    let lasts = || 0_u64..90;
    prop_oneof![
        2 => (0_u128..40, -3_i64..6, prop::option::weighted(0.2, 0_u64..20))
            .prop_map(|(id, delta, if_version)| Ask::Adjust { id, delta, if_version }),
        1 => prop::option::of(0_u32..5).prop_map(Ask::Limit),
        8 => (id(), 0_u32..5, lasts(), 0_u64..8)
            .prop_map(|(id, quantity, lasts, delayed)| Ask::Hold { id, quantity, lasts, delayed }),
        2 => (id(), lasts()).prop_map(|(id, lasts)| Ask::Extend { id, lasts }),
        4 => id().prop_map(Ask::Commit),
        2 => id().prop_map(Ask::Release),
        2 => id().prop_map(Ask::Restock),
        2 => Just(Ask::Expire),
        4 => (0_u64..40).prop_map(Ask::Pass),
    ]
}

/// A stock with everything that is known about it from outside.
#[derive(Default)]
struct Shelf {
    now: Moment,
    stock: StockLevel,
    ledger: Ledger,
    history: Vec<(InventoryEvent, Moment)>,
    received: i64,
    /// Units and customer of each hold's last taking: what its order would ask for.
    takings: BTreeMap<HoldId, (Quantity, CustomerId)>,
    /// The command of each hold's last taking.
    asked: BTreeMap<HoldId, InventoryCommand>,
    /// The hold command of each taking that was sold: its order exists, so it asks no new one.
    sold_by: BTreeMap<HoldId, InventoryCommand>,
    /// Units that count towards the limit.
    counted: BTreeMap<CustomerId, u32>,
}

fn hold(id: u128) -> HoldId {
    HoldId::new(Uuid::from_u128(id))
}

impl Shelf {
    fn after(&self, seconds: u64) -> Moment {
        self.now.saturating_add(Duration::from_secs(seconds))
    }

    /// The command; `None` where no order would ask it.
    fn command(&mut self, ask: Ask) -> Option<InventoryCommand> {
        Some(match ask {
            Ask::Adjust { id, delta, if_version } => InventoryCommand::Adjust {
                adjustment: AdjustmentId::new(Uuid::from_u128(id)),
                delta,
                reason: "count".to_owned(),
                if_version,
            },
            Ask::Limit(limit) => InventoryCommand::SetLimit { limit: limit.map(Quantity::new) },
            Ask::Hold { id, quantity, lasts, delayed } => {
                let customer = if id % 2 == 0 { "alice" } else { "bob" };
                let hold_at = self.now;
                self.now = self.after(delayed);
                if let Some(sold_by) = self.sold_by.get(&hold(id)) {
                    return Some(sold_by.clone());
                }
                InventoryCommand::Hold {
                    hold: hold(id),
                    quantity: Quantity::new(quantity),
                    customer: CustomerId::parse(customer).unwrap(),
                    expires_at: hold_at.saturating_add(Duration::from_secs(lasts)),
                    valid_until: hold_at.saturating_add(HOLD_COMMAND_VALID),
                }
            }
            Ask::Extend { id, lasts } => {
                InventoryCommand::Extend { hold: hold(id), expires_at: self.after(lasts) }
            }
            Ask::Commit(id) => {
                let (quantity, _) = self.takings.get(&hold(id))?;
                InventoryCommand::Commit { hold: hold(id), quantity: *quantity }
            }
            Ask::Release(id) => InventoryCommand::Release { hold: hold(id) },
            Ask::Restock(id) => {
                let (quantity, _) = self.takings.get(&hold(id))?;
                InventoryCommand::Restock { hold: hold(id), quantity: *quantity }
            }
            Ask::Expire => InventoryCommand::Expire,
            Ask::Pass(seconds) => {
                self.now = self.after(seconds);
                return None;
            }
        })
    }

    fn book(&mut self, event: InventoryEvent) -> Result<(), TestCaseError> {
        Inventory::evolve(&mut self.stock, &event, self.now);
        let version = u64::try_from(self.history.len())? + 1;
        let entry = entry("inventory/p", version, self.now, LedgerEvent::Inventory(&event));
        prop_assert_eq!(self.ledger.book(&entry), Ok(()));
        self.count(&event);
        self.history.push((event, self.now));
        self.keeps_its_promises()
    }

    /// An independent count of what each customer has under the limit.
    fn count(&mut self, event: &InventoryEvent) {
        match event {
            InventoryEvent::Adjusted { delta, .. } => self.received += delta,
            InventoryEvent::LimitSet { .. } => {
                self.counted.clear();
                for live in self.stock.holds().values() {
                    *self.counted.entry(live.customer.clone()).or_default() +=
                        live.quantity.units();
                }
            }
            InventoryEvent::Held { hold, quantity, customer, .. } => {
                self.takings.insert(*hold, (*quantity, customer.clone()));
                *self.counted.entry(customer.clone()).or_default() += quantity.units();
            }
            InventoryEvent::CommittedLate { hold, quantity } => {
                let (_, customer) = self.takings[hold].clone();
                *self.counted.entry(customer).or_default() += quantity.units();
            }
            InventoryEvent::Released { hold, quantity }
            | InventoryEvent::Expired { hold, quantity } => {
                let (_, customer) = self.takings[hold].clone();
                *self.counted.entry(customer).or_default() -= quantity.units();
            }
            InventoryEvent::Extended { .. }
            | InventoryEvent::Committed { .. }
            | InventoryEvent::Restocked { .. }
            | InventoryEvent::TakenBack { .. } => {}
        }
    }

    fn keeps_its_promises(&self) -> Result<(), TestCaseError> {
        let view = Inventory::view(&self.stock);
        // INVENTORY-1
        prop_assert!(view.held <= view.on_hand);
        prop_assert_eq!(Some(view.on_hand), view.available.checked_add(view.held));
        // INVENTORY-2
        let held: u32 = self.stock.holds().values().map(|hold| hold.quantity.units()).sum();
        prop_assert_eq!(view.held.units(), held);
        // INVENTORY-3
        let accounted = i64::from(view.on_hand.units()) + i64::from(view.sold.units());
        prop_assert_eq!(accounted, self.received);
        // INVENTORY-4; that each ends once and not early is the ledger's to say.
        let both = self.stock.holds().keys().any(|hold| self.stock.ended().contains_key(hold));
        prop_assert!(!both, "a hold is live and ended");
        let next = self.stock.holds().values().map(|hold| hold.expires_at).min();
        prop_assert_eq!(self.stock.next_expiry(), next);
        Ok(())
    }

    fn stays_within_the_limit(&self, events: &[InventoryEvent]) -> Result<(), TestCaseError> {
        let Some(limit) = self.stock.limit_per_customer() else { return Ok(()) };
        for event in events {
            if let InventoryEvent::Held { hold, .. } | InventoryEvent::CommittedLate { hold, .. } =
                event
            {
                let (_, customer) = &self.takings[hold];
                prop_assert!(self.counted[customer] <= limit.units(), "{} is over", customer);
            }
        }
        Ok(())
    }

    fn ask(&mut self, ask: Ask) -> Result<(), TestCaseError> {
        let Some(command) = self.command(ask) else { return Ok(()) };
        let Ok(events) = Inventory::decide(&self.stock, &command, self.now) else { return Ok(()) };
        for event in &events {
            self.book(event.clone())?;
            if let InventoryEvent::Held { hold, .. } = event {
                self.asked.insert(*hold, command.clone());
            }
            if let InventoryEvent::Committed { hold, .. }
            | InventoryEvent::CommittedLate { hold, .. }
            | InventoryEvent::Restocked { hold, .. } = event
            {
                self.sold_by.insert(*hold, self.asked[hold].clone());
            }
        }
        self.stays_within_the_limit(&events)?;
        // INVENTORY-5
        prop_assert_eq!(Inventory::decide(&self.stock, &command, self.now), Ok(vec![]));
        Ok(())
    }
}

proptest! {
    #[test]
    fn stock_is_never_oversold_and_every_unit_is_accounted_for(
        asks in prop::collection::vec(any_ask(), 1..250),
    ) {
        let mut shelf = Shelf::default();
        for ask in asks {
            shelf.ask(ask)?;
        }
        // Replay is the definition of state.
        let history = shelf.history.iter().map(|(event, at)| (event, *at));
        prop_assert_eq!(&Inventory::replay(history), &shelf.stock);
        // A snapshot loses nothing, and neither does the journal.
        let json = serde_json::to_string(&shelf.stock)?;
        prop_assert_eq!(serde_json::from_str::<StockLevel>(&json)?, shelf.stock);
        for (event, _) in &shelf.history {
            let json = serde_json::to_string(event)?;
            prop_assert_eq!(&serde_json::from_str::<InventoryEvent>(&json)?, event);
        }
    }

    #[test]
    fn once_every_deadline_has_passed_nothing_is_held(
        asks in prop::collection::vec(any_ask(), 1..250),
    ) {
        let mut shelf = Shelf::default();
        for ask in asks {
            shelf.ask(ask)?;
        }
        while let Some(deadline) = shelf.stock.next_expiry() {
            shelf.now = shelf.now.max(deadline);
            let before = shelf.stock.holds().len();
            shelf.ask(Ask::Expire)?;
            prop_assert!(shelf.stock.holds().len() < before, "a due hold did not lapse");
        }
        prop_assert_eq!(shelf.stock.held(), Quantity::ZERO);
        prop_assert_eq!(shelf.ledger.finish().open_holds, vec![]);
    }
}
