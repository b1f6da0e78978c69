//! The history by thing: what is known of each key, each order and each shelf.

use std::collections::BTreeMap;

use super::Fractions;
use crate::checks::{Check, Findings};
use crate::history::event::{Ask, End, OrderSeen, Position, Seen, ShelfSeen, Status, Wanted};
use crate::history::load::{History, Op};

/// Everything that happened to one key.
#[derive(Debug)]
pub(super) struct KeyFile<'a> {
    /// What was wanted first.
    pub(super) wanted: &'a [Wanted],
    /// Tries in the order in which they were asked.
    pub(super) tries: Vec<&'a Op>,
}

impl<'a> KeyFile<'a> {
    /// Every try that was told an order.
    pub(super) fn told(&self) -> impl Iterator<Item = (&'a Op, &'a OrderSeen)> {
        self.tries.iter().filter_map(|op| Some((*op, order_seen(op)?)))
    }

    /// The key has an order, as far as answers tell.
    pub(super) fn is_acknowledged(&self) -> bool {
        self.told().next().is_some()
    }

    /// Nobody can say whether it has one that stands.
    ///
    /// A 402 ends the doubt, whenever it was asked: the key names a cancelled order for good, and
    /// no other. Every other refusal speaks of its own try only, also when it was asked after the
    /// one that nobody knows the end of. That one may have been on its way for longer, through a
    /// cut network or to a server that stood still, and is judged when it arrives: a refusal leaves
    /// the key unused, and units that were gone for one try may be back for the next.
    pub(super) fn is_unknown(&self) -> bool {
        !self.is_acknowledged()
            && !self.has_come_to_nothing()
            && self.tries.iter().any(|op| op.end == End::Unknown)
    }

    /// It was told that its order is cancelled.
    fn has_come_to_nothing(&self) -> bool {
        self.tries.iter().any(|op| matches!(&op.end, End::Rejected(no) if no.http == 402))
    }
}

/// Everything that is known of one order.
#[derive(Debug)]
pub(super) struct OrderFile<'a> {
    /// Who was told of it first.
    pub(super) first: (&'a Op, &'a OrderSeen),
    /// Every sighting, by the time at which it ended.
    pub(super) seen: Vec<(&'a Op, &'a OrderSeen)>,
    /// Every "there is none".
    pub(super) missed: Vec<&'a Op>,
    /// Somebody tried to call it off.
    pub(super) called_off: bool,
    /// When the last attempt to change it was over.
    touched: u64,
}

impl<'a> OrderFile<'a> {
    fn new(first: (&'a Op, &'a OrderSeen)) -> Self {
        let (seen, missed) = (Vec::with_capacity(2), Vec::new());
        Self { first, seen, missed, called_off: false, touched: 0 }
    }

    /// The look at the end, when nobody changed it any more.
    pub(super) fn last(&self) -> Option<&'a OrderSeen> {
        let mut looks = self.seen.iter().rev().filter(|(op, _)| !op.ask.is_mutation());
        Some(looks.find(|(op, _)| self.touched <= op.asked)?.1)
    }

    /// How it stood when it was seen last.
    pub(super) fn latest(&self) -> &'a OrderSeen {
        self.last().or_else(|| Some(self.seen.last()?.1)).unwrap_or(self.first.1)
    }

    /// Its units went back, or may have.
    pub(super) fn may_be_gone(&self) -> bool {
        self.called_off || self.seen.iter().any(|(_, seen)| !seen.stands() && !seen.is_open())
    }

    /// Whoever placed it was told "accepted", and nobody was told "done".
    pub(super) fn is_only_accepted(&self) -> bool {
        let placed = |http| {
            let mut seen = self.seen.iter();
            seen.any(|(op, seen)| matches!(op.ask, Ask::Place(_)) && seen.http == http)
        };
        placed(202) && !placed(201)
    }

    /// Somebody looked in vain when nobody changed it any more.
    fn is_gone(&self) -> bool {
        self.missed.iter().any(|op| self.touched <= op.asked)
    }
}

/// A product's stock when it was seen first and at the end.
#[derive(Debug, Default)]
pub(super) struct ShelfFile<'a> {
    /// Before anybody could change anything about it.
    pub(super) opening: Option<(&'a Op, &'a ShelfSeen)>,
    /// When nobody changed it any more.
    pub(super) closing: Option<(&'a Op, &'a ShelfSeen)>,
    /// When the last attempt to change it was over.
    touched: u64,
}

impl ShelfFile<'_> {
    /// Somebody changes it: a first look that is still under way counts for nothing.
    fn touch(&mut self, op: &Op) {
        self.opening = self.opening.filter(|(look, _)| look.ended < op.asked);
        self.touched = self.touched.max(over(op));
    }
}

/// When a question was over for whoever asked it: one that nobody knows the end of, once it was
/// asked. What it may still have caused is "may be" to every check.
fn over(op: &Op) -> u64 {
    if op.end == End::Unknown { op.asked } else { op.ended }
}

fn is_refused(op: &Op) -> bool {
    matches!(op.end, End::Rejected(_))
}

/// The files.
#[derive(Debug)]
pub(super) struct Docket<'a> {
    pub(super) history: &'a History,
    pub(super) keys: BTreeMap<&'a str, KeyFile<'a>>,
    pub(super) orders: BTreeMap<&'a str, OrderFile<'a>>,
    pub(super) shelves: BTreeMap<&'a str, ShelfFile<'a>>,
}

/// The order that an answer showed.
pub(super) fn order_seen(op: &Op) -> Option<&OrderSeen> {
    match &op.end {
        End::Ok(Seen::Order(seen)) => Some(seen),
        End::Ok(_) | End::Rejected(_) | End::Unknown => None,
    }
}

/// The stock that an answer showed.
pub(super) fn shelf_seen(op: &Op) -> Option<&ShelfSeen> {
    match &op.end {
        End::Ok(Seen::Shelf(seen)) => Some(seen),
        End::Ok(_) | End::Rejected(_) | End::Unknown => None,
    }
}

/// The version of a thing that an answer showed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'a> {
    /// The order or the product.
    pub(super) thing: &'a str,
    /// Its version.
    pub(super) version: u64,
    /// Where its last event lies; only answers to changes tell.
    pub(super) at: Option<Position>,
}

/// What an answer showed, if it told a version.
pub(super) fn shown(op: &Op) -> Option<Shown<'_>> {
    let End::Ok(seen) = &op.end else { return None };
    let (thing, version, at) = match (seen, &op.ask) {
        (Seen::Order(seen), _) => (&seen.order, seen.ver, seen.pos),
        (Seen::Shelf(seen), Ask::Look(product)) => (product, seen.ver, None),
        (Seen::Changed(changed), Ask::Restock(product, _)) => (product, changed.ver, changed.pos),
        (Seen::Shelf(_) | Seen::Changed(_) | Seen::Nothing, _) => return None,
    };
    Some(Shown { thing, version: version?, at })
}

impl<'a> Docket<'a> {
    pub(super) fn open(history: &'a History) -> Self {
        let mut docket = Self {
            history,
            keys: BTreeMap::new(),
            orders: BTreeMap::new(),
            shelves: BTreeMap::new(),
        };
        for op in &history.ops {
            docket.file_change(op);
            docket.file_sighting(op);
        }
        for order in docket.orders.values_mut() {
            order.seen.sort_by_key(|(op, _)| op.ended);
            let mut seen = order.seen.iter();
            order.first =
                *seen.find(|(op, _)| matches!(op.ask, Ask::Place(_))).unwrap_or(&order.first);
            let key = order.first.0.key.as_deref().and_then(|key| docket.keys.get(key));
            let tries = key.iter().flat_map(|key| key.tries.iter().copied());
            order.touched = tries.filter(|op| !is_refused(op)).map(over).max().unwrap_or_default();
        }
        for op in &history.ops {
            docket.file_step(op);
        }
        // Only now is it known when nobody changed anything any more.
        for op in &history.ops {
            docket.file_closing(op);
        }
        docket
    }

    fn shelf(&mut self, product: &'a str) -> &mut ShelfFile<'a> {
        self.shelves.entry(product).or_default()
    }

    fn file_change(&mut self, op: &'a Op) {
        match &op.ask {
            Ask::Place(wanted) => {
                if let Some(key) = &op.key {
                    let fresh = || KeyFile { wanted, tries: Vec::with_capacity(1) };
                    self.keys.entry(key).or_insert_with(fresh).tries.push(op);
                }
                for line in wanted {
                    self.shelf(&line.product).touch(op);
                }
            }
            Ask::Restock(product, _) => self.shelf(product).touch(op),
            Ask::Cancel(_) | Ask::Move(..) | Ask::Read(_) | Ask::Look(_) => {}
        }
    }

    fn file_sighting(&mut self, op: &'a Op) {
        if let (Ask::Look(product), Some(seen)) = (&op.ask, shelf_seen(op)) {
            let opening = Some((op, seen));
            let fresh = || ShelfFile { opening, ..ShelfFile::default() };
            self.shelves.entry(product).or_insert_with(fresh);
        }
        if let Some(seen) = order_seen(op) {
            let fresh = || OrderFile::new((op, seen));
            self.orders.entry(&seen.order).or_insert_with(fresh).seen.push((op, seen));
        }
    }

    /// A step of an order that is known, or a look for it in vain.
    fn file_step(&mut self, op: &'a Op) {
        let (Ask::Read(id) | Ask::Cancel(id) | Ask::Move(id, _)) = &op.ask else { return };
        let Some(order) = self.orders.get_mut(&**id) else { return };
        if op.ask.is_mutation() && !is_refused(op) {
            order.touched = order.touched.max(over(op));
            let off = matches!(op.ask, Ask::Cancel(_) | Ask::Move(_, Status::Cancelled));
            order.called_off |= off;
        }
        if matches!(&op.end, End::Rejected(no) if no.http == 404) {
            order.missed.push(op);
        }
    }

    fn file_closing(&mut self, op: &'a Op) {
        let (Ask::Look(product), Some(seen)) = (&op.ask, shelf_seen(op)) else { return };
        let Some(file) = self.shelves.get_mut(&**product) else { return };
        if file.touched <= op.asked && file.closing.is_none_or(|(last, _)| last.ended < op.ended) {
            file.closing = Some((op, seen));
        }
    }

    pub(super) fn ended(&self) -> Fractions {
        self.history.ops.iter().fold(Fractions::default(), |mut sum, op| {
            let counter = match op.end {
                End::Ok(_) => &mut sum.ok,
                End::Rejected(_) => &mut sum.rejected,
                End::Unknown => &mut sum.unknown,
            };
            *counter = counter.saturating_add(1);
            sum
        })
    }

    /// Every acknowledged order and every product was looked at in the end.
    pub(super) fn final_looks(&self) -> Check {
        let mut findings = Findings::default();
        for (id, order) in &self.orders {
            findings.unless(order.is_gone() || order.last().is_some(), || {
                format!("order {id} of {} was not read at the end", order.first.0.name())
            });
        }
        for (product, shelf) in &self.shelves {
            findings.unless(shelf.opening.is_some(), || {
                format!("the stock of {product} was not read before it was sold")
            });
            findings.unless(shelf.closing.is_some(), || {
                format!("the stock of {product} was not read at the end")
            });
        }
        findings.unless(!self.shelves.is_empty(), || "nobody looked at anything".to_owned());
        let figure =
            format!("{} orders and {} products to look at", self.orders.len(), self.shelves.len());
        findings.into_check("looks_at_the_end_complete", figure)
    }
}
