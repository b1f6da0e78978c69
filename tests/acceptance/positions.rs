//! What the headers of a mutation promise, and reads that insist on it.

use acceptance_tests::server::Server;
use acceptance_tests::shop::card_order;
use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::json;

crate::on_both_stores! {
    every_mutation_says_where_it_stands,
    positions_of_one_order_only_grow,
    a_read_can_insist_on_a_position,
    every_answer_has_a_request_id,
}

async fn every_mutation_says_where_it_stands(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let order = shop.placed(&card_order("mouse", 1, "tok_ok")).await?;
    let (_, position) = order.position()?;
    ensure!(position > 0, "position {position}");
    assert_eq!(i64::try_from(order.version()?)?, order.int("/version")?);
    let moved = shop
        .put(&format!("/v1/orders/{}/status", order.text("/id")?), &json!({"status": "PROCESSING"}))
        .await?
        .expect(200)?;
    assert_eq!(i64::try_from(moved.version()?)?, moved.int("/version")?);
    Ok(())
}

async fn positions_of_one_order_only_grow(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let order = shop.placed(&card_order("mouse", 1, "tok_ok")).await?;
    let path = format!("/v1/orders/{}/status", order.text("/id")?);
    let mut last = order.position()?;
    for status in ["PROCESSING", "SHIPPED", "DELIVERED"] {
        let moved = shop.put(&path, &json!({"status": status})).await?.expect(200)?.position()?;
        assert_eq!(moved.0, last.0, "an order stays on its shard");
        ensure!(moved.1 > last.1, "{moved:?} after {last:?}");
        last = moved;
    }
    Ok(())
}

async fn a_read_can_insist_on_a_position(server: Server) -> Result<()> {
    let shop = server.shop()?;
    for bought in 1..=10 {
        let order = shop.placed(&card_order("mouse", 1, "tok_ok")).await?;
        let position = order.header("x-position").context("x-position")?.to_owned();
        let headers = [("x-min-position", position.as_str())];
        // The list follows the journal; asked like this it must not lag behind.
        let list =
            shop.send(Method::GET, "/v1/orders?limit=1", &headers, None).await?.expect(200)?;
        assert_eq!(list.int("/total")?, bought);
    }
    Ok(())
}

async fn every_answer_has_a_request_id(server: Server) -> Result<()> {
    let shop = server.shop()?;
    for answer in [
        shop.get("/v1/products/mouse").await?,
        shop.get("/v1/orders/00000000-0000-8000-8000-000000000000").await?,
        shop.placed(&card_order("mouse", 1, "tok_ok")).await?,
        shop.with_key(None).get("/v1/orders").await?,
    ] {
        let id = answer.header("x-request-id").unwrap_or_default();
        ensure!(!id.is_empty(), "no x-request-id on {}", answer.status);
    }
    Ok(())
}
