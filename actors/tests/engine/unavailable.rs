//! Stocks and carts that do not take what an order asks: nothing was taken, and it says so at once.

use std::sync::Arc;
use std::time::Duration;

use actors::{EngineConfig, NotAccepted, NotDone};
use engine::cart::{Cart, CartCommand};
use engine::inventory::{Inventory, InventoryCommand};
use engine::order::{OrderRefusal, PlaceOrder, WishedCart};
use engine::process::Unavailable;
use engine::values::{CartId, ProductId, Quantity};
use persistence::Stores;
use tokio::time::Instant;
use uuid::Uuid;

use crate::faulty::FaultyJournal;
use crate::shop::{Shop, Wishing as _, asking, place};

async fn shop(config: EngineConfig) -> (Shop, Arc<FaultyJournal>) {
    let stores = Stores::in_memory();
    let journal = Arc::new(FaultyJournal::over(Arc::clone(&stores.journal)));
    let stores = Stores { journal: Arc::clone(&journal) as Arc<_>, ..stores };
    let shop = Shop::with(config, stores).await;
    shop.publish("mouse").await;
    shop.publish("laptop").await;
    shop.receive("mouse", 10).await;
    (shop, journal)
}

/// The order is refused before a client could notice that anybody was asked.
async fn refused_at_once(shop: &Shop, wish: PlaceOrder) -> OrderRefusal {
    let asked_at = Instant::now();
    let refused = shop.place(1, wish).await.unwrap_err();
    assert!(asked_at.elapsed() < Duration::from_millis(100), "{:?}", asked_at.elapsed());
    match refused {
        NotDone::Refused(refusal) => refusal,
        other => unreachable!("it says that nothing happened, and why: {other:?}"),
    }
}

fn laptop(why: Unavailable) -> OrderRefusal {
    OrderRefusal::StockUnavailable { product: ProductId::parse("laptop").unwrap(), why }
}

#[tokio::test(start_paused = true)]
async fn a_quarantined_product_refuses_the_order_at_once_and_the_rest_goes_back() {
    let (shop, journal) = shop(EngineConfig::default()).await;
    journal.poison("inventory", "laptop");
    let expire = || shop.system.ask::<Inventory>("laptop", InventoryCommand::Expire, asking());
    while expire().await.unwrap_err() != NotDone::NotAccepted(NotAccepted::Quarantined) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let refusal =
        refused_at_once(&shop, place(1, "mouse", 2).and("laptop", 1).card("tok_ok")).await;

    assert_eq!(refusal, laptop(Unavailable::Quarantined));
    assert_eq!(shop.stock("mouse").await.held.units(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_product_for_which_there_is_no_room_refuses_the_order_at_once() {
    let (shop, _) = shop(EngineConfig { live_max: 3, ..EngineConfig::default() }).await;
    for other in ["cup", "pan"] {
        shop.receive(other, 1).await;
    }

    let refusal =
        refused_at_once(&shop, place(1, "mouse", 2).and("laptop", 1).card("tok_ok")).await;

    assert_eq!(refusal, laptop(Unavailable::Overloaded));
    assert_eq!(shop.stock("mouse").await.held.units(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_product_whose_mailbox_is_full_refuses_the_order_at_once() {
    let (shop, journal) = shop(EngineConfig { mailbox_slots: 1, ..EngineConfig::default() }).await;
    shop.receive("laptop", 1).await;
    // The only place in its mailbox is taken until the journal answers.
    journal.cut_at_next_append();
    let change = InventoryCommand::SetLimit { limit: Some(Quantity::new(5)) };
    let busy = shop.system.ask::<Inventory>("laptop", change, asking());
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        refused_at_once(&shop, place(1, "laptop", 1).card("tok_ok")).await
    };

    let refusal = tokio::select! {
        early = busy => unreachable!("the journal was cut: {early:?}"),
        refusal = meanwhile => refusal,
    };

    assert_eq!(refusal, laptop(Unavailable::Overloaded));
}

#[tokio::test(start_paused = true)]
async fn a_quarantined_cart_refuses_the_order_at_once_and_its_units_go_back() {
    let (shop, journal) = shop(EngineConfig::default()).await;
    let cart = CartId::new(Uuid::from_u128(1));
    let key = cart.to_string();
    journal.poison("cart", &key);
    let open = || CartCommand::Open { cart, customer: None };
    let ask = || shop.system.ask::<Cart>(&key, open(), asking());
    while ask().await.unwrap_err() != NotDone::NotAccepted(NotAccepted::Quarantined) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let mut wish = place(1, "mouse", 2).card("tok_ok");
    wish.cart = Some(WishedCart::new(cart, None));
    let refusal = refused_at_once(&shop, wish).await;

    assert_eq!(refusal, OrderRefusal::CartUnavailable { why: Unavailable::Quarantined });
    assert_eq!(shop.stock("mouse").await.held.units(), 0);
}
