//! The job that moves PENDING orders on, and the list that jobs stand in.

use std::time::Duration;

use actors::EngineConfig;
use engine::Aggregate as _;
use engine::job::{Job, PROCESS_PENDING, Run, Tally};
use engine::order::OrderStatus;
use engine::values::PaymentMethod;
use persistence::Stores;
use persistence::read_models::EntryQuery;
use tokio::time::{Instant, sleep};

use crate::shop::{Shop, Wishing as _, asking, order_id, place};

const EVERY: Duration = Duration::from_mins(5);

fn jobs() -> EntryQuery {
    EntryQuery { kind: Job::KIND, status: None, owner: None, limit: 10, after: None, skip: 0 }
}

/// What the runs did, by the list of jobs.
async fn listed(shop: &Shop) -> Vec<Run> {
    let list = shop.system.list::<Job>(&jobs()).await.unwrap();
    assert!(list.total <= 1 && !list.more);
    list.entries.into_iter().flat_map(|(_, state)| state.runs).collect()
}

async fn status(shop: &Shop, number: u32) -> OrderStatus {
    shop.system.order(order_id(number)).await.unwrap().unwrap().status
}

/// Orders that nothing holds, but for the last, whose payment is queued.
async fn place_four(shop: &Shop) {
    shop.place(1, place(1, "mouse", 1)).await.unwrap();
    shop.place(2, place(2, "mouse", 1).method(PaymentMethod::Cash)).await.unwrap();
    shop.place(3, place(3, "mouse", 1).card("tok_ok")).await.unwrap();
    shop.place(4, place(4, "mouse", 1).card("tok_error")).await.unwrap();
    // Until the lists know of them.
    sleep(Duration::from_secs(1)).await;
}

async fn run(shop: &Shop) -> Tally {
    let until = Instant::now() + Duration::from_secs(3);
    let ran = shop.system.process_pending(until, asking()).await.unwrap();
    ran.view.runs.back().unwrap().tally
}

#[tokio::test(start_paused = true)]
async fn the_job_moves_what_nothing_holds_and_running_it_again_changes_nothing_job_2() {
    let shop = Shop::open(&[("mouse", 10)]).await;
    place_four(&shop).await;

    assert_eq!(run(&shop).await, Tally { advanced: 3, held: 1, ..Tally::default() });
    for number in 1..=3 {
        assert_eq!(status(&shop, number).await, OrderStatus::Processing);
    }
    assert_eq!(status(&shop, 4).await, OrderStatus::Pending);
    let versions = async || {
        let mut versions = Vec::new();
        for number in 1..=3 {
            versions.push(shop.system.order(order_id(number)).await.unwrap().unwrap().version);
        }
        versions
    };
    sleep(Duration::from_secs(1)).await;
    let before = versions().await;
    // At once, while the list may still show them, and later.
    for _ in 0..3 {
        assert_eq!(run(&shop).await, Tally { held: 1, ..Tally::default() });
    }
    assert_eq!(versions().await, before);
}

#[tokio::test(start_paused = true)]
async fn the_job_runs_by_the_clock_and_writes_down_what_it_did_job_1_job_3() {
    let config = EngineConfig { process_pending_every: Some(EVERY), ..EngineConfig::default() };
    let stores = Stores::in_memory();
    let shop = Shop::with(config, stores.clone()).await;
    shop.publish("mouse").await;
    shop.receive("mouse", 10).await;
    shop.place(1, place(1, "mouse", 1)).await.unwrap();
    sleep(EVERY / 2).await;
    assert_eq!(status(&shop, 1).await, OrderStatus::Pending);

    sleep(EVERY * 3).await;
    assert_eq!(status(&shop, 1).await, OrderStatus::Processing);
    let runs = listed(&shop).await;
    let tallies: Vec<Tally> = runs.iter().map(|run| run.tally).collect();
    // Runs that found nothing are not written down.
    assert_eq!(tallies, [Tally { advanced: 1, ..Tally::default() }]);
    assert!(runs.iter().all(|run| run.by == "system" && run.started_at <= run.ended_at));

    // The list is a view: forgotten, it is folded again from the journal.
    assert!(shop.system.drain(Duration::from_secs(5)).await);
    drop(shop);
    stores.read_models.clear().await.unwrap();
    let again = Shop::over(stores).await;
    assert_eq!(listed(&again).await, runs);
    let list = again.system.list::<Job>(&jobs()).await.unwrap();
    let rows: Vec<(&str, &str)> =
        list.entries.iter().map(|(row, _)| (row.stream.key(), row.status.as_str())).collect();
    assert_eq!(rows, [(PROCESS_PENDING, "fine")]);
}
