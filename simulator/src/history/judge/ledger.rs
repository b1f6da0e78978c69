//! Joins the history with the ledger of the payment provider, both ways.

use acceptance_tests::provider::Entry;
use std::collections::BTreeMap;

use super::docket::{Docket, OrderFile};
use crate::checks::{Check, Findings};
use crate::history::event::{OrderSeen, Payment, Status};

/// The money of one order at the provider.
#[derive(Debug, Default)]
struct Account<'a> {
    /// Captured and given back, by charge.
    charges: BTreeMap<&'a str, (i64, i64)>,
    /// The currency of the first capture, and whether another one came.
    currency: Option<&'a str>,
    mixed: bool,
}

impl Account<'_> {
    /// What the provider still has.
    fn kept(&self) -> i64 {
        self.charges.values().map(|(taken, back)| taken.saturating_sub(*back)).sum()
    }

    /// How many charges it still has money of.
    fn kept_charges(&self) -> usize {
        self.charges.values().filter(|(taken, back)| taken != back).count()
    }
}

/// Captures and refunds in the ledger are what orders say, and what orders say is in the ledger.
/// Orders are those of a shop that takes all of its money through this provider.
pub(super) fn ledger_agrees(docket: &Docket<'_>, entries: &[Entry]) -> Check {
    let mut findings = Findings::default();
    let accounts = accounts(entries, &mut findings);
    for (id, order) in &docket.orders {
        let nothing = Account::default();
        let account = accounts.get(id).unwrap_or(&nothing);
        if let Some(fault) = disagreement(order, account) {
            findings.add(|| format!("order {id} of {}: {fault}", order.first.0.name()));
        }
    }
    let strays: Vec<_> = accounts
        .iter()
        .filter(|(id, account)| !docket.orders.contains_key(**id) && account.kept() != 0)
        .collect();
    let unknown = docket.keys.values().filter(|key| key.is_unknown()).count();
    if unknown < strays.len() {
        for (id, account) in &strays {
            findings.add(|| {
                format!(
                    "order {id}: {} captured, and nobody was told of it; {unknown} keys are unknown",
                    account.kept()
                )
            });
        }
    }
    let captures: usize = accounts.values().map(|account| account.charges.len()).sum();
    let figure = format!("{captures} captures of {} orders in the ledger", accounts.len());
    findings.into_check("ledger_agrees", figure)
}

fn accounts<'a>(entries: &'a [Entry], findings: &mut Findings) -> BTreeMap<&'a str, Account<'a>> {
    let mut accounts: BTreeMap<&str, Account<'_>> = BTreeMap::new();
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for entry in entries {
        match entry {
            Entry::Captured { key, order, minor, currency } => {
                owners.insert(key, order);
                let account = accounts.entry(order).or_default();
                account.mixed |= account.currency.is_some_and(|first| *first != **currency);
                account.currency = account.currency.or(Some(currency));
                let charge = account.charges.entry(key).or_default();
                charge.0 = charge.0.saturating_add(*minor);
            }
            Entry::Refunded { key, charge_key, minor } => {
                let charge = owners
                    .get(&**charge_key)
                    .and_then(|order| accounts.get_mut(order))
                    .and_then(|account| account.charges.get_mut(&**charge_key));
                let Some(charge) = charge else {
                    findings.add(|| format!("refund {key} is of no capture"));
                    continue;
                };
                charge.1 = charge.1.saturating_add(*minor);
                let (taken, back) = *charge;
                findings.unless(back <= taken, || {
                    format!("refund {key}: {back} given back of {taken}")
                });
            }
            Entry::Conflict { key } => {
                findings.add(|| format!("charge {key} came again for another order or amount"));
            }
            Entry::Declined { .. } => {}
        }
    }
    accounts
}

fn disagreement(file: &OrderFile<'_>, account: &Account<'_>) -> Option<String> {
    let order = file.latest();
    let (kept, charges) = (account.kept(), account.kept_charges());
    let (total, currency) = (order.facts.total, &*order.facts.currency);
    if 1 < charges {
        return Some(format!("{charges} charges captured, {kept} in all"));
    }
    if account.mixed || account.currency.is_some_and(|taken| taken != currency) {
        return Some(format!("captured in another currency than {currency}"));
    }
    let expected = match (order.status, order.payment) {
        // Until somebody looks at the end its money may be anywhere; from then on whoever has not
        // paid has nothing at the provider.
        _ if order.is_open() && file.last().is_none() => return None,
        _ if order.is_open() => 0..=0,
        (Status::Cancelled, _) | (_, Payment::Failed | Payment::Refunded) => 0..=0,
        (_, Payment::PartlyRefunded) => 1..=total.saturating_sub(1),
        _ => total..=total,
    };
    (!expected.contains(&kept)).then(|| {
        let OrderSeen { status, payment, .. } = order;
        format!("{status:?} / {payment:?} over {total}, and the provider has {kept}")
    })
}
