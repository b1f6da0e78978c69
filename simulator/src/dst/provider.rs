//! The simulated payment provider: honest, idempotent by key, and with books of its own.

use std::collections::BTreeMap;

use engine::process::ChargeOutcome;
use engine::values::{ChargeKey, Money};

/// The token that it declines.
pub(super) const DECLINED_TOKEN: &str = "tok_declined";

/// The provider's books. They outlive every process of ours.
#[derive(Default)]
pub(super) struct Provider {
    charges: BTreeMap<ChargeKey, (ChargeOutcome, Money)>,
    refunds: BTreeMap<ChargeKey, Money>,
    down_until: u64,
}

impl Provider {
    /// Nobody gets an answer before that time.
    pub(super) fn fail_until(&mut self, until: u64) {
        self.down_until = self.down_until.max(until);
    }

    pub(super) const fn is_up(&self, now: u64) -> bool {
        self.down_until <= now
    }

    pub(super) const fn heal(&mut self) {
        self.down_until = 0;
    }

    /// Takes the money, or says again what came of the same key before. Whether it is new.
    pub(super) fn charge(
        &mut self,
        key: ChargeKey,
        amount: Money,
        token: &str,
    ) -> (ChargeOutcome, bool) {
        if let Some((known, _)) = self.charges.get(&key) {
            return (known.clone(), false);
        }
        let outcome = if token == DECLINED_TOKEN {
            ChargeOutcome::Declined { reason: "card declined".to_owned() }
        } else {
            ChargeOutcome::Captured { reference: format!("ch_{key}") }
        };
        self.charges.insert(key, (outcome.clone(), amount));
        (outcome, true)
    }

    /// What became of a charge.
    pub(super) fn query(&self, key: ChargeKey) -> ChargeOutcome {
        self.charges.get(&key).map_or(ChargeOutcome::NotCharged, |(outcome, _)| outcome.clone())
    }

    /// Gives money back, once per key.
    ///
    /// # Errors
    ///
    /// A sentence when this was never captured, or was less.
    pub(super) fn refund(&mut self, key: ChargeKey, amount: Money) -> Result<(), String> {
        let captured = self.captured(key);
        if captured.is_none_or(|captured| captured.minor() < amount.minor()) {
            return Err(format!("{key}: {amount:?} wanted back of {captured:?}"));
        }
        match self.refunds.insert(key, amount) {
            Some(before) if before != amount => Err(format!("{key}: refunded with two amounts")),
            _ => Ok(()),
        }
    }

    fn captured(&self, key: ChargeKey) -> Option<Money> {
        match self.charges.get(&key)? {
            (ChargeOutcome::Captured { .. }, amount) => Some(*amount),
            _ => None,
        }
    }

    /// Every capture: key, amount, and what of it went back.
    pub(super) fn captures(&self) -> impl Iterator<Item = (ChargeKey, Money, Option<Money>)> + '_ {
        self.charges.iter().filter_map(|(key, (outcome, amount))| match outcome {
            ChargeOutcome::Captured { .. } => Some((*key, *amount, self.refunds.get(key).copied())),
            ChargeOutcome::Declined { .. } | ChargeOutcome::NotCharged => None,
        })
    }
}
