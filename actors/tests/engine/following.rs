//! What is durable reaches the read models by itself, also when nobody was told that it is.

use std::sync::Arc;
use std::time::Duration;

use actors::Position;
use engine::inventory::Inventory;
use engine::inventory::InventoryCommand;
use engine::values::{AdjustmentId, ProductId};
use persistence::Stores;
use uuid::Uuid;

use crate::faulty::{Fault, FaultyJournal};
use crate::shop::{Shop, asking};

/// Units in the read models, once time has passed.
async fn listed(stores: &Stores, product: &str) -> u32 {
    tokio::time::sleep(Duration::from_secs(10)).await;
    let id = ProductId::parse(product).unwrap();
    let rows = stores.read_models.products(&[id]).await.unwrap();
    rows.first().map_or(0, |row| row.stock.on_hand)
}

async fn faulty_shop() -> (Shop, Arc<FaultyJournal>, Stores) {
    let stores = Stores::in_memory();
    let journal = Arc::new(FaultyJournal::over(Arc::clone(&stores.journal)));
    let stores = Stores { journal: Arc::clone(&journal) as Arc<_>, ..stores };
    let shop = Shop::over(stores.clone()).await;
    shop.publish("mouse").await;
    shop.receive("mouse", 10).await;
    assert_eq!(listed(&stores, "mouse").await, 10);
    (shop, journal, stores)
}

fn five_more() -> InventoryCommand {
    InventoryCommand::Adjust {
        adjustment: AdjustmentId::new(Uuid::from_u128(5)),
        delta: 5,
        reason: "delivery".to_owned(),
        if_version: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_last_event_whose_acknowledgement_was_lost_is_followed() {
    let (shop, journal, stores) = faulty_shop().await;
    journal.arm(Fault::WrittenButUnknown);

    shop.system.ask::<Inventory>("mouse", five_more(), asking()).await.unwrap();

    assert_eq!(listed(&stores, "mouse").await, 15);
}

#[tokio::test(start_paused = true)]
async fn a_last_event_of_which_nobody_ever_learned_is_followed() {
    let (shop, journal, stores) = faulty_shop().await;
    journal.cut_at_next_append();

    let unknown = shop.system.ask::<Inventory>("mouse", five_more(), asking()).await;
    assert!(unknown.is_err(), "{unknown:?}");
    journal.mend();

    assert_eq!(listed(&stores, "mouse").await, 15);
}

#[tokio::test(start_paused = true)]
async fn a_place_that_nobody_was_told_of_is_not_waited_for() {
    let shop = Shop::open(&[("mouse", 10)]).await;
    let accepted = shop.system.ask::<Inventory>("mouse", five_more(), asking()).await.unwrap();
    let told = accepted.position.unwrap();
    let began = tokio::time::Instant::now();
    let deadline = began + Duration::from_mins(1);

    let beyond = Position { position: told.position + 1, ..told };
    assert!(!shop.system.wait_for(beyond, deadline).await);
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert!(shop.system.wait_for(told, deadline).await);
}
