//! Clients, operators and the provider's callbacks: they ask over a network that loses, doubles and
//! delays, and ask again until they know.

use std::collections::BTreeMap;
use std::sync::Arc;

use actors::outcome::{Cause, NotAccepted, NotDone};
use engine::order::{Order, OrderStatus};
use engine::process::ChargeOutcome;
use engine::values::{ChargeKey, Fingerprint};
use uuid::Uuid;

use super::books::{self, Violation};
use super::cast::{Cast, Verdict};
use super::deals;
use super::edge::believed;
use super::names::{Kind, Who};
use super::outside::{Event, Outside};
use super::plan::{What, Wish};
use super::sights::Sight;

/// How long a request may wait at the edge for its answer.
pub(super) const DEADLINE: u64 = 5_000_000;

/// Longest way between client and edge, when nothing is wrong.
const WAY: u64 = 2_000;

/// A client that does not know after so many tries never will.
const TRIES_MAX: u32 = 200;

/// What somebody asks.
#[derive(Clone, Debug)]
pub(super) enum Request {
    Publish { product: usize },
    Adjust { product: usize, delta: i64, adjustment: Uuid },
    SetLimit { product: usize, units: u32 },
    Reprice { product: usize },
    OpenCart { cart: usize },
    AddToCart { cart: usize, product: usize, quantity: u32, key: Uuid },
    FreeCart { cart: usize },
    Place { wish: Wish, other: bool },
    Cancel { order: usize, as_operator: bool },
    MoveOn { order: usize },
    CallBack { order: usize, key: ChargeKey, outcome: ChargeOutcome },
    Read { order: usize },
}

impl Request {
    /// Who is asked.
    pub(super) const fn of(&self) -> Who {
        match self {
            Self::Publish { product } | Self::Reprice { product } => {
                Who::new(Kind::Product, *product)
            }
            Self::Adjust { product, .. } | Self::SetLimit { product, .. } => {
                Who::new(Kind::Stock, *product)
            }
            Self::OpenCart { cart } | Self::AddToCart { cart, .. } | Self::FreeCart { cart } => {
                Who::new(Kind::Cart, *cart)
            }
            Self::Place { wish, .. } => Who::new(Kind::Order, wish.order),
            Self::Cancel { order, .. }
            | Self::MoveOn { order }
            | Self::CallBack { order, .. }
            | Self::Read { order } => Who::new(Kind::Order, *order),
        }
    }

    /// Whether whoever asks does not rest before the answer is definite.
    const fn insists(&self) -> bool {
        !matches!(self, Self::Read { .. } | Self::FreeCart { .. } | Self::MoveOn { .. })
    }
}

/// What a wish says, as the edge would tell it.
pub(super) fn fingerprint(wish: &Wish, other: bool) -> Fingerprint {
    let units = wish.items.iter().fold(wish.customer, |sum, (product, units)| {
        sum.wrapping_mul(31)
            .wrapping_add(*product as u64)
            .wrapping_mul(31)
            .wrapping_add(u64::from(*units))
    });
    let said = u128::from(units).wrapping_mul(2).wrapping_add(u128::from(other));
    Fingerprint::from_bytes(said.to_be_bytes())
}

/// What a client hears.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// It is done and durable, or was already.
    Done { version: u64, changed: bool, order: Option<Arc<Order>> },
    /// The rules said no.
    Refused(String),
    /// It was not taken.
    #[expect(dead_code, reason = "told in traces")]
    NotAccepted(NotAccepted),
    /// Nobody knows.
    Unknown,
}

impl Outcome {
    pub(super) fn of<A: Cast>(verdict: Verdict<A>) -> Self {
        match verdict {
            Ok(accepted) => Self::Done {
                version: accepted.version,
                changed: accepted.changed,
                order: A::order(&accepted.view),
            },
            Err(NotDone::Refused(refusal)) => Self::Refused(refusal.to_string()),
            Err(NotDone::NotAccepted(reason)) => Self::NotAccepted(reason),
            Err(NotDone::Unknown) => Self::Unknown,
        }
    }

    const fn is_definite(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Refused(_))
    }
}

/// One request on its way.
pub(super) struct Attempt {
    pub(super) request: Request,
    pub(super) cause: Cause,
    pub(super) process: Option<u32>,
    over: bool,
    tries: u32,
}

/// Everybody who asks.
#[derive(Default)]
pub(super) struct Clients {
    pub(super) attempts: Vec<Attempt>,
    /// By order: how often it was asked for.
    placed: BTreeMap<usize, u32>,
}

/// Somebody asks something; it reaches the edge within that span.
pub(super) fn send(request: Request, longest: u64, outside: &mut Outside) {
    try_again(request, 0, longest, outside);
}

fn try_again(request: Request, tries: u32, longest: u64, outside: &mut Outside) {
    if let Request::Place { wish, .. } = &request {
        let asked = outside.clients.placed.entry(wish.order).or_default();
        *asked = asked.saturating_add(1);
    }
    let attempt = outside.clients.attempts.len();
    // Never nil: that stands for "no request".
    let id = Uuid::from_u128(attempt as u128 + 1);
    let cause = Cause { id, by: "client".into(), key: None, fingerprint: None };
    outside.clients.attempts.push(Attempt { request, cause, process: None, over: false, tries });
    outside.agenda.within(longest, Event::Request { attempt });
}

/// What the plan wants of clients and operators.
pub(super) fn act(what: &What, number: usize, outside: &mut Outside) {
    let named = Uuid::from_u128((1 << 90) + number as u128);
    let request = match what.clone() {
        What::Buy(wish) => {
            if outside.strikes(|faults| faults.requests_doubled) {
                let again = Request::Place { wish: wish.clone(), other: false };
                send(again, WAY.saturating_mul(20), outside);
            }
            Request::Place { wish, other: false }
        }
        What::Reuse { order } => {
            let buys = outside.plan.iter().find_map(|act| match &act.what {
                What::Buy(wish) if wish.order == order => Some(wish.clone()),
                _ => None,
            });
            let Some(wish) = buys else { return };
            Request::Place { wish, other: true }
        }
        What::Cancel { order, as_operator } => Request::Cancel { order, as_operator },
        What::MoveOn { order } => Request::MoveOn { order },
        What::Read { order } => Request::Read { order },
        What::Adjust { product, delta } => Request::Adjust { product, delta, adjustment: named },
        What::Reprice { product } => Request::Reprice { product },
        What::AddToCart { cart, product, quantity } => {
            Request::AddToCart { cart, product, quantity, key: named }
        }
        What::FreeCart { cart } => Request::FreeCart { cart },
        What::Crash { .. }
        | What::TakeOver
        | What::StoreOutage { .. }
        | What::ProviderOutage { .. }
        | What::ClockStep { .. } => return,
    };
    let delayed = outside.strikes(|faults| faults.requests_delayed);
    send(request, if delayed { DEADLINE.saturating_mul(2) } else { WAY }, outside);
}

/// The edge answers an attempt. What it says is judged before the network has a chance to lose it.
pub(super) fn answered(attempt: usize, outcome: Outcome, outside: &mut Outside) {
    let Some(open) = outside.clients.attempts.get_mut(attempt).filter(|open| !open.over) else {
        return;
    };
    open.over = true;
    let (who, id) = (open.request.of(), open.cause.id);
    let asked = match &open.request {
        Request::Place { wish, other } => Some((fingerprint(wish, *other), believed(wish))),
        _ => None,
    };
    let reads = matches!(open.request, Request::Read { .. });
    match &outcome {
        Outcome::Done { version, changed, order } => {
            if *changed {
                let changed = outside.books.changed(id);
                outside.judge(changed);
            }
            let done = books::done(who, *version, &outside.names, &outside.store);
            outside.judge(done);
            if let (Some((asked, believed)), Some(order)) = (asked, order) {
                outside.judge(deals::settled(order, believed));
                let same = order.placement.fingerprint == asked;
                let told = outside.books.told(who.index, *version, order);
                outside.judge(told);
                let other = || {
                    Violation::new(
                        "R3",
                        format!("order {}: answered with other content", who.index),
                    )
                };
                outside.judge(same.then_some(()).ok_or_else(other));
            }
            if reads && outside.options.faults.take_overs == 0 {
                let read = outside.books.read(who.index, *version);
                outside.judge(read);
            }
        }
        Outcome::Refused(_) | Outcome::NotAccepted(_) => {
            let rejected = outside.books.rejected(id);
            outside.judge(rejected);
            // Where somebody else asked for the same order, what is held may be held for them.
            if asked.is_some() && outside.clients.placed.get(&who.index) == Some(&1) {
                let kept = outside.books.deals.keeps_nothing(who.index);
                outside.judge(kept);
            }
        }
        Outcome::Unknown => {}
    }
    watch(&outcome, outside);
    let outcome =
        if outside.strikes(|faults| faults.answers_lost) { Outcome::Unknown } else { outcome };
    outside.agenda.within(WAY, Event::Heard { attempt, outcome });
}

fn watch(outcome: &Outcome, outside: &mut Outside) {
    match outcome {
        Outcome::Done { changed: false, order: Some(_), .. } => outside.see(Sight::Repeated),
        Outcome::Refused(words) if words.contains("a customer may buy") => {
            outside.see(Sight::OverLimit);
        }
        Outcome::Refused(words) if words.contains("other content") => outside.see(Sight::KeyReused),
        Outcome::Refused(words) if words.contains("checked out as") => {
            outside.see(Sight::CartRefused);
        }
        Outcome::Refused(words) if words.contains("requested") => outside.see(Sight::SoldOutInside),
        _ => {}
    }
}

/// An answer reaches its client, who asks again until it knows.
pub(super) fn heard(attempt: usize, outcome: &Outcome, outside: &mut Outside) {
    let Some(open) = outside.clients.attempts.get(attempt) else { return };
    let (request, tries) = (open.request.clone(), open.tries.saturating_add(1));
    let repeats = outcome.is_definite()
        && matches!(request, Request::Place { .. } | Request::CallBack { .. })
        && outside.strikes(|faults| faults.requests_doubled);
    if repeats {
        return try_again(request, tries, outside.options.patience, outside);
    }
    if outcome.is_definite() || !request.insists() {
        return;
    }
    if TRIES_MAX < tries {
        let sentence = format!("{request:?} has no definite answer after {tries} tries");
        return outside.judge(Err(Violation::new("R20", sentence)));
    }
    let pause = outside.options.patience.saturating_mul(u64::from(tries)).min(10_000_000);
    try_again(request, tries, pause, outside);
}

/// A request has waited at the edge for too long, or its connection broke.
pub(super) fn give_up(attempt: usize, outside: &mut Outside) {
    answered(attempt, Outcome::Unknown, outside);
}

/// Every request that a process was answering: the connection breaks.
pub(super) fn cut(process: u32, outside: &mut Outside) {
    let open: Vec<usize> = outside
        .clients
        .attempts
        .iter()
        .enumerate()
        .filter(|(_, attempt)| attempt.process == Some(process) && !attempt.over)
        .map(|(index, _)| index)
        .collect();
    for attempt in open {
        give_up(attempt, outside);
    }
}

/// The status that comes after this one.
pub(super) const fn next_status(status: OrderStatus) -> OrderStatus {
    match status {
        OrderStatus::Pending => OrderStatus::Processing,
        OrderStatus::Processing => OrderStatus::Shipped,
        OrderStatus::Shipped | OrderStatus::Delivered => OrderStatus::Delivered,
        OrderStatus::Cancelled => OrderStatus::Cancelled,
    }
}
