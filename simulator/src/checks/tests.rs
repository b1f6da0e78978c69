//! Each check is seen to pass on an honest run and to fail on a planted violation.

use std::rc::Rc;
use std::time::Duration;

use super::{Check, Evidence, all};
use crate::record::{
    Answer, Attempt, Money, OrderFacts, OrderLine, OrderView, Outcome, Reading, Replay, Shelf,
    ShopperRecord, Stock, StockSample,
};

/// A run of three shoppers for two units: two buy, one is refused.
struct Run {
    records: Vec<ShopperRecord>,
    shelves: Vec<Shelf>,
    readings: Vec<Reading>,
    replays: Vec<Replay>,
    samples: Vec<StockSample>,
}

impl Run {
    fn honest() -> Self {
        let after = Stock { on_hand: 0, held: 0, available: 0, sold: 2 };
        let midway = Stock { on_hand: 1, held: 1, available: 0, sold: 1 };
        Self {
            records: vec![
                shopper(0, accepted(201, "o-0")),
                shopper(1, accepted(202, "o-1")),
                shopper(2, refused(409, Some("insufficient_stock"))),
            ],
            shelves: vec![Shelf {
                product: Rc::from("p"),
                before: Stock { on_hand: 2, held: 0, available: 2, sold: 0 },
                after: Some(after),
            }],
            readings: vec![reading(0, "o-0"), reading(1, "o-1")],
            replays: vec![replay(0, "o-0"), replay(1, "o-1")],
            samples: vec![StockSample { at_ms: 5, stock: midway }],
        }
    }

    fn failed(&self) -> Vec<&'static str> {
        self.checks().into_iter().filter(|check| !check.passed).map(|check| check.name).collect()
    }

    fn checks(&self) -> Vec<Check> {
        all(&Evidence {
            shoppers: 3,
            records: &self.records,
            shelves: &self.shelves,
            readings: &self.readings,
            replays: &self.replays,
            samples: &self.samples,
        })
    }

    fn after(&mut self) -> &mut Stock {
        self.shelves[0].after.as_mut().unwrap()
    }
}

fn order(id: &str) -> OrderView {
    let money = |minor| Money { minor, currency: "USD".to_owned() };
    OrderView {
        facts: OrderFacts {
            id: id.to_owned(),
            items: vec![OrderLine {
                id: Some(format!("{id}-1")),
                product_id: "p".to_owned(),
                quantity: 1,
                unit_price: money(1_999),
            }],
            subtotal: money(1_999),
            discount: money(0),
            shipping: money(0),
            duties: money(0),
            tax: money(0),
            total: money(1_999),
        },
        status: "PENDING".to_owned(),
        payment_status: "paid".to_owned(),
    }
}

fn accepted(status: u16, id: &str) -> Outcome {
    let order = Some(Box::new(order(id)));
    Outcome::Answered(Answer { status, code: None, order, retry_after: None, replayed: false })
}

fn refused(status: u16, code: Option<&str>) -> Outcome {
    let code = code.map(Box::from);
    Outcome::Answered(Answer { status, code, order: None, retry_after: None, replayed: false })
}

fn attempt(outcome: Outcome) -> Attempt {
    Attempt { intended: Duration::ZERO, finished: Duration::from_millis(1), outcome }
}

fn shopper(number: u32, outcome: Outcome) -> ShopperRecord {
    ShopperRecord {
        shopper: number,
        key: format!("k-{number}"),
        product: Rc::from("p"),
        quantity: 1,
        arrived: Duration::ZERO,
        attempts: vec![attempt(outcome)],
    }
}

fn reading(shopper: u32, id: &str) -> Reading {
    Reading { order_id: id.to_owned(), shopper, found: Ok(Box::new(order(id))) }
}

fn replay(shopper: u32, id: &str) -> Replay {
    let mut outcome = accepted(201, id);
    if let Outcome::Answered(answer) = &mut outcome {
        answer.replayed = true;
    }
    Replay { shopper, first_id: id.to_owned(), outcome }
}

#[test]
fn an_honest_run_passes_every_check() {
    let run = Run::honest();
    assert_eq!(run.failed(), Vec::<&str>::new());
    assert_eq!(run.checks().len(), 8);
}

#[test]
fn a_unit_that_was_never_there_is_found() {
    let mut run = Run::honest();
    run.records[2] = shopper(2, accepted(201, "o-2"));
    run.readings.push(reading(2, "o-2"));
    run.replays.push(replay(2, "o-2"));
    run.after().sold = 3;
    let failed = run.failed();
    assert!(failed.contains(&"nothing_oversold"));
    assert!(failed.contains(&"stock_adds_up"));
}

#[test]
fn an_acknowledgement_that_the_product_did_not_count_is_found() {
    let mut run = Run::honest();
    *run.after() = Stock { on_hand: 1, held: 0, available: 1, sold: 1 };
    assert_eq!(run.failed(), ["nothing_oversold", "demand_is_served"]);
}

#[test]
fn stock_that_cannot_be_read_is_not_taken_as_fine() {
    let mut run = Run::honest();
    run.shelves[0].after = None;
    assert_eq!(run.failed(), ["nothing_oversold", "stock_adds_up", "demand_is_served"]);
}

#[test]
fn a_lost_order_is_found() {
    let mut run = Run::honest();
    run.readings[0].found = Err(404);
    assert_eq!(run.failed(), ["acknowledged_orders_kept"]);
    run.readings.remove(0);
    assert_eq!(run.failed(), ["acknowledged_orders_kept"]);
}

#[test]
fn an_order_that_reads_differently_is_found() {
    let changes: [fn(&mut OrderView); 4] = [
        |order| order.facts.total.minor = 1,
        |order| order.facts.tax.currency = "EUR".to_owned(),
        |order| order.facts.items[0].quantity = 2,
        |order| order.facts.id = "other".to_owned(),
    ];
    for change in changes {
        let mut run = Run::honest();
        change(run.readings[0].found.as_mut().unwrap());
        assert_eq!(run.failed(), ["acknowledged_orders_kept"]);
    }
}

#[test]
fn a_done_order_that_no_longer_stands_is_found() {
    let mut run = Run::honest();
    run.readings[0].found.as_mut().unwrap().status = "CANCELLED".to_owned();
    assert_eq!(run.failed(), ["acknowledged_orders_kept"]);
}

#[test]
fn an_order_for_something_else_is_found() {
    let mut run = Run::honest();
    let Outcome::Answered(answer) = &mut run.records[0].attempts[0].outcome else { panic!() };
    answer.order.as_mut().unwrap().facts.items[0].product_id = "q".to_owned();
    assert!(run.failed().contains(&"acknowledged_orders_kept"));
}

#[test]
fn a_yes_without_an_order_is_found() {
    let mut run = Run::honest();
    run.records[0] = shopper(0, refused(201, None));
    assert!(run.failed().contains(&"acknowledged_orders_kept"));
}

#[test]
fn two_orders_for_one_key_are_found() {
    let mut run = Run::honest();
    run.records[0].attempts.push(attempt(accepted(201, "o-9")));
    assert_eq!(run.failed(), ["one_order_per_key"]);
}

#[test]
fn one_order_for_two_keys_is_found() {
    let mut run = Run::honest();
    run.records[1] = shopper(1, accepted(201, "o-0"));
    run.readings[1] = reading(1, "o-0");
    run.replays[1] = replay(1, "o-0");
    assert_eq!(run.failed(), ["one_order_per_key"]);
}

#[test]
fn an_unfaithful_repeat_is_found() {
    let changes: [fn(&mut Answer); 4] = [
        |answer| answer.replayed = false,
        |answer| answer.order = None,
        |answer| answer.order.as_mut().unwrap().facts.id = "o-9".to_owned(),
        |answer| answer.order.as_mut().unwrap().facts.total.minor = 1,
    ];
    for change in changes {
        let mut run = Run::honest();
        let Outcome::Answered(answer) = &mut run.replays[0].outcome else { panic!() };
        change(answer);
        assert_eq!(run.failed(), ["one_order_per_key"]);
    }
    let mut run = Run::honest();
    run.replays[0].outcome = Outcome::TimedOut;
    assert_eq!(run.failed(), ["one_order_per_key"]);
}

#[test]
fn keys_that_were_not_repeated_are_found() {
    let mut run = Run::honest();
    run.replays.pop();
    assert_eq!(run.failed(), ["one_order_per_key"]);
}

#[test]
fn stock_that_does_not_add_up_is_found() {
    let changes: [fn(&mut Run); 4] = [
        |run| run.after().available = 1,
        |run| *run.after() = Stock { on_hand: 1, held: 0, available: 1, sold: 2 },
        |run| *run.after() = Stock { on_hand: 1, held: 1, available: 0, sold: 2 },
        |run| run.samples[0].stock.held = 0,
    ];
    for change in changes {
        let mut run = Run::honest();
        change(&mut run);
        assert_eq!(run.failed(), ["stock_adds_up"]);
    }
}

#[test]
fn a_hold_that_outlives_its_order_is_found() {
    let mut run = Run::honest();
    run.shelves[0].before = Stock { on_hand: 3, held: 0, available: 3, sold: 0 };
    *run.after() = Stock { on_hand: 1, held: 1, available: 0, sold: 2 };
    assert!(run.failed().contains(&"stock_adds_up"));
}

#[test]
fn an_order_that_never_settles_is_found() {
    let mut run = Run::honest();
    run.readings[1].found.as_mut().unwrap().payment_status = "queued".to_owned();
    assert_eq!(run.failed(), ["stock_adds_up"]);
}

#[test]
fn a_queued_order_that_failed_is_not_sold() {
    let mut run = Run::honest();
    run.readings[1].found.as_mut().unwrap().payment_status = "failed".to_owned();
    *run.after() = Stock { on_hand: 1, held: 0, available: 1, sold: 1 };
    // The unit went back while somebody was refused: the sale was not as good as its stock.
    assert_eq!(run.failed(), ["demand_is_served"]);
}

#[test]
fn a_refusal_while_stock_is_left_is_found() {
    let mut run = Run::honest();
    run.records[1] = shopper(1, refused(409, Some("insufficient_stock")));
    run.readings.pop();
    run.replays.pop();
    *run.after() = Stock { on_hand: 1, held: 0, available: 1, sold: 1 };
    assert_eq!(run.failed(), ["demand_is_served"]);
}

#[test]
fn a_remainder_smaller_than_one_order_may_stay() {
    let mut run = Run::honest();
    for record in &mut run.records {
        record.quantity = 2;
        if let Outcome::Answered(Answer { order: Some(order), .. }) =
            &mut record.attempts[0].outcome
        {
            order.facts.items[0].quantity = 2;
        }
    }
    for reading in &mut run.readings {
        reading.found.as_mut().unwrap().facts.items[0].quantity = 2;
    }
    for replay in &mut run.replays {
        let Outcome::Answered(Answer { order: Some(order), .. }) = &mut replay.outcome else {
            panic!()
        };
        order.facts.items[0].quantity = 2;
    }
    run.shelves[0].before = Stock { on_hand: 5, held: 0, available: 5, sold: 0 };
    *run.after() = Stock { on_hand: 1, held: 0, available: 1, sold: 4 };
    assert_eq!(run.failed(), Vec::<&str>::new());
}

#[test]
fn a_server_error_is_found_even_when_a_repeat_repaired_it() {
    for status in [500, 502, 504] {
        let mut run = Run::honest();
        run.records[0].attempts.insert(0, attempt(refused(status, None)));
        assert_eq!(run.failed(), ["no_server_errors"]);
    }
}

#[test]
fn a_503_is_honest_only_with_retry_after() {
    let mut run = Run::honest();
    run.records[0].attempts.insert(0, attempt(refused(503, Some("overloaded"))));
    assert_eq!(run.failed(), ["no_server_errors"]);
    let Outcome::Answered(answer) = &mut run.records[0].attempts[0].outcome else { panic!() };
    answer.retry_after = Some(Duration::from_secs(1));
    assert_eq!(run.failed(), Vec::<&str>::new());
}

#[test]
fn a_time_out_that_a_repeat_resolved_is_only_reported() {
    let mut run = Run::honest();
    run.records[0].attempts.insert(0, attempt(Outcome::TimedOut));
    assert_eq!(run.failed(), Vec::<&str>::new());
    let known = run.checks().into_iter().find(|check| check.name == "outcomes_known").unwrap();
    assert!(known.figure.starts_with("1 time-outs"));
}

#[test]
fn an_outcome_that_stays_unknown_is_found() {
    let mut run = Run::honest();
    run.records[2] = shopper(2, Outcome::TimedOut);
    assert_eq!(run.failed(), ["outcomes_known", "everybody_answered"]);
    // "Too busy" says nothing about the try before it.
    let mut busy = refused(503, None);
    let Outcome::Answered(answer) = &mut busy else { panic!() };
    answer.retry_after = Some(Duration::from_secs(1));
    run.records[2].attempts.push(attempt(busy));
    assert_eq!(run.failed(), ["outcomes_known", "everybody_answered"]);
}

#[test]
fn a_shopper_without_an_answer_is_found() {
    let mut run = Run::honest();
    run.records[2] = shopper(2, Outcome::NotSent);
    assert_eq!(run.failed(), ["everybody_answered"]);
    run.records.pop();
    assert_eq!(run.failed(), ["everybody_answered"]);
}

#[test]
fn only_the_first_violations_are_kept_in_words() {
    let mut run = Run::honest();
    run.samples =
        vec![StockSample { at_ms: 1, stock: Stock { on_hand: 9, ..Stock::default() } }; 50];
    let check = run.checks().into_iter().find(|check| check.name == "stock_adds_up").unwrap();
    assert_eq!((check.violations.len(), check.violation_count), (10, 50));
}
