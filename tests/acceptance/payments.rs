//! What the sandbox's tokens stand for, as the contract words it.

use std::time::Duration;

use acceptance_tests::server::Server;
use acceptance_tests::shop::{card_order, fresh_key};
use acceptance_tests::wait;
use anyhow::{Result, ensure};

crate::on_both_stores! {
    a_declined_card_is_recorded_and_nothing_is_held,
    a_declined_order_replays_its_answer,
    a_provider_that_times_out_leaves_a_queued_order_with_its_hold,
    a_provider_error_leaves_a_queued_order_with_its_hold,
    a_late_success_is_paid_in_the_end_and_once,
    a_doubled_callback_pays_once,
}

async fn a_declined_card_is_recorded_and_nothing_is_held(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let declined = shop.place(&fresh_key("poor"), &card_order(&mug, 2, "tok_declined")).await?;
    let declined = declined.expect_problem(402, "payment_declined")?;
    let order = shop.order(declined.text("/order_id")?).await?.expect(200)?;
    assert_eq!(order.text("/status")?, "CANCELLED");
    assert_eq!(order.text("/payment_status")?, "failed");
    let stock = shop.stock(&mug).await?;
    assert_eq!((stock.on_hand, stock.held, stock.available, stock.sold), (5, 0, 5, 0));
    Ok(())
}

async fn a_declined_order_replays_its_answer(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let (key, order) = (fresh_key("poor"), card_order(&mug, 1, "tok_declined"));
    let first = shop.place(&key, &order).await?.expect_problem(402, "payment_declined")?;
    let again = shop.place(&key, &order).await?.expect_problem(402, "payment_declined")?;
    assert_eq!(again.text("/order_id")?, first.text("/order_id")?);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(shop.stock(&mug).await?.available, 5);
    Ok(())
}

async fn a_provider_that_times_out_leaves_a_queued_order_with_its_hold(
    server: Server,
) -> Result<()> {
    queued(&server, "tok_timeout").await
}

async fn a_provider_error_leaves_a_queued_order_with_its_hold(server: Server) -> Result<()> {
    queued(&server, "tok_error").await
}

async fn queued(server: &Server, token: &str) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let (key, order) = (fresh_key("patient"), card_order(&mug, 2, token));
    let queued = shop.place(&key, &order).await?.expect(202)?;
    assert_eq!(queued.text("/status")?, "PENDING");
    assert_eq!(queued.text("/payment_status")?, "queued");
    let read = shop.order(queued.text("/id")?).await?.expect(200)?;
    assert_eq!(read.text("/payment_status")?, "queued");
    let stock = shop.stock(&mug).await?;
    assert_eq!((stock.on_hand, stock.held, stock.sold), (5, 2, 0));
    // Until it is final, a repeat hears the same.
    let again = shop.place(&key, &order).await?.expect(202)?;
    assert_eq!(again.text("/id")?, queued.text("/id")?);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    Ok(())
}

async fn a_late_success_is_paid_in_the_end_and_once(server: Server) -> Result<()> {
    paid_in_the_end(&server, "tok_late_success").await
}

async fn a_doubled_callback_pays_once(server: Server) -> Result<()> {
    paid_in_the_end(&server, "tok_duplicate_callback").await
}

async fn paid_in_the_end(server: &Server, token: &str) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let placed = shop.place(&fresh_key("late"), &card_order(&mug, 1, token)).await?;
    ensure!(matches!(placed.status, 201 | 202), "{}: {}", placed.status, placed.body);
    let id = placed.text("/id")?.to_owned();
    wait::until("the order is paid and its unit is sold", Duration::from_mins(1), || async {
        let order = shop.order(&id).await?.expect(200)?;
        ensure!(order.text("/payment_status")? == "paid", "{}", order.body);
        let stock = shop.stock(&mug).await?;
        ensure!((stock.on_hand, stock.held, stock.sold) == (4, 0, 1), "{stock:?}");
        Ok(())
    })
    .await
}
