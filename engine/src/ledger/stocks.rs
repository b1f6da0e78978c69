//! What must hold for the history of one product's stock (R1, R6, R13).

use super::Lookup;
use super::closing::{Closing, OpenHold};
use super::deposits::Made;
use super::entry::Entry;
use super::recent::Adjustments;
use super::violation::{Found, broken, holds};
use crate::inventory::InventoryEvent;
use crate::promo::USES_UNLIMITED;
use crate::values::{AdjustmentId, CreditAccount, HoldId, Moment, ProductId, PromoCode, Quantity};

/// What became of a taking. One that was released is forgotten: the hold may be taken again.
#[derive(Clone, Copy, Debug)]
enum Taking {
    Live { quantity: Quantity, expires_at: Moment },
    Expired { quantity: Quantity },
    Sold { quantity: Quantity },
    Restocked,
}

/// One product's units, each in exactly one place.
#[derive(Debug, Default)]
pub(super) struct StockBook {
    /// Everything that ever came in by hand, less what was taken away by hand.
    received: i128,
    available: i128,
    held: i128,
    sold: i128,
    takings: Lookup<HoldId, Taking>,
    adjustments: Adjustments,
    /// The changes by hand of a stock of credit, all of them: a return may name each at any time.
    credited: Vec<(AdjustmentId, i64)>,
}

fn count(quantity: Quantity) -> i128 {
    i128::from(quantity.units())
}

fn moved(left: i128, right: i128) -> i128 {
    left.saturating_add(right)
}

impl StockBook {
    pub(super) fn enter(&mut self, entry: &Entry<'_>, event: &InventoryEvent) -> Result<(), Found> {
        let at = entry.at;
        match event {
            InventoryEvent::Adjusted { adjustment, delta, .. } => {
                if PromoCode::counts_uses(entry.key()) {
                    self.deliver_uses(*delta)?;
                }
                self.adjustments.make(*adjustment)?;
                if CreditAccount::is_counted_by(entry.key()) {
                    self.credited.push((*adjustment, *delta));
                }
                self.received = moved(self.received, i128::from(*delta));
                self.available = moved(self.available, i128::from(*delta));
            }
            InventoryEvent::LimitSet { .. } => {}
            InventoryEvent::Held { hold, quantity, expires_at, .. } => {
                self.hold(*hold, *quantity, *expires_at)?;
            }
            InventoryEvent::Extended { hold, expires_at } => match self.takings.get_mut(hold) {
                Some(Taking::Live { expires_at: end, .. }) => *end = *expires_at,
                other => return not_live("extended", *hold, other.as_deref()),
            },
            InventoryEvent::Committed { hold, quantity } => {
                let (quantity, _) = self.end(*hold, *quantity, "committed")?;
                self.sold = moved(self.sold, count(quantity));
                self.takings.insert(*hold, Taking::Sold { quantity });
            }
            InventoryEvent::CommittedLate { hold, quantity } => {
                self.commit_late(*hold, *quantity)?;
            }
            InventoryEvent::Released { hold, quantity } => {
                let (quantity, _) = self.end(*hold, *quantity, "released")?;
                self.available = moved(self.available, count(quantity));
            }
            InventoryEvent::Expired { hold, quantity } => {
                let (quantity, deadline) = self.end(*hold, *quantity, "expired")?;
                holds("R6", deadline <= at, || {
                    let early = deadline.saturating_since(at);
                    format!("hold {hold} expired {early:?} before its time")
                })?;
                self.available = moved(self.available, count(quantity));
                self.takings.insert(*hold, Taking::Expired { quantity });
            }
            InventoryEvent::Restocked { hold, quantity } => {
                self.restock(*hold, *quantity)?;
            }
            InventoryEvent::TakenBack { hold, quantity } => {
                let before = self.takings.insert(*hold, Taking::Restocked);
                holds("R13", before.is_none(), || {
                    format!("the units of return {hold} were taken back twice")
                })?;
                self.sold = moved(self.sold, count(*quantity).saturating_neg());
                self.available = moved(self.available, count(*quantity));
            }
        }
        self.balance()
    }

    /// R1: how often a promo code can be used is settled when it is made.
    fn deliver_uses(&self, uses: i64) -> Result<(), Found> {
        holds("R1", self.received == 0, || {
            format!("{uses} uses of a promo code came in a second time")
        })?;
        holds("R1", (1..=i64::from(USES_UNLIMITED)).contains(&uses), || {
            format!("a promo code has {uses} uses")
        })
    }

    /// R1: nothing is negative or past what a stock can count, and what came in is available, held
    /// or sold.
    fn balance(&self) -> Result<(), Found> {
        let Self { received, available, held, sold, .. } = self;
        holds("R1", 0 <= *available && 0 <= *held && 0 <= *sold, || {
            format!("{available} units available, {held} held, {sold} sold: one is below zero")
        })?;
        let most = moved(*available, *held).max(*sold);
        holds("R1", most <= i128::from(u32::MAX), || {
            format!("{most} units are more than a stock can count")
        })?;
        let accounted = moved(moved(*available, *held), *sold);
        holds("R1", accounted == *received, || {
            format!("{received} units came in, {available} + {held} + {sold} are accounted for")
        })
    }

    fn hold(&mut self, hold: HoldId, quantity: Quantity, expires_at: Moment) -> Result<(), Found> {
        match self.takings.get(&hold) {
            None | Some(Taking::Expired { .. }) => {}
            Some(Taking::Live { .. }) => {
                return broken("R6", format!("hold {hold} was taken while it lives"));
            }
            Some(Taking::Sold { .. } | Taking::Restocked) => {
                return broken("R6", format!("hold {hold} was taken again after it was sold"));
            }
        }
        holds("R6", Quantity::ZERO < quantity, || format!("hold {hold} sets nothing aside"))?;
        self.available = moved(self.available, count(quantity).saturating_neg());
        self.held = moved(self.held, count(quantity));
        self.takings.insert(hold, Taking::Live { quantity, expires_at });
        Ok(())
    }

    /// Ends a live taking; its units are in no place until the caller has put them somewhere.
    fn end(
        &mut self,
        hold: HoldId,
        told: Quantity,
        word: &str,
    ) -> Result<(Quantity, Moment), Found> {
        match self.takings.remove(&hold) {
            Some(Taking::Live { quantity, expires_at }) => {
                holds("R1", quantity == told, || {
                    format!("hold {hold} of {quantity} units was {word} with {told}")
                })?;
                self.held = moved(self.held, count(quantity).saturating_neg());
                Ok((quantity, expires_at))
            }
            other => not_live(word, hold, other.as_ref()),
        }
    }

    fn commit_late(&mut self, hold: HoldId, told: Quantity) -> Result<(), Found> {
        match self.takings.get(&hold) {
            Some(Taking::Expired { quantity }) if *quantity == told => {
                self.available = moved(self.available, count(told).saturating_neg());
                self.sold = moved(self.sold, count(told));
                self.takings.insert(hold, Taking::Sold { quantity: told });
                Ok(())
            }
            Some(Taking::Expired { quantity }) => {
                broken("R1", format!("hold {hold} of {quantity} units was committed with {told}"))
            }
            None | Some(Taking::Live { .. } | Taking::Sold { .. } | Taking::Restocked) => {
                broken("R6", format!("hold {hold} was committed late without having lapsed"))
            }
        }
    }

    fn restock(&mut self, hold: HoldId, told: Quantity) -> Result<(), Found> {
        match self.takings.insert(hold, Taking::Restocked) {
            Some(Taking::Sold { quantity }) => {
                holds("R13", quantity == told, || {
                    format!("{told} units went back of the {quantity} sold under hold {hold}")
                })?;
                self.sold = moved(self.sold, count(told).saturating_neg());
                self.available = moved(self.available, count(told));
                Ok(())
            }
            Some(Taking::Expired { .. }) => holds("R13", told == Quantity::ZERO, || {
                format!("{told} units went back of hold {hold}, which had lapsed")
            }),
            Some(Taking::Restocked) => {
                broken("R13", format!("the units of hold {hold} went back twice"))
            }
            None | Some(Taking::Live { .. }) => {
                broken("R13", format!("{told} units of hold {hold} went back without being sold"))
            }
        }
    }

    pub(super) fn close(&self, key: &str, closing: &mut Closing, made: &mut Made) {
        if let Some(account) = CreditAccount::of_stock(key) {
            let named = |(id, delta): &(_, _)| ((*id, account.currency()), *delta);
            made.extend(self.credited.iter().map(named));
        }
        for (hold, taking) in &self.takings {
            if let Taking::Live { quantity, expires_at } = taking {
                closing.open_holds.push(OpenHold {
                    product: key.to_owned(),
                    hold: *hold,
                    quantity: u64::from(quantity.units()),
                    expires_at: *expires_at,
                });
            }
        }
        if let Ok(product) = ProductId::of_stock(key) {
            let units = closing.units.entry(product).or_default();
            units.sold = u64::try_from(self.sold).unwrap_or_default();
        }
    }
}

fn not_live<T>(word: &str, hold: HoldId, taking: Option<&Taking>) -> Result<T, Found> {
    let state = match taking {
        None => "is not held",
        Some(Taking::Live { .. }) => "is held",
        Some(Taking::Expired { .. }) => "has lapsed",
        Some(Taking::Sold { .. }) => "is sold",
        Some(Taking::Restocked) => "went back",
    };
    broken("R6", format!("hold {hold} was {word} but {state}"))
}
