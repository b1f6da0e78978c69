//! Units: what is sold was there, what is there adds up, and nobody is sent away in vain.

use std::collections::BTreeMap;

use super::docket::{Docket, OrderFile};
use crate::checks::{Check, Findings};
use crate::history::event::Payment;

/// Units of a product by what is known about them at the end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fate {
    /// In orders that stand.
    sold: u64,
    /// In orders of which nobody knows whether their units are sold.
    maybe: u64,
    /// In orders that wait for their money, and may be held.
    open: u64,
}

/// What became of the units of each product.
pub(super) fn fates<'a>(docket: &Docket<'a>) -> BTreeMap<&'a str, Fate> {
    let mut fates: BTreeMap<&str, Fate> = BTreeMap::new();
    for order in docket.orders.values() {
        let latest = order.latest();
        for line in &latest.facts.lines {
            let fate = fates.entry(&line.product).or_default();
            let counter = if latest.is_open() {
                fate.open = fate.open.saturating_add(line.n);
                &mut fate.maybe
            } else if latest.came_to_nothing() {
                continue;
            } else if latest.stands() {
                &mut fate.sold
            } else {
                // Refunded: the units are in the house or with the customer.
                &mut fate.maybe
            };
            *counter = counter.saturating_add(line.n);
        }
    }
    for key in docket.keys.values().filter(|key| key.is_unknown()) {
        for line in key.wanted {
            let fate = fates.entry(&line.product).or_default();
            fate.maybe = fate.maybe.saturating_add(line.n);
            fate.open = fate.open.saturating_add(line.n);
        }
    }
    fates
}

/// At no moment were more units surely sold than can have been there, at every look the number
/// of sold units is one that the orders explain, and at the end it is exactly that. What the walk
/// through time has found comes along.
pub(super) fn nothing_oversold(
    docket: &Docket<'_>,
    fates: &BTreeMap<&str, Fate>,
    mut findings: Findings,
) -> Check {
    let (mut units, mut loaded) = (0_u64, 0_u64);
    for (product, shelf) in &docket.shelves {
        let fate = fates.get(product).copied().unwrap_or_default();
        units = units.saturating_add(fate.sold);
        let (Some((_, opening)), Some((op, closing))) = (shelf.opening, shelf.closing) else {
            continue;
        };
        loaded = loaded.saturating_add(opening.stock.available);
        let grown = closing.stock.sold.checked_sub(opening.stock.sold);
        let explained = fate.sold..=fate.sold.saturating_add(fate.maybe);
        findings.unless(grown.is_some_and(|grown| explained.contains(&grown)), || {
            format!(
                "{}: sold of {product} went from {} to {}; {} units are in orders that stand and {} may be",
                op.name(),
                opening.stock.sold,
                closing.stock.sold,
                fate.sold,
                fate.maybe
            )
        });
    }
    let figure = format!("{units} units in orders that stand, {loaded} loaded");
    findings.into_check("nothing_oversold", figure)
}

/// `on_hand = held + available` at every look, `on_hand + sold` is what was loaded and changed
/// by hand, no hold outlives its order, every payment comes to an end, and "sold out" is said
/// only when it can have been true.
pub(super) fn stock_adds_up(
    docket: &Docket<'_>,
    fates: &BTreeMap<&str, Fate>,
    mut findings: Findings,
    looks: usize,
) -> Check {
    for (product, shelf) in &docket.shelves {
        let (Some((_, opening)), Some((op, closing))) = (shelf.opening, shelf.closing) else {
            continue;
        };
        let open = fates.get(product).copied().unwrap_or_default().open;
        let left = closing.stock.held.saturating_sub(opening.stock.held);
        findings.unless(left <= open, || {
            format!("{}: {left} units of {product} still held, {open} in open orders", op.name())
        });
    }
    let mut unsettled = 0_usize;
    for (id, order) in &docket.orders {
        if is_unsettled(order) {
            unsettled = unsettled.saturating_add(1);
            findings.add(|| format!("order {id} of {} has not settled", order.first.0.name()));
        }
    }
    findings.into_check(
        "stock_adds_up",
        format!("{} products, {looks} looks, {unsettled} orders unsettled", docket.shelves.len()),
    )
}

/// At the end its payment is still on the way. One that is unpaid may be paid on delivery, which is
/// done; an order that was only ever accepted finishes by itself.
fn is_unsettled(order: &OrderFile<'_>) -> bool {
    order.last().is_some_and(|last| {
        let waits = matches!(last.payment, Payment::Queued | Payment::Authorised);
        last.is_open() && (waits || order.is_only_accepted())
    })
}
