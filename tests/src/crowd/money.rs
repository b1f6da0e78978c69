//! What the provider's ledger says beside the shop: it is kept where no crash reaches it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::provider::Provider;
use crate::shop::Shop;
use crate::wait;

/// Requests under way at once.
const WIDTH: usize = 16;
/// A refund is tried again after pauses; the first ones are short.
const REFUNDED_WITHIN: Duration = Duration::from_mins(1);

/// The comparison. Everything after `captured` must be zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Money {
    /// Orders whose money was taken and kept.
    pub captured: usize,
    /// Orders whose money was taken more than once.
    pub double: usize,
    /// Orders whose money was taken and that are neither paid nor refunded.
    pub kept: usize,
    /// Orders that the shop calls paid and the provider does not know.
    pub missing: usize,
    /// Keys that were used for two different charges.
    pub conflicts: usize,
}

impl Money {
    /// Compares the ledger with the shop, in which that many orders are `paid`.
    pub async fn compare(shop: &Shop, provider: &Provider, paid: usize) -> Result<Self> {
        let settled = wait::until("money of lost orders goes back", REFUNDED_WITHIN, || async {
            let money = Self::look(shop, provider, paid).await?;
            ensure!(money.kept == 0, "{} captures are neither paid nor refunded", money.kept);
            Ok(money)
        });
        match settled.await {
            Ok(money) => Ok(money),
            Err(_) => Self::look(shop, provider, paid).await,
        }
    }

    async fn look(shop: &Shop, provider: &Provider, paid: usize) -> Result<Self> {
        let mut orders: BTreeMap<String, Vec<bool>> = BTreeMap::new();
        for charge in provider.charges().into_values().filter(|charge| charge.captured) {
            let is_kept = charge.refunded < charge.minor;
            orders.entry(charge.order).or_default().push(is_kept);
        }
        let double = orders.values().filter(|captures| 1 < captures.len()).count();
        let kept = orders.iter().filter(|(_, captures)| captures.contains(&true));
        let standing: Vec<bool> = stream::iter(kept)
            .map(|(order, _)| async move {
                let order = shop.order(order).await?;
                anyhow::Ok(order.status == 200 && order.text("/payment_status")? == "paid")
            })
            .buffer_unordered(WIDTH)
            .try_collect()
            .await?;
        let captured = standing.iter().filter(|stands| **stands).count();
        Ok(Self {
            captured,
            double,
            kept: standing.len() - captured,
            missing: paid.saturating_sub(captured),
            conflicts: provider.conflicts().len(),
        })
    }
}
