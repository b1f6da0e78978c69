//! The life of an order after it was placed: its statuses, its cancellation, its history.

use acceptance_tests::server::Server;
use acceptance_tests::shop::{Answer, Shop, card_order};
use anyhow::{Result, ensure};
use serde_json::json;

crate::on_both_stores! {
    an_order_goes_from_pending_to_delivered,
    steps_that_are_not_allowed_are_refused_and_change_nothing,
    a_status_that_does_not_exist_is_refused,
    a_cancelled_order_gives_its_units_and_its_money_back,
    delete_cancels_a_pending_order,
    an_order_that_is_being_processed_is_not_deleted,
    processing_commits_the_hold_of_an_unpaid_order,
    cancelling_a_held_order_gives_its_units_back,
    the_history_tells_every_step,
}

async fn an_order_goes_from_pending_to_delivered(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let order = shop.placed(&card_order("mouse", 1, "tok_ok")).await?;
    let mut version = order.int("/version")?;
    for status in ["PROCESSING", "SHIPPED", "DELIVERED"] {
        let moved = set_status(&shop, order.text("/id")?, status).await?.expect(200)?;
        assert_eq!(moved.text("/status")?, status);
        ensure!(moved.int("/version")? > version, "the version stands still: {}", moved.body);
        version = moved.int("/version")?;
        let read = shop.order(order.text("/id")?).await?.expect(200)?;
        assert_eq!(read.text("/status")?, status);
    }
    Ok(())
}

async fn steps_that_are_not_allowed_are_refused_and_change_nothing(server: Server) -> Result<()> {
    let shop = server.shop()?;
    for (road, step) in [
        (&[][..], "SHIPPED"),
        (&[], "DELIVERED"),
        (&["PROCESSING"], "PENDING"),
        (&["PROCESSING"], "DELIVERED"),
        (&["PROCESSING", "SHIPPED"], "CANCELLED"),
        (&["PROCESSING", "SHIPPED", "DELIVERED"], "PENDING"),
        (&["PROCESSING", "SHIPPED", "DELIVERED"], "CANCELLED"),
        (&["CANCELLED"], "PROCESSING"),
        (&["CANCELLED"], "PENDING"),
    ] {
        let order = shop.placed(&card_order("mouse", 1, "tok_ok")).await?;
        let id = order.text("/id")?;
        for status in road {
            set_status(&shop, id, status).await?.expect(200)?;
        }
        let before = shop.order(id).await?;
        let refused = set_status(&shop, id, step).await?;
        refused.expect_problem(409, "invalid_transition")?;
        let after = shop.order(id).await?;
        // Money may go back by itself after a cancellation; the status must not move.
        for field in ["/status", "/items", "/total"] {
            assert_eq!(after.at(field)?, before.at(field)?, "{road:?} then {step}");
        }
    }
    Ok(())
}

async fn a_status_that_does_not_exist_is_refused(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let order = shop.placed(&card_order("mouse", 1, "tok_ok")).await?;
    for status in ["PAID", "pending", "", "DELIVERED "] {
        let refused = set_status(&shop, order.text("/id")?, status).await?;
        refused.expect_problem(422, "validation_failed")?;
    }
    Ok(())
}

async fn a_cancelled_order_gives_its_units_and_its_money_back(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let order = shop.placed(&card_order(&mug, 2, "tok_ok")).await?;
    let path = format!("/v1/orders/{}/cancellation", order.text("/id")?);
    let cancelled = shop.post(&path, &json!({})).await?.expect(200)?;
    assert_eq!(cancelled.text("/status")?, "CANCELLED");
    let id = order.text("/id")?.to_owned();
    eventually("money and units are back", || async {
        let order = shop.order(&id).await?.expect(200)?;
        ensure!(order.text("/payment_status")? == "refunded", "{}", order.body);
        let stock = shop.stock(&mug).await?;
        ensure!((stock.on_hand, stock.held, stock.sold) == (5, 0, 0), "{stock:?}");
        Ok(())
    })
    .await
}

async fn delete_cancels_a_pending_order(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let order = shop.placed(&card_order(&mug, 2, "tok_ok")).await?;
    let cancelled =
        shop.delete(&format!("/v1/orders/{}", order.text("/id")?)).await?.expect(200)?;
    assert_eq!(cancelled.text("/id")?, order.text("/id")?);
    assert_eq!(cancelled.text("/status")?, "CANCELLED");
    eventually("units are back", || async {
        let stock = shop.stock(&mug).await?;
        ensure!((stock.on_hand, stock.held, stock.sold) == (5, 0, 0), "{stock:?}");
        Ok(())
    })
    .await
}

async fn an_order_that_is_being_processed_is_not_deleted(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let order = shop.placed(&card_order("mouse", 1, "tok_ok")).await?;
    let id = order.text("/id")?;
    set_status(&shop, id, "PROCESSING").await?.expect(200)?;
    let refused = shop.delete(&format!("/v1/orders/{id}")).await?;
    refused.expect_problem(409, "invalid_transition")?;
    assert_eq!(shop.order(id).await?.text("/status")?, "PROCESSING");
    Ok(())
}

async fn processing_commits_the_hold_of_an_unpaid_order(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let order = shop.placed(&json!({"items": [{"product_id": mug, "quantity": 2}]})).await?;
    assert_eq!(shop.stock(&mug).await?.held, 2);
    set_status(&shop, order.text("/id")?, "PROCESSING").await?.expect(200)?;
    eventually("the hold is committed", || async {
        let stock = shop.stock(&mug).await?;
        ensure!((stock.on_hand, stock.held, stock.sold) == (3, 0, 2), "{stock:?}");
        Ok(())
    })
    .await
}

async fn cancelling_a_held_order_gives_its_units_back(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let order = shop.placed(&json!({"items": [{"product_id": mug, "quantity": 2}]})).await?;
    shop.delete(&format!("/v1/orders/{}", order.text("/id")?)).await?.expect(200)?;
    eventually("the hold is released", || async {
        let stock = shop.stock(&mug).await?;
        ensure!((stock.on_hand, stock.held, stock.sold) == (5, 0, 0), "{stock:?}");
        Ok(())
    })
    .await
}

async fn the_history_tells_every_step(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let order = shop.placed(&card_order("mouse", 1, "tok_ok")).await?;
    let id = order.text("/id")?;
    for status in ["PROCESSING", "SHIPPED"] {
        set_status(&shop, id, status).await?.expect(200)?;
    }
    let history = shop.get(&format!("/v1/orders/{id}/history")).await?.expect(200)?;
    let told = history.body.to_string();
    for status in ["PENDING", "PROCESSING", "SHIPPED"] {
        ensure!(told.contains(status), "no {status} in {told}");
    }
    let missing = shop.get("/v1/orders/00000000-0000-8000-8000-000000000000/history").await?;
    missing.expect(404)?;
    Ok(())
}

async fn set_status(shop: &Shop, id: &str, status: &str) -> Result<Answer> {
    shop.put(&format!("/v1/orders/{id}/status"), &json!({"status": status})).await
}

/// Steps between actors that the answer does not wait for.
async fn eventually<F, Fut>(what: &str, probe: F) -> Result<()>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<()>>,
{
    acceptance_tests::wait::until(what, std::time::Duration::from_secs(15), probe).await
}
