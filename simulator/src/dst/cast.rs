//! The aggregates as the simulated engine hosts them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use actors::answers;
use actors::directory::Published;
use actors::entity::{Asked, Entity};
use actors::outcome::{Accepted, NotDone, Position};
use engine::Aggregate;
use engine::cart::Cart;
use engine::catalog::Product;
use engine::inventory::Inventory;
use engine::order::Order;
use engine::process::Answer;

use super::names::Kind;
use super::process::Process;
use super::reply::{Outbox, Reply, Seat};

/// What comes of a command.
pub(super) type Verdict<A> = Result<Accepted<A>, NotDone<<A as Aggregate>::Refusal>>;

/// An aggregate with a place in a simulated process.
pub(super) trait Cast: Aggregate {
    /// Its kind.
    const SORT: Kind;
    /// Whether snapshots of it are kept.
    const SNAPSHOTS: bool;

    /// All entities of the kind.
    fn hosts(process: &mut Process) -> &mut Hosts<Self>;

    /// What an entity that asked hears.
    fn answer(verdict: Verdict<Self>) -> Answer;

    /// The order in a view, where it shows one.
    fn order(_view: &Self::View) -> Option<Arc<Order>> {
        None
    }
}

impl Cast for Product {
    const SORT: Kind = Kind::Product;
    const SNAPSHOTS: bool = false;

    fn hosts(process: &mut Process) -> &mut Hosts<Self> {
        &mut process.products
    }

    fn answer(verdict: Verdict<Self>) -> Answer {
        answers::of_listing(verdict.map(|accepted| accepted.view))
    }
}

impl Cast for Inventory {
    const SORT: Kind = Kind::Stock;
    const SNAPSHOTS: bool = true;

    fn hosts(process: &mut Process) -> &mut Hosts<Self> {
        &mut process.stocks
    }

    fn answer(verdict: Verdict<Self>) -> Answer {
        answers::of_stock(verdict)
    }
}

impl Cast for Cart {
    const SORT: Kind = Kind::Cart;
    const SNAPSHOTS: bool = false;

    fn hosts(process: &mut Process) -> &mut Hosts<Self> {
        &mut process.carts
    }

    fn answer(verdict: Verdict<Self>) -> Answer {
        answers::of_cart(verdict)
    }
}

impl Cast for Order {
    const SORT: Kind = Kind::Order;
    const SNAPSHOTS: bool = false;

    fn hosts(process: &mut Process) -> &mut Hosts<Self> {
        &mut process.orders
    }

    // No entity asks an order for anything.
    fn answer(_verdict: Verdict<Self>) -> Answer {
        Answer::Failed
    }

    fn order(view: &Option<Arc<Self>>) -> Option<Arc<Self>> {
        view.clone()
    }
}

/// What an entity hears, as [`actors::entity::EntityMessage`] without its threads.
pub(super) enum Message<A: Aggregate> {
    Ask { asked: Asked<A, Reply>, deadline: u64 },
    Answered { ticket: u64, answer: Answer },
    Written { version: u64, position: Position },
    Failed { unknown: bool },
    Outdated { generation: u64 },
    Wake,
    Pursue,
    Sleep,
}

/// Where a life stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has not begun to read its history.
    Starting,
    /// Its history is being read.
    Loading,
    /// It hears.
    Living,
    /// It has ended, but what it has submitted is not settled yet.
    Dying { own_fault: bool },
}

/// One incarnation.
pub(super) struct Life<A: Aggregate> {
    pub(super) number: u64,
    pub(super) stage: Stage,
    pub(super) entity: Option<Entity<A, Reply>>,
    pub(super) generation: u64,
    pub(super) mailbox: VecDeque<Message<A>>,
    /// Places in the mailbox that are taken, until the answers have left.
    pub(super) places: usize,
    /// Whether its turn is on the agenda.
    pub(super) has_turn: bool,
    pub(super) notify: Arc<Seat>,
}

/// All entities of one kind in one process.
pub(super) struct Hosts<A: Aggregate> {
    pub(super) lives: Vec<Option<Life<A>>>,
    pub(super) views: Vec<Option<Published<A::View>>>,
    deaths: Vec<VecDeque<u64>>,
    quarantined_until: Vec<u64>,
    /// Views that the writer has let out, and that readers do not see yet.
    pub(super) published: Outbox<(usize, Published<A::View>)>,
}

/// Deaths by its own fault within [`DEATH_WINDOW`] that quarantine a stream.
const DEATHS_MAX: usize = 3;

/// The window, and how long a quarantine lasts.
const DEATH_WINDOW: u64 = 60_000_000;

impl<A: Aggregate> Hosts<A> {
    pub(super) fn new(count: usize) -> Self {
        Self {
            lives: (0..count).map(|_| None).collect(),
            views: vec![None; count],
            deaths: vec![VecDeque::new(); count],
            quarantined_until: vec![0; count],
            published: Outbox::default(),
        }
    }

    pub(super) fn life(&mut self, index: usize) -> Option<&mut Life<A>> {
        self.lives.get_mut(index)?.as_mut()
    }

    pub(super) fn view(&self, index: usize) -> Option<&Published<A::View>> {
        self.views.get(index)?.as_ref()
    }

    pub(super) fn publish(&mut self, index: usize, published: Published<A::View>) {
        if let Some(view) = self.views.get_mut(index) {
            *view = Some(published);
        }
    }

    pub(super) fn is_quarantined(&self, index: usize, now: u64) -> bool {
        self.quarantined_until.get(index).is_some_and(|until| now < *until)
    }

    /// Books a death; whether the stream is left alone from now on.
    pub(super) fn book_death(&mut self, index: usize, now: u64) -> bool {
        let (Some(deaths), Some(until)) =
            (self.deaths.get_mut(index), self.quarantined_until.get_mut(index))
        else {
            return false;
        };
        while deaths.front().is_some_and(|first| first.saturating_add(DEATH_WINDOW) <= now) {
            deaths.pop_front();
        }
        deaths.push_back(now);
        let spent = DEATHS_MAX <= deaths.len();
        if spent {
            deaths.clear();
            *until = now.saturating_add(DEATH_WINDOW);
        }
        spent
    }
}

/// A span in microseconds.
pub(super) fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
