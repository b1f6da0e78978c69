//! Checks on orders: each acknowledged one is kept as promised, and each key names one.

use std::collections::BTreeMap;

use super::{Check, Evidence, Findings, REPLAYS};
use crate::record::{Answer, OrderView, Reading, ShopperRecord};

/// Every acknowledged order is what the shopper asked for, can be read afterwards and
/// shows the same id, items and amounts. An order that was promised as done still stands.
pub(super) fn acknowledged_orders_kept(evidence: &Evidence<'_>) -> Check {
    let readings = evidence.readings_by_shopper();
    let mut findings = Findings::default();
    let mut orders = 0_usize;
    for record in evidence.records {
        let Some(answer) = record.accepted() else { continue };
        orders = orders.saturating_add(1);
        let reading = readings.get(&record.shopper).copied();
        if let Some(fault) = broken_promise(record, answer, reading) {
            findings.add(|| format!("shopper {}: {fault}", record.shopper));
        }
    }
    findings
        .into_check("acknowledged_orders_kept", format!("{orders} acknowledged orders read again"))
}

fn broken_promise(
    record: &ShopperRecord,
    answer: &Answer,
    reading: Option<&Reading>,
) -> Option<String> {
    let Some(promised) = &answer.order else {
        return Some(format!("a {} whose body is not an order", answer.status));
    };
    let id = &promised.facts.id;
    if !is_the_wish(record, promised) {
        return Some(format!("order {id} is not what was asked for"));
    }
    let Some(reading) = reading else {
        return Some(format!("order {id} was not read again"));
    };
    match &reading.found {
        Err(0) => Some(format!("order {id}: no answer when it was read")),
        Err(status) => Some(format!("order {id}: {status} when it was read")),
        Ok(found) if found.facts != promised.facts => {
            Some(format!("order {id} reads differently from its first answer"))
        }
        Ok(found) if answer.status != 202 && !found.stands() => Some(format!(
            "order {id} was done and is now {} / {}",
            found.status, found.payment_status
        )),
        Ok(_) => None,
    }
}

fn is_the_wish(record: &ShopperRecord, order: &OrderView) -> bool {
    match order.facts.items.as_slice() {
        [line] => line.product_id == *record.product && line.quantity == u64::from(record.quantity),
        _ => false,
    }
}

/// All answers to a key name one order, no order answers two keys, and a repeat
/// afterwards names the same order and says that it is a repeat.
pub(super) fn one_order_per_key(evidence: &Evidence<'_>) -> Check {
    let mut findings = Findings::default();
    let mut owners: BTreeMap<&str, u32> = BTreeMap::new();
    let mut accepted: BTreeMap<u32, &OrderView> = BTreeMap::new();
    for record in evidence.records {
        let ids = record.order_ids();
        findings.unless(ids.len() <= 1, || {
            format!("shopper {}: one key, {} orders", record.shopper, ids.len())
        });
        for id in ids {
            if let Some(other) = owners.insert(id, record.shopper) {
                findings
                    .add(|| format!("order {id} answers shoppers {other} and {}", record.shopper));
            }
        }
        if let Some(order) = record.accepted().and_then(|answer| answer.order.as_deref()) {
            accepted.insert(record.shopper, order);
        }
    }
    for replay in evidence.replays {
        let first = accepted.get(&replay.shopper).copied();
        if let Some(fault) = unfaithful(replay.outcome.answer(), first) {
            findings.add(|| format!("shopper {}: {fault}", replay.shopper));
        }
    }
    let due = accepted.len().min(REPLAYS);
    findings.unless(evidence.replays.len() >= due, || {
        format!("{} keys repeated, {due} were due", evidence.replays.len())
    });
    findings.into_check(
        "one_order_per_key",
        format!("{} of {} accepted keys repeated", evidence.replays.len(), accepted.len()),
    )
}

fn unfaithful(answer: Option<&Answer>, first: Option<&OrderView>) -> Option<String> {
    let Some(answer) = answer else { return Some("no answer to the repeated key".to_owned()) };
    let Some(first) = first else { return Some("repeated a key that had no order".to_owned()) };
    let Some(order) = &answer.order else {
        return Some(format!("the repeated key answered {} without an order", answer.status));
    };
    if order.facts.id != first.facts.id {
        return Some(format!(
            "the repeated key named {} instead of {}",
            order.facts.id, first.facts.id
        ));
    }
    if order.facts != first.facts {
        return Some(format!("the repeat of {} has other items or amounts", first.facts.id));
    }
    (!answer.replayed).then(|| format!("the repeat of {} is not marked as one", first.facts.id))
}
