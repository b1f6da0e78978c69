//! More entities than there is room for.

use std::time::Duration;

use actors::{Accepted, EngineConfig, NotAccepted, NotDone};
use engine::cart::{Cart, CartCommand, CartRefusal};
use engine::order::PaymentStatus;
use engine::values::CartId;
use persistence::Stores;
use uuid::Uuid;

use crate::shop::{Shop, Wishing as _, asking, order_id, place};

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

#[tokio::test(start_paused = true)]
async fn orders_that_wait_for_the_provider_leave_room_for_more_and_are_paid_in_the_end() {
    let config = EngineConfig { live_max: 8, ..EngineConfig::default() };
    let shop = Shop::with(config, Stores::in_memory()).await;
    shop.publish("mouse").await;
    shop.receive("mouse", 100).await;
    shop.provider.faults().set_down(true);

    let last = 40;
    for number in 1..=last {
        let mut refused = 0;
        let mut placed = shop.place(number, place(number, "mouse", 1).card("tok_ok")).await;
        while let Err(NotDone::NotAccepted(NotAccepted::Overloaded)) = placed {
            // All that are there may have been woken just now; a moment later somebody is asleep.
            refused += 1;
            assert!(refused <= 2, "{refused} times there was no room for order {number}");
            tokio::time::sleep(Duration::from_secs(2)).await;
            placed = shop.place(number, place(number, "mouse", 1).card("tok_ok")).await;
        }
        assert_eq!(placed.unwrap().view.unwrap().payment.status, PaymentStatus::Queued);
        // Whoever reads needs room as well, and the last newcomer may have taken it.
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(shop.system.order(order_id(1)).await.unwrap().is_some(), "it is read as before");
    }

    shop.provider.faults().set_down(false);
    for number in 1..=last {
        shop.until(|order| order.payment.status == PaymentStatus::Paid, number).await;
    }
}
