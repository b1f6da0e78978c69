//! Walks once through the time of a history with bounds on the units of each product.
//!
//! What an answer proves is counted when the answer is there, what a question may have caused
//! from the moment it was asked. Whatever the shop did in between lies within these bounds, so a
//! look outside of them, or a "sold out" that they exclude, is a lie.

use std::collections::{BTreeMap, BTreeSet};

use super::docket::{Docket, shelf_seen};
use crate::checks::Findings;
use crate::history::event::{Ask, End, Wanted};
use crate::history::load::{Op, code};

/// What the walk found.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// More sold than there, and sold units that no order explains.
    pub(super) oversold: Findings,
    /// Stock that does not add up, and refusals in vain.
    pub(super) unsound: Findings,
    /// How many looks were checked.
    pub(super) looks: usize,
}

/// Units of one product; each grows only.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    /// Wanted by keys that may have an order.
    wanted: u64,
    /// Wanted by tries that were refused: they may have held units while they were judged.
    tried: u64,
    /// Of these, no longer.
    dropped: u64,
    /// In orders whose units are surely sold.
    sold: u64,
    /// Brought by hand: asked for, and surely.
    brought: [u64; 2],
    /// Taken by hand: asked for, and surely.
    taken: [u64; 2],
}

/// What happens at a moment. Of two things at one moment a question comes first: bounds are
/// wider then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Asked(usize),
    Proved(usize),
    Ended(usize),
}

struct Walker<'d, 'a> {
    docket: &'d Docket<'a>,
    tallies: BTreeMap<&'a str, Tally>,
    /// Tallies of what an open question speaks of, as they were when it was asked.
    then: BTreeMap<usize, Vec<Tally>>,
    /// Keys whose units are counted: because of a question, and because of a yes.
    counted: [BTreeSet<&'a str>; 2],
    found: Walk,
}

/// Walks through a history.
pub(super) fn walk(docket: &Docket<'_>) -> Walk {
    let ops = &docket.history.ops;
    let proofs: Vec<(u64, &str)> = docket
        .orders
        .iter()
        .filter(|(_, order)| !order.may_be_gone())
        .filter_map(|(id, order)| {
            let (op, _) = order.seen.iter().find(|(_, seen)| seen.is_sold())?;
            Some((op.ended, *id))
        })
        .collect();
    let mut moments: Vec<(u64, Moment)> = Vec::with_capacity(ops.len() * 2 + proofs.len());
    for (at, op) in ops.iter().enumerate() {
        moments.push((op.asked, Moment::Asked(at)));
        if op.end != End::Unknown {
            moments.push((op.ended, Moment::Ended(at)));
        }
    }
    moments
        .extend(proofs.iter().enumerate().map(|(at, (proved, _))| (*proved, Moment::Proved(at))));
    moments.sort_unstable();
    let mut walker = Walker {
        docket,
        tallies: docket.shelves.keys().map(|product| (*product, Tally::default())).collect(),
        then: BTreeMap::new(),
        counted: Default::default(),
        found: Walk::default(),
    };
    for (_, moment) in moments {
        match moment {
            Moment::Asked(at) => walker.asked(at, ops.get(at)),
            Moment::Ended(at) => walker.ended(at, ops.get(at)),
            Moment::Proved(at) => walker.proved(proofs.get(at).map(|(_, id)| *id)),
        }
    }
    walker.found
}

/// The products that a question speaks of, with units.
fn lines(ask: &Ask) -> impl Iterator<Item = (&str, u64)> {
    let (wanted, one): (&[Wanted], _) = match ask {
        Ask::Place(wanted) => (wanted, None),
        Ask::Look(product) => (&[], Some((&**product, 0))),
        Ask::Restock(product, delta) => (&[], Some((&**product, delta.unsigned_abs()))),
        Ask::Cancel(_) | Ask::Move(..) | Ask::Read(_) => (&[], None),
    };
    wanted.iter().map(|line| (&*line.product, line.n)).chain(one)
}

impl<'a> Walker<'_, 'a> {
    /// Whether the key of a try has an order, or may have.
    fn may_have_bought(&self, op: &Op) -> bool {
        let file = op.key.as_deref().and_then(|key| self.docket.keys.get(key));
        file.is_none_or(|file| {
            file.tries.iter().any(|op| matches!(op.end, End::Ok(_) | End::Unknown))
        })
    }

    fn add(&mut self, product: &str, change: impl FnOnce(&mut Tally)) {
        if let Some(tally) = self.tallies.get_mut(product) {
            change(tally);
        }
    }

    fn asked(&mut self, at: usize, op: Option<&'a Op>) {
        let Some(op) = op else { return };
        let then = lines(&op.ask)
            .map(|(product, _)| self.tallies.get(product).copied().unwrap_or_default())
            .collect();
        if op.end != End::Unknown {
            self.then.insert(at, then);
        }
        match &op.ask {
            Ask::Place(_) if self.may_have_bought(op) => {
                if op.key.as_deref().is_none_or(|key| self.counted[0].insert(key)) {
                    for (product, n) in lines(&op.ask) {
                        self.add(product, |tally| tally.wanted = tally.wanted.saturating_add(n));
                    }
                }
            }
            Ask::Place(_) => {
                for (product, n) in lines(&op.ask) {
                    self.add(product, |tally| tally.tried = tally.tried.saturating_add(n));
                }
            }
            Ask::Restock(product, delta) if !matches!(op.end, End::Rejected(_)) => {
                self.by_hand(op, product, *delta, 0);
            }
            Ask::Restock(..) | Ask::Cancel(_) | Ask::Move(..) | Ask::Read(_) | Ask::Look(_) => {}
        }
    }

    fn ended(&mut self, at: usize, op: Option<&'a Op>) {
        let Some(op) = op else { return };
        let then = self.then.remove(&at).unwrap_or_default();
        match (&op.ask, &op.end) {
            (Ask::Place(_), End::Rejected(no)) => {
                if code(no) == "insufficient_stock" {
                    self.judge_refusal(op, &then);
                }
                if !self.may_have_bought(op) {
                    for (product, n) in lines(&op.ask) {
                        self.add(product, |tally| tally.dropped = tally.dropped.saturating_add(n));
                    }
                }
            }
            (Ask::Restock(product, delta), End::Ok(_)) => self.by_hand(op, product, *delta, 1),
            (Ask::Look(product), End::Ok(_)) => self.judge_look(op, product, then.first()),
            _ => {}
        }
    }

    /// A change by hand; one that the first look has seen is part of it.
    fn by_hand(&mut self, op: &'a Op, product: &str, delta: i64, surely: usize) {
        let counted = self.counted.get_mut(surely).zip(op.key.as_deref());
        if counted.is_some_and(|(counted, key)| !counted.insert(key)) {
            return;
        }
        let opening = self.docket.shelves.get(product).and_then(|shelf| shelf.opening);
        if opening.is_some_and(|(look, _)| op.ended < look.asked) {
            return;
        }
        self.add(product, |tally| {
            let side = if delta < 0 { &mut tally.taken } else { &mut tally.brought };
            if let Some(units) = side.get_mut(surely) {
                *units = units.saturating_add(delta.unsigned_abs());
            }
        });
    }

    fn proved(&mut self, id: Option<&str>) {
        let Some(order) = id.and_then(|id| self.docket.orders.get(id)) else { return };
        for line in &order.latest().facts.lines {
            self.add(&line.product, |tally| tally.sold = tally.sold.saturating_add(line.n));
            let tally = self.tallies.get(&*line.product).copied().unwrap_or_default();
            let opening = self.docket.shelves.get(&*line.product).and_then(|shelf| shelf.opening);
            let Some((_, opening)) = opening else { continue };
            let there = opening.stock.on_hand.saturating_add(tally.brought[0]);
            let there = there.saturating_sub(tally.taken[1]);
            if there < tally.sold {
                self.found.oversold.add(|| {
                    format!(
                        "{}: with it {} units of {} are sold, and {there} were there",
                        order.first.0.name(),
                        tally.sold,
                        line.product
                    )
                });
            }
        }
    }

    /// "Sold out" is a lie when each line surely had enough all the time.
    fn judge_refusal(&mut self, op: &Op, then: &[Tally]) {
        let own = !self.may_have_bought(op);
        let mut least = u64::MAX;
        for ((product, n), then) in lines(&op.ask).zip(then) {
            let opening = self.docket.shelves.get(product).and_then(|shelf| shelf.opening);
            let (Some((_, opening)), Some(now)) = (opening, self.tallies.get(product)) else {
                return;
            };
            let others = now.tried.saturating_sub(then.dropped);
            let others = others.saturating_sub(if own { n } else { 0 });
            let gone = now.wanted.saturating_add(others).saturating_add(now.taken[0]);
            let there = opening.stock.available.saturating_add(then.brought[1]);
            let free = there.saturating_sub(gone);
            if free < n || n == 0 {
                return;
            }
            least = least.min(free);
        }
        if least < u64::MAX {
            let name = op.name();
            self.found.unsound.add(|| format!("{name}: sold out, and at least {least} were free"));
        }
    }

    fn judge_look(&mut self, op: &Op, product: &str, then: Option<&Tally>) {
        let Some(seen) = shelf_seen(op).map(|seen| seen.stock) else { return };
        self.found.looks = self.found.looks.saturating_add(1);
        if Some(seen.on_hand) != seen.held.checked_add(seen.available) {
            self.found.unsound.add(|| {
                format!(
                    "{}: on_hand {} of {product} is not held {} + available {}",
                    op.name(),
                    seen.on_hand,
                    seen.held,
                    seen.available
                )
            });
        }
        let opening = self.docket.shelves.get(product).and_then(|shelf| shelf.opening);
        let (Some((first, opening)), Some(then), Some(now)) =
            (opening, then, self.tallies.get(product))
        else {
            return;
        };
        if op.asked < first.asked {
            return;
        }
        let from = opening.stock.sold.saturating_add(then.sold);
        let to = opening.stock.sold.saturating_add(now.wanted);
        if !(from..=to).contains(&seen.sold) {
            self.found.oversold.add(|| {
                format!(
                    "{}: {} units of {product} sold, and answers allow {from} to {to}",
                    op.name(),
                    seen.sold
                )
            });
        }
        let all = opening.stock.on_hand.saturating_add(opening.stock.sold);
        let least = all.saturating_add(then.brought[1]).saturating_sub(now.taken[0]);
        let most = all.saturating_add(now.brought[0]).saturating_sub(then.taken[1]);
        let units = seen.on_hand.saturating_add(seen.sold);
        if !(least..=most).contains(&units) {
            self.found.unsound.add(|| format!(
                "{}: {units} units of {product} in the house or sold, expected {least} to {most}",
                op.name()
            ));
        }
    }
}
