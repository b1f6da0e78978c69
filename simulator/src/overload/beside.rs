//! Who stands beside whom: a polite client and one that pushes, a cold product and a hot one, and
//! a crowd that hears no beside one that buys.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use serde::Serialize;

use super::row::{Seen, is_offered};
use super::tally::Tally;
use crate::report::latency::Percentiles;
use crate::rig::{quotient, real};

/// What the polite client asks for, in parts of the capacity.
pub(super) const POLITE: f64 = 0.05;
/// How much more the other one does.
pub(super) const PUSHES: f64 = 100.0;
/// Where the two come from. A client is known by its address, so that each has only one.
pub(super) const ADDRESSES: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)), IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3))];
/// Load on the cold product, and on all others together, in parts of the capacity.
pub(super) const COLD_AND_REST: (f64, f64) = (0.08, 0.72);

/// A polite client beside one that pushes.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Fairness {
    /// What the polite one asked for, a second.
    pub(super) polite_per_s: f64,
    /// What the other one asked for, a second.
    pub(super) pushed_per_s: f64,
    /// Share of the polite one's orders that came in time.
    pub(super) polite_success: f64,
    /// Share of the other one's orders that came in time.
    pub(super) pusher_success: f64,
    /// Latencies of the polite one's orders, in microseconds.
    pub(super) polite_us: Percentiles,
    /// What of it left, a second.
    pub(super) pushed_sent_per_s: f64,
    /// Whether the server got all that both were to ask for.
    pub(super) is_offered: bool,
}

impl Fairness {
    /// From what was seen of the two, the polite one first.
    pub(super) fn of(seen: &Seen, lasts: Duration) -> Option<Self> {
        let (polite, pusher) = (seen.tally(0, 0)?, seen.tally(1, 0)?);
        let per_second = |count| quotient(real(count), lasts.as_secs_f64()).unwrap_or_default();
        let success =
            |tally: &Tally| quotient(real(tally.good), real(tally.offered)).unwrap_or_default();
        Some(Self {
            polite_per_s: per_second(polite.offered),
            pushed_per_s: per_second(pusher.offered),
            polite_success: success(polite),
            pusher_success: success(pusher),
            polite_us: Percentiles::of(&polite.admitted_us),
            pushed_sent_per_s: per_second(pusher.sent),
            is_offered: is_offered(polite) && is_offered(pusher),
        })
    }
}

/// A cold product beside a hot one, and beside the same load spread over many.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Products {
    /// Latencies of the cold product's orders beside the hot one, in microseconds.
    pub(super) beside_hot_us: Percentiles,
    /// The same while the rest of the load is spread.
    pub(super) beside_spread_us: Percentiles,
    /// p99 of the former in parts of that of the latter.
    pub(super) ratio: f64,
}

impl Products {
    /// From what was seen of the cold product, which comes first in both.
    pub(super) fn of(beside_hot: &Seen, beside_spread: &Seen) -> Option<Self> {
        let read = |seen: &Seen| seen.tally(0, 0).map(|cold| Percentiles::of(&cold.admitted_us));
        let (beside_hot_us, beside_spread_us) = (read(beside_hot)?, read(beside_spread)?);
        let ratio = quotient(real(beside_hot_us.p99), real(beside_spread_us.p99))?;
        Some(Self { beside_hot_us, beside_spread_us, ratio })
    }
}

/// A crowd that is rejected at the door, as fast as it hears no.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Rejections {
    /// Rejections a second.
    pub(super) per_second: f64,
    /// Their latencies in microseconds.
    pub(super) rejected_us: Percentiles,
    /// Processor time of the server for a rejection, in parts of that for an order.
    pub(super) cost: f64,
}

impl Rejections {
    /// From what was seen and the cost of an order.
    pub(super) fn of(seen: &Seen, lasts: Duration, order_us: f64) -> Option<Self> {
        let tally = seen.tally(0, 0)?;
        let each = quotient(real(seen.server_us), real(tally.rejected))?;
        Some(Self {
            per_second: quotient(real(tally.rejected), lasts.as_secs_f64())?,
            rejected_us: Percentiles::of(&tally.rejected_us),
            cost: quotient(each, order_us)?,
        })
    }
}

/// A crowd that wants what is sold out, as fast as it hears no.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SoldOut {
    /// Refusals a second.
    pub(super) refused_per_s: f64,
    /// Their latencies in microseconds.
    pub(super) refused_us: Percentiles,
    /// Processor time of the server for a refusal, in parts of that for an order.
    pub(super) cost: f64,
    /// Messages that the stocks of all products got meanwhile; `None` when the server does not
    /// say so.
    pub(super) messages: Option<u64>,
}

impl SoldOut {
    /// From what was seen, the cost of an order, and the counts before and after.
    pub(super) fn of(
        seen: &Seen,
        lasts: Duration,
        order_us: f64,
        messages: [Option<u64>; 2],
    ) -> Option<Self> {
        let tally = seen.tally(0, 0)?;
        let each = quotient(real(seen.server_us), real(tally.refused))?;
        let [before, after] = messages;
        Some(Self {
            refused_per_s: quotient(real(tally.refused), lasts.as_secs_f64())?,
            refused_us: Percentiles::of(&tally.rejected_us),
            cost: quotient(each, order_us)?,
            messages: after.zip(before).map(|(after, before)| after.saturating_sub(before)),
        })
    }
}

/// Messages that the stocks have taken so far, as the server's page of measurements tells it.
pub(super) fn stock_messages(figures: &str) -> Option<u64> {
    const NAME: &str = "millrace_mailbox_wait_seconds_count{actor=\"inventory\"} ";
    let line = figures.lines().find_map(|line| line.strip_prefix(NAME))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overload::generator::Heard;
    use crate::overload::honesty::Sales;
    use crate::overload::tally::Ending;

    const SECOND: Duration = Duration::from_secs(1);

    fn tally(offered: u64, done: u64, took: Duration) -> Tally {
        let mut tally = Tally::new(SECOND);
        for _ in 0..offered {
            tally.arrived(Duration::ZERO);
            tally.made(Duration::ZERO);
            tally.sent += 1;
        }
        for _ in 0..done {
            tally.ended(Ending::Done, took, took);
        }
        tally
    }

    fn seen(tallies: Vec<Tally>) -> Seen {
        let heard =
            tallies.into_iter().map(|tally| Heard { steps: vec![tally], sales: Sales::default() });
        Seen { heard: heard.collect(), server_us: 1_000, memory: Vec::new() }
    }

    #[test]
    fn success_is_a_share_of_what_each_asked_for() {
        let (polite, mut pusher) = (tally(4, 4, SECOND / 4), tally(400, 100, SECOND / 4));
        let both = seen(vec![polite.clone(), pusher.clone()]);
        let fairness = Fairness::of(&both, SECOND).unwrap();
        assert_eq!((fairness.polite_success, fairness.pusher_success), (1.0, 0.25));
        assert!(fairness.is_offered);
        pusher.sent = 300;
        let fairness = Fairness::of(&seen(vec![polite, pusher]), SECOND).unwrap();
        assert_eq!((fairness.is_offered, fairness.pushed_sent_per_s), (false, 300.0));
    }

    #[test]
    fn the_cold_product_is_compared_with_itself() {
        let (slow, fast) = (tally(1, 1, SECOND / 5), tally(1, 1, SECOND / 10));
        let products = Products::of(&seen(vec![slow]), &seen(vec![fast])).unwrap();
        assert!((products.ratio - 2.0).abs() < 0.01, "{}", products.ratio);
        let none = tally(1, 0, SECOND);
        assert!(Products::of(&seen(vec![none.clone()]), &seen(vec![none])).is_none());
    }

    #[test]
    fn a_refusal_is_compared_with_an_order() {
        let mut tally = tally(10, 0, SECOND);
        for _ in 0..10 {
            tally.ended(Ending::Refused(409, None), SECOND / 10, SECOND / 10);
        }
        let sold_out = SoldOut::of(&seen(vec![tally]), SECOND, 200.0, [Some(5), Some(5)]).unwrap();
        assert_eq!((sold_out.cost, sold_out.refused_per_s), (0.5, 10.0));
        assert_eq!(sold_out.messages, Some(0));
    }

    #[test]
    fn a_rejection_is_compared_with_an_order() {
        let mut tally = tally(10, 0, SECOND);
        for _ in 0..10 {
            tally.ended(Ending::Rejected, SECOND / 10, SECOND / 10);
        }
        let rejections = Rejections::of(&seen(vec![tally]), SECOND, 400.0).unwrap();
        assert_eq!((rejections.cost, rejections.per_second), (0.25, 10.0));
    }

    #[test]
    fn messages_are_read_from_the_page_of_measurements() {
        let page = "a 1\nmillrace_mailbox_wait_seconds_count{actor=\"inventory\"} 42\nb 2\n";
        assert_eq!(stock_messages(page), Some(42));
        assert_eq!(stock_messages("a 1\n"), None);
    }
}
