//! What the server says about itself: histograms of `/metrics`, read as percentiles.

use std::collections::BTreeMap;

/// A histogram: how many lie at or below each bound, in microseconds; the last has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Buckets(BTreeMap<u64, u64>);

impl Buckets {
    /// Reads one histogram of seconds out of a page; its series with other labels are left out.
    pub(super) fn of(page: &str, name: &str, label: &str) -> Self {
        let mut buckets = BTreeMap::<u64, u64>::new();
        for line in page.lines() {
            let Some(rest) = line.strip_prefix(name).and_then(|rest| rest.strip_prefix("_bucket{"))
            else {
                continue;
            };
            let Some((labels, count)) = rest.rsplit_once("} ") else { continue };
            let bound = labels.split("le=\"").nth(1).and_then(|rest| rest.split('"').next());
            let (Some(bound), Ok(count)) = (bound, count.trim().parse::<u64>()) else { continue };
            if labels.contains(label) {
                let sum = buckets.entry(micros(bound)).or_default();
                *sum = sum.saturating_add(count);
            }
        }
        Self(buckets)
    }

    /// What was added since an earlier look.
    pub(super) fn since(&self, before: &Self) -> Self {
        let earlier = |bound| before.0.get(bound).copied().unwrap_or_default();
        let added = self.0.iter().map(|(bound, n)| (*bound, n.saturating_sub(earlier(bound))));
        Self(added.collect())
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.0.values().next_back().copied().unwrap_or_default()
    }

    /// The bound, in microseconds, that 95 of 100 do not pass; `None` when there are none.
    pub(super) fn p95(&self) -> Option<u64> {
        let wanted = self.count().saturating_mul(95).div_ceil(100);
        let found = self.0.iter().find(|(_, below)| wanted <= **below)?;
        (0 < wanted).then_some(*found.0)
    }
}

/// A bound in seconds, as it stands on the page; `+Inf` is the largest number.
fn micros(bound: &str) -> u64 {
    let (whole, part) = bound.split_once('.').unwrap_or((bound, ""));
    let part: String = part.chars().chain("000000".chars()).take(6).collect();
    format!("{whole}{part}").parse().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# TYPE wait histogram\n\
        wait_bucket{actor=\"order\",le=\"0.0005\"} 7\n\
        wait_bucket{actor=\"inventory\",le=\"0.0005\"} 90\n\
        wait_bucket{actor=\"inventory\",le=\"0.05\"} 96\n\
        wait_bucket{actor=\"inventory\",le=\"1\"} 100\n\
        wait_bucket{actor=\"inventory\",le=\"+Inf\"} 100\n\
        wait_sum{actor=\"inventory\"} 3.5\nwait_count{actor=\"inventory\"} 100\n\
        wait_longer_bucket{le=\"0.0005\"} 5\n";

    #[test]
    fn a_percentile_is_the_bound_that_so_many_do_not_pass() {
        let buckets = Buckets::of(PAGE, "wait", "actor=\"inventory\"");
        assert_eq!((buckets.count(), buckets.p95()), (100, Some(50_000)));
        assert_eq!(Buckets::of(PAGE, "wait", "actor=\"order\"").p95(), Some(500));
        assert_eq!(Buckets::of(PAGE, "nothing", "").p95(), None);
    }

    #[test]
    fn only_what_came_since_an_earlier_look_counts() {
        let later = PAGE.replace(" 96", " 97").replace(" 100", " 101");
        let added = Buckets::of(&later, "wait", "inventory");
        let added = added.since(&Buckets::of(PAGE, "wait", "inventory"));
        assert_eq!((added.count(), added.p95()), (1, Some(50_000)));
        let nothing = added.since(&added);
        assert_eq!((nothing.count(), nothing.p95()), (0, None));
    }
}
