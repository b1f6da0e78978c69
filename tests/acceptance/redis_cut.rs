//! The fault `redis_cut`: orders do not notice, and what was not announced is made up for.

use std::time::Duration;

use acceptance_tests::redis::Redis;
use acceptance_tests::server::{Launch, Store};
use acceptance_tests::shop::card_order;
use acceptance_tests::wait;
use anyhow::{Context as _, Result, ensure};
use tokio::time::timeout;

const HEARD_WITHIN: Duration = Duration::from_secs(20);

mod redis {
    use super::*;

    #[tokio::test]
    async fn a_cut_on_purpose_leaves_orders_alone_and_is_made_up_for() -> Result<()> {
        let redis = Redis::start().await?;
        let launch =
            Launch::demo(Store::Sqlite).await?.variable("MILLRACE_REDIS_URL", &redis.url());
        let server = launch.start().await?;
        let shop = server.shop()?;
        shop.put("/v1/ops/faults/redis_cut", &serde_json::json!({})).await?.expect(200)?;
        let mut subscriber = redis.subscribe_to_everything().await?;
        let placed = shop.placed(&card_order("mouse", 1, "tok_ok")).await?;
        let (shard, position) = placed.position()?;
        wait::until("the list has the order", Duration::from_secs(30), || async {
            let total = shop.get("/v1/orders?limit=1").await?.expect(200)?.int("/total")?;
            ensure!(total == 1, "{total} orders");
            Ok(())
        })
        .await?;
        shop.delete("/v1/ops/faults/redis_cut").await?.expect(200)?;
        // Nothing of the order was announced before, and afterwards where it lies is.
        loop {
            let (_, said) = timeout(HEARD_WITHIN, subscriber.next()).await??;
            let (of, up_to) = said.split_once(':').context("shard and position")?;
            if of.parse::<u32>()? == shard && position <= up_to.parse::<u64>()? {
                return Ok(());
            }
        }
    }
}
