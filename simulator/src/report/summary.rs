//! Counts of people and answers, in all and by second, from the records of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::{latency, millis};
use crate::record::{Answer, Attempt, Outcome, ShopperRecord, Verdict};

/// Most points of the curve of units left.
const LEFT_POINTS: usize = 500;

/// People and answers of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Shoppers who came back.
    pub shoppers: u64,
    /// Shoppers with an order.
    pub accepted: u64,
    /// Of these, answered 202 first.
    pub queued: u64,
    /// Units in accepted orders.
    pub units_accepted: u64,
    /// Shoppers with a definite no, "too busy" on the last try included.
    pub refused: u64,
    /// Refused shoppers by the code of their last answer.
    pub refused_by_code: BTreeMap<String, u64>,
    /// Shoppers who do not know whether they bought.
    pub unknown: u64,
    /// Shoppers whose requests never left this machine.
    pub unreached: u64,
    /// Tries in all.
    pub attempts: u64,
    /// Answers by HTTP status.
    pub by_status: BTreeMap<u16, u64>,
    /// Answers 200–299.
    pub answers_2xx: u64,
    /// Answers 400–499.
    pub answers_4xx: u64,
    /// Answers 500–599.
    pub answers_5xx: u64,
    /// Tries that the client's time-out ended.
    pub time_outs: u64,
    /// Tries whose connection broke.
    pub cut: u64,
    /// Tries that never left.
    pub not_sent: u64,
    /// Connections opened by the crowd.
    pub connections_opened: u64,
    /// From the opening of the doors to the last answer.
    pub elapsed_ms: u64,
    /// From the opening of the doors to the last acceptance.
    pub last_acceptance_ms: u64,
    /// Answers per second between the opening and the last answer.
    pub answers_per_second: u64,
}

/// What was answered within one second of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Second {
    /// Seconds since the doors opened.
    pub second: u64,
    /// Shoppers who were meant to arrive.
    pub arrived: u64,
    /// Tries accepted.
    pub accepted: u64,
    /// Units in them.
    pub units: u64,
    /// Tries refused for good.
    pub refused: u64,
    /// Tries answered 429 or 503.
    pub turned_away: u64,
    /// Other 5xx, time-outs, cuts and failed connections.
    pub errors: u64,
}

/// What was left at a moment, going by acknowledgements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Milliseconds since the doors opened.
    pub at_ms: u64,
    /// Units loaded and not yet promised to anybody.
    pub units: u64,
}

/// The three histograms of a crowd, in microseconds.
#[derive(Debug)]
pub struct Times {
    /// Tries that were accepted.
    pub accepted: Histogram<u64>,
    /// Tries that got a definite no.
    pub refused: Histogram<u64>,
    /// Arrival to last answer.
    pub whole_visit: Histogram<u64>,
}

fn bump(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}

/// Counts people and answers. `opened` is the number of connections that were used.
pub fn counts(records: &[ShopperRecord], opened: u64) -> Counts {
    let mut counts = Counts { connections_opened: opened, ..Counts::default() };
    let (mut last, mut last_acceptance) = (Duration::ZERO, Duration::ZERO);
    for record in records {
        bump(&mut counts.shoppers);
        match record.verdict() {
            Verdict::Accepted => {
                bump(&mut counts.accepted);
                counts.units_accepted =
                    counts.units_accepted.saturating_add(u64::from(record.quantity));
                if record.accepted().is_some_and(|answer| answer.status == 202) {
                    bump(&mut counts.queued);
                }
            }
            Verdict::Refused | Verdict::TurnedAway => {
                bump(&mut counts.refused);
                let code = record.refusal_code().unwrap_or_default();
                bump(counts.refused_by_code.entry(code).or_default());
            }
            Verdict::Unknown => bump(&mut counts.unknown),
            Verdict::Unreached => bump(&mut counts.unreached),
        }
        for attempt in &record.attempts {
            bump(&mut counts.attempts);
            last = last.max(attempt.finished);
            match &attempt.outcome {
                Outcome::Answered(answer) => {
                    bump(counts.by_status.entry(answer.status).or_default());
                    match answer.status {
                        200..=299 => {
                            bump(&mut counts.answers_2xx);
                            last_acceptance = last_acceptance.max(attempt.finished);
                        }
                        400..=499 => bump(&mut counts.answers_4xx),
                        500..=599 => bump(&mut counts.answers_5xx),
                        _ => {}
                    }
                }
                Outcome::NotSent => bump(&mut counts.not_sent),
                Outcome::Cut => bump(&mut counts.cut),
                Outcome::TimedOut => bump(&mut counts.time_outs),
            }
        }
    }
    let answers: u64 = counts.by_status.values().sum();
    counts.elapsed_ms = millis(last);
    counts.last_acceptance_ms = millis(last_acceptance);
    counts.answers_per_second =
        answers.saturating_mul(1_000).checked_div(counts.elapsed_ms).unwrap_or(0);
    counts
}

/// Answers by second, without gaps from the first second to the last.
pub fn per_second(records: &[ShopperRecord]) -> Vec<Second> {
    let mut seconds: BTreeMap<u64, Second> = BTreeMap::new();
    for record in records {
        bump(&mut seconds.entry(record.arrived.as_secs()).or_default().arrived);
        for attempt in &record.attempts {
            let second = seconds.entry(attempt.finished.as_secs()).or_default();
            match &attempt.outcome {
                Outcome::Answered(answer) if answer.is_accepted() => {
                    bump(&mut second.accepted);
                    second.units = second.units.saturating_add(u64::from(record.quantity));
                }
                Outcome::Answered(answer) if answer.is_turned_away() => {
                    bump(&mut second.turned_away);
                }
                Outcome::Answered(answer) if !answer.is_unknown() => bump(&mut second.refused),
                Outcome::Answered(_) | Outcome::NotSent | Outcome::Cut | Outcome::TimedOut => {
                    bump(&mut second.errors);
                }
            }
        }
    }
    let Some((&end, _)) = seconds.last_key_value() else { return Vec::new() };
    (0..=end)
        .map(|second| Second { second, ..seconds.get(&second).copied().unwrap_or_default() })
        .collect()
}

/// Units left after each acceptance, thinned to about 500 points.
pub fn units_left(records: &[ShopperRecord], loaded: u64) -> Vec<Left> {
    let mut sales: Vec<(u64, u64)> = records
        .iter()
        .filter_map(|record| {
            let accepted =
                |attempt: &&Attempt| attempt.outcome.answer().is_some_and(Answer::is_accepted);
            let sale = record.attempts.iter().find(accepted)?;
            Some((millis(sale.finished), u64::from(record.quantity)))
        })
        .collect();
    sales.sort_unstable();
    let step = sales.len().div_ceil(LEFT_POINTS).max(1);
    let mut units = loaded;
    let mut points = vec![Left { at_ms: 0, units }];
    for group in sales.chunks(step) {
        units = group.iter().fold(units, |left, (_, quantity)| left.saturating_sub(*quantity));
        if let Some((at_ms, _)) = group.last() {
            points.push(Left { at_ms: *at_ms, units });
        }
    }
    points
}

/// Latencies of all tries and visits.
pub fn times(records: &[ShopperRecord]) -> Times {
    let mut times = Times {
        accepted: latency::histogram(),
        refused: latency::histogram(),
        whole_visit: latency::histogram(),
    };
    for record in records {
        for attempt in &record.attempts {
            match &attempt.outcome {
                Outcome::Answered(answer) if answer.is_accepted() => {
                    latency::note(&mut times.accepted, attempt.latency());
                }
                Outcome::Answered(answer) if !answer.is_unknown() => {
                    latency::note(&mut times.refused, attempt.latency());
                }
                Outcome::Answered(_) | Outcome::NotSent | Outcome::Cut | Outcome::TimedOut => {}
            }
        }
        if let Some(last) = record.attempts.last() {
            latency::note(&mut times.whole_visit, last.finished.saturating_sub(record.arrived));
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    fn answered(status: u16, code: Option<&str>, at_ms: u64) -> Attempt {
        let code = code.map(Box::from);
        let answer = Answer { status, code, order: None, retry_after: None, replayed: false };
        ended(Outcome::Answered(answer), at_ms)
    }

    fn ended(outcome: Outcome, at_ms: u64) -> Attempt {
        let finished = Duration::from_millis(at_ms);
        Attempt { intended: finished.saturating_sub(Duration::from_millis(10)), finished, outcome }
    }

    fn record(attempts: Vec<Attempt>) -> ShopperRecord {
        ShopperRecord {
            shopper: 0,
            key: "k".to_owned(),
            product: Rc::from("p"),
            quantity: 2,
            arrived: Duration::ZERO,
            attempts,
        }
    }

    fn crowd() -> Vec<ShopperRecord> {
        vec![
            record(vec![answered(201, None, 100)]),
            record(vec![answered(503, Some("overloaded"), 200), answered(202, None, 2_500)]),
            record(vec![answered(409, Some("insufficient_stock"), 300)]),
            record(vec![answered(429, None, 400)]),
            record(vec![ended(Outcome::TimedOut, 900), ended(Outcome::Cut, 950)]),
            record(vec![ended(Outcome::NotSent, 999)]),
        ]
    }

    #[test]
    fn people_and_answers_are_counted_apart() {
        let counts = counts(&crowd(), 3);
        assert_eq!((counts.shoppers, counts.accepted, counts.queued), (6, 2, 1));
        assert_eq!((counts.refused, counts.unknown, counts.unreached), (2, 1, 1));
        assert_eq!(counts.units_accepted, 4);
        assert_eq!(counts.attempts, 8);
        assert_eq!((counts.answers_2xx, counts.answers_4xx, counts.answers_5xx), (2, 2, 1));
        assert_eq!((counts.time_outs, counts.cut, counts.not_sent), (1, 1, 1));
        assert_eq!(counts.refused_by_code.get("insufficient_stock"), Some(&1));
        assert_eq!(counts.refused_by_code.get("http_429"), Some(&1));
        assert_eq!((counts.elapsed_ms, counts.last_acceptance_ms), (2_500, 2_500));
        assert_eq!(counts.answers_per_second, 2);
    }

    #[test]
    fn seconds_without_answers_are_shown_as_empty() {
        let seconds = per_second(&crowd());
        assert_eq!(seconds.len(), 3);
        assert_eq!((seconds[0].accepted, seconds[0].refused), (1, 1));
        assert_eq!((seconds[0].turned_away, seconds[0].errors, seconds[0].units), (2, 3, 2));
        assert_eq!(seconds[1], Second { second: 1, ..Second::default() });
        assert_eq!((seconds[2].accepted, seconds[2].units), (1, 2));
        assert!(per_second(&[]).is_empty());
    }

    #[test]
    fn units_left_fall_with_every_acceptance() {
        let left = units_left(&crowd(), 10);
        let points: Vec<(u64, u64)> = left.iter().map(|at| (at.at_ms, at.units)).collect();
        assert_eq!(points, [(0, 10), (100, 8), (2_500, 6)]);
        let many: Vec<ShopperRecord> =
            (0..5_000).map(|at| record(vec![answered(201, None, at)])).collect();
        let thinned = units_left(&many, 20_000);
        assert_eq!(thinned.len(), LEFT_POINTS + 1);
        assert_eq!(thinned.last(), Some(&Left { at_ms: 4_999, units: 10_000 }));
    }

    #[test]
    fn latency_counts_from_the_intended_moment() {
        let times = times(&crowd());
        assert_eq!((times.accepted.len(), times.refused.len()), (2, 3));
        assert_eq!(times.whole_visit.len(), 6);
        let median = times.accepted.value_at_quantile(0.5);
        assert!(median.abs_diff(10_000) <= 10, "{median}");
    }
}
