//! A store that takes changes and cannot be read: what was done is not told as "nothing happened".

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actors::admission::AdmissionConfig;
use async_trait::async_trait;
use http::Method;
use http_edge::front::FrontConfig;
use http_edge::idempotency::RequestKey;
use persistence::journal::{
    AppendError, Batch, Fence, Journal, Record, Shard, StoredFrame, StreamId, Tenure,
};
use persistence::{StoreError, Stores};

use crate::shop::TestShop;

/// A journal whose histories cannot be read while it is told so.
struct Unreadable {
    inner: Arc<dyn Journal>,
    now: AtomicBool,
}

impl Unreadable {
    fn reach(&self) -> Result<(), StoreError> {
        if self.now.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("the disk is not there".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl Journal for Unreadable {
    fn shards(&self) -> u16 {
        self.inner.shards()
    }

    async fn acquire(&self, owner: &str) -> Result<Tenure, StoreError> {
        self.inner.acquire(owner).await
    }

    async fn reacquire(&self, owner: &str) -> Result<Option<Tenure>, StoreError> {
        self.inner.reacquire(owner).await
    }

    async fn append(&self, batch: &Batch) -> Result<(), AppendError> {
        self.inner.append(batch).await
    }

    async fn contains(&self, batch: &Batch) -> Result<bool, StoreError> {
        self.inner.contains(batch).await
    }

    async fn read_places(&self, places: &[(Shard, u64)]) -> Result<Vec<Record>, StoreError> {
        self.reach()?;
        self.inner.read_places(places).await
    }

    async fn read_tail(
        &self,
        shard: Shard,
        after: u64,
        streams: &[StreamId],
    ) -> Result<Vec<Record>, StoreError> {
        self.reach()?;
        self.inner.read_tail(shard, after, streams).await
    }

    async fn read_shard(
        &self,
        shard: Shard,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        self.inner.read_shard(shard, after, limit).await
    }

    async fn read_frames(
        &self,
        shard: Shard,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredFrame>, StoreError> {
        self.inner.read_frames(shard, after, limit).await
    }

    async fn fences(&self) -> Result<Vec<Fence>, StoreError> {
        self.inner.fences().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }
}

#[tokio::test]
async fn a_cart_that_was_emptied_and_cannot_be_shown_is_not_told_as_unchanged() {
    let mut stores = Stores::in_memory();
    let journal = Arc::new(Unreadable { inner: stores.journal, now: AtomicBool::new(false) });
    stores.journal = Arc::<Unreadable>::clone(&journal);
    let open = || {
        Box::pin(TestShop::over(stores.clone(), FrontConfig::default(), AdmissionConfig::default()))
    };
    let clear = [("idempotency-key", "a")];
    let path = "/cart/u-1/clear";
    let shop = open().await;
    shop.stocked("mug", 1_250, 10).await;
    shop.call(Method::DELETE, path, &clear, None).await.expect(200);
    shop.call(Method::POST, "/cart/u-1/add?product_id=mug", &[], None).await.expect(200);
    drop(shop);

    // After a restart the cart is in memory, and the product in it is not.
    let shop = open().await;
    let cart = RequestKey::composed("user:u-1").cart("owner");
    shop.get(&format!("/v1/carts/{cart}")).await.expect(200);
    journal.now.store(true, Ordering::Relaxed);
    let unknown = shop.call(Method::DELETE, path, &clear, None).await;
    let unknown = unknown.expect_problem(504, "outcome_unknown");
    assert!(unknown.body["detail"].as_str().unwrap().starts_with("the cart was emptied"));
    journal.now.store(false, Ordering::Relaxed);
    let again = shop.call(Method::DELETE, path, &clear, None).await.expect(200);
    assert_eq!(again.header("idempotent-replayed"), "true");
}
