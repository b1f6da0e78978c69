//! The read models of a world, as far as the engine depends on them: when each entity wants to be
//! woken. They follow the journal, lag behind it, and outlive every process.

use engine::Aggregate;
use engine::inventory::{Inventory, StockLevel};
use engine::order::{Order, OrderState};
use engine::values::Moment;

use super::books::Happened;
use super::names::{Kind, Names, Who};

/// When an entity wants to be woken, as of a version.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row {
    pub(super) due: Option<Moment>,
    pub(super) version: u64,
}

/// An event that is not folded in yet.
struct Waiting {
    who: Who,
    version: u64,
    at: Moment,
    happened: Happened,
}

/// The read models.
pub(super) struct Rows {
    orders: Vec<(OrderState, Row)>,
    stocks: Vec<(StockLevel, Row)>,
    waiting: Vec<Waiting>,
}

fn fold<A: Aggregate>(place: &mut (A::State, Row), version: u64, at: Moment, event: &A::Event) {
    let (state, row) = place;
    A::evolve(state, event, at);
    *row = Row { due: A::wake_at(state), version };
}

impl Rows {
    pub(super) fn of(names: &Names) -> Self {
        let count = |kind| names.count(kind);
        Self {
            orders: vec![Default::default(); count(Kind::Order)],
            stocks: vec![Default::default(); count(Kind::Stock)],
            waiting: Vec::new(),
        }
    }

    /// An event has become durable.
    pub(super) fn follow(&mut self, who: Who, version: u64, at: Moment, happened: Happened) {
        self.waiting.push(Waiting { who, version, at, happened });
    }

    /// Folds in everything that is durable.
    pub(super) fn catch_up(&mut self) {
        for Waiting { who, version, at, happened } in std::mem::take(&mut self.waiting) {
            match happened {
                Happened::Order(event) => {
                    if let Some(place) = self.orders.get_mut(who.index) {
                        fold::<Order>(place, version, at, &event);
                    }
                }
                Happened::Stock(event) => {
                    if let Some(place) = self.stocks.get_mut(who.index) {
                        fold::<Inventory>(place, version, at, &event);
                    }
                }
                Happened::Product(_)
                | Happened::Cart(_)
                | Happened::Buyer(_)
                | Happened::Reviews(_)
                | Happened::Drill(_) => {}
            }
        }
    }

    /// Whether something is not folded in yet.
    pub(super) const fn lags(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn row(&mut self, who: Who) -> Option<&mut Row> {
        match who.kind {
            Kind::Order => self.orders.get_mut(who.index).map(|(_, row)| row),
            Kind::Stock => self.stocks.get_mut(who.index).map(|(_, row)| row),
            Kind::Product | Kind::Cart => None,
        }
    }

    /// What the scheduler has learnt; an older word than the row's own changes nothing.
    pub(super) fn set(&mut self, who: Who, due: Option<Moment>, version: u64) {
        if let Some(row) = self.row(who)
            && row.version <= version
        {
            *row = Row { due, version };
        }
    }

    /// Every wish to be woken.
    pub(super) fn wishes(&self) -> impl Iterator<Item = (Who, Moment, u64)> + '_ {
        let orders =
            self.orders.iter().enumerate().map(|(i, (_, row))| (Who::new(Kind::Order, i), row));
        let stocks =
            self.stocks.iter().enumerate().map(|(i, (_, row))| (Who::new(Kind::Stock, i), row));
        orders.chain(stocks).filter_map(|(who, row)| Some((who, row.due?, row.version)))
    }
}
