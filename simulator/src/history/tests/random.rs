//! Histories drawn by lot from a shop that does one thing after the other: as they are they
//! pass, and with one thing wrong they do not.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use super::*;

/// A run of `keys` clients over one product, each with up to three tries.
fn drawn(seed: u64, keys: u64, stock: u64) -> Story {
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut story = Story::default();
    let (mut sold, mut place, mut orders) = (0, 0, Vec::new());
    story.look(1, stock, 0, 0);
    for key in 0..keys {
        let (process, name) = (key * 4 + 2, format!("k-{key}"));
        if chance.random_bool(0.1) {
            story.tell(process, Some(&name), wish(1), no(503, "overloaded"));
        }
        if sold == stock {
            story.tell(process, Some(&name), wish(1), no(409, "insufficient_stock"));
            continue;
        }
        sold += 1;
        place += chance.random_range(1..4_u64);
        let mut bought = order(&format!("o-{key}"), place);
        bought.pos = Some(Position { shard: chance.random_range(0..4), at: place });
        let unheard = chance.random_bool(0.1);
        if unheard {
            story.tell(process, Some(&name), wish(1), End::Unknown);
        }
        let first = OrderSeen { replayed: unheard, ..bought.clone() };
        story.place(process + 1, &name, first);
        if chance.random_bool(0.2) {
            story.place(process + 2, &name, OrderSeen { replayed: true, ..bought.clone() });
        }
        if chance.random_bool(0.1) {
            story.look(1, stock - sold, 0, sold);
        }
        orders.push(bought);
    }
    for seen in orders {
        story.read(0, OrderSeen { http: 200, pos: None, ..seen });
    }
    story.look(1, stock - sold, 0, sold);
    story
}

/// The numbers of all questions that a test tells apart.
fn all(story: &Story, is: impl Fn(&Op) -> bool) -> Vec<usize> {
    let ops = story.history.ops.iter().enumerate();
    ops.filter(|(_, op)| is(op)).map(|(at, _)| at).collect()
}

#[test]
fn whatever_an_honest_shop_answers_is_valid() {
    for seed in 0..300 {
        let story = drawn(seed, 40, 1 + seed % 50);
        let judgement = check(&story.history, None);
        assert_eq!(judgement.verdict, Verdict::Valid, "seed {seed}: {:?}", judgement.first());
    }
}

#[test]
fn each_single_corruption_of_a_drawn_history_is_found() {
    type Corruption = (&'static str, fn(&mut Story, usize));
    let of_orders: [Corruption; 8] = [
        ("acknowledged_orders_kept", |story, read| story.op(read).end = no(404, "not_found")),
        ("answers_agree", |story, read| story.seen(read).facts.total += 1),
        ("answers_agree", |story, read| story.seen(read).facts.lines[0].n += 1),
        ("answers_agree", |story, read| story.seen(read).status = Status::Processing),
        ("answers_agree", |story, read| story.seen(read).payment = Payment::Queued),
        ("acknowledged_orders_kept", |story, read| {
            let seen = story.seen(read);
            (seen.status, seen.ver) = (Status::Cancelled, Some(4));
        }),
        ("answers_agree", |story, read| story.op(read).end = End::Ok(Seen::Nothing)),
        ("answers_agree", |story, read| story.seen(read).order = "o-other".into()),
    ];
    let of_looks: [Corruption; 4] = [
        ("nothing_oversold", |story, look| {
            let shelf = story.shelf(look);
            (shelf.sold, shelf.on_hand) = (shelf.sold + 41, shelf.on_hand);
        }),
        ("stock_adds_up", |story, look| story.shelf(look).on_hand += 1),
        ("stock_adds_up", |story, look| story.shelf(look).available += 1),
        ("stock_adds_up", |story, look| {
            let shelf = story.shelf(look);
            (shelf.available, shelf.on_hand) = (shelf.available + 1, shelf.on_hand + 1);
        }),
    ];
    for seed in 0..100 {
        let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed);
        let honest = drawn(seed, 40, 1 + seed % 50);
        let reads = all(&honest, |op| matches!(op.ask, Ask::Read(_)));
        let looks = all(&honest, |op| matches!(op.ask, Ask::Look(_)) && op.asked > 10);
        for (corruptions, places) in [(&of_orders[..], reads), (&of_looks[..], looks)] {
            for (number, (name, corrupt)) in corruptions.iter().enumerate() {
                let mut story = honest.clone();
                corrupt(&mut story, places[chance.random_range(0..places.len())]);
                let failed = story.failed();
                assert!(failed.contains(name), "seed {seed}, {name} {number}: {failed:?}");
            }
        }
    }
}

#[test]
fn each_place_that_is_moved_is_found() {
    for seed in 0..100 {
        let mut story = drawn(seed, 40, 20);
        let places = all(
            &story,
            |op| matches!(&op.end, End::Ok(Seen::Order(seen)) if seen.pos.is_some() && !seen.replayed),
        );
        let [.., one, two] = places[..] else { panic!("too few orders") };
        story.seen(two).pos = story.seen(one).pos;
        assert!(story.failed().contains(&"positions_agree"), "seed {seed}");
        let shard = story.seen(one).pos.map_or(0, |pos| pos.shard);
        story.seen(two).pos = Some(Position { shard, at: 0 });
        assert!(story.failed().contains(&"positions_agree"), "seed {seed}");
    }
}
