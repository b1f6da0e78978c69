//! Who gives the money of a return back: the provider, the shop as store credit, or people.

use super::model::Order;
use super::returning::{NotReturnable, RefundMethod, RefundStand};
use crate::process::{HeldUnits, Intent};
use crate::values::{ChargeKey, CreditAccount, Money, PaymentMethod, ReturnId};

/// Who gives a part of the money back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Giver {
    /// The provider, of what it took under the key.
    Provider(ChargeKey),
    /// The shop, as store credit.
    Credit,
    /// People.
    Hand,
}

impl Order {
    pub(super) fn giver(&self, method: RefundMethod) -> Result<Giver, NotReturnable> {
        let charged = self.payment.captured_by.map(Giver::Provider);
        match method {
            RefundMethod::Card => charged.ok_or(NotReturnable::NoCard),
            RefundMethod::Cash => Ok(Giver::Hand),
            RefundMethod::StoreCredit => Ok(Giver::Credit),
            RefundMethod::Original => Ok(charged.unwrap_or_else(|| self.as_it_came())),
        }
    }

    /// Who has money that no provider took.
    fn as_it_came(&self) -> Giver {
        match self.method() {
            Some(PaymentMethod::StoreCredit) => Giver::Credit,
            Some(PaymentMethod::Card | PaymentMethod::Cash | PaymentMethod::Cod) | None => {
                Giver::Hand
            }
        }
    }

    /// The part of the money that is to go back, as whoever gives it hears of it.
    pub(super) fn part_owed(&self) -> Option<Intent> {
        self.returns.iter().find_map(|part| {
            let refund = part.refund.as_ref().filter(|refund| refund.stand == RefundStand::Owed)?;
            let (rma, amount) = (part.rma, refund.amount);
            match self.giver(refund.method).ok()? {
                Giver::Provider(key) => Some(Intent::RefundPart { key, rma, amount }),
                Giver::Credit => {
                    Some(Intent::Deposit { rma, units: self.deposit(rma, amount)?, amount })
                }
                Giver::Hand => None,
            }
        })
    }

    /// Money of a return as units of the customer's store credit; nothing for more than it can count.
    pub(super) fn deposit(&self, rma: ReturnId, amount: Money) -> Option<HeldUnits> {
        let account = CreditAccount::new(self.placement.customer.clone(), amount.currency());
        let (product, quantity) = (account.stock(), amount.as_units()?);
        Some(HeldUnits { product, hold: rma.hold(), quantity })
    }
}
