//! What the figures should be, and whether they are. Reported, never asserted.

use serde::Serialize;

use super::beside::{Fairness, Products, Rejections, SoldOut};
use super::capacity::Capacity;
use super::row::Row;
use crate::report::table::in_millis;

/// Goodput that a server can have whose capacity is what it was found to be.
const GOODPUT_MAX: f64 = 1.05;
/// Most memory that the server may have taken by the end of a level.
const MEMORY_MAX: u64 = 256 * 1_024 * 1_024;
/// Most that it may add in the second half of a minute or more, and be called flat.
const LATE_MEMORY_MAX: u64 = 16 * 1_024 * 1_024;
/// A rejection in parts of an order: with more, each of twenty times the capacity cannot be rejected
/// at once in a twentieth of the time.
const REJECTION_MAX: f64 = 0.0025;

/// One aim and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Goal {
    /// What is wanted.
    pub(super) name: String,
    /// The figure, with its unit.
    pub(super) found: String,
    /// Whether it is good enough, and was measured at what it speaks of.
    pub(super) met: bool,
}

/// The goals of a level.
pub(super) fn of_level(row: &Row, capacity: &Capacity) -> Vec<Goal> {
    let place = format!("{} at {}", row.clients.name(), row.name());
    let excuse = match (capacity.is_qualified, row.is_offered) {
        (true, true) => "",
        (true, false) => ", not offered in full",
        (false, _) => ", no capacity was found",
    };
    let goal = |what: &str, found: String, met: bool| Goal {
        name: format!("{place}: {what}"),
        found: format!("{found}{excuse}"),
        met: met && excuse.is_empty(),
    };
    let mut goals = Vec::new();
    if 1.0 < row.multiple {
        goals.push(of_goodput(row, goal));
    }
    let p99 = row.admitted_us.p99;
    let found = format!("{} ms", in_millis(p99));
    goals.push(goal("p99 of orders at most 100 ms", found, p99 <= 100_000));
    let found = row.recovered_s.map_or_else(|| "never".to_owned(), |after| format!("{after} s"));
    let met = row.recovered_s.is_some_and(|after| after <= 2);
    goals.push(goal("recovered within 2 s", found, met));
    let found = format!("{} MB", row.memory_growth / 1_048_576);
    goals.push(goal("at most 256 MB more", found, row.memory_growth <= MEMORY_MAX));
    if let Some(growth) = row.late_growth {
        let found = format!("{} MB", growth / 1_048_576);
        let what = "at most 16 MB more in the second half";
        goals.push(goal(what, found, growth <= LATE_MEMORY_MAX));
    }
    goals
}

fn of_goodput(row: &Row, goal: impl Fn(&str, String, bool) -> Goal) -> Goal {
    let wanted = match row.multiple {
        multiple if 10.0 < multiple => 0.90,
        multiple if 2.0 < multiple => 0.95,
        _ => 0.98,
    };
    let beyond = GOODPUT_MAX < row.goodput;
    let excuse = if beyond { ", the capacity was underestimated" } else { "" };
    goal(
        &format!("goodput at least {:.0} %, and no more than can be", wanted * 100.0),
        format!("{:.1} %{excuse}", row.goodput * 100.0),
        wanted <= row.goodput && !beyond,
    )
}

/// The goal of a rejection.
pub(super) fn of_rejections(rejections: &Rejections) -> Goal {
    Goal {
        name: "a rejection at most 0.25 % of an order".to_owned(),
        found: format!("{:.2} %", rejections.cost * 100.0),
        met: rejections.cost <= REJECTION_MAX,
    }
}

/// The goal of a polite client.
pub(super) fn of_fairness(fairness: &Fairness) -> Goal {
    Goal {
        name: "a polite client beside one that pushes 100 ×: at least 95 % success".to_owned(),
        found: format!(
            "{:.1} %{}",
            fairness.polite_success * 100.0,
            if fairness.is_offered { "" } else { ", not offered in full" }
        ),
        met: fairness.is_offered && 0.95 <= fairness.polite_success,
    }
}

/// The goal of a cold product.
pub(super) fn of_products(products: &Products) -> Goal {
    Goal {
        name: "a cold product beside a hot one: p99 at most 1.2 × of that beside a spread load"
            .to_owned(),
        found: format!("{:.2} ×", products.ratio),
        met: products.ratio <= 1.2,
    }
}

/// The goal of a product that is sold out.
pub(super) fn of_sold_out(sold_out: &SoldOut) -> Goal {
    let found = sold_out.messages.map_or_else(|| "unknown".to_owned(), |count| count.to_string());
    Goal {
        name: "a sold-out product is refused without a message to its stock".to_owned(),
        found,
        met: sold_out.messages == Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overload::behaviour::Behaviour;
    use crate::report::latency::Percentiles;

    fn row(multiple: f64, goodput: f64) -> Row {
        Row {
            clients: Behaviour::Naive,
            multiple,
            offered_per_s: 1.0,
            sent_per_s: 1.0,
            sent_multiple: 1.0,
            withheld: 0.0,
            late: 0.0,
            lateness_p99_us: 0,
            is_offered: true,
            good_per_s: 1.0,
            goodput,
            admitted_us: Percentiles { p99: 100_000, ..Percentiles::default() },
            visit_us: Percentiles::default(),
            rejected_us: Percentiles::default(),
            done: 1,
            rejected: 1,
            unknown: 0,
            errors: std::collections::BTreeMap::default(),
            rejected_per_s: 1.0,
            memory_growth: MEMORY_MAX,
            late_growth: Some(LATE_MEMORY_MAX + 1),
            recovered_s: Some(2),
        }
    }

    const CAPACITY: Capacity = Capacity {
        per_second: 1.0,
        is_qualified: true,
        too_high_per_second: None,
        p99_us: 1,
        closed_per_second: 1.0,
        order_us: 1.0,
    };

    fn met(row: &Row) -> Vec<bool> {
        of_level(row, &CAPACITY).iter().map(|goal| goal.met).collect()
    }

    #[test]
    fn a_goal_is_met_at_its_figure_and_not_beyond() {
        assert_eq!(met(&row(20.0, 0.90)), [true, true, true, true, false]);
        assert_eq!(met(&row(5.0, 0.94)), [false, true, true, true, false]);
        let beyond = Row {
            admitted_us: Percentiles { p99: 100_001, ..Percentiles::default() },
            recovered_s: None,
            memory_growth: MEMORY_MAX + 1,
            late_growth: None,
            ..row(2.0, 0.98)
        };
        assert_eq!(met(&beyond), [true, false, false, false]);
    }

    #[test]
    fn more_than_the_capacity_says_that_it_was_underestimated() {
        assert!(met(&row(5.0, 1.05))[0]);
        let goals = of_level(&row(5.0, 1.06), &CAPACITY);
        assert!(!goals[0].met && goals[0].found.ends_with("the capacity was underestimated"));
    }

    #[test]
    fn what_was_not_offered_meets_no_goal() {
        let row = Row { is_offered: false, ..row(20.0, 1.0) };
        assert!(met(&row).iter().all(|met| !met));
        let goals = of_level(&row, &CAPACITY);
        assert!(goals.iter().all(|goal| goal.found.ends_with("not offered in full")));
        assert!(goals.iter().all(|goal| goal.name.contains("at 20 × (1.0 × sent): ")));
    }

    #[test]
    fn without_a_capacity_no_goal_is_met() {
        let none = Capacity { is_qualified: false, ..CAPACITY };
        assert!(of_level(&row(5.0, 1.0), &none).iter().all(|goal| !goal.met));
    }
}
