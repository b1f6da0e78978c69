//! Histories that keep every promise, and histories that each break one.

mod doubts;
mod money;
mod random;
mod violations;

use super::event::{Changed, Facts, ShelfSeen};
use super::*;
use crate::checks::Check;
use crate::record::{Money, Stock};
use money::captured;

const PRICE: i64 = 1_999;

/// A history in the making: one thing after the other, unless told otherwise.
#[derive(Clone, Default)]
struct Story {
    history: History,
    now: u64,
}

impl Story {
    /// Adds a question that is over before the next one begins.
    fn tell(&mut self, process: u64, key: Option<&str>, ask: Ask, end: End) -> &mut Op {
        self.now += 10;
        let ended = if end == End::Unknown { u64::MAX } else { self.now + 5 };
        self.history.ops.push(Op {
            process,
            index: self.now,
            key: key.map(Box::from),
            ask,
            asked: self.now,
            ended,
            end,
        });
        self.history.ops.last_mut().unwrap()
    }

    fn place(&mut self, process: u64, key: &str, seen: OrderSeen) -> &mut Op {
        self.tell(process, Some(key), wish(1), End::Ok(Seen::Order(Box::new(seen))))
    }

    fn read(&mut self, process: u64, seen: OrderSeen) -> &mut Op {
        self.tell(process, None, Ask::Read(seen.order.clone()), ok(seen))
    }

    fn look(&mut self, process: u64, available: u64, held: u64, sold: u64) -> &mut Op {
        let stock = Stock { on_hand: available + held, held, available, sold };
        let price = Some(Money { minor: PRICE, currency: "USD".to_owned() });
        let seen = ShelfSeen { stock, price, ver: Some(sold * 2 + held + 1) };
        self.tell(process, None, Ask::Look("p".into()), End::Ok(Seen::Shelf(seen)))
    }

    /// Looks at both orders and at the empty shelf.
    fn look_at_the_end(&mut self) {
        self.read(6, read_back("o-a"));
        self.read(6, read_back("o-b"));
        self.look(1, 0, 0, 2);
    }

    fn failed(&self) -> Vec<&'static str> {
        failed(&check(&self.history, None).checks)
    }

    fn op(&mut self, at: usize) -> &mut Op {
        &mut self.history.ops[at]
    }

    fn seen(&mut self, at: usize) -> &mut OrderSeen {
        let End::Ok(Seen::Order(seen)) = &mut self.op(at).end else { panic!("no order") };
        seen
    }

    fn shelf(&mut self, at: usize) -> &mut Stock {
        let End::Ok(Seen::Shelf(seen)) = &mut self.op(at).end else { panic!("no shelf") };
        &mut seen.stock
    }
}

fn failed(checks: &[Check]) -> Vec<&'static str> {
    checks.iter().filter(|check| !check.passed).map(|check| check.name).collect()
}

fn wish(n: u64) -> Ask {
    Ask::Place(vec![Wanted { product: "p".into(), n }])
}

fn ok(seen: OrderSeen) -> End {
    End::Ok(Seen::Order(Box::new(seen)))
}

fn no(http: u16, code: &str) -> End {
    End::Rejected(super::event::No { http, code: Some(code.into()) })
}

/// A paid order for one unit, told by the answer to its placing.
fn order(id: &str, at: u64) -> OrderSeen {
    let line = LineSeen { id: Some("1".into()), product: "p".into(), n: 1, unit: PRICE };
    OrderSeen {
        order: id.into(),
        http: 201,
        status: Status::Pending,
        payment: Payment::Paid,
        ver: Some(3),
        pos: Some(Position { shard: 0, at }),
        replayed: false,
        facts: Facts {
            lines: vec![line],
            currency: "USD".into(),
            subtotal: PRICE,
            discount: 0,
            shipping: 0,
            duties: 0,
            tax: 0,
            total: PRICE,
        },
    }
}

fn read_back(id: &str) -> OrderSeen {
    OrderSeen { http: 200, pos: None, ..order(id, 0) }
}

/// Two units: `a` and `b` buy, a repeat of `a` is told so, `c` comes too late, and `b` is looked
/// at by somebody who looks twice.
fn honest() -> Story {
    let mut story = Story::default();
    story.look(1, 2, 0, 0);
    story.place(2, "a", order("o-a", 10));
    story.place(3, "b", order("o-b", 20));
    story.place(4, "a", OrderSeen { replayed: true, ..order("o-a", 10) });
    story.tell(5, Some("c"), wish(1), no(409, "insufficient_stock"));
    story.look_at_the_end();
    story
}

/// Plants a violation in an honest history and names the checks that fail.
fn planted(change: impl FnOnce(&mut Story)) -> Vec<&'static str> {
    let mut story = honest();
    change(&mut story);
    story.failed()
}

#[test]
fn an_honest_history_is_valid() {
    let story = honest();
    let judgement = check(&story.history, Some(&[captured("o-a"), captured("o-b")]));
    assert_eq!(judgement.first(), None);
    assert_eq!(judgement.verdict, Verdict::Valid);
    assert_eq!(judgement.ended, Fractions { ok: 7, rejected: 1, unknown: 0 });
}

#[test]
fn units_of_an_order_that_is_paid_and_not_done_may_still_be_held() {
    let looked = |http| {
        let mut story = Story::default();
        story.look(1, 2, 0, 0);
        story.place(2, "a", OrderSeen { http, ver: Some(2), ..order("o-a", 10) });
        story.look(1, 1, 1, 0);
        story.read(6, read_back("o-a"));
        story.look(1, 1, 0, 1);
        story.failed()
    };
    assert!(looked(202).is_empty(), "{:?}", looked(202));
    assert_eq!(looked(201), ["nothing_oversold"]);
}

#[test]
fn what_was_not_looked_at_in_the_end_leaves_the_verdict_open() {
    for missing in [5, 7] {
        let mut story = honest();
        story.history.ops.remove(missing);
        assert_eq!(check(&story.history, None).verdict, Verdict::Unknown, "without {missing}");
    }
    assert_eq!(check(&History::default(), None).verdict, Verdict::Unknown, "without anything");
}

#[test]
fn an_unknown_outcome_is_resolved_by_the_looks_at_the_end() {
    for sold in [1, 2] {
        let mut story = honest();
        story.op(2).end = End::Unknown;
        story.op(2).ended = u64::MAX;
        story.history.ops.remove(6);
        *story.shelf(6) = Stock { on_hand: 2 - sold, held: 0, available: 2 - sold, sold };
        assert_eq!(story.failed(), Vec::<&str>::new(), "{sold} sold");
    }
}

#[test]
fn a_history_is_read_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history");
    let recorder = Recorder::create(&path).unwrap();
    let mut client = recorder.client();
    let asks = [
        (wish(2), ok(OrderSeen { replayed: true, ..order("o", 7) })),
        (Ask::Cancel("o".into()), no(409, "invalid_transition")),
        (Ask::Move("o".into(), Status::Shipped), End::Unknown),
        (Ask::Read("o".into()), End::Ok(Seen::Nothing)),
        (Ask::Restock("p".into(), -3), End::Ok(Seen::Changed(Changed { ver: Some(2), pos: None }))),
        (Ask::Look("p".into()), honest().op(0).end.clone()),
    ];
    for (ask, end) in &asks {
        let open = recorder.invoke(&client, Some("k"), ask);
        recorder.complete(&mut client, &open, end);
    }
    // Nobody ever hears of this one.
    let _ = recorder.invoke(&client, None, &asks[0].0);
    recorder.finish().unwrap();
    let history = History::read(&path).unwrap();
    let read: Vec<_> = history.ops.iter().map(|op| (op.ask.clone(), op.end.clone())).collect();
    assert_eq!(read[..6], asks);
    assert_eq!(read[6], (asks[0].0.clone(), End::Unknown));
    assert!(history.ops[..6].iter().all(|op| op.key.as_deref() == Some("k")));
    let processes: Vec<u64> = history.ops.iter().map(|op| op.process).collect();
    assert_eq!(processes, [1, 1, 1, 2, 2, 2, 2], "a name is given up after an unknown end");
}

#[test]
fn a_torn_last_line_was_not_written_and_a_bad_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history");
    let line = r#"{"p":1,"i":0,"t":"invoke","ns":1,"f":"read","v":{"order":"o"}}"#;
    std::fs::write(&path, format!("{line}\n{{\"p\":1,\"i\":1,\"t\":\"o")).unwrap();
    assert_eq!(History::read(&path).unwrap().ops.len(), 1);
    for bad in [
        line,
        r#"{"p":2,"i":1,"t":"unknown","ns":2,"f":"read"}"#,
        r#"{"p":2,"i":1,"t":"invoke","ns":0,"f":"look","v":{"product":"p"}}"#,
        r#"{"p":2,"i":1,"t":"invoke","ns":2,"f":"read"}"#,
    ] {
        std::fs::write(&path, format!("{line}\n{bad}\n")).unwrap();
        let error = History::read(&path).unwrap_err().to_string();
        assert!(error.starts_with("line 2"), "{error}");
    }
}
