//! What is told when an order is not done within the time to an answer.

use std::time::Duration;

use actors::admission::{AdmissionConfig, LimitPolicy};
use http_edge::front::FrontConfig;
use tokio::time::{Instant, sleep};

use crate::shop::{TestShop, card_order};

#[tokio::test(start_paused = true)]
async fn an_order_that_is_found_after_the_deadline_is_told_as_it_stands() {
    let config =
        FrontConfig { answer_within: Duration::from_millis(500), ..FrontConfig::default() };
    let shop = TestShop::with(config, AdmissionConfig::default()).await;
    shop.stocked("mug", 1_250, 10).await;
    // The provider is still being asked: nobody can say yet that the order is done.
    let late = shop.place("k-1", card_order("mug", 1, "tok_timeout")).await.expect(202);
    assert_eq!(late.body["payment_status"], "unpaid");
    let id = late.body["id"].as_str().unwrap();
    assert_eq!(late.header("location"), format!("/v1/orders/{id}"));
    assert_eq!(late.header("x-version"), late.body["version"].to_string());
    assert!(late.header("x-position").contains(':'));
    assert_eq!(late.header("idempotent-replayed"), "");
}

#[tokio::test(start_paused = true)]
async fn an_order_whose_provider_gives_no_answer_within_the_deadline_is_told_as_queued() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    let queued = shop.place("k-1", card_order("mug", 1, "tok_timeout")).await.expect(202);
    assert_eq!(queued.body["payment_status"], "queued");
    assert_eq!(shop.stock("mug").await, [10, 1, 9, 0]);
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_place_is_part_of_the_time_to_an_answer() {
    let answer_within = Duration::from_millis(1_500);
    let config = FrontConfig { answer_within, ..FrontConfig::default() };
    let limit = LimitPolicy { min: 1, start: 1, max: 1, ..LimitPolicy::default() };
    let shop =
        TestShop::with(config, AdmissionConfig { limit, ..AdmissionConfig::default() }).await;
    shop.stocked("mug", 1_250, 10).await;
    let place = |key| shop.place(key, card_order("mug", 1, "tok_timeout"));
    let later = async {
        sleep(Duration::from_millis(500)).await;
        let began = Instant::now();
        (place("k-2").await, began.elapsed())
    };
    // The provider never answers, so the first order keeps the place until its time has run out:
    // a second later, when half a second is left of the second one's time.
    let (first, (second, took)) = tokio::join!(place("k-1"), later);
    first.expect(202);
    second.expect(202);
    assert!((answer_within..Duration::from_secs(2)).contains(&took), "{took:?}");
}
