//! Commands that need others first: what is asked of them, and what goes back.

use super::*;

#[test]
fn nobody_says_that_nothing_happened_once_something_may_have_been_taken() {
    let lost = NotDone::NotAccepted(NotAccepted::NotWritten);
    let unwritten = "reply a: not accepted, journal did not take the events";
    let granted = Answer::StockDone;
    let sold_out = || Answer::StockRefused(StockRefusal::NotEnough { available: Quantity::ZERO });
    let busy = || Answer::NotAccepted(Unavailable::Overloaded);
    let cases: [(&[Answer], &str); 9] = [
        (&[], unwritten),
        (&[listing()], unwritten),
        (&[listing(), listing()], "reply a: unknown"),
        (&[listing(), listing(), sold_out()], "reply a: unknown"),
        (&[listing(), listing(), granted.clone()], "reply a: unknown"),
        (&[listing(), listing(), Answer::Failed], "reply a: unknown"),
        // What was granted is on its way back.
        (&[listing(), listing(), sold_out(), granted.clone()], "reply a: unknown"),
        (&[listing(), listing(), granted.clone(), busy()], "reply a: unknown"),
        // The order is placed, but not durable.
        (&[listing(), listing(), granted.clone(), granted.clone()], "reply a: unknown"),
    ];
    for (answers, expected) in cases {
        let mut entity: Entity<Order, Reply> = Entity::new(Loaded::default(), 1_000, 1);
        let mut both = wish();
        both.items.push(WishedItem::new(ProductId::parse("laptop").unwrap(), 1, None));
        entity.ask(asked(OrderCommand::Place(Box::new(both)), "a"), LATER, NOW);
        for (ticket, answer) in (0_u64..).zip(answers) {
            entity.answered(ticket, answer.clone(), NOW);
        }
        assert_eq!(words(&entity.fail(&lost)), [expected], "{answers:?}");
    }
}

#[test]
fn a_repeat_while_the_first_is_under_way_waits_for_its_end() {
    let mut entity: Entity<Order, Reply> = Entity::new(Loaded::default(), 1_000, 1);
    let looked = entity.ask(asked(OrderCommand::Place(Box::new(wish())), "a"), LATER, NOW);
    assert!(entity.ask(asked(OrderCommand::Place(Box::new(wish())), "b"), LATER, NOW).is_empty());
    let held = entity.answered(ticket(&looked), listing(), NOW);
    entity.answered(ticket(&held), Answer::StockDone, NOW);
    let charge = entity.written(1, at(1), NOW);
    let outcome = ChargeOutcome::Captured { reference: "r".to_owned() };
    let captured = entity.answered(ticket(&charge), Answer::Charge(outcome), NOW);
    entity.answered(ticket(&captured), Answer::StockDone, NOW);

    let done = words(&entity.written(3, at(3), NOW));

    assert_eq!(
        done[..2],
        ["reply a: done at 3".to_owned(), "reply b: held already at 3".to_owned()]
    );
}

#[test]
fn what_was_taken_in_vain_goes_back_before_the_refusal_is_told() {
    let mut entity: Entity<Order, Reply> = Entity::new(Loaded::default(), 1_000, 1);
    let mut both = wish();
    both.items.push(WishedItem::new(ProductId::parse("laptop").unwrap(), 1, None));
    let looked = entity.ask(asked(OrderCommand::Place(Box::new(both)), "a"), LATER, NOW);
    assert_eq!(words(&looked), ["perform lookup", "perform lookup"]);
    entity.answered(0, listing(), NOW);
    let held = entity.answered(1, listing(), NOW);
    assert_eq!(words(&held), ["perform hold", "perform hold"]);
    entity.answered(2, Answer::StockDone, NOW);
    let none = StockRefusal::NotEnough { available: Quantity::ZERO };

    let undo = entity.answered(3, Answer::StockRefused(none), NOW);
    assert_eq!(words(&undo), ["perform release"]);
    assert!(matches!(undo[..], [Effect::Perform { ahead: false, .. }]), "a refusal rests on it");

    let told = words(&entity.answered(ticket(&undo), Answer::StockDone, NOW));
    assert!(told[0].starts_with("reply a: refused, laptop"), "{told:?}");
}

#[test]
fn what_cannot_go_back_is_tried_again_and_then_nobody_says_that_nothing_happened() {
    for heals_after in [Some(2), None] {
        let mut entity: Entity<Order, Reply> = Entity::new(Loaded::default(), 1_000, 1);
        let mut both = wish();
        both.items.push(WishedItem::new(ProductId::parse("laptop").unwrap(), 1, None));
        entity.ask(asked(OrderCommand::Place(Box::new(both)), "a"), LATER, NOW);
        entity.answered(0, listing(), NOW);
        entity.answered(1, listing(), NOW);
        entity.answered(2, Answer::StockDone, NOW);
        let none = StockRefusal::NotEnough { available: Quantity::ZERO };
        let mut undo = entity.answered(3, Answer::StockRefused(none), NOW);
        let mut tries = 0;
        let told = loop {
            assert_eq!(words(&undo), ["perform release"]);
            tries += 1;
            let heals = heals_after.is_some_and(|after| after < tries);
            let answer = if heals { Answer::StockDone } else { Answer::Failed };
            let told = words(&entity.answered(ticket(&undo), answer, NOW));
            if told != ["pause"] {
                break told;
            }
            undo = entity.pursue(NOW);
        };
        let expected = if heals_after.is_some() { "reply a: refused" } else { "reply a: unknown" };
        assert!(told[0].starts_with(expected), "{told:?}");
    }
}

#[test]
fn what_waited_for_longer_than_it_was_worth_is_not_started() {
    let mut entity: Entity<Order, Reply> = Entity::new(Loaded::default(), 1_000, 1);
    let looked = entity.ask(asked(OrderCommand::Place(Box::new(wish())), "a"), LATER, NOW);
    entity.ask(asked(OrderCommand::Place(Box::new(wish())), "b"), NOW, NOW);
    let late = Moment::from_unix_micros(1_000_001);

    let told = words(&entity.answered(ticket(&looked), Answer::Listing(None), late));

    let unheard = told.iter().find(|word| word.starts_with("reply b"));
    assert_eq!(
        unheard.unwrap(),
        "reply b: not accepted, deadline passed before the command was started"
    );
}
