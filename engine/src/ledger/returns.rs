//! What must hold of units that come back: in the history of their order, and in that of a return
//! (R12, R13).

use std::collections::BTreeMap;

use super::orders::Totals;
use super::violation::{Found, broken, holds};
use crate::order::{OrderEvent, RefundMethod, Units};
use crate::rma::ReturnEvent;
use crate::values::{Money, ProductId, Quantity, ReturnId};

/// What the returns of one order come to.
#[derive(Debug, Default)]
pub(super) struct Returned(BTreeMap<ReturnId, Part>);

#[derive(Debug, Default)]
struct Part {
    units: Units,
    /// Money that was asked back and is not there yet.
    owed: Option<Money>,
    /// On which way it was asked back.
    method: Option<RefundMethod>,
}

impl Returned {
    /// Books what happened to a return of an order with these lines.
    pub(super) fn enter(
        &mut self,
        event: &OrderEvent,
        lines: &[(ProductId, Quantity)],
    ) -> Result<(), Found> {
        if let OrderEvent::ReturnSetApart { rma, units } = event {
            let part = Part { units: units.clone(), ..Part::default() };
            let before = self.0.insert(*rma, part);
            holds("R13", before.is_none(), || format!("return {rma} was set apart twice"))?;
            return self.is_within(lines);
        }
        if let OrderEvent::ReturnNarrowed { rma, units } = event {
            let part = self.part(*rma)?;
            holds("R13", is_part(units, &part.units), || {
                format!("return {rma} was narrowed to more units than it had")
            })?;
            part.units.clone_from(units);
        }
        if let OrderEvent::PartRefundAsked { rma, units, amount, method } = event {
            let part = self.part(*rma)?;
            holds("R13", part.owed.is_none(), || format!("{amount} were asked for again"))?;
            holds("R13", is_part(units, &part.units), || {
                format!("return {rma} wants money for units that it does not have")
            })?;
            (part.owed, part.method) = (Some(*amount), Some(*method));
        }
        if let OrderEvent::PartRefundFailed { rma } = event {
            let part = self.part(*rma)?;
            holds("R13", part.owed.take().is_some(), || {
                format!("a refund for return {rma} failed that nobody asked for")
            })?;
        }
        Ok(())
    }

    /// Money of a return went back.
    pub(super) fn give_back(&mut self, rma: ReturnId, amount: Money) -> Result<(), Found> {
        let owed = self.part(rma)?.owed.take();
        holds("R13", owed == Some(amount), || {
            format!("{amount} went back for return {rma}, which was owed {owed:?}")
        })
    }

    /// Whether its money became store credit, when the order was paid with credit or not.
    pub(super) fn went_to_credit(&self, rma: ReturnId, by_credit: bool) -> bool {
        match self.0.get(&rma).and_then(|part| part.method) {
            Some(RefundMethod::StoreCredit) => true,
            Some(RefundMethod::Original) => by_credit,
            Some(RefundMethod::Card | RefundMethod::Cash) | None => false,
        }
    }

    fn part(&mut self, rma: ReturnId) -> Result<&mut Part, Found> {
        match self.0.get_mut(&rma) {
            Some(part) => Ok(part),
            None => broken("R12", format!("return {rma} has no units of the order")),
        }
    }

    /// R13: no line comes back more often than it was bought.
    fn is_within(&self, lines: &[(ProductId, Quantity)]) -> Result<(), Found> {
        let mut back: BTreeMap<&ProductId, u64> = BTreeMap::new();
        for (product, units) in self.0.values().flat_map(|part| &part.units) {
            let sum = back.entry(product).or_default();
            *sum = sum.saturating_add(u64::from(units.units()));
        }
        for (product, units) in back {
            let line = lines.iter().find(|(bought, _)| bought == product);
            let bought = line.map_or(0, |(_, quantity)| u64::from(quantity.units()));
            holds("R13", units <= bought, || {
                format!("{units} units of {product} come back of {bought} bought")
            })?;
        }
        Ok(())
    }
}

fn is_part(part: &Units, whole: &Units) -> bool {
    part.iter().all(|(product, units)| whole.get(product).is_some_and(|all| units <= all))
}

/// How far a return is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Missing,
    Requested,
    Pending,
    Authorized,
    Received,
    Inspected,
    RefundAsked,
    Refunded,
    Restocked,
    Ended,
}

/// One return.
#[derive(Debug, Default)]
pub(super) struct ReturnBook {
    stage: Stage,
    /// What may still come back: requested, then approved, then passed.
    units: Units,
}

impl ReturnBook {
    pub(super) fn enter(&mut self, event: &ReturnEvent, totals: &mut Totals) -> Result<(), Found> {
        let from: &[Stage] = match event {
            ReturnEvent::Requested(_) => &[Stage::Missing],
            ReturnEvent::SetApart | ReturnEvent::NotSetApart { .. } => &[Stage::Requested],
            ReturnEvent::Authorized { .. }
            | ReturnEvent::Rejected { .. }
            | ReturnEvent::Cancelled { .. } => &[Stage::Pending],
            // The order was told; that may come at any later time.
            ReturnEvent::Narrowed { .. } | ReturnEvent::PhotoAdded { .. } => return Ok(()),
            ReturnEvent::Shipped { .. } | ReturnEvent::Received { .. } => &[Stage::Authorized],
            ReturnEvent::Inspected { .. } => &[Stage::Received],
            ReturnEvent::RefundAsked { .. } => &[Stage::Inspected],
            ReturnEvent::Refunded { .. } | ReturnEvent::RefundFailed => &[Stage::RefundAsked],
            ReturnEvent::Restocked { .. } => &[Stage::Refunded],
        };
        let promise = if matches!(event, ReturnEvent::Restocked { .. }) { "R13" } else { "R12" };
        holds(promise, from.contains(&self.stage), || {
            format!("this happened to a return that was {:?}", self.stage)
        })?;
        self.stage = match event {
            ReturnEvent::Requested(request) => {
                let lines = request.lines.iter();
                self.units = lines.map(|line| (line.product.clone(), line.quantity)).collect();
                Stage::Requested
            }
            ReturnEvent::SetApart => Stage::Pending,
            ReturnEvent::NotSetApart { .. }
            | ReturnEvent::Rejected { .. }
            | ReturnEvent::Cancelled { .. } => Stage::Ended,
            ReturnEvent::Authorized { approved, .. } => {
                self.narrow(approved)?;
                Stage::Authorized
            }
            ReturnEvent::Shipped { .. }
            | ReturnEvent::Narrowed { .. }
            | ReturnEvent::PhotoAdded { .. } => self.stage,
            ReturnEvent::Received { .. } => Stage::Received,
            ReturnEvent::Inspected { passed, .. } => {
                self.narrow(passed)?;
                if passed.is_empty() { Stage::Ended } else { Stage::Inspected }
            }
            ReturnEvent::RefundAsked { .. } => Stage::RefundAsked,
            ReturnEvent::RefundFailed => Stage::Inspected,
            ReturnEvent::Refunded { .. } => Stage::Refunded,
            ReturnEvent::Restocked { units } => {
                self.narrow(units)?;
                for (product, units) in units {
                    let sum = totals.returned.entry(product.clone()).or_default();
                    *sum = sum.saturating_add(u64::from(units.units()));
                }
                Stage::Restocked
            }
        };
        Ok(())
    }

    fn narrow(&mut self, units: &Units) -> Result<(), Found> {
        holds("R13", is_part(units, &self.units), || {
            "more units come back than the step before let through".to_owned()
        })?;
        self.units.clone_from(units);
        Ok(())
    }
}
