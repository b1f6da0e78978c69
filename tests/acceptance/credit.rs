//! Money without the provider: store credit, and what people take and give back themselves.

use std::time::Duration;

use acceptance_tests::server::Server;
use acceptance_tests::shop::{Answer, Shop, card_order, fresh_key, fresh_word};
use acceptance_tests::wait;
use anyhow::{Result, ensure};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::sound;

crate::on_both_stores! {
    store_credit_pays_and_comes_back_pay_1,
    of_sixty_four_orders_on_the_credit_for_one_is_one_paid,
    a_return_becomes_store_credit_and_buys_again_ret_5,
    credit_survives_a_kill_and_counts_once,
    money_at_the_counter_pays_an_order_once_pay_3,
    an_older_shop_pays_by_its_own_routes_c_38,
    what_was_taken_by_hand_is_handed_back_by_hand,
}

const AT_ONCE: usize = 64;

/// Work that goes on after an answer takes a fraction of a second.
const SOON: Duration = Duration::from_secs(15);

fn usd(minor: i64) -> Value {
    json!({"minor": minor, "currency": "USD"})
}

/// A customer of its own, who has so much credit.
async fn customer_with(shop: &Shop, minor: i64) -> Result<String> {
    let customer = fresh_word();
    let change = json!({"delta_minor": minor, "reason": "gift"});
    let given = shop.post(&credit_path(&customer), &change).await?.expect(200)?;
    assert_eq!(given.at("/balance")?, &usd(minor));
    Ok(customer)
}

fn credit_path(customer: &str) -> String {
    format!("/v1/customers/{customer}/credit/USD")
}

/// What a customer has, has held, and has spent.
async fn credit(shop: &Shop, customer: &str) -> Result<[i64; 3]> {
    let known = shop.get(&credit_path(customer)).await?.expect(200)?;
    let minor = |field: &str| known.int(&format!("/{field}/minor"));
    Ok([minor("balance")?, minor("held")?, minor("spent")?])
}

fn order(customer: &str, product: &str, count: i64, method: &str) -> Value {
    json!({
        "customer_id": customer,
        "items": [{"product_id": product, "quantity": count}],
        "payment": {"method": method},
    })
}

/// A return of one unit of an order, found good, whose money is to go back like that.
async fn sent_back(shop: &Shop, id: &str, product: &str, method: &str) -> Result<Answer> {
    let item = json!({"product_id": product, "quantity": 1, "reason": "chipped"});
    let wanted = json!({"order_id": id, "items": [item]});
    let opened = shop.post("/v1/returns", &wanted).await?.expect(201)?;
    let path = format!("/v1/returns/{}", opened.text("/id")?);
    for (step, body) in [
        ("authorization", json!({"approved": true})),
        ("receipt", json!({})),
        ("inspection", json!({})),
    ] {
        shop.post(&format!("{path}/{step}"), &body).await?.expect(200)?;
    }
    shop.post(&format!("{path}/refund"), &json!({"method": method})).await
}

async fn store_credit_pays_and_comes_back_pay_1(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1_250, 10).await?;
    let customer = customer_with(&shop, 3_000).await?;
    let short = shop.post("/v1/orders", &order(&customer, &mug, 3, "store_credit")).await?;
    short.expect_problem(400, "insufficient_store_credit")?;
    assert_eq!(credit(&shop, &customer).await?, [3_000, 0, 0]);
    let stock = shop.stock(&mug).await?;
    ensure!((stock.on_hand, stock.held) == (10, 0), "nothing is held: {stock:?}");
    let placed = shop.placed(&order(&customer, &mug, 2, "store_credit")).await?;
    assert_eq!(placed.text("/payment_status")?, "paid");
    assert_eq!(credit(&shop, &customer).await?, [500, 0, 2_500]);
    let id = placed.text("/id")?;
    shop.delete(&format!("/v1/orders/{id}")).await?.expect(200)?;
    wait::until("the credit comes back", SOON, || async {
        let left = credit(&shop, &customer).await?;
        ensure!(left == [3_000, 0, 0], "{left:?}");
        Ok(())
    })
    .await?;
    assert_eq!(shop.order(id).await?.text("/payment_status")?, "refunded");
    let too_much = json!({"delta_minor": -3_001, "reason": "mistake"});
    let refused = shop.post(&credit_path(&customer), &too_much).await?;
    refused.expect_problem(400, "insufficient_store_credit")?;
    shop.get(&format!("/v1/customers/{customer}/credit/gold")).await?.expect(422)?;
    sound(server).await
}

async fn of_sixty_four_orders_on_the_credit_for_one_is_one_paid(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1_000, 100).await?;
    let customer = customer_with(&shop, 1_999).await?;
    let wish = order(&customer, &mug, 1, "store_credit");
    let claims = join_all((0..AT_ONCE).map(|_| shop.post("/v1/orders", &wish))).await;
    let mut paid = 0;
    for claim in claims {
        let answer = claim?;
        if answer.status == 201 {
            paid += 1;
        } else {
            answer.expect_problem(400, "insufficient_store_credit")?;
        }
    }
    assert_eq!(paid, 1);
    assert_eq!(credit(&shop, &customer).await?, [999, 0, 1_000]);
    sound(server).await
}

async fn a_return_becomes_store_credit_and_buys_again_ret_5(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1_250, 10).await?;
    let mut wish = card_order(&mug, 2, "tok_ok");
    let customer = fresh_word();
    wish["customer_id"] = json!(customer);
    let by_card = shop.placed(&wish).await?.text("/id")?.to_owned();
    shop.deliver(&by_card).await?;
    let back = sent_back(&shop, &by_card, &mug, "store_credit").await?.expect(200)?;
    assert_eq!((back.text("/status")?, back.at("/refunded")?), ("REFUNDED", &usd(1_250)));
    assert_eq!(credit(&shop, &customer).await?, [1_250, 0, 0]);
    assert_eq!(shop.order(&by_card).await?.text("/payment_status")?, "partly_refunded");
    let bought = shop.placed(&order(&customer, &mug, 1, "store_credit")).await?;
    let on_credit = bought.text("/id")?;
    assert_eq!(credit(&shop, &customer).await?, [0, 0, 1_250]);
    // As it came: no provider has any of it.
    shop.deliver(on_credit).await?;
    let no_card = sent_back(&shop, on_credit, &mug, "card").await?;
    no_card.expect_problem(422, "validation_failed")?.expect_field("method", "no_card")?;
    let other = customer_with(&shop, 1_250).await?;
    let another = shop.placed(&order(&other, &mug, 1, "store_credit")).await?;
    let id = another.text("/id")?;
    shop.deliver(id).await?;
    let back = sent_back(&shop, id, &mug, "original").await?.expect(200)?;
    assert_eq!(back.text("/status")?, "REFUNDED");
    assert_eq!(credit(&shop, &other).await?, [1_250, 0, 1_250]);
    sound(server).await
}

async fn credit_survives_a_kill_and_counts_once(mut server: Server) -> Result<()> {
    let shop = server.shop()?;
    let customer = customer_with(&shop, 700).await?;
    let (key, change) = (fresh_key("credit"), json!({"delta_minor": 300, "reason": "late"}));
    let path = credit_path(&customer);
    let first = shop.post_with_key(&path, &key, &change).await?.expect(200)?;
    server.kill().await?;
    server.start().await?;
    let shop = server.shop()?;
    let again = shop.post_with_key(&path, &key, &change).await?.expect(200)?;
    assert_eq!(again.body, first.body);
    let other = json!({"delta_minor": 301, "reason": "late"});
    let reused = shop.post_with_key(&path, &key, &other).await?;
    reused.expect_problem(422, "idempotency_key_reused")?;
    assert_eq!(credit(&shop, &customer).await?, [1_000, 0, 0]);
    sound(server).await
}

async fn money_at_the_counter_pays_an_order_once_pay_3(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1_250, 10).await?;
    let placed = shop.placed(&order("till", &mug, 2, "cash")).await?;
    let id = placed.text("/id")?;
    assert_eq!(placed.text("/payment_status")?, "unpaid");
    let path = format!("/v1/orders/{id}/payment");
    let less = json!({"amount": usd(2_499)});
    let refused = shop.post(&path, &less).await?.expect_problem(422, "validation_failed")?;
    refused.expect_field("amount", "amount_differs")?;
    let all = json!({"amount": usd(2_500), "reference": "till 3, 0042"});
    let paid = join_all((0..8).map(|_| shop.post(&path, &all))).await;
    for answer in paid {
        assert_eq!(answer?.expect(200)?.text("/payment_status")?, "paid");
    }
    let receipt = shop.get(&format!("/v1/orders/{id}/receipt")).await?.expect(200)?;
    assert_eq!(receipt.at("/captured")?, &usd(2_500));
    assert_eq!(receipt.text("/reference")?, "till 3, 0042");
    // What is paid and has arrived can come back, in cash or as it was paid.
    shop.deliver(id).await?;
    let back = sent_back(&shop, id, &mug, "original").await?.expect(200)?;
    assert_eq!((back.text("/status")?, back.at("/refunded")?), ("REFUNDED", &usd(1_250)));
    let by_card = shop.placed(&card_order(&mug, 1, "tok_ok")).await?;
    let path = format!("/v1/orders/{}/payment", by_card.text("/id")?);
    let twice = shop.post(&path, &json!({"amount": usd(1_250)})).await?;
    twice.expect_problem(409, "not_payable")?;
    sound(server).await
}

async fn an_older_shop_pays_by_its_own_routes_c_38(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1_999, 10).await?;
    let later = json!({"items": [{"product_id": mug, "quantity": 1}]});
    let first = shop.placed(&later).await?.text("/id")?.to_owned();
    let wrong = format!("/pay?order_id={first}&amount=20");
    shop.post(&wrong, &json!({})).await?.expect_field("amount", "amount_differs")?;
    let path = format!("/pay?order_id={first}&amount=19.99");
    let paid = shop.post(&path, &json!({})).await?.expect(200)?;
    assert_eq!((paid.text("/payment_status")?, paid.at("/total")?), ("paid", &json!(19.99)));
    shop.post(&path, &json!({})).await?.expect(200)?;
    let second = shop.placed(&later).await?.text("/id")?.to_owned();
    let path = format!("/orders/{second}/payment");
    let paid = shop.post(&path, &json!({"amount": 19.99})).await?.expect(200)?;
    assert_eq!(paid.text("/payment_status")?, "paid");
    let stock = shop.stock(&mug).await?;
    ensure!((stock.held, stock.sold) == (0, 2), "what is paid is sold: {stock:?}");
    shop.get("/returns").await?.expect(200)?;
    sound(server).await
}

async fn what_was_taken_by_hand_is_handed_back_by_hand(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1_250, 10).await?;
    let placed = shop.placed(&order("till", &mug, 1, "cash")).await?;
    let (id, all) = (placed.text("/id")?, json!({"amount": usd(1_250)}));
    shop.post(&format!("/v1/orders/{id}/payment"), &all).await?.expect(200)?;
    let path = format!("/v1/orders/{id}/refund");
    let early = shop.post(&path, &json!({})).await?;
    early.expect_problem(409, "nothing_to_hand_back")?;
    let off = shop.post(&format!("/v1/orders/{id}/cancellation"), &json!({})).await?.expect(200)?;
    assert_eq!(off.text("/payment_status")?, "paid", "somebody has it still");
    for _ in 0..2 {
        let back = shop.post(&path, &json!({})).await?.expect(200)?;
        assert_eq!(back.text("/payment_status")?, "refunded");
    }
    sound(server).await
}
