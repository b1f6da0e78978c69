//! More entities than there is room for.

use std::time::Duration;

use actors::{Accepted, EngineConfig, NotAccepted, NotDone};
use engine::cart::{Cart, CartCommand, CartRefusal};
use engine::values::CartId;
use persistence::Stores;
use uuid::Uuid;

use crate::shop::{Shop, asking};

async fn open(shop: &Shop, number: u128) -> Result<Accepted<Cart>, NotDone<CartRefusal>> {
    let cart = CartId::new(Uuid::from_u128(number));
    let command = CartCommand::Open { cart, customer: None };
    shop.system.ask::<Cart>(&cart.to_string(), command, asking()).await
}

#[tokio::test(start_paused = true)]
async fn carts_beyond_the_bound_are_refused_until_idle_ones_have_gone_to_sleep() {
    let config = EngineConfig { live_max: 8, ..EngineConfig::default() };
    let shop = Shop::with(config, Stores::in_memory()).await;
    for number in 0..8 {
        open(&shop, number).await.unwrap();
    }

    let refused = open(&shop, 8).await.unwrap_err();
    assert_eq!(refused, NotDone::NotAccepted(NotAccepted::Overloaded));
    assert_eq!(shop.system.live(), 8);
    assert!(!open(&shop, 1).await.unwrap().changed, "who is there is served");

    // Long before an idle cart goes to sleep by itself.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(open(&shop, 8).await.is_err(), "which makes room at once");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(open(&shop, 8).await.unwrap().changed);
    assert!(!open(&shop, 1).await.unwrap().changed, "nothing was forgotten");
}
