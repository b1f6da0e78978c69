//! What a code takes off, and how that is spread over the lines.

use serde::{Deserialize, Serialize};

use crate::catalog::BASIS_POINTS_MAX;
use crate::values::{Money, MoneyError};

/// What a code takes off the goods of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rebate {
    /// So many ten-thousandths.
    PercentBps(u32),
    /// So much, but never more than they cost.
    Amount(Money),
}

impl Rebate {
    /// Whether a sale can be made with it.
    pub(super) const fn is_sound(&self) -> bool {
        match self {
            Self::PercentBps(share) => 0 < *share && *share <= BASIS_POINTS_MAX,
            Self::Amount(amount) => 0 < amount.minor(),
        }
    }

    /// What it takes off goods of that price, rounded once ([`Money::share`]).
    ///
    /// # Errors
    ///
    /// [`MoneyError`] when the currencies differ.
    pub fn off(&self, goods: Money) -> Result<Money, MoneyError> {
        match self {
            Self::PercentBps(share) => goods.share(*share),
            Self::Amount(amount) => {
                let is_more = goods.checked_sub(*amount)?.minor() < 0;
                Ok(if is_more { goods } else { *amount })
            }
        }
    }

    /// What it takes off each line, given what its goods cost: by their prices, each running sum
    /// rounded down, so that the shares make exactly the whole.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] when the currencies differ or a sum does not fit.
    ///
    /// # Panics
    ///
    /// When the shares contradict the whole: a sale must not be made of them.
    pub fn spread(&self, goods: &[Money]) -> Result<Vec<Money>, MoneyError> {
        let Some(all) = Money::sum(goods.iter().copied())? else { return Ok(Vec::new()) };
        let whole = self.off(all)?;
        let (mut run, mut spent, mut shares) = (0_i128, 0_i64, Vec::with_capacity(goods.len()));
        for line in goods {
            run = run.saturating_add(i128::from(line.minor()));
            let upto = i128::from(whole.minor()).saturating_mul(run);
            let upto = upto.checked_div(i128::from(all.minor())).unwrap_or_default();
            let upto = i64::try_from(upto).map_err(|_| MoneyError::OutOfRange)?;
            let share = upto.saturating_sub(spent);
            shares.push(Money::new(share, whole.currency()));
            spent = upto;
        }
        assert!(spent == whole.minor(), "PROMO-2 violated: {spent} of {whole} are spread");
        Ok(shares)
    }
}
