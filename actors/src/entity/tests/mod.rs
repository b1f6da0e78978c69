//! The entity's logic, input by input: when answers leave, and what is asked of whom.

mod gathering;

use engine::Aggregate;
use engine::catalog::{Listing, ProductStatus};
use engine::inventory::{Inventory, InventoryCommand, InventoryEvent};
use engine::order::{Order, OrderCommand, OrderStatus, Personal, PlaceOrder, Wish, WishedItem};
use engine::process::{Answer, ChargeOutcome, Intent, StockRefusal, Unavailable};
use engine::values::{
    AdjustmentId, Currency, CustomerId, Fingerprint, HoldId, Moment, Money, OrderId, PaymentMethod,
    PaymentToken, ProductId, Quantity,
};
use persistence::journal::Shard;
use uuid::Uuid;

use super::{Asked, Effect, Entity, Loaded, Neighbour};
use crate::outcome::{Accepted, Cause, NotAccepted, NotDone, Position};

const NOW: Moment = Moment::from_unix_micros(1_000_000);

/// When nobody waits for what is asked any more.
const LATER: Moment = Moment::from_unix_micros(6_000_000);

type Reply = &'static str;

fn at(position: u64) -> Position {
    Position { shard: Shard(0), position }
}

fn asked<A: Aggregate>(command: A::Command, reply: Reply) -> Asked<A, Reply> {
    Asked { command: Some(command), cause: Cause::default(), reply, from: None }
}

/// What the effects say, in short words; tickets are kept for the answers.
fn words<A: Aggregate>(effects: &[Effect<A, Reply>]) -> Vec<String> {
    let word = |effect: &Effect<A, Reply>| match effect {
        Effect::Append { events, .. } => {
            let names: Vec<_> = events.iter().map(engine::EventName::name).collect();
            format!("append {}", names.join("+"))
        }
        Effect::Perform { intent, .. } => format!("perform {}", name(intent)),
        Effect::Publish { version, .. } => format!("publish {version}"),
        Effect::Reply { to, answer } => format!("reply {to}: {}", told(answer)),
        Effect::PursueIn(_) => "pause".to_owned(),
        Effect::Snapshot { version, .. } => format!("snapshot {version}"),
        Effect::Rest => "rest".to_owned(),
    };
    effects.iter().map(word).collect()
}

fn told<A: Aggregate>(answer: &Result<Accepted<A>, NotDone<A::Refusal>>) -> String {
    match answer {
        Ok(accepted) => format!(
            "{} at {}",
            if accepted.changed { "done" } else { "held already" },
            accepted.version
        ),
        Err(NotDone::Refused(refusal)) => format!("refused, {refusal}"),
        Err(NotDone::NotAccepted(reason)) => format!("not accepted, {reason}"),
        Err(NotDone::Unknown) => "unknown".to_owned(),
    }
}

fn name(intent: &Intent) -> &'static str {
    match intent {
        Intent::Lookup { .. } => "lookup",
        Intent::LookupPromo { .. } => "look up promo",
        Intent::NoteOrder { .. } => "note order",
        Intent::AskTrust { .. } => "ask trust",
        Intent::NoteReview { .. } => "note review",
        Intent::Hold { .. } => "hold",
        Intent::Extend { .. } => "extend",
        Intent::Commit { .. } => "commit",
        Intent::Release { .. } => "release",
        Intent::Restock { .. } => "restock",
        Intent::ClaimCart { .. } => "claim cart",
        Intent::ReopenCart { .. } => "reopen cart",
        Intent::Charge { .. } => "charge",
        Intent::QueryCharge { .. } => "query charge",
        Intent::Refund { .. } => "refund",
        Intent::RefundPart { .. } => "refund part",
        Intent::Deposit { .. } => "deposit",
        Intent::TakeBack { .. } => "take back",
        Intent::ForReturn { .. } => "for return",
    }
}

fn ticket<A: Aggregate>(effects: &[Effect<A, Reply>]) -> u64 {
    effects
        .iter()
        .find_map(|effect| match effect {
            Effect::Perform { ticket, .. } => Some(*ticket),
            _ => None,
        })
        .unwrap()
}

fn stock(units: i64) -> Entity<Inventory, Reply> {
    let mut loaded = Loaded::<Inventory>::default();
    let adjustment = AdjustmentId::new(Uuid::nil());
    let event = InventoryEvent::Adjusted { adjustment, delta: units, reason: String::new() };
    Inventory::evolve(&mut loaded.state, &event, NOW);
    loaded.version = 1;
    loaded.position = Some(at(1));
    Entity::new(loaded, 1_000, 1)
}

fn hold(number: u128, units: u32) -> InventoryCommand {
    InventoryCommand::Hold {
        hold: HoldId::new(Uuid::from_u128(number)),
        quantity: Quantity::new(units),
        customer: CustomerId::parse("alice").unwrap(),
        expires_at: Moment::from_unix_micros(90_000_000),
        valid_until: Moment::from_unix_micros(6_000_000),
    }
}

#[test]
fn an_answer_waits_until_its_events_are_durable() {
    let mut entity = stock(5);
    assert_eq!(words(&entity.ask(asked(hold(1, 2), "a"), LATER, NOW)), ["append inventory.held"]);
    assert_eq!(words(&entity.ask(asked(hold(2, 2), "b"), LATER, NOW)), ["append inventory.held"]);

    assert_eq!(words(&entity.written(2, at(2), NOW)), ["reply a: done at 2"]);
    assert_eq!(words(&entity.written(3, at(3), NOW)), ["reply b: done at 3"]);
}

#[test]
fn a_stock_without_history_is_seen_and_refuses_and_an_order_without_one_has_nothing_to_show() {
    let mut never_stocked = Entity::<Inventory, Reply>::new(Loaded::default(), 1_000, 1);
    let seen = never_stocked.start(NOW);
    let [Effect::Publish { view, version: 0, position: None }] = seen.as_slice() else {
        panic!("{:?}", words(&seen));
    };
    assert!(view.refusal(Quantity::new(1)).is_some());
    let told = words(&never_stocked.ask(asked(hold(1, 1), "a"), LATER, NOW));
    assert_eq!(told, ["reply a: refused, requested 1 units, 0 available"], "and it stays awake");

    let mut missing = Entity::<Order, Reply>::new(Loaded::default(), 1_000, 1);
    assert!(missing.start(NOW).is_empty());
}

#[test]
fn a_refusal_waits_for_the_last_event_that_it_has_seen() {
    let mut entity = stock(5);
    entity.ask(asked(hold(1, 5), "a"), LATER, NOW);
    assert!(entity.ask(asked(hold(2, 1), "b"), LATER, NOW).is_empty());

    let told = words(&entity.written(2, at(2), NOW));

    assert_eq!(
        told,
        [
            "reply a: done at 2".to_owned(),
            "reply b: refused, requested 1 units, 0 available".to_owned(),
        ]
    );
}

#[test]
fn another_entity_is_answered_ahead_of_the_disk_but_never_before_the_writer_has_the_events() {
    let mut entity = stock(5);
    let from = |ahead| Some(Neighbour { generation: 1, ahead });
    let ahead = |command, reply| Asked { from: from(true), ..asked(command, reply) };
    let granted = words(&entity.ask(ahead(hold(1, 5), "order a"), LATER, NOW));
    assert_eq!(granted, ["append inventory.held", "reply order a: done at 1"]);

    // A refusal is told to a person in the end, so it waits for what it has seen.
    assert!(entity.ask(ahead(hold(2, 1), "order b"), LATER, NOW).is_empty());
    assert_eq!(words(&entity.written(2, at(2), NOW)).len(), 1);

    // Who tells a person of what it gives back waits for the disk as well.
    let release = InventoryCommand::Release { hold: HoldId::new(Uuid::from_u128(1)) };
    let vain = Asked { from: from(false), ..asked(release, "order a") };
    assert_eq!(words(&entity.ask(vain, LATER, NOW)), ["append inventory.released"]);
    assert_eq!(words(&entity.written(3, at(3), NOW)), ["reply order a: done at 3"]);
}

#[test]
fn readers_see_only_what_is_durable() {
    let mut entity = stock(5);
    entity.ask(asked(hold(1, 5), "a"), LATER, NOW);
    let read = Asked { command: None, cause: Cause::default(), reply: "reader", from: None };
    assert!(entity.ask(read, LATER, NOW).is_empty(), "a read waits like everybody else");

    let effects = entity.written(2, at(2), NOW);

    let Some(Effect::Reply { answer: Ok(accepted), .. }) = effects.get(1) else {
        panic!("{:?}", words(&effects))
    };
    assert_eq!(accepted.view.held.units(), 5);
}

#[test]
fn a_snapshot_is_kept_only_once_its_events_are_durable() {
    let mut entity = stock(5);
    let mut small = Loaded::<Inventory>::default();
    std::mem::swap(&mut small.state, &mut entity.state);
    let mut entity: Entity<Inventory, Reply> = Entity::new(Loaded { version: 1, ..small }, 1, 1);
    assert_eq!(words(&entity.ask(asked(hold(1, 1), "a"), LATER, NOW)), ["append inventory.held"]);
    assert!(words(&entity.written(2, at(2), NOW)).contains(&"snapshot 2".to_owned()));
}

#[test]
fn an_entity_that_only_a_snapshot_tells_of_decides_nothing_before_its_last_event() {
    let loaded = Loaded { state: stock(5).state().clone(), version: 1, ..Loaded::default() };
    let mut entity: Entity<Inventory, Reply> = Entity::new(loaded, 1_000, 1);
    let before = Moment::from_unix_micros(999_999);

    let effects = entity.ask(asked(hold(1, 5), "a"), LATER, before);

    assert!(matches!(effects[..], [Effect::Append { at: NOW, .. }]), "{:?}", words(&effects));
}

#[test]
fn when_events_are_lost_everybody_waiting_hears_it() {
    let mut entity = stock(5);
    entity.ask(asked(hold(1, 2), "a"), LATER, NOW);
    entity.ask(asked(hold(2, 9), "b"), LATER, NOW);

    let lost = NotDone::NotAccepted(NotAccepted::NotWritten);
    let told = words(&entity.fail(&lost));

    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|told| told.contains("did not take the events")), "{told:?}");
}

#[test]
fn an_entity_without_a_history_goes_to_sleep_after_its_answer() {
    let mut entity: Entity<Order, Reply> = Entity::new(Loaded::default(), 1_000, 1);
    let wake = asked(OrderCommand::Wake, "a");
    assert_eq!(
        words(&entity.ask(wake, LATER, NOW)),
        ["reply a: refused, order is unknown", "rest"]
    );
}

fn wish() -> PlaceOrder {
    PlaceOrder {
        order: OrderId::new(Uuid::from_u128(1)),
        customer: CustomerId::parse("alice").unwrap(),
        channel: "test".to_owned(),
        items: vec![WishedItem::new(ProductId::parse("mouse").unwrap(), 1, None)],
        payment: Some(Wish {
            method: PaymentMethod::Card,
            token: Some(PaymentToken::new("tok_ok")),
        }),
        cart: None,
        promo: None,
        personal: Personal::default(),
        trusted_price: false,
        policy: std::sync::Arc::default(),
        vetting: engine::fraud::Vetting::default(),
        fingerprint: Fingerprint::from_bytes([1; 16]),
        hold_for: engine::order::HOLD_FIRST,
        credit: None,
        held_until: None,
    }
}

fn listing() -> Answer {
    Answer::Listing(Some(Listing {
        product: ProductId::parse("mouse").unwrap(),
        name: "mouse".to_owned(),
        price: Money::new(2_550, Currency::USD),
        status: ProductStatus::Active,
        terms: None,
        version: 1,
        pictures: [].into(),
    }))
}

/// An order on its way to the provider, and the ticket of the charge.
fn charging() -> (Entity<Order, Reply>, u64) {
    let mut entity: Entity<Order, Reply> = Entity::new(Loaded::default(), 1_000, 1);
    let looked = entity.ask(asked(OrderCommand::Place(Box::new(wish())), "a"), LATER, NOW);
    let held = entity.answered(ticket(&looked), listing(), NOW);
    let placed = entity.answered(ticket(&held), Answer::StockDone, NOW);
    assert_eq!(words(&placed), ["append order.placed"]);
    let charge = entity.written(1, at(1), NOW);
    assert_eq!(words(&charge), ["perform charge"]);
    (entity, ticket(&charge))
}

#[test]
fn a_checkout_asks_the_world_only_on_what_is_durable_and_answers_last() {
    let (mut entity, charge) = charging();

    let outcome = ChargeOutcome::Captured { reference: "r".to_owned() };
    let captured = entity.answered(charge, Answer::Charge(outcome), NOW);
    // The stock writes through the same writer, after the capture; it need not wait for the disk.
    assert_eq!(words(&captured), ["append order.payment_captured", "perform commit"]);
    let sold = entity.answered(ticket(&captured), Answer::StockDone, NOW);
    assert_eq!(words(&sold), ["append order.stock_committed"]);

    assert!(entity.written(2, at(2), NOW).is_empty(), "not everything is durable yet");
    assert_eq!(words(&entity.written(3, at(3), NOW)), ["reply a: done at 3", "rest"]);
}

#[test]
fn a_charge_in_trouble_pauses_and_is_tried_again() {
    let (mut entity, charge) = charging();
    let trouble = entity.answered(charge, Answer::Failed, NOW);
    assert_eq!(words(&trouble), ["append order.payment_queued", "perform extend", "pause"]);
    entity.answered(ticket(&trouble), Answer::StockDone, NOW);
    let queued = words(&entity.written(3, at(3), NOW));
    assert!(queued.contains(&"reply a: done at 2".to_owned()), "{queued:?}");
    assert!(!queued.contains(&"perform charge".to_owned()), "{queued:?}");

    assert!(!words(&entity.pursue(NOW)).contains(&"perform charge".to_owned()));
    let later = Moment::from_unix_micros(20_000_000);
    assert!(words(&entity.pursue(later)).contains(&"perform charge".to_owned()));
}

#[test]
fn a_pause_that_is_over_is_not_told_again_while_its_work_waits_for_the_disk() {
    let (mut entity, charge) = charging();
    let trouble = entity.answered(charge, Answer::Failed, NOW);
    entity.answered(ticket(&trouble), Answer::StockDone, NOW);
    let later = Moment::from_unix_micros(20_000_000);

    assert_eq!(words(&entity.pursue(later)), [""; 0], "to tell it would be to spin");

    assert!(words(&entity.written(3, at(3), later)).contains(&"perform charge".to_owned()));
}

#[test]
fn whoever_asks_under_an_ended_generation_hears_that_nothing_happened() {
    let heard_by = |of_entity: u64, of_asker: Option<u64>| {
        let loaded = Loaded { state: stock(5).state().clone(), version: 1, ..Loaded::default() };
        let mut entity: Entity<Inventory, Reply> = Entity::new(loaded, 1_000, of_entity);
        let from = of_asker.map(|generation| Neighbour { generation, ahead: true });
        let ask = Asked { from, ..asked(hold(1, 5), "order a") };
        let effects = entity.ask(ask, LATER, NOW);
        let [Effect::Reply { answer, .. }] = &effects[..] else { return None };
        answer.clone().err()
    };
    let nothing_happened = Some(NotDone::NotAccepted(NotAccepted::Restarting));
    assert_eq!(heard_by(7, Some(6)), nothing_happened);
    for present in [Some(7), Some(8), None] {
        assert_eq!(heard_by(7, present), None, "{present:?} is judged");
    }
}

#[test]
fn what_became_of_a_charge_is_asked_only_when_nobody_is_making_it_any_more() {
    let (mut entity, charge) = charging();
    let cancel = OrderCommand::Cancel { by: "a".into(), as_operator: false, reason: None };
    assert_eq!(words(&entity.ask(asked(cancel, "b"), LATER, NOW)), ["append order.cancelled"]);
    let durable = words(&entity.written(2, at(2), NOW));
    assert_eq!(durable, ["perform release"]);

    let ended = words(&entity.answered(charge, Answer::Failed, NOW));

    assert_eq!(ended, ["perform query charge"]);
}

#[test]
fn a_pause_that_ends_while_the_wall_clock_was_set_back_is_told_again() {
    let (mut entity, charge) = charging();
    entity.answered(charge, Answer::Failed, NOW);
    entity.written(2, at(2), NOW);
    let set_back = Moment::from_unix_micros(1);

    assert!(words(&entity.pursue(set_back)).contains(&"pause".to_owned()));
}

#[test]
fn an_answer_shows_what_was_settled_and_not_what_came_of_it_since() {
    let (mut entity, charge) = charging();
    let outcome = ChargeOutcome::Captured { reference: "r".to_owned() };
    let captured = entity.answered(charge, Answer::Charge(outcome), NOW);
    entity.answered(ticket(&captured), Answer::StockDone, NOW);
    let cancel = OrderCommand::Cancel { by: "a".into(), as_operator: false, reason: None };
    entity.ask(asked(cancel, "b"), LATER, NOW);

    // Everything becomes durable in one commit.
    let told = entity.written(4, at(4), NOW);

    let shown = told.iter().find_map(|effect| match effect {
        Effect::Reply { to: "a", answer: Ok(accepted) } => accepted.view.clone(),
        _ => None,
    });
    assert_eq!(shown.unwrap().status, OrderStatus::Pending);
    assert!(!words(&told).iter().any(|word| word.starts_with("reply b")), "units are to go back");
}
