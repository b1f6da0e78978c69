//! Double entry: whatever moves money posts legs that cancel out, in one currency (R5).

use std::collections::BTreeMap;

use super::violation::{Found, holds};
use crate::order::Amounts;
use crate::values::{Currency, Money};

/// What money is booked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// What customers owe for orders that stand, less what was captured for them.
    Receivable,
    /// What was captured.
    Captured,
    /// What was given back; negative.
    Refunded,
    /// What was given back for units that came back.
    Returns,
    /// What the lines of standing orders come to; negative, like all that is earned.
    Sales,
    /// What was taken off.
    Discounts,
    /// What was put on for shipping.
    Shipping,
    /// What was put on for import.
    Duties,
    /// What was put on for tax.
    Tax,
}

impl Account {
    /// Its name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receivable => "receivable",
            Self::Captured => "captured",
            Self::Refunded => "refunded",
            Self::Returns => "returns",
            Self::Sales => "sales",
            Self::Discounts => "discounts",
            Self::Shipping => "shipping",
            Self::Duties => "duties",
            Self::Tax => "tax",
        }
    }
}

/// Balances by currency and account, in minor units. Those of a currency cancel out.
pub type Balances = BTreeMap<(Currency, Account), i128>;

/// The amounts that one event moves.
pub(super) type Legs = Vec<(Account, Money)>;

/// What an order that stands is worth: its customer owes the total for all that it is made of.
pub(super) fn sale(amounts: &Amounts) -> Legs {
    let Amounts { subtotal, discount, shipping, duties, tax, total } = *amounts;
    let mut legs = vec![(Account::Receivable, total), (Account::Sales, less(subtotal))];
    let parts = [
        (Account::Discounts, discount),
        (Account::Shipping, less(shipping)),
        (Account::Duties, less(duties)),
        (Account::Tax, less(tax)),
    ];
    legs.extend(parts.into_iter().filter(|(_, part)| part.minor() != 0));
    legs
}

/// Money that came from the customer.
pub(super) fn capture(amount: Money) -> [(Account, Money); 2] {
    [(Account::Captured, amount), (Account::Receivable, less(amount))]
}

/// Money that went back to the customer.
pub(super) fn refund(amount: Money) -> [(Account, Money); 2] {
    [(Account::Refunded, less(amount)), (Account::Receivable, amount)]
}

/// Money that went back for units that came back: the customer owes nothing for them any more.
pub(super) fn returned(amount: Money) -> [(Account, Money); 2] {
    [(Account::Refunded, less(amount)), (Account::Returns, amount)]
}

/// The same in the other direction.
pub(super) fn undone(mut legs: Legs) -> Legs {
    for (_, amount) in &mut legs {
        *amount = less(*amount);
    }
    legs
}

fn less(amount: Money) -> Money {
    Money::new(amount.minor().saturating_neg(), amount.currency())
}

/// Books legs, if they are in one currency and cancel out.
pub(super) fn post(balances: &mut Balances, legs: &[(Account, Money)]) -> Result<(), Found> {
    let Some((_, first)) = legs.first() else { return Ok(()) };
    let currency = first.currency();
    let mut sum = 0_i128;
    for (account, amount) in legs {
        holds("R5", amount.currency() == currency, || {
            format!("{} is booked in two currencies", account.as_str())
        })?;
        sum = sum.saturating_add(i128::from(amount.minor()));
    }
    holds("R5", sum == 0, || format!("the parts differ from the total by {sum} minor units"))?;
    for (account, amount) in legs {
        add(balances, (currency, *account), i128::from(amount.minor()));
    }
    Ok(())
}

/// Adds to one balance.
pub(super) fn add(balances: &mut Balances, key: (Currency, Account), amount: i128) {
    let balance = balances.entry(key).or_default();
    *balance = balance.saturating_add(amount);
}
