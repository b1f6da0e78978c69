//! The edge of a real engine: a request of the simulated crowd is asked through the door that HTTP
//! uses, and its answer goes back into the world.

use std::sync::Arc;

use actors::faults::Drills;
use actors::outcome::NotAccepted;
use actors::runtime::spawn_light;
use actors::{Asking, Cause, OrderSystem};
use engine::cart::{Cart, CartCommand};
use engine::catalog::Product;
use engine::drill::{ActorKind, Asker};
use engine::inventory::Inventory;
use engine::order::Order;
use tokio::time::{Duration, Instant};

use super::super::books::Violation;
use super::super::cast::Cast;
use super::super::chance::Chance;
use super::super::clients::{self, DEADLINE, Outcome, Request};
use super::super::edge::{Errand, free, move_on};
use super::super::names::{self, Kind, Names, Who};
use super::super::sights::Sight;
use super::engines::Engine;
use super::ground::{Ground, Inside};

/// How late an answer may be: timers know milliseconds.
const LATE: Duration = Duration::from_millis(2);

/// A request reaches whichever process takes the connection.
pub(super) fn request(attempt: usize, ground: &Arc<Ground>) {
    let taken = ground.with(|inside| {
        let Inside { outside, engines, asking, .. } = inside;
        let index = outside.luck.index(engines.len());
        let Some(engine) = engines.get(index).cloned() else {
            let refused = Outcome::NotAccepted(NotAccepted::Restarting);
            clients::answered(attempt, refused, outside);
            return None;
        };
        let open = outside.clients.attempts.get_mut(attempt)?;
        open.process = Some(engine.process);
        *asking = asking.saturating_add(1);
        let (request, cause) = (open.request.clone(), open.cause.clone());
        let key = outside.names.stream(request.of())?.key().to_owned();
        let strikes = outside.strikes(|faults| faults.panics);
        let victim =
            strikes.then(|| victim(request.of(), &outside.names, &mut outside.luck)).flatten();
        Some((engine, request, key, cause, victim))
    });
    let Some((engine, request, key, cause, victim)) = taken else { return };
    if let Some((kind, key)) = victim {
        let drills = Arc::clone(&engine.drills);
        ground.with(|inside| inside.outside.see(Sight::Panicked));
        spawn_light(async move { kill(&drills, kind, &key).await });
    }
    let ground = Arc::clone(ground);
    spawn_light(async move {
        let Engine { system, .. } = engine;
        let asked = Instant::now();
        let deadline = asked + Duration::from_micros(DEADLINE);
        let outcome = ask(&system, request, &key, Asking { deadline, cause }).await;
        ground.with(|Inside { outside, asking, .. }| {
            outside.judge(in_time(asked.elapsed(), attempt));
            clients::answered(attempt, outcome, outside);
            *asking = asking.saturating_sub(1);
        });
    });
}

/// Whoever asks hears something before the deadline, be it that nobody knows.
fn in_time(took: Duration, attempt: usize) -> Result<(), Violation> {
    if took <= Duration::from_micros(DEADLINE) + LATE {
        return Ok(());
    }
    Err(Violation::new("R20", format!("request {attempt} was answered after {took:?}")))
}

async fn ask(system: &OrderSystem, request: Request, key: &str, asking: Asking) -> Outcome {
    let index = request.of().index;
    match request.errand() {
        Some(Errand::Product(command)) => put::<Product>(system, key, command, asking).await,
        Some(Errand::Stock(command)) => put::<Inventory>(system, key, command, asking).await,
        Some(Errand::Cart(command)) => put::<Cart>(system, key, command, asking).await,
        Some(Errand::Order(command)) => put::<Order>(system, key, command, asking).await,
        Some(Errand::MoveOn) => {
            let Ok(shown) = system.order(names::order(index)).await else {
                return Outcome::Unknown;
            };
            put::<Order>(system, key, move_on(shown.as_deref()), asking).await
        }
        Some(Errand::FreeCart) => match freeing(system, index).await {
            Some(command) => put::<Cart>(system, key, command, asking).await,
            None => Outcome::Unknown,
        },
        Some(Errand::Read) => match system.order_as_it_stands(names::order(index)).await {
            Ok(read) => Outcome::Done { version: read.version, changed: false, order: read.view },
            Err(_) => Outcome::Unknown,
        },
        None => Outcome::Unknown,
    }
}

async fn put<A: Cast + actors::directory::Hosted>(
    system: &OrderSystem,
    key: &str,
    command: A::Command,
    asking: Asking,
) -> Outcome {
    Outcome::of::<A>(system.ask::<A>(key, command, asking).await)
}

/// What frees a cart that belongs to an order which came to nothing.
async fn freeing(system: &OrderSystem, index: usize) -> Option<CartCommand> {
    let owner = system.cart(names::cart(index)).await.ok()??.ordered_as?;
    let order = system.order(owner).await.ok()?;
    free(owner, order.as_deref())
}

/// Whoever is asked, so that it dies at work; or somebody else.
fn victim(asked: Who, names: &Names, luck: &mut Chance) -> Option<(ActorKind, String)> {
    let kind = luck.one_of(Kind::Stock, &[Kind::Order, Kind::Cart]);
    let other = Who::new(kind, luck.index(names.count(kind)));
    let who = luck.one_of(asked, &[other]);
    let actor = match who.kind {
        Kind::Product => ActorKind::Product,
        Kind::Stock => ActorKind::Inventory,
        Kind::Cart => ActorKind::Cart,
        Kind::Order => ActorKind::Order,
    };
    Some((actor, names.stream(who)?.key().to_owned()))
}

/// Kills an actor as a developer would. Where the journal does not take that down, nobody dies.
async fn kill(drills: &Drills, kind: ActorKind, key: &str) {
    let asker = Asker { by: "fate".to_owned(), request: key.to_owned() };
    let deadline = Instant::now() + Duration::from_micros(DEADLINE);
    let asking = Asking { deadline, cause: Cause::default() };
    let _ = drills.kill(kind, key, asker, asking).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_after_the_deadline_is_a_promise_that_was_broken() {
        let deadline = Duration::from_micros(DEADLINE);
        assert_eq!(in_time(deadline + LATE, 1), Ok(()));
        let late = in_time(deadline + LATE + Duration::from_micros(1), 1).unwrap_err();
        assert_eq!(late.promise, "R20");
    }
}
