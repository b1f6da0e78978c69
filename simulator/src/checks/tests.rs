//! Each check is seen to pass on an honest run and to fail on a planted violation.

use std::rc::Rc;
use std::time::Duration;

use super::{Check, Evidence, all};
use crate::record::{
    Answer, Attempt, Money, OrderFacts, OrderLine, OrderView, Outcome, Shelf, ShopperRecord, Stock,
};

/// A run of three shoppers for two units: two buy, one is refused.
struct Run {
    records: Vec<ShopperRecord>,
    shelves: Vec<Shelf>,
}

impl Run {
    fn honest() -> Self {
        let after = Stock { on_hand: 0, held: 0, available: 0, sold: 2 };
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
        }
    }

    fn failed(&self) -> Vec<&'static str> {
        self.checks().into_iter().filter(|check| !check.passed).map(|check| check.name).collect()
    }

    fn checks(&self) -> Vec<Check> {
        all(&Evidence { shoppers: 3, records: &self.records, shelves: &self.shelves })
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
        version: Some(1),
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

#[test]
fn an_honest_run_passes_every_check() {
    let run = Run::honest();
    assert_eq!(run.failed(), Vec::<&str>::new());
    assert_eq!(run.checks().len(), 4);
}

#[test]
fn a_refusal_while_stock_is_left_is_found() {
    let mut run = Run::honest();
    run.records[1] = shopper(1, refused(409, Some("insufficient_stock")));
    *run.after() = Stock { on_hand: 1, held: 0, available: 1, sold: 1 };
    assert_eq!(run.failed(), ["demand_is_served"]);
}

#[test]
fn whoever_does_not_pay_is_no_demand_and_may_have_kept_a_unit_from_others() {
    for (sold, failed) in [(0, &["demand_is_served"][..]), (1, &[]), (2, &[])] {
        let mut run = Run::honest();
        run.records[1] = shopper(1, refused(402, Some("payment_declined")));
        run.after().sold = sold;
        assert_eq!(run.failed(), failed, "{sold} sold");
    }
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
fn stock_that_cannot_be_read_is_not_taken_as_fine() {
    let mut run = Run::honest();
    run.shelves[0].after = None;
    assert_eq!(run.failed(), ["demand_is_served"]);
}

#[test]
fn a_remainder_smaller_than_one_order_may_stay() {
    let mut run = Run::honest();
    for record in &mut run.records {
        record.quantity = 2;
    }
    run.shelves[0].before = Stock { on_hand: 5, held: 0, available: 5, sold: 0 };
    *run.after() = Stock { on_hand: 1, held: 0, available: 1, sold: 4 };
    assert_eq!(run.failed(), Vec::<&str>::new());
}

#[test]
fn only_the_first_violations_are_kept_in_words() {
    let mut run = Run::honest();
    for _ in 0..50 {
        run.records[0].attempts.insert(0, attempt(refused(500, None)));
    }
    let check = run.checks().into_iter().find(|check| check.name == "no_server_errors").unwrap();
    assert_eq!((check.violations.len(), check.violation_count), (10, 50));
}
