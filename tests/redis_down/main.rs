//! Redis stopped and started again in the middle of a burst: orders do not notice.

use std::time::Duration;

use acceptance_tests::crowd::{Audit, Burst, Shelf};
use acceptance_tests::redis::Redis;
use acceptance_tests::server::{Launch, Store};
use acceptance_tests::{figures, wait};
use anyhow::{Context as _, Result, ensure};
use tokio::time::timeout;

const SHOPPERS: u64 = 16;
const UNITS: i64 = 1_000_000;

mod redis {
    use super::*;

    #[tokio::test]
    async fn a_burst_goes_on_while_redis_is_gone_and_subscribers_catch_up() -> Result<()> {
        let mut redis = Redis::start().await?;
        let launch =
            Launch::demo(Store::Sqlite).await?.variable("MILLRACE_REDIS_URL", &redis.url());
        let mut server = launch.start().await?;
        let shop = server.shop()?;
        let shelf = Shelf { product: shop.stocked("mug", 1250, UNITS).await?, units: UNITS };
        let mut subscriber = redis.subscribe_to_everything().await?;
        let mut burst = Burst::start(&shop, "redis", SHOPPERS, &["mug"]);
        burst.answered(100).await?;
        heard(&mut subscriber).await.context("before the stop")?;
        redis.stop().await?;
        let at_stop = burst.so_far();
        burst.answered(at_stop + 300).await.context("while Redis is gone")?;
        redis.resume().await?;
        let mut subscriber = redis.subscribe_to_everything().await?;
        let at_return = burst.so_far();
        burst.answered(at_return + 100).await.context("after Redis came back")?;
        let tries = burst.stop().await?;
        caught_up(&shop, &mut subscriber, &tries).await?;
        let refused = tries.iter().filter(|attempt| attempt.outcome.order_id().is_none()).count();
        let audit = Audit::take(&shop, &tries, &[shelf]).await?;
        let without = at_return - at_stop;
        figures::report("redis_down", &format!("answers_without_redis={without} {audit}"))?;
        ensure!(refused == 0, "{refused} orders were not acknowledged at once");
        audit.clean()?;
        ensure!(server.ended().is_none(), "the server ended");
        Ok(())
    }

    #[tokio::test]
    async fn a_cut_on_purpose_leaves_orders_alone_and_is_made_up_for() -> Result<()> {
        let redis = Redis::start().await?;
        let launch =
            Launch::demo(Store::Sqlite).await?.variable("MILLRACE_REDIS_URL", &redis.url());
        let server = launch.start().await?;
        let shop = server.shop()?;
        shop.put("/v1/ops/faults/redis_cut", &serde_json::json!({})).await?.expect(200)?;
        let mut subscriber = redis.subscribe_to_everything().await?;
        let placed = shop.placed(&acceptance_tests::shop::card_order("mouse", 1, "tok_ok")).await?;
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
            let (_, said) = heard(&mut subscriber).await?;
            let (of, up_to) = said.split_once(':').context("shard and position")?;
            if of.parse::<u32>()? == shard && position <= up_to.parse::<u64>()? {
                return Ok(());
            }
        }
    }

    #[tokio::test]
    async fn a_server_starts_while_redis_is_gone() -> Result<()> {
        let mut redis = Redis::start().await?;
        redis.stop().await?;
        let launch =
            Launch::demo(Store::Sqlite).await?.variable("MILLRACE_REDIS_URL", &redis.url());
        let server = launch.start().await?;
        let order = acceptance_tests::shop::card_order("mouse", 1, "tok_ok");
        server.shop()?.placed(&order).await?;
        Ok(())
    }
}

/// The next announcement, whatever it says.
async fn heard(subscriber: &mut acceptance_tests::redis::Subscriber) -> Result<(String, String)> {
    timeout(Duration::from_secs(20), subscriber.next()).await.context("Redis announces nothing")?
}

/// Announcements come again, and the list, which follows the journal, has no gap.
async fn caught_up(
    shop: &acceptance_tests::shop::Shop,
    subscriber: &mut acceptance_tests::redis::Subscriber,
    tries: &[acceptance_tests::crowd::Try],
) -> Result<()> {
    heard(subscriber).await.context("after the return")?;
    let orders: std::collections::BTreeSet<&str> =
        tries.iter().filter_map(|attempt| attempt.outcome.order_id()).collect();
    wait::until("the list has no gap", Duration::from_secs(30), || async {
        let total = shop.get("/v1/orders?limit=1").await?.expect(200)?.int("/total")?;
        ensure!(total == i64::try_from(orders.len())?, "{total} of {}", orders.len());
        Ok(())
    })
    .await
}
