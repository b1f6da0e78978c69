//! Orders as a set: each acknowledged one is there for good, and each key names one.

use std::collections::BTreeMap;

use super::docket::{Docket, KeyFile, OrderFile};
use crate::checks::{Check, Findings};
use crate::history::event::{Ask, End, OrderSeen};
use crate::history::load::Op;

/// Every acknowledged order can be read from then on, and one that was promised as done stands
/// until somebody calls it off.
pub(super) fn acknowledged_orders_kept(docket: &Docket<'_>) -> Check {
    let mut findings = Findings::default();
    let (mut stable, mut lost, mut never_read) = (0_usize, 0_usize, 0_usize);
    for (id, order) in &docket.orders {
        let known_since = order.first.0.ended;
        // Whoever asked before anybody knew may have been told "not yet".
        let gone = order.missed.iter().find(|op| known_since <= op.asked);
        let counter = match (gone, order.last()) {
            (Some(_), _) => &mut lost,
            (None, Some(_)) => &mut stable,
            (None, None) => &mut never_read,
        };
        *counter = counter.saturating_add(1);
        if let Some(op) = gone {
            findings.add(|| {
                format!("order {id} of {} is not there for {}", order.first.0.name(), op.name())
            });
        }
        if let Some(fault) = fallen(order) {
            findings.add(|| format!("order {id} of {} {fault}", order.first.0.name()));
        }
    }
    let figure = format!("{stable} orders stable, {lost} lost, {never_read} never read");
    findings.into_check("acknowledged_orders_kept", figure)
}

/// A done order that nobody called off has come to nothing.
fn fallen(order: &OrderFile<'_>) -> Option<String> {
    let (_, promised) = order.first;
    let last = order.last()?;
    (promised.http == 201 && promised.stands() && !order.called_off && last.came_to_nothing())
        .then(|| format!("was done and is now {:?} / {:?}", last.status, last.payment))
}

/// All answers to a key name one order, no order answers two keys, no repeat of a yes is refused,
/// and repeats say that they are repeats: always after a yes, never when every try before was
/// surely not done.
pub(super) fn one_order_per_key(docket: &Docket<'_>) -> Check {
    let mut findings = Findings::default();
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    let mut repeats = 0_usize;
    for (key, file) in &docket.keys {
        repeats = repeats.saturating_add(file.told().count().saturating_sub(1));
        let mut told = file.told();
        let Some((first, seen)) = told.next() else { continue };
        if let Some((op, other)) = told.find(|(_, other)| other.order != seen.order) {
            findings.add(|| {
                format!(
                    "{} was told order {}, {} was told order {}",
                    first.name(),
                    seen.order,
                    op.name(),
                    other.order
                )
            });
        }
        if let Some(other) = owners.insert(&seen.order, key) {
            findings.add(|| format!("order {} answers the keys {other} and {key}", seen.order));
        }
        for (op, seen) in file.told() {
            if let Some(fault) = mislabelled(file, op, seen) {
                findings.add(|| format!("{}: {fault}", op.name()));
            }
        }
        if let Some(op) = taken_back(docket, file) {
            findings.add(|| format!("{} was refused, after a yes in {}", op.name(), first.name()));
        }
    }
    let figure = format!("{} keys, {repeats} repeats of accepted ones", docket.keys.len());
    findings.into_check("one_order_per_key", figure)
}

fn mislabelled(file: &KeyFile<'_>, op: &Op, seen: &OrderSeen) -> Option<String> {
    if let Some((first, _)) = file.told().find(|(first, _)| first.ended < op.asked)
        && !seen.replayed
    {
        return Some(format!("repeats {} and does not say so", first.name()));
    }
    // Only what was asked before this answer can have placed the order that it repeats.
    let mut before = file.tries.iter().filter(|other| {
        other.index != op.index && other.asked < op.ended && matches!(other.ask, Ask::Place(_))
    });
    let all_refused =
        before.all(|other| other.ended < op.asked && matches!(other.end, End::Rejected(_)));
    (seen.replayed && all_refused)
        .then(|| "says that it was done before, when every try was refused".to_owned())
}

/// A try that the rules refused although its key had an order by then, one for the same wish. An
/// order that came to nothing answers 402 from then on.
fn taken_back<'a>(docket: &Docket<'_>, file: &KeyFile<'a>) -> Option<&'a Op> {
    let (first, seen) = file.told().min_by_key(|(op, _)| op.ended)?;
    let came_to_nothing = docket
        .orders
        .get(&*seen.order)
        .is_some_and(|order| order.seen.iter().any(|(_, seen)| seen.came_to_nothing()));
    file.tries.iter().copied().find(|op| {
        let End::Rejected(no) = &op.end else { return false };
        let by_rule = match no.http {
            402 => !came_to_nothing,
            404 | 409 | 422 => true,
            _ => false,
        };
        by_rule && first.ended < op.asked && first.ask == op.ask
    })
}
