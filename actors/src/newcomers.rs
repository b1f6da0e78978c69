//! Knows which orders surely have no history, so that a crowd of new ones costs no reads.
//!
//! A Bloom filter over order ids: "new" is always true, "perhaps known" is read from the journal.
//! It fills up slowly and then costs reads again, never a wrong answer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use engine::values::OrderId;
use persistence::StoreError;
use persistence::read_models::{OrderQuery, PageStart, ReadModels};
use tokio::time::sleep;
use tracing::{info, warn};
use uuid::Uuid;

/// 2^26 bits are 8 MB: with two million orders, one new order in 400 is read for nothing.
const BITS_LOG2: u32 = 26;

/// Bits per order.
const PROBES: u64 = 4;

/// Ids fetched at once while the filter is filled.
const PAGE: u32 = 10_000;

/// Pause after the filter could not be filled.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// The filter.
pub(crate) struct Newcomers {
    words: Vec<AtomicU64>,
    complete: AtomicBool,
}

impl Default for Newcomers {
    fn default() -> Self {
        let words = 1_usize << (BITS_LOG2 - u64::BITS.ilog2());
        Self {
            words: std::iter::repeat_with(AtomicU64::default).take(words).collect(),
            complete: AtomicBool::new(false),
        }
    }
}

impl Newcomers {
    /// Whether the order surely has no history. It counts as known from here on, so that its
    /// next incarnation is read.
    pub(crate) fn is_new(&self, key: &str) -> bool {
        let Ok(id) = Uuid::try_parse(key) else { return false };
        let seen = self.note(OrderId::new(id));
        !seen && self.complete.load(Ordering::Acquire)
    }

    /// Notes an order; whether it may have been noted before.
    fn note(&self, order: OrderId) -> bool {
        let mut seen = true;
        for bit in probes(order) {
            let (word, mask) = (bit >> u64::BITS.ilog2(), 1_u64 << (bit % u64::from(u64::BITS)));
            let word = usize::try_from(word).ok().and_then(|word| self.words.get(word));
            let Some(word) = word else { return true };
            // Two that ask for one order at once could both find it new, but an order begins one life
            // at a time.
            seen &= word.fetch_or(mask, Ordering::AcqRel) & mask != 0;
        }
        seen
    }

    /// Notes every order that the views know, which are up to date when the engine starts; from
    /// then on the filter can tell. Whoever begins a history meanwhile is noted by asking.
    async fn fill(&self, read_models: &dyn ReadModels) -> Result<u64, StoreError> {
        let mut start = PageStart::Offset(0);
        let mut noted = 0_u64;
        loop {
            let query = OrderQuery { status: None, limit: PAGE, start };
            let page = read_models.list_orders(&query).await?;
            for row in &page.rows {
                self.note(row.order);
            }
            noted = noted.saturating_add(page.rows.len() as u64);
            match page.rows.last() {
                Some(last) if page.more => start = PageStart::After(last.created_at, last.order),
                _ => break,
            }
        }
        self.complete.store(true, Ordering::Release);
        Ok(noted)
    }
}

/// Where the bits of an order lie: two odd multiples of its halves, as in double hashing.
fn probes(order: OrderId) -> impl Iterator<Item = u64> {
    let (high, low) = order.as_uuid().as_u64_pair();
    let first = high.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ low;
    let step = low.wrapping_mul(0xC2B2_AE3D_27D4_EB4F) | 1;
    (0..PROBES).map(move |probe| {
        let mixed =
            first.wrapping_add(step.wrapping_mul(probe)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        mixed >> (u64::BITS - BITS_LOG2)
    })
}

/// Fills the filter beside everything else; until then every history is read.
pub(crate) async fn fill(newcomers: Weak<Newcomers>, read_models: Arc<dyn ReadModels>) {
    loop {
        let Some(newcomers) = newcomers.upgrade() else { return };
        match newcomers.fill(&*read_models).await {
            Ok(noted) => return info!(noted, "orders without a history can be told from others"),
            Err(error) => {
                warn!(error = %error, "every new order is looked for in the journal for now");
            }
        }
        drop(newcomers);
        sleep(RETRY_PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use engine::values::{Moment, ProductId};
    use persistence::read_models::{
        Changes, EntryPage, EntryQuery, HistoryRow, HistoryTail, MemoryReadModels, OrderPage,
        ProductRow, Wakeup,
    };

    use super::*;

    fn order(number: u64) -> OrderId {
        // Spread like the digests that ids are made of.
        let high = number.wrapping_mul(0x9FB2_1C65_1E98_DF25).rotate_left(17);
        OrderId::new(Uuid::from_u64_pair(high, high.wrapping_mul(0xA24B_AED4_963E_E407)))
    }

    fn complete() -> Newcomers {
        let newcomers = Newcomers::default();
        newcomers.complete.store(true, Ordering::Release);
        newcomers
    }

    #[test]
    fn an_order_is_new_once() {
        let newcomers = complete();
        assert!(newcomers.is_new(&order(1).to_string()));
        assert!(!newcomers.is_new(&order(1).to_string()));
    }

    #[test]
    fn before_it_is_filled_nothing_is_surely_new_and_nothing_is_forgotten() {
        let newcomers = Newcomers::default();
        assert!(!newcomers.is_new(&order(1).to_string()));
        newcomers.complete.store(true, Ordering::Release);
        assert!(!newcomers.is_new(&order(1).to_string()));
    }

    #[test]
    fn a_known_order_is_never_called_new_and_few_new_ones_are_called_known() {
        let newcomers = complete();
        for number in 0..200_000 {
            newcomers.note(order(number));
        }
        assert!((0..200_000).all(|number| newcomers.note(order(number))));
        let mistaken = (200_000..210_000).filter(|number| newcomers.note(order(*number))).count();
        assert!(mistaken < 100, "{mistaken} of 10,000");
    }

    /// Cannot be reached at first.
    #[derive(Default)]
    struct LateReadModels {
        inner: MemoryReadModels,
        asked: AtomicU64,
    }

    #[async_trait]
    impl ReadModels for LateReadModels {
        async fn list_orders(&self, query: &OrderQuery) -> Result<OrderPage, StoreError> {
            if self.asked.fetch_add(1, Ordering::Relaxed) < 2 {
                return Err(StoreError::Unavailable("a drill".into()));
            }
            self.inner.list_orders(query).await
        }

        async fn cursors(&self, shards: u16) -> Result<Vec<u64>, StoreError> {
            self.inner.cursors(shards).await
        }

        async fn apply(&self, changes: &Changes) -> Result<(), StoreError> {
            self.inner.apply(changes).await
        }

        async fn histories(&self, tails: &[HistoryTail]) -> Result<Vec<HistoryRow>, StoreError> {
            self.inner.histories(tails).await
        }

        async fn products(&self, products: &[ProductId]) -> Result<Vec<ProductRow>, StoreError> {
            self.inner.products(products).await
        }

        async fn list_products(
            &self,
            after: Option<&ProductId>,
            limit: u32,
        ) -> Result<Vec<ProductRow>, StoreError> {
            self.inner.list_products(after, limit).await
        }

        async fn list_entries(&self, query: &EntryQuery) -> Result<EntryPage, StoreError> {
            self.inner.list_entries(query).await
        }

        async fn due_wakeups(&self, now: Moment, limit: u32) -> Result<Vec<Wakeup>, StoreError> {
            self.inner.due_wakeups(now, limit).await
        }

        async fn set_wakeups(&self, wakeups: &[Wakeup]) -> Result<(), StoreError> {
            self.inner.set_wakeups(wakeups).await
        }

        async fn clear(&self) -> Result<(), StoreError> {
            self.inner.clear().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_filter_that_could_not_be_filled_is_filled_later() {
        let newcomers = Arc::new(Newcomers::default());
        fill(Arc::downgrade(&newcomers), Arc::new(LateReadModels::default())).await;
        assert!(newcomers.is_new(&order(1).to_string()));
    }
}
