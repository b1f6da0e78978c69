//! One broken promise at a time, each planted by hand in an honest history.

use super::*;

#[test]
fn a_lost_order_is_found() {
    let lost = |story: &mut Story| story.op(5).end = no(404, "not_found");
    assert_eq!(planted(lost), ["acknowledged_orders_kept"]);
    let mut story = honest();
    lost(&mut story);
    let judgement = check(&story.history, None);
    let sentence = judgement.first().unwrap();
    assert!(sentence.contains("order o-a of place 20 (process 2, key a)"), "{sentence}");
    assert!(sentence.contains("read 60"), "{sentence}");
}

#[test]
fn a_done_order_that_came_to_nothing_is_found() {
    let found = planted(|story| {
        story.seen(5).status = Status::Cancelled;
        story.seen(5).ver = Some(4);
        *story.shelf(7) = Stock { on_hand: 1, held: 0, available: 1, sold: 1 };
    });
    assert_eq!(found, ["acknowledged_orders_kept"]);
}

#[test]
fn facts_that_change_are_found() {
    let changes: [fn(&mut OrderSeen); 4] = [
        |seen| seen.facts.lines[0].id = Some("2".into()),
        |seen| seen.facts.currency = "EUR".into(),
        |seen| (seen.facts.tax, seen.facts.total) = (1, PRICE + 1),
        |seen| seen.facts.lines[0].n = 2,
    ];
    for change in changes {
        assert!(planted(|story| change(story.seen(5))).contains(&"answers_agree"));
    }
}

#[test]
fn wrong_sums_prices_and_wishes_are_found() {
    let changes: [fn(&mut OrderSeen); 4] = [
        |seen| seen.facts.total = PRICE - 1,
        |seen| seen.facts.subtotal = PRICE - 1,
        |seen| {
            seen.facts.lines[0].unit = 1;
            (seen.facts.subtotal, seen.facts.total) = (1, 1);
        },
        |seen| seen.facts.lines[0].product = "q".into(),
    ];
    for change in changes {
        let found = planted(|story| {
            for at in [1, 3, 5] {
                change(story.seen(at));
            }
        });
        assert!(found.contains(&"answers_agree"), "{found:?}");
    }
}

#[test]
fn one_version_with_two_states_is_found() {
    assert_eq!(planted(|story| story.seen(5).status = Status::Processing), ["answers_agree"]);
}

#[test]
fn a_life_that_runs_backwards_is_found() {
    let found = planted(|story| {
        story.seen(1).status = Status::Shipped;
        story.seen(3).status = Status::Shipped;
        story.seen(5).status = Status::Processing;
        story.seen(5).ver = Some(4);
    });
    assert_eq!(found, ["answers_agree"]);
    let found = planted(|story| {
        for at in [1, 3] {
            story.seen(at).payment = Payment::Paid;
        }
        story.seen(5).payment = Payment::Queued;
        story.seen(5).ver = Some(4);
    });
    assert!(found.contains(&"answers_agree"));
}

#[test]
fn a_yes_that_shows_nothing_is_found() {
    let found = planted(|story| story.op(3).end = End::Ok(Seen::Nothing));
    assert_eq!(found, ["answers_agree"]);
}

#[test]
fn a_yes_that_does_not_say_where_it_stands_is_found() {
    let found = planted(|story| {
        // Not only the first answer: what tells nothing must not be skipped.
        for at in [1, 3] {
            story.seen(at).pos = None;
        }
    });
    assert_eq!(found, ["answers_agree"], "a change without its place");
    let found = planted(|story| story.seen(5).ver = None);
    assert_eq!(found, ["answers_agree"], "a read without a version");
    let found = planted(|story| {
        let End::Ok(Seen::Shelf(seen)) = &mut story.op(7).end else { panic!("no shelf") };
        seen.ver = None;
    });
    assert_eq!(found, ["answers_agree"], "a look without a version");
    let found = planted(|story| {
        let changed = End::Ok(Seen::Changed(Changed { ver: Some(9), pos: None }));
        story.tell(8, Some("r"), Ask::Restock("p".into(), 0), changed);
        story.look_at_the_end();
    });
    assert!(found.contains(&"answers_agree"), "a change by hand without its place: {found:?}");
}

#[test]
fn a_step_refused_in_vain_is_found() {
    let found = planted(|story| {
        let ask = Ask::Move("o-a".into(), Status::Processing);
        story.tell(9, None, ask, no(409, "invalid_transition"));
    });
    assert_eq!(found, ["answers_agree"]);
    let found = planted(|story| {
        let ask = Ask::Move("o-a".into(), Status::Delivered);
        story.tell(9, None, ask, no(409, "invalid_transition"));
    });
    assert_eq!(found, Vec::<&str>::new());
}

#[test]
fn two_orders_for_one_key_are_found() {
    let found = planted(|story| *story.seen(3) = order("o-x", 30));
    assert!(found.contains(&"one_order_per_key"));
}

#[test]
fn one_order_for_two_keys_is_found() {
    let found = planted(|story| {
        *story.seen(2) = order("o-a", 10);
        story.history.ops.remove(6);
    });
    assert!(found.contains(&"one_order_per_key"));
}

#[test]
fn a_repeat_that_does_not_say_so_is_found() {
    assert_eq!(planted(|story| story.seen(3).replayed = false), ["one_order_per_key"]);
}

#[test]
fn a_refusal_that_had_an_effect_is_found() {
    let found = planted(|story| {
        story.op(1).end = no(503, "overloaded");
    });
    assert_eq!(found, ["one_order_per_key"], "the repeat of what was refused was done before");
}

#[test]
fn two_changes_at_one_place_are_found() {
    assert_eq!(planted(|story| story.seen(2).pos = story.seen(1).pos), ["positions_agree"]);
}

#[test]
fn one_version_at_two_places_is_found() {
    let elsewhere = Some(Position { shard: 0, at: 11 });
    assert_eq!(planted(|story| story.seen(3).pos = elsewhere), ["positions_agree"]);
    let later = |at| {
        planted(|story| {
            (story.seen(3).ver, story.seen(5).ver) = (Some(4), Some(4));
            story.seen(3).pos = Some(Position { shard: 0, at });
        })
    };
    assert_eq!(later(9), ["positions_agree"], "a newer version before an older one");
    assert_eq!(later(10), Vec::<&str>::new(), "the older one was told late");
    assert_eq!(later(11), Vec::<&str>::new());
}

#[test]
fn a_change_before_its_time_is_found() {
    let early = Some(Position { shard: 0, at: 9 });
    assert_eq!(planted(|story| story.seen(2).pos = early), ["positions_agree"]);
    let found = planted(|story| {
        story.seen(2).pos = early;
        // They overlap: either may come first.
        story.op(2).asked = story.op(1).asked;
    });
    assert_eq!(found, Vec::<&str>::new());
    let other_shard = Some(Position { shard: 1, at: 9 });
    assert_eq!(planted(|story| story.seen(2).pos = other_shard), Vec::<&str>::new());
}

#[test]
fn a_unit_that_was_never_there_is_found() {
    let found = planted(|story| {
        story.place(7, "d", order("o-d", 40));
        story.read(6, read_back("o-d"));
        story.look(1, 0, 0, 3);
    });
    assert_eq!(found, ["nothing_oversold", "stock_adds_up"]);
}

#[test]
fn units_that_no_order_explains_are_found() {
    let found = planted(|story| {
        story.history.ops.remove(2);
        story.history.ops.remove(5);
        story.op(3).end = no(429, "throttled");
    });
    assert_eq!(found, ["nothing_oversold"], "one bought, two are sold");
}

#[test]
fn units_that_were_not_counted_are_found() {
    let found = planted(|story| {
        *story.shelf(7) = Stock { on_hand: 1, held: 0, available: 1, sold: 1 };
    });
    assert_eq!(found, ["nothing_oversold"]);
}

#[test]
fn stock_that_does_not_add_up_is_found() {
    for stock in [
        Stock { on_hand: 0, held: 0, available: 1, sold: 2 },
        Stock { on_hand: 1, held: 0, available: 1, sold: 2 },
        Stock { on_hand: 1, held: 1, available: 0, sold: 2 },
    ] {
        assert_eq!(planted(|story| *story.shelf(7) = stock), ["stock_adds_up"], "{stock:?}");
    }
}

#[test]
fn a_hold_that_outlives_its_order_is_found() {
    let found = planted(|story| {
        *story.shelf(0) = Stock { on_hand: 3, held: 0, available: 3, sold: 0 };
        *story.shelf(7) = Stock { on_hand: 1, held: 1, available: 0, sold: 2 };
        story.op(4).end = no(429, "throttled");
    });
    assert_eq!(found, ["stock_adds_up"]);
}

#[test]
fn sold_out_while_units_were_free_is_found() {
    let found = planted(|story| {
        *story.shelf(0) = Stock { on_hand: 3, held: 0, available: 3, sold: 0 };
        *story.shelf(7) = Stock { on_hand: 1, held: 0, available: 1, sold: 2 };
    });
    assert_eq!(found, ["stock_adds_up"]);
    let found = planted(|story| {
        *story.shelf(0) = Stock { on_hand: 3, held: 0, available: 3, sold: 0 };
        *story.shelf(7) = Stock { on_hand: 1, held: 0, available: 1, sold: 2 };
        // Somebody else was being judged meanwhile, and may have had the unit for a moment.
        let now = story.op(4).asked;
        let other = story.tell(8, Some("d"), wish(1), no(402, "payment_declined"));
        (other.asked, other.ended) = (now - 1, now + 1);
    });
    assert_eq!(found, Vec::<&str>::new());
}

#[test]
fn a_read_of_what_was_before_is_found() {
    let found = planted(|story| story.seen(5).ver = Some(2));
    assert_eq!(found, ["reads_are_fresh"], "an order older than its position was told");
    let found = planted(|story| {
        story.look(1, 0, 0, 2);
        let End::Ok(Seen::Shelf(seen)) = &mut story.op(8).end else { panic!("no shelf") };
        seen.ver = Some(1);
    });
    assert_eq!(found, ["reads_are_fresh"], "a shelf older than at the last look");
    let found = planted(|story| {
        story.seen(5).ver = Some(2);
        // It was asked for before anybody was told more.
        story.op(5).asked = story.op(1).asked;
        story.look_at_the_end();
    });
    assert_eq!(found, Vec::<&str>::new());
}

#[test]
fn a_repeat_of_a_yes_that_is_refused_is_found() {
    let refused = |http, code: &'static str| planted(|story| story.op(3).end = no(http, code));
    assert_eq!(refused(409, "insufficient_stock"), ["one_order_per_key"]);
    assert_eq!(refused(402, "payment_declined"), ["one_order_per_key"]);
    assert_eq!(refused(503, "overloaded"), Vec::<&str>::new());
    let found = planted(|story| {
        let other = Ask::Place(vec![Wanted { product: "p".into(), n: 9 }]);
        story.tell(8, Some("a"), other, no(422, "idempotency_key_reused"));
        story.look_at_the_end();
    });
    assert_eq!(found, Vec::<&str>::new(), "another wish under a key is refused rightly");
}

#[test]
fn another_wish_under_a_key_that_is_taken_is_found() {
    let found = planted(|story| {
        let again = OrderSeen { replayed: true, ..order("o-a", 10) };
        story.place(8, "a", again).ask = wish(9);
        story.look_at_the_end();
    });
    assert_eq!(found, ["answers_agree"]);
}

#[test]
fn an_old_place_in_an_answer_to_a_repeat_is_fine() {
    let changed = |ver, at| {
        End::Ok(Seen::Changed(Changed { ver: Some(ver), pos: Some(Position { shard: 0, at }) }))
    };
    let found = planted(|story| {
        story.history.ops.truncate(7);
        let cancelled = |http| OrderSeen {
            status: Status::Cancelled,
            payment: Payment::Refunded,
            ver: Some(5),
            pos: Some(Position { shard: 0, at: 40 }),
            http,
            ..order("o-a", 0)
        };
        story.tell(8, None, Ask::Cancel("o-a".into()), ok(cancelled(200)));
        story.tell(8, Some("r"), Ask::Restock("p".into(), 1), changed(5, 50));
        story.tell(9, None, Ask::Cancel("o-a".into()), ok(cancelled(200)));
        story.place(10, "d", order("o-d", 60));
        story.tell(8, Some("r"), Ask::Restock("p".into(), 1), changed(5, 50));
        story.read(6, OrderSeen { pos: None, ..cancelled(200) });
        story.read(6, read_back("o-d"));
        story.look(1, 1, 0, 2);
    });
    assert_eq!(found, Vec::<&str>::new());
}

#[test]
fn stock_that_is_changed_by_hand_is_followed() {
    let restocked = |sold, on_hand| {
        let mut story = honest();
        story.history.ops.truncate(7);
        let pos = Some(Position { shard: 0, at: 30 });
        let changed = End::Ok(Seen::Changed(Changed { ver: Some(1), pos }));
        story.tell(8, Some("r"), Ask::Restock("p".into(), 5), changed.clone());
        // The same delivery, repeated, brings nothing.
        story.tell(8, Some("r"), Ask::Restock("p".into(), 5), changed);
        story.look(1, on_hand, 0, sold);
        story.failed()
    };
    assert_eq!(restocked(2, 5), Vec::<&str>::new());
    assert_eq!(restocked(2, 10), ["stock_adds_up"]);
    assert_eq!(restocked(2, 0), ["stock_adds_up"]);
}
