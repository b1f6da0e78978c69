//! The rules of one product's stock.

use super::model::{
    HoldEnd, Inventory, InventoryCommand, InventoryEvent, InventoryRefusal, StockLevel, StockView,
};
use crate::aggregate::Aggregate;
use crate::planted::{Bug, planted};
use crate::values::{AdjustmentId, CustomerId, HoldId, Moment, Quantity};

type Decision = Result<Vec<InventoryEvent>, InventoryRefusal>;

impl Aggregate for Inventory {
    const KIND: &'static str = "inventory";
    const SPEAKS_WHEN_EMPTY: bool = true;
    type State = StockLevel;
    type Command = InventoryCommand;
    type Event = InventoryEvent;
    type Refusal = InventoryRefusal;
    type View = StockView;

    fn decide(stock: &StockLevel, command: &InventoryCommand, now: Moment) -> Decision {
        match command {
            InventoryCommand::Adjust { adjustment, delta, reason, if_version } => {
                adjust(stock, *adjustment, *delta, reason, *if_version)
            }
            InventoryCommand::Count { adjustment, on_hand, reason } => {
                count(stock, *adjustment, *on_hand, reason)
            }
            InventoryCommand::SetLimit { limit } if *limit == stock.limit_per_customer => {
                Ok(Vec::new())
            }
            InventoryCommand::SetLimit { limit } => {
                Ok(vec![InventoryEvent::LimitSet { limit: *limit }])
            }
            InventoryCommand::Hold { hold, quantity, customer, expires_at, valid_until } => {
                if *valid_until < now {
                    return Err(InventoryRefusal::Stale);
                }
                take(stock, *hold, *quantity, customer, *expires_at, now)
            }
            InventoryCommand::Extend { hold, expires_at } => extend(stock, *hold, *expires_at),
            InventoryCommand::Commit { hold, quantity } => commit(stock, *hold, *quantity),
            InventoryCommand::Release { hold } => Ok(release(stock, *hold)),
            InventoryCommand::Restock { hold, quantity } => restock(stock, *hold, *quantity),
            InventoryCommand::TakeBack { hold, quantity } => take_back(stock, *hold, *quantity),
            InventoryCommand::Expire => Ok(expire(stock, now)),
        }
    }

    fn evolve(stock: &mut StockLevel, event: &InventoryEvent, at: Moment) {
        super::evolve::evolve(stock, event, at);
    }

    fn view(stock: &StockLevel) -> StockView {
        StockView {
            on_hand: stock.on_hand,
            held: stock.held,
            available: stock.available(),
            sold: stock.sold,
            version: stock.version,
        }
    }

    fn decided_at(stock: &StockLevel) -> Moment {
        stock.decided_at
    }

    fn wake() -> Option<InventoryCommand> {
        Some(InventoryCommand::Expire)
    }

    fn wake_at(stock: &StockLevel) -> Option<Moment> {
        stock.next_expiry().filter(|_| !planted(Bug::NeverLapses))
    }
}

fn adjust(
    stock: &StockLevel,
    adjustment: AdjustmentId,
    delta: i64,
    reason: &str,
    if_version: Option<u64>,
) -> Decision {
    if let Some(known) = stock.adjustments.iter().find(|known| known.id == adjustment)
        && !planted(Bug::AdjustsTwice)
    {
        return if known.says(delta, reason) {
            Ok(Vec::new())
        } else {
            Err(InventoryRefusal::AdjustmentMismatch(adjustment))
        };
    }
    if if_version.is_some_and(|wanted| wanted != stock.version) {
        return Err(InventoryRefusal::VersionMismatch { actual: stock.version });
    }
    if delta == 0 {
        return Err(InventoryRefusal::EmptyQuantity);
    }
    let available = stock.available();
    let after =
        i64::from(available.units()).checked_add(delta).ok_or(InventoryRefusal::CountOutOfRange)?;
    if after < 0 && !planted(Bug::TakesPromised) {
        // Held units are promised; only free ones can be taken away.
        let requested =
            u32::try_from(delta.unsigned_abs()).map_err(|_| InventoryRefusal::CountOutOfRange)?;
        let requested = Quantity::new(requested);
        return Err(InventoryRefusal::NotEnoughStock { requested, available });
    }
    // All units that were ever here must fit, so that no later commit can overflow `sold`.
    let total = i64::from(stock.on_hand.units())
        .checked_add(i64::from(stock.sold.units()))
        .and_then(|total| total.checked_add(delta));
    if total.and_then(|total| u32::try_from(total).ok()).is_none() {
        return Err(InventoryRefusal::CountOutOfRange);
    }
    Ok(vec![InventoryEvent::Adjusted { adjustment, delta, reason: reason.to_owned() }])
}

fn count(
    stock: &StockLevel,
    adjustment: AdjustmentId,
    on_hand: Quantity,
    reason: &str,
) -> Decision {
    if let Some(known) = stock.adjustments.iter().find(|known| known.id == adjustment) {
        return if known.gives(reason) {
            Ok(Vec::new())
        } else {
            Err(InventoryRefusal::AdjustmentMismatch(adjustment))
        };
    }
    let delta = i64::from(on_hand.units()).saturating_sub(i64::from(stock.on_hand.units()));
    if delta == 0 {
        return Ok(Vec::new());
    }
    adjust(stock, adjustment, delta, reason, None)
}

fn take(
    stock: &StockLevel,
    hold: HoldId,
    quantity: Quantity,
    customer: &CustomerId,
    expires_at: Moment,
    now: Moment,
) -> Decision {
    if quantity == Quantity::ZERO {
        return Err(InventoryRefusal::EmptyQuantity);
    }
    if let Some(known) = stock.holds.get(&hold)
        && !planted(Bug::HoldsTwice)
    {
        // A retry of a granted command is granted again, without a second hold (INVENTORY-5).
        if known.quantity != quantity {
            return Err(InventoryRefusal::HoldMismatch(hold));
        }
        return extend(stock, hold, expires_at);
    }
    // A released hold may be taken again: its order was refused and asks anew. A committed one not.
    match stock.ended.get(&hold).map(|ended| ended.how) {
        None | Some(HoldEnd::Released | HoldEnd::Expired) => {}
        Some(HoldEnd::Committed | HoldEnd::Restocked) => {
            return Err(InventoryRefusal::HoldMismatch(hold));
        }
    }
    // Lapsed holds go first: a buyer must not wait for the timer.
    let mut events = Vec::new();
    let mut room = Room::of(stock, customer);
    if room.refusal(quantity).is_some() {
        events = expire(stock, now);
        for event in &events {
            room.give_back(stock, event, customer);
        }
    }
    if let Some(refusal) = room.refusal(quantity) {
        return Err(refusal);
    }
    events.push(InventoryEvent::Held { hold, quantity, customer: customer.clone(), expires_at });
    Ok(events)
}

/// What one customer can still be given.
struct Room {
    available: Quantity,
    bought: Quantity,
    limit: Option<Quantity>,
}

impl Room {
    fn of(stock: &StockLevel, customer: &CustomerId) -> Self {
        Self {
            available: stock.available(),
            bought: stock.bought.get(customer).copied().unwrap_or_default(),
            limit: stock.limit_per_customer,
        }
    }

    fn give_back(&mut self, stock: &StockLevel, event: &InventoryEvent, customer: &CustomerId) {
        let InventoryEvent::Expired { hold, quantity } = event else { return };
        self.available = self.available.checked_add(*quantity).unwrap_or(self.available);
        if stock.holds.get(hold).is_some_and(|known| known.customer == *customer) {
            self.bought = self.bought.checked_sub(*quantity).unwrap_or_default();
        }
    }

    fn refusal(&self, quantity: Quantity) -> Option<InventoryRefusal> {
        if self.available < quantity && !planted(Bug::Oversells) {
            return Some(InventoryRefusal::NotEnoughStock {
                requested: quantity,
                available: self.available,
            });
        }
        let limit = self.limit.filter(|_| !planted(Bug::IgnoresLimit))?;
        let total = self.bought.checked_add(quantity);
        total.is_none_or(|total| limit < total).then_some(InventoryRefusal::OverLimit { limit })
    }
}

fn extend(stock: &StockLevel, hold: HoldId, expires_at: Moment) -> Decision {
    match stock.holds.get(&hold) {
        Some(known) if expires_at <= known.expires_at => Ok(Vec::new()),
        Some(_) => Ok(vec![InventoryEvent::Extended { hold, expires_at }]),
        None => match stock.ended.get(&hold).map(|ended| ended.how) {
            Some(HoldEnd::Expired | HoldEnd::Released) => Err(InventoryRefusal::Lapsed(hold)),
            Some(HoldEnd::Committed | HoldEnd::Restocked) | None => Ok(Vec::new()),
        },
    }
}

fn commit(stock: &StockLevel, hold: HoldId, quantity: Quantity) -> Decision {
    if let Some(known) = stock.holds.get(&hold) {
        return Ok(vec![InventoryEvent::Committed { hold, quantity: known.quantity }]);
    }
    // Unknown means committed and forgotten: exceptional ends are remembered for longer.
    let Some(ended) = stock.ended.get(&hold) else { return Ok(Vec::new()) };
    match ended.how {
        HoldEnd::Committed => Ok(Vec::new()),
        HoldEnd::Released | HoldEnd::Restocked => Err(InventoryRefusal::Lapsed(hold)),
        HoldEnd::Expired if planted(Bug::SellsLapsed) => {
            Ok(vec![InventoryEvent::CommittedLate { hold, quantity }])
        }
        HoldEnd::Expired if stock.available() < quantity => Err(InventoryRefusal::Lapsed(hold)),
        HoldEnd::Expired => {
            // The customer may have bought again since the hold lapsed.
            let over = ended.customer.as_ref().map(|customer| Room::of(stock, customer));
            match over.and_then(|room| room.refusal(quantity)) {
                Some(refusal) => Err(refusal),
                None => Ok(vec![InventoryEvent::CommittedLate { hold, quantity }]),
            }
        }
    }
}

fn release(stock: &StockLevel, hold: HoldId) -> Vec<InventoryEvent> {
    stock.holds.get(&hold).map_or_else(Vec::new, |known| {
        vec![InventoryEvent::Released { hold, quantity: known.quantity }]
    })
}

fn restock(stock: &StockLevel, hold: HoldId, quantity: Quantity) -> Decision {
    if stock.holds.contains_key(&hold) {
        return Ok(release(stock, hold));
    }
    match stock.ended.get(&hold).map(|ended| ended.how) {
        Some(HoldEnd::Restocked) if planted(Bug::RestocksTwice) && quantity <= stock.sold => {
            Ok(vec![InventoryEvent::Restocked { hold, quantity }])
        }
        Some(HoldEnd::Released | HoldEnd::Restocked) => Ok(Vec::new()),
        // Nothing comes back, but a commit that was overtaken on its way must not sell it now.
        Some(HoldEnd::Expired) => {
            Ok(vec![InventoryEvent::Restocked { hold, quantity: Quantity::ZERO }])
        }
        Some(HoldEnd::Committed) | None if quantity <= stock.sold => {
            Ok(vec![InventoryEvent::Restocked { hold, quantity }])
        }
        Some(HoldEnd::Committed) | None => Err(InventoryRefusal::CountOutOfRange),
    }
}

/// A repeat is known by the return, for as long as other ends are remembered.
fn take_back(stock: &StockLevel, hold: HoldId, quantity: Quantity) -> Decision {
    if stock.ended.contains_key(&hold) || quantity == Quantity::ZERO {
        return Ok(Vec::new());
    }
    if stock.sold < quantity {
        return Err(InventoryRefusal::CountOutOfRange);
    }
    Ok(vec![InventoryEvent::TakenBack { hold, quantity }])
}

fn expire(stock: &StockLevel, now: Moment) -> Vec<InventoryEvent> {
    stock
        .expiries
        .iter()
        .take_while(|(expires_at, _)| *expires_at <= now || planted(Bug::LapsesEarly))
        .filter_map(|(_, hold)| {
            let quantity = stock.holds.get(hold)?.quantity;
            Some(InventoryEvent::Expired { hold: *hold, quantity })
        })
        .collect()
}
