//! The check on demand: whoever was judged was served while there was stock.

use std::collections::BTreeMap;

use super::{Check, Evidence, Findings};
use crate::record::Verdict;

/// What shoppers wanted of one product, in units.
#[derive(Clone, Copy, Debug, Default)]
struct Demand {
    /// Wanted by all who were judged.
    asked: u64,
    /// Of these, by those whose payment failed: they buy nothing, and may have kept what they
    /// held from somebody else.
    unpaid: u64,
    /// Wanted by each.
    each: u64,
}

/// Whoever was judged was served while there was stock: sold is the smaller of what was
/// asked for and what was there, in whole orders.
pub(super) fn demand_is_served(evidence: &Evidence<'_>) -> Check {
    // Who was turned away as "too busy" on every try was never judged and proves nothing.
    let mut demands: BTreeMap<&str, Demand> = BTreeMap::new();
    for record in evidence.records {
        if matches!(record.verdict(), Verdict::Accepted | Verdict::Refused) {
            let demand = demands.entry(&*record.product).or_default();
            demand.each = u64::from(record.quantity);
            demand.asked = demand.asked.saturating_add(demand.each);
            if record.answers().any(|answer| answer.status == 402) {
                demand.unpaid = demand.unpaid.saturating_add(demand.each);
            }
        }
    }
    let mut findings = Findings::default();
    let (mut sold, mut expected, mut scarce) = (0_u64, 0_u64, 0_usize);
    for shelf in evidence.shelves {
        let Demand { asked, unpaid, each } =
            demands.get(&*shelf.product).copied().unwrap_or_default();
        let there = shelf.before.available;
        let sellable = there.saturating_sub(there.checked_rem(each).unwrap_or(0));
        let wanted = asked.saturating_sub(unpaid).min(sellable);
        let least = asked.min(sellable).saturating_sub(unpaid);
        scarce = scarce.saturating_add(usize::from(asked >= there));
        expected = expected.saturating_add(wanted);
        let Some(after) = shelf.after else {
            findings.add(|| format!("{}: the stock could not be read afterwards", shelf.product));
            continue;
        };
        let grown = after.sold.saturating_sub(shelf.before.sold);
        sold = sold.saturating_add(grown);
        findings.unless((least..=wanted).contains(&grown), || {
            format!(
                "{}: {grown} units sold; {asked} were asked for and {there} were there",
                shelf.product
            )
        });
    }
    findings.into_check(
        "demand_is_served",
        format!("{sold} units sold, {expected} expected; {scarce} products with demand for all of their stock"),
    )
}
