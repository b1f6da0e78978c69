//! Checks on units: nothing sold that was not there, nothing lost, nothing left over.

use std::collections::BTreeMap;

use super::{Check, Evidence, Findings};
use crate::record::{Stock, Verdict};

/// Units in acknowledged orders, by product. A queued order that ended without payment
/// gave its units back, and said so; every other acknowledgement counts.
fn acknowledged_units<'a>(evidence: &Evidence<'a>) -> BTreeMap<&'a str, u64> {
    let readings = evidence.readings_by_shopper();
    let mut units = BTreeMap::new();
    for record in evidence.records {
        let Some(answer) = record.accepted() else { continue };
        let ended_unsold = answer.status == 202
            && readings
                .get(&record.shopper)
                .and_then(|reading| reading.found.as_ref().ok())
                .is_some_and(|order| !order.stands() && !order.is_open());
        if !ended_unsold {
            let sum = units.entry(&*record.product).or_insert(0_u64);
            *sum = sum.saturating_add(u64::from(record.quantity));
        }
    }
    units
}

/// Units in acknowledged orders never exceed what was loaded, and the product's own
/// count of sold units grew by exactly as many.
pub(super) fn nothing_oversold(evidence: &Evidence<'_>) -> Check {
    let acknowledged = acknowledged_units(evidence);
    let mut findings = Findings::default();
    let (mut units, mut loaded) = (0_u64, 0_u64);
    for shelf in evidence.shelves {
        let promised = acknowledged.get(&*shelf.product).copied().unwrap_or(0);
        units = units.saturating_add(promised);
        loaded = loaded.saturating_add(shelf.before.available);
        findings.unless(promised <= shelf.before.available, || {
            format!(
                "{}: {promised} units acknowledged, {} were there",
                shelf.product, shelf.before.available
            )
        });
        let grown = shelf.after.map(|after| after.sold.saturating_sub(shelf.before.sold));
        findings.unless(grown == Some(promised), || match grown {
            Some(grown) => {
                format!("{}: {promised} units acknowledged, sold grew by {grown}", shelf.product)
            }
            None => format!("{}: the stock could not be read afterwards", shelf.product),
        });
    }
    findings.into_check(
        "nothing_oversold",
        format!("{units} units in acknowledged orders, {loaded} loaded"),
    )
}

/// `on_hand = held + available` whenever it is read; `on_hand + sold` is what was loaded;
/// no hold outlives the orders.
pub(super) fn stock_adds_up(evidence: &Evidence<'_>) -> Check {
    let whole = |stock: &Stock| Some(stock.on_hand) == stock.held.checked_add(stock.available);
    let mut findings = Findings::default();
    for sample in evidence.samples {
        let Stock { on_hand, held, available, .. } = sample.stock;
        findings.unless(whole(&sample.stock), || {
            format!(
                "at {} ms: on_hand {on_hand} is not held {held} + available {available}",
                sample.at_ms
            )
        });
    }
    let mut held = 0_u64;
    for shelf in evidence.shelves {
        let Some(after) = shelf.after else {
            findings.add(|| format!("{}: the stock could not be read afterwards", shelf.product));
            continue;
        };
        held = held.saturating_add(after.held.saturating_sub(shelf.before.held));
        findings.unless(whole(&after), || {
            format!(
                "{}: on_hand {} is not held {} + available {}",
                shelf.product, after.on_hand, after.held, after.available
            )
        });
        let all_before = shelf.before.on_hand.checked_add(shelf.before.sold);
        findings.unless(after.on_hand.checked_add(after.sold) == all_before, || {
            format!(
                "{}: on_hand {} + sold {} is not the {} + {} of the start",
                shelf.product, after.on_hand, after.sold, shelf.before.on_hand, shelf.before.sold
            )
        });
        findings.unless(after.held <= shelf.before.held, || {
            format!("{}: {} units still held", shelf.product, after.held)
        });
    }
    let open = evidence
        .readings
        .iter()
        .filter(|reading| reading.found.as_ref().is_ok_and(|order| order.is_open()))
        .count();
    findings.unless(open == 0, || format!("{open} queued orders had not settled in time"));
    findings.into_check(
        "stock_adds_up",
        format!(
            "{} products, {} readings during the run, {held} units still held, {open} orders open",
            evidence.shelves.len(),
            evidence.samples.len()
        ),
    )
}

/// Whoever was judged was served while there was stock: sold is the smaller of what was
/// asked for and what was there, in whole orders.
pub(super) fn demand_is_served(evidence: &Evidence<'_>) -> Check {
    // Asked units and the size of one order, by product. Who was turned away as "too busy"
    // on every try was never judged and proves nothing.
    let mut asked: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for record in evidence.records {
        if matches!(record.verdict(), Verdict::Accepted | Verdict::Refused) {
            let quantity = u64::from(record.quantity);
            let entry = asked.entry(&*record.product).or_insert((0, quantity));
            entry.0 = entry.0.saturating_add(quantity);
        }
    }
    let mut findings = Findings::default();
    let (mut sold, mut expected, mut scarce) = (0_u64, 0_u64, 0_usize);
    for shelf in evidence.shelves {
        let (demand, quantity) = asked.get(&*shelf.product).copied().unwrap_or((0, 1));
        let there = shelf.before.available;
        let sellable = there.saturating_sub(there.checked_rem(quantity).unwrap_or(0));
        let wanted = demand.min(sellable);
        scarce = scarce.saturating_add(usize::from(demand >= there));
        expected = expected.saturating_add(wanted);
        let Some(after) = shelf.after else {
            findings.add(|| format!("{}: the stock could not be read afterwards", shelf.product));
            continue;
        };
        let grown = after.sold.saturating_sub(shelf.before.sold);
        sold = sold.saturating_add(grown);
        findings.unless(grown == wanted, || {
            format!(
                "{}: {grown} units sold; {demand} were asked for and {there} were there",
                shelf.product
            )
        });
    }
    findings.into_check(
        "demand_is_served",
        format!("{sold} units sold, {expected} expected; {scarce} products with demand for all of their stock"),
    )
}
