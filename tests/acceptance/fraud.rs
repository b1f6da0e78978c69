//! Suspicious orders: kept and looked at, neither charged nor sold before; and buyers who are trusted.

use std::time::Duration;

use acceptance_tests::server::{Launch, Server, Store};
use acceptance_tests::shop::{Answer, Shop, card_order, fresh_key};
use acceptance_tests::wait;
use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

crate::on_both_stores! {
    a_large_cash_on_delivery_order_waits_until_somebody_lets_it_go_on,
    a_rejected_order_gives_its_units_back_and_is_not_lost,
    a_trusted_buyer_is_not_suspected,
    an_order_that_nobody_suspects_cannot_be_decided,
    a_waiting_order_survives_a_crash,
}

const REVIEWS: &str = "/v1/fraud/reviews";

/// A ring for 30,000 pesos; the demo looks at 50,000 and more on delivery.
async fn rings(shop: &Shop) -> Result<String> {
    let ring = json!({"id": "ring", "name": "Ring", "stock": 10,
                      "price": {"minor": 3_000_000, "currency": "PHP"}});
    Ok(shop.post("/v1/products", &ring).await?.expect(201)?.text("/id")?.to_owned())
}

fn on_delivery(customer: &str, product: &str, quantity: i64) -> Value {
    json!({
        "customer_id": customer,
        "items": [{"product_id": product, "quantity": quantity}],
        "payment": {"method": "cod"},
    })
}

async fn decide(shop: &Shop, order: &Answer, decision: &str) -> Result<Answer> {
    let path = format!("/v1/orders/{}/fraud-decision", order.text("/id")?);
    shop.post(&path, &json!({"decision": decision, "reason": "called them"})).await
}

/// The list of reviews, once it has so many.
async fn reviews(shop: &Shop, count: i64) -> Result<Answer> {
    wait::until("the list of reviews", Duration::from_secs(10), || {
        let shop = shop.clone();
        async move {
            let list = shop.get(REVIEWS).await?.expect(200)?;
            ensure!(list.int("/total")? == count, "{}", list.body);
            Ok(list)
        }
    })
    .await
}

async fn a_large_cash_on_delivery_order_waits_until_somebody_lets_it_go_on(
    mut server: Server,
) -> Result<()> {
    let shop = server.shop()?;
    let ring = rings(&shop).await?;
    // As much as the limit is not suspicious, and neither is cash at the counter.
    shop.placed(&on_delivery("alice", &ring, 1)).await?;
    let (key, order) = (fresh_key("cod"), on_delivery("alice", &ring, 2));
    let headers = [("idempotency-key", key.as_str()), ("user-agent", "shop-app/7.1")];
    let body = Some(serde_json::to_vec(&order)?);
    let held = shop.send(Method::POST, "/v1/orders", &headers, body).await?.expect(202)?;
    assert_eq!(held.text("/hold")?, "fraud_review");
    assert_eq!((held.text("/status")?, held.text("/payment_status")?), ("PENDING", "unpaid"));
    let stock = shop.stock(&ring).await?;
    assert_eq!((stock.held, stock.sold), (2, 1));

    let list = reviews(&shop, 1).await?;
    assert_eq!(list.at("/items/0/order_id")?, held.at("/id")?);
    assert_eq!(list.text("/items/0/suspicions/0/code")?, "cod_above_limit");
    assert_eq!(list.text("/items/0/ip")?, "127.0.0.1");
    assert_eq!(list.text("/items/0/user_agent")?, "shop-app/7.1");

    let status = format!("/v1/orders/{}/status", held.text("/id")?);
    let moved = shop.put(&status, &json!({"status": "PROCESSING"})).await?;
    moved.expect_problem(409, "under_review")?;
    shop.place(&key, &order).await?.expect(202)?;

    let approved = decide(&shop, &held, "approve").await?.expect(200)?;
    ensure!(approved.at("/hold").is_err(), "{}", approved.body);
    let stock = shop.stock(&ring).await?;
    assert_eq!((stock.held, stock.sold), (0, 3));
    shop.place(&key, &order).await?.expect(201)?;
    decide(&shop, &held, "approve").await?.expect(200)?;
    decide(&shop, &held, "reject").await?.expect_problem(409, "not_under_review")?;
    reviews(&shop, 0).await?;
    shop.put(&status, &json!({"status": "PROCESSING"})).await?.expect(200)?;
    server.terminate().await?;
    server.launch().verify().await
}

async fn a_rejected_order_gives_its_units_back_and_is_not_lost(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let ring = rings(&shop).await?;
    let (key, order) = (fresh_key("cod"), on_delivery("alice", &ring, 2));
    let held = shop.place(&key, &order).await?.expect(202)?;
    let rejected = decide(&shop, &held, "reject").await?.expect(200)?;
    assert_eq!(rejected.text("/status")?, "CANCELLED");
    let stock = shop.stock(&ring).await?;
    assert_eq!((stock.available, stock.held, stock.sold), (10, 0, 0));
    shop.place(&key, &order).await?.expect_problem(402, "order_cancelled")?;
    decide(&shop, &held, "reject").await?.expect(200)?;
    decide(&shop, &held, "approve").await?.expect_problem(409, "not_under_review")?;
    let history = shop.get(&format!("/v1/orders/{}/history", held.text("/id")?)).await?;
    assert_eq!(history.expect(200)?.text("/items/1/reason")?, "turned down by a review");
    reviews(&shop, 0).await?;
    Ok(())
}

async fn a_trusted_buyer_is_not_suspected(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let ring = rings(&shop).await?;
    let path = "/v1/fraud/trusted/regular";
    shop.get(path).await?.expect_problem(404, "not_found")?;
    shop.delete(path).await?.expect_problem(404, "not_found")?;
    let word = json!({"reason": "ten years"});
    for _repeat in 0..2 {
        let trusted = shop.put(path, &word).await?.expect(200)?;
        assert_eq!(trusted.at("/trusted")?, &json!(true));
    }
    let read = shop.get(path).await?.expect(200)?;
    assert_eq!((read.text("/by")?, read.text("/reason")?), ("demo", "ten years"));
    let placed = shop.placed(&on_delivery("regular", &ring, 2)).await?;
    ensure!(placed.at("/hold").is_err(), "{}", placed.body);
    shop.delete(path).await?.expect(200)?;
    shop.place(&fresh_key("cod"), &on_delivery("regular", &ring, 2)).await?.expect(202)?;
    Ok(())
}

async fn an_order_that_nobody_suspects_cannot_be_decided(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let placed = shop.placed(&card_order("mouse", 1, "tok_ok")).await?;
    decide(&shop, &placed, "approve").await?.expect_problem(409, "not_under_review")?;
    let nobody = "/v1/orders/00000000-0000-8000-8000-000000000000/fraud-decision";
    let decision = json!({"decision": "approve"});
    shop.post(nobody, &decision).await?.expect_problem(404, "not_found")?;
    let path = format!("/v1/orders/{}/fraud-decision", placed.text("/id")?);
    shop.post(&path, &json!({"decision": "later"})).await?.expect(422)?;
    Ok(())
}

async fn a_waiting_order_survives_a_crash(mut server: Server) -> Result<()> {
    let shop = server.shop()?;
    let ring = rings(&shop).await?;
    let held = shop.place(&fresh_key("cod"), &on_delivery("alice", &ring, 2)).await?.expect(202)?;
    server.kill().await?;
    server.start().await?;
    let shop = server.shop()?;
    let list = reviews(&shop, 1).await?;
    assert_eq!(list.at("/items/0/order_id")?, held.at("/id")?);
    assert_eq!(shop.stock(&ring).await?.held, 2);
    decide(&shop, &held, "approve").await?.expect(200)?;
    assert_eq!(shop.stock(&ring).await?.sold, 2);
    Ok(())
}

#[tokio::test]
async fn a_card_is_charged_only_after_somebody_has_looked() -> Result<()> {
    let launch = Launch::demo(Store::Sqlite).await?;
    let server = launch.variable("MILLRACE_FIRST_ORDER_LIMIT", "USD:50000").start().await?;
    let shop = server.shop()?;
    let (key, order) = (fresh_key("first"), card_order("laptop", 1, "tok_ok"));
    let held = shop.place(&key, &order).await?.expect(202)?;
    assert_eq!(held.text("/payment_status")?, "unpaid");
    let list = reviews(&shop, 1).await?;
    assert_eq!(list.text("/items/0/suspicions/0/code")?, "large_first_order");
    let approved = decide(&shop, &held, "approve").await?.expect(200)?;
    assert_eq!(approved.text("/payment_status")?, "paid");
    shop.place(&key, &order).await?.expect(201)?;
    // It is not the first one any more.
    shop.placed(&order).await?;
    Ok(())
}

#[tokio::test]
async fn a_buyer_who_orders_fast_is_looked_at_also_after_a_restart() -> Result<()> {
    let launch = Launch::demo(Store::Sqlite).await?;
    let mut server = launch.variable("MILLRACE_ORDERS_PER_BUYER", "3/3600").start().await?;
    let shop = server.shop()?;
    let order = card_order("mouse", 1, "tok_ok");
    for _order in 0..3 {
        shop.placed(&order).await?;
    }
    let held = shop.place(&fresh_key("fast"), &order).await?.expect(202)?;
    assert_eq!(held.text("/hold")?, "fraud_review");
    server.kill().await?;
    server.start().await?;
    let shop = server.shop()?;
    shop.place(&fresh_key("fast"), &order).await?.expect(202)?;
    let known = shop.get("/v1/fraud/trusted/shopper-1").await?.expect(200)?;
    assert_eq!(known.int("/orders_lately")?, 5);
    // Others are not slowed down by it, and neither is the account that orders for many.
    let other =
        json!({"customer_id": "shopper-2", "items": [{"product_id": "mouse", "quantity": 1}]});
    shop.placed(&other).await?;
    for _order in 0..5 {
        shop.placed(&json!({"items": [{"product_id": "mouse", "quantity": 1}]})).await?;
    }
    Ok(())
}
