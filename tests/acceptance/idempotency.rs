//! The same key is the same order: repeated, at once, after a restart, with another body.

use acceptance_tests::server::Server;
use acceptance_tests::shop::{card_order, fresh_key};
use anyhow::Result;
use serde_json::json;

crate::on_both_stores! {
    a_repeat_names_the_same_order_and_buys_nothing,
    repeats_at_once_are_one_order,
    a_repeat_after_a_restart_names_the_same_order,
    a_key_with_another_body_is_refused_without_effect,
    a_refused_key_is_judged_afresh,
    without_a_key_every_order_is_a_new_one,
    a_repeat_after_cancellation_keeps_its_first_status,
}

async fn a_repeat_names_the_same_order_and_buys_nothing(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let (key, order) = (fresh_key("twice"), card_order(&mug, 2, "tok_ok"));
    let first = shop.place(&key, &order).await?.expect(201)?;
    let again = shop.place(&key, &order).await?.expect(201)?;
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    for field in ["/id", "/items", "/subtotal", "/total"] {
        assert_eq!(again.at(field)?, first.at(field)?);
    }
    assert_eq!(shop.stock(&mug).await?.sold, 2);
    Ok(())
}

async fn repeats_at_once_are_one_order(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 50).await?;
    let (key, order) = (fresh_key("impatient"), card_order(&mug, 1, "tok_ok"));
    let repeats = (0..16).map(|_| shop.place(&key, &order));
    let mut ids = Vec::new();
    let mut firsts = 0;
    for answer in futures::future::try_join_all(repeats).await? {
        let answer = answer.expect(201)?;
        firsts += i32::from(answer.header("idempotent-replayed").is_none());
        ids.push(answer.text("/id")?.to_owned());
    }
    ids.dedup();
    assert_eq!((ids.len(), firsts), (1, 1));
    assert_eq!(shop.stock(&mug).await?.sold, 1);
    Ok(())
}

async fn a_repeat_after_a_restart_names_the_same_order(mut server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let (key, order) = (fresh_key("before"), card_order(&mug, 2, "tok_ok"));
    let first = shop.place(&key, &order).await?.expect(201)?;
    server.kill().await?;
    server.start().await?;
    let again = server.shop()?.place(&key, &order).await?.expect(201)?;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.text("/id")?, first.text("/id")?);
    assert_eq!(server.shop()?.stock(&mug).await?.sold, 2);
    Ok(())
}

async fn a_key_with_another_body_is_refused_without_effect(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let key = fresh_key("reused");
    let first = shop.place(&key, &card_order(&mug, 1, "tok_ok")).await?.expect(201)?;
    let other = shop.place(&key, &card_order(&mug, 2, "tok_ok")).await?;
    other.expect_problem(422, "idempotency_key_reused")?;
    assert_eq!(shop.stock(&mug).await?.sold, 1);
    let read = shop.order(first.text("/id")?).await?.expect(200)?;
    assert_eq!(read.lasting(), first.lasting());
    Ok(())
}

async fn a_refused_key_is_judged_afresh(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 0).await?;
    let (key, order) = (fresh_key("again"), card_order(&mug, 1, "tok_ok"));
    shop.place(&key, &order).await?.expect_problem(409, "insufficient_stock")?;
    let delivery = json!({"delta": 3, "reason": "delivery"});
    let path = format!("/v1/products/{mug}/stock");
    shop.post_with_key(&path, &fresh_key("delivery"), &delivery).await?.expect(200)?;
    let order = shop.place(&key, &order).await?.expect(201)?;
    assert_eq!(order.text("/payment_status")?, "paid");
    assert_eq!(shop.stock(&mug).await?.sold, 1);
    Ok(())
}

async fn without_a_key_every_order_is_a_new_one(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let order = card_order("mouse", 1, "tok_ok");
    let one = shop.post("/v1/orders", &order).await?.expect(201)?;
    let two = shop.post("/v1/orders", &order).await?.expect(201)?;
    assert_ne!(one.text("/id")?, two.text("/id")?);
    Ok(())
}

async fn a_repeat_after_cancellation_keeps_its_first_status(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let (key, order) = (fresh_key("regret"), card_order("mouse", 1, "tok_ok"));
    let first = shop.place(&key, &order).await?.expect(201)?;
    shop.delete(&format!("/v1/orders/{}", first.text("/id")?)).await?.expect(200)?;
    // The first final status stays; what the order is now is current.
    let again = shop.place(&key, &order).await?.expect(201)?;
    assert_eq!(again.text("/id")?, first.text("/id")?);
    assert_eq!(again.text("/status")?, "CANCELLED");
    Ok(())
}
