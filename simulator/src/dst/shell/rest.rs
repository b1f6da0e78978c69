//! What must be true when a world has come to rest: no book is open, and what the engine says is what
//! the journal says.

use std::time::Duration;

use actors::OrderSystem;
use actors::entity::{Loaded, fold};
use engine::Aggregate;
use engine::inventory::Inventory;
use engine::order::Order;
use engine::values::Moment;
use persistence::journal::Journal as _;
use persistence::read_models::{OrderQuery, PageStart, ReadModels as _, Wakeup};

use super::super::books::Violation;
use super::super::names::{self, Kind, Who};
use super::super::store::at_once;
use super::engines::{Engine, Kept};
use super::ground::{Ground, Inside};

/// How long an engine may take to put everybody to sleep who has nothing to do.
const DRAIN: Duration = Duration::from_mins(1);

/// How far a world is from rest.
pub(super) enum Rest {
    /// Nobody waits for anything, and nobody wants to be woken.
    Reached,
    /// Nothing happens before that moment, when somebody wants to be woken.
    Sleeping(Moment),
    /// This is open.
    Open(String),
}

/// Looks how far it is.
pub(super) fn look(ground: &Ground, kept: &Kept) -> Rest {
    ground.with(|Inside { outside, engines, alive, asking, .. }| {
        if engines.len() != 1 || alive.len() != 1 {
            return Rest::Open(format!("{} of {} engines serve", engines.len(), alive.len()));
        }
        if 0 < *asking {
            return Rest::Open(format!("{asking} requests have no answer"));
        }
        let heads = at_once(outside.store.journal().heads()).ok();
        let cursors = at_once(kept.views.cursors(outside.options.shards)).ok();
        if heads != cursors {
            return Rest::Open(format!("the views are at {cursors:?} of {heads:?}"));
        }
        let ever = Moment::from_unix_micros(i64::MAX);
        let mut wishes = at_once(kept.views.due_wakeups(ever, 1)).unwrap_or_default();
        match wishes.pop() {
            None => Rest::Reached,
            Some(Wakeup { stream, due, .. }) => match due.filter(|due| outside.wall() < *due) {
                Some(due) => Rest::Sleeping(due),
                None => Rest::Open(format!("{stream} wants to be woken at {due:?}")),
            },
        }
    })
}

/// Judges a world at rest.
pub(super) async fn judge(ground: &Ground) {
    let engine = ground.with(|Inside { outside, engines, .. }| {
        let closed = outside.books.close(&outside.names, &outside.store, &outside.provider);
        outside.judge(closed);
        engines.first().cloned()
    });
    let Some(Engine { system, .. }) = engine else { return };
    let said = says_what_is_kept(&system, ground).await;
    ground.with(|inside| inside.outside.judge(said));
    let slept = system.drain(DRAIN).await;
    let restless = || Violation::new("R20", format!("{} entities do not sleep", system.live()));
    ground.with(|inside| inside.outside.judge(slept.then_some(()).ok_or_else(restless)));
}

/// Every order, every stock and the list of orders, through the engine and from the journal.
async fn says_what_is_kept(system: &OrderSystem, ground: &Ground) -> Result<(), Violation> {
    let (orders, products) = ground.with(|inside| {
        (inside.outside.names.count(Kind::Order), inside.outside.names.count(Kind::Product))
    });
    let mut placed = 0_u64;
    for index in 0..orders {
        let kept = kept::<Order>(Who::new(Kind::Order, index), ground)?;
        let told = system.order(names::order(index)).await;
        let told = told.map_err(|error| unread(&error))?;
        placed = placed.saturating_add(u64::from(kept.0.is_some()));
        same("R2", &format!("order {index}"), &told, &kept.0)?;
    }
    for index in 0..products {
        let kept = kept::<Inventory>(Who::new(Kind::Stock, index), ground)?;
        let Some(product) = names::product(index) else { continue };
        let told = system.stock_books(&product).await.map_err(|error| unread(&error))?;
        same("R1", &format!("stock {index}"), &told, &kept)?;
    }
    let all = OrderQuery { status: None, limit: 1_000, start: PageStart::Offset(0) };
    let listed = system.list_orders(&all).await.map_err(|error| unread(&error))?;
    same("R7", "the list of orders", &listed.total, &placed)
}

fn kept<A: Aggregate>(who: Who, ground: &Ground) -> Result<A::State, Violation> {
    ground.with(|Inside { outside, .. }| {
        let history = outside.names.stream(who).map(|stream| outside.store.history(stream, 0));
        let folded = fold::<A>(Loaded::default(), history.unwrap_or_default());
        let broken = |error: persistence::StoreError| Violation::new("R16", error.to_string());
        folded.map(|loaded| loaded.state).map_err(broken)
    })
}

fn unread(error: &dyn std::error::Error) -> Violation {
    Violation::new("R20", format!("at rest, and yet not to be read: {error}"))
}

fn same<T: PartialEq + std::fmt::Debug>(
    promise: &'static str,
    what: &str,
    told: &T,
    kept: &T,
) -> Result<(), Violation> {
    let differs = || Violation::new(promise, format!("{what}: told {told:?}, kept {kept:?}"));
    (told == kept).then_some(()).ok_or_else(differs)
}
