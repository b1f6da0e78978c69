//! Units that come back: from the request to the money and the stock, and everything in between.

use std::time::Duration;

use acceptance_tests::server::{Launch, Server, Store};
use acceptance_tests::shop::{Answer, Shop, card_order, fresh_key};
use acceptance_tests::wait;
use anyhow::{Context as _, Result, ensure};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::sound;

crate::on_both_stores! {
    a_return_ends_with_the_money_back_and_the_units_in_stock,
    a_part_is_approved_a_part_passes_and_a_part_of_the_money_goes_back,
    what_the_policy_forbids_is_refused_and_changes_nothing,
    a_rejected_return_lets_the_units_come_back_another_time,
    fifty_returns_of_one_order_at_once_are_one,
    fifty_refunds_of_one_return_at_once_are_one,
    a_drill_of_payments_allows_no_refund_by_hand,
    the_steps_of_a_return_have_an_order,
    returns_are_listed_by_status_and_customer,
    photos_of_a_return_are_kept_and_shown_to_the_shop_ret_3,
}

const AT_ONCE: usize = 50;

const PHOTO: &[u8] = include_bytes!("picture.png");

/// Lists lag by a fraction of a second.
const LISTED_WITHIN: Duration = Duration::from_secs(15);

/// An order for `count` mugs at 12.50 that has arrived and is paid, and the mugs' own name.
async fn delivered(shop: &Shop, count: i64) -> Result<(String, String)> {
    let mug = shop.stocked("mug", 1250, 10).await?;
    let order = shop.placed(&card_order(&mug, count, "tok_ok")).await?;
    let id = order.text("/id")?.to_owned();
    shop.deliver(&id).await?;
    Ok((id, mug))
}

fn wanted(order: &str, product: &str, count: i64) -> Value {
    let item = json!({"product_id": product, "quantity": count, "reason": "chipped"});
    json!({"order_id": order, "items": [item]})
}

async fn step(shop: &Shop, id: &str, step: &str, body: &Value) -> Result<Answer> {
    shop.post(&format!("/v1/returns/{id}/{step}"), body).await
}

/// A return of `count` units that were all received and found good.
async fn inspected(shop: &Shop, order: &str, product: &str, count: i64) -> Result<String> {
    let opened = shop.post("/v1/returns", &wanted(order, product, count)).await?.expect(201)?;
    ensure!(opened.text("/status")? == "PENDING_AUTHORIZATION", "{}", opened.body);
    let id = opened.text("/id")?.to_owned();
    step(shop, &id, "authorization", &json!({"approved": true})).await?.expect(200)?;
    step(shop, &id, "shipment", &json!({"tracking": "1Z-7"})).await?.expect(200)?;
    step(shop, &id, "receipt", &json!({})).await?.expect(200)?;
    step(shop, &id, "inspection", &json!({})).await?.expect(200)?;
    Ok(id)
}

async fn a_return_ends_with_the_money_back_and_the_units_in_stock(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let (order, mug) = delivered(&shop, 2).await?;
    let id = inspected(&shop, &order, &mug, 2).await?;
    let before = shop.stock(&mug).await?;
    ensure!((before.on_hand, before.sold) == (8, 2), "not before the money is back: {before:?}");
    let back = step(&shop, &id, "refund", &json!({"method": "original"})).await?.expect(200)?;
    assert_eq!(back.text("/status")?, "REFUNDED");
    assert_eq!(back.at("/refunded")?, &json!({"minor": 2500, "currency": "USD"}));
    assert_eq!(back.at("/restocked")?, &json!(true));
    let read = shop.get(&format!("/v1/returns/{id}")).await?.expect(200)?;
    assert_eq!(read.body, back.body);
    ensure!(read.text("/rma_number")?.starts_with("RMA-"), "{}", read.body);
    let after = shop.stock(&mug).await?;
    ensure!((after.on_hand, after.sold) == (10, 0), "{after:?}");
    assert_eq!(shop.order(&order).await?.text("/payment_status")?, "refunded");
    let again = step(&shop, &id, "refund", &json!({"method": "original"})).await?.expect(200)?;
    assert_eq!(again.body, back.body);
    sound(server).await
}

async fn a_part_is_approved_a_part_passes_and_a_part_of_the_money_goes_back(
    server: Server,
) -> Result<()> {
    let shop = server.shop()?;
    let (order, mug) = delivered(&shop, 3).await?;
    let opened = shop.post("/v1/returns", &wanted(&order, &mug, 3)).await?.expect(201)?;
    let id = opened.text("/id")?;
    let of = |count: i64| json!([{"product_id": mug, "quantity": count}]);
    let too_many = json!({"approved": true, "items": of(4)});
    step(&shop, id, "authorization", &too_many).await?.expect_problem(422, "validation_failed")?;
    let two = json!({"approved": true, "items": of(2), "reason": "one is worn"});
    let allowed = step(&shop, id, "authorization", &two).await?.expect(200)?;
    assert_eq!(allowed.at("/items/0/approved")?, &json!(2));
    step(&shop, id, "receipt", &json!({})).await?.expect(200)?;
    let one = json!({"passed": of(1)});
    step(&shop, id, "inspection", &one).await?.expect(200)?;
    let back = step(&shop, id, "refund", &json!({"method": "cash"})).await?.expect(200)?;
    assert_eq!(back.at("/refunded/minor")?, &json!(1250));
    assert_eq!(shop.order(&order).await?.text("/payment_status")?, "partly_refunded");
    let stock = shop.stock(&mug).await?;
    ensure!((stock.on_hand, stock.sold) == (8, 2), "{stock:?}");
    // The one that was not approved may come back yet, the one that did not pass may not.
    shop.post("/v1/returns", &wanted(&order, &mug, 2)).await?.expect(400)?;
    shop.post("/v1/returns", &wanted(&order, &mug, 1)).await?.expect(201)?;
    sound(server).await
}

async fn what_the_policy_forbids_is_refused_and_changes_nothing(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let (order, mug) = delivered(&shop, 1).await?;
    let fresh = shop.placed(&card_order(&mug, 1, "tok_ok")).await?;
    for (body, status, code) in [
        (wanted(fresh.text("/id")?, &mug, 1), 400, "return_not_allowed"),
        (wanted(&order, &mug, 2), 400, "return_not_allowed"),
        (wanted(&order, &mug, 0), 422, "validation_failed"),
        (wanted(&order, "mouse", 1), 422, "validation_failed"),
        (wanted("00000000-0000-8000-8000-000000000000", &mug, 1), 422, "validation_failed"),
        (json!({"order_id": order, "items": []}), 422, "validation_failed"),
    ] {
        shop.post("/v1/returns", &body).await?.expect_problem(status, code)?;
    }
    let item = json!({"product_id": mug, "quantity": 1, "reason": "chipped"});
    let strangers = json!({"order_id": order, "customer_id": "mallory", "items": [item]});
    let refused = shop.post("/v1/returns", &strangers).await?;
    refused.expect_problem(422, "validation_failed")?.expect_field("order_id", "unknown_order")?;
    let key = fresh_key("return");
    let opened = shop.post_with_key("/v1/returns", &key, &wanted(&order, &mug, 1)).await?;
    let opened = opened.expect(201)?;
    let again = shop.post_with_key("/v1/returns", &key, &wanted(&order, &mug, 1)).await?;
    assert_eq!(again.expect(201)?.text("/id")?, opened.text("/id")?);
    let twice = shop.post("/v1/returns", &wanted(&order, &mug, 1)).await?;
    twice.expect_problem(400, "return_not_allowed")?;
    let missing = shop.get("/v1/returns/00000000-0000-8000-8000-000000000000").await?;
    missing.expect_problem(404, "not_found")?;
    Ok(())
}

async fn a_rejected_return_lets_the_units_come_back_another_time(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let (order, mug) = delivered(&shop, 1).await?;
    for (word, body, status) in [
        ("authorization", json!({"approved": false, "reason": "worn"}), "REJECTED"),
        ("cancellation", json!({"reason": "kept it"}), "CANCELLED"),
    ] {
        let opened = shop.post("/v1/returns", &wanted(&order, &mug, 1)).await?.expect(201)?;
        let ended = step(&shop, opened.text("/id")?, word, &body).await?.expect(200)?;
        assert_eq!(ended.text("/status")?, status);
    }
    shop.post("/v1/returns", &wanted(&order, &mug, 1)).await?.expect(201)?;
    sound(server).await
}

async fn fifty_returns_of_one_order_at_once_are_one(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let (order, mug) = delivered(&shop, 2).await?;
    let body = wanted(&order, &mug, 2);
    let answers = join_all((0..AT_ONCE).map(|_| shop.post("/v1/returns", &body))).await;
    let mut pending = 0;
    for answer in answers {
        let answer = answer?;
        match answer.status {
            201 if answer.text("/status")? == "PENDING_AUTHORIZATION" => pending += 1,
            201 => assert_eq!(answer.text("/status")?, "REJECTED"),
            _ => {
                answer.expect_problem(400, "return_not_allowed")?;
            }
        }
    }
    assert_eq!(pending, 1);
    sound(server).await
}

async fn fifty_refunds_of_one_return_at_once_are_one(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let (order, mug) = delivered(&shop, 2).await?;
    let id = inspected(&shop, &order, &mug, 2).await?;
    let body = json!({"method": "original"});
    let answers = join_all((0..AT_ONCE).map(|_| step(&shop, &id, "refund", &body))).await;
    for answer in answers {
        assert_eq!(answer?.expect(200)?.text("/status")?, "REFUNDED");
    }
    let read = shop.get(&format!("/v1/returns/{id}")).await?.expect(200)?;
    let asked = |step: &&Value| step["to"] == "REFUND_PENDING";
    assert_eq!(read.list("/history")?.iter().filter(asked).count(), 1);
    assert_eq!(read.at("/refunded/minor")?, &json!(2500));
    let stock = shop.stock(&mug).await?;
    ensure!((stock.on_hand, stock.sold) == (10, 0), "{stock:?}");
    sound(server).await
}

async fn a_drill_of_payments_allows_no_refund_by_hand(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let (order, mug) = delivered(&shop, 1).await?;
    let id = inspected(&shop, &order, &mug, 1).await?;
    let fault = "/v1/ops/faults/payment_failure";
    shop.put(fault, &json!({"kind": "error", "probability": 1.0})).await?.expect(200)?;
    let cash = json!({"method": "cash"});
    let by_hand = step(&shop, &id, "refund", &cash).await?;
    by_hand.expect_problem(409, "disabled_by_drill")?;
    shop.delete(fault).await?.expect(200)?;
    step(&shop, &id, "refund", &cash).await?.expect(200)?;
    Ok(())
}

async fn the_steps_of_a_return_have_an_order(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let (order, mug) = delivered(&shop, 1).await?;
    let opened = shop.post("/v1/returns", &wanted(&order, &mug, 1)).await?.expect(201)?;
    let id = opened.text("/id")?;
    for (word, body) in [
        ("shipment", json!({})),
        ("receipt", json!({})),
        ("inspection", json!({})),
        ("refund", json!({"method": "card"})),
    ] {
        step(&shop, id, word, &body).await?.expect_problem(409, "invalid_transition")?;
    }
    step(&shop, id, "authorization", &json!({"approved": true})).await?.expect(200)?;
    let late = step(&shop, id, "cancellation", &json!({})).await?;
    late.expect_problem(409, "invalid_transition")?;
    step(&shop, id, "refund", &json!({"method": "gold"})).await?.expect(422)?;
    Ok(())
}

async fn photos_of_a_return_are_kept_and_shown_to_the_shop_ret_3(mut server: Server) -> Result<()> {
    let shop = server.shop()?;
    let (order, mug) = delivered(&shop, 1).await?;
    let opened = shop.post("/v1/returns", &wanted(&order, &mug, 1)).await?.expect(201)?;
    let path = format!("/v1/returns/{}", opened.text("/id")?);
    let photos = format!("{path}/photos");
    let send = async |shop: &Shop, media: &str, bytes: &[u8]| {
        shop.send(Method::POST, &photos, &[("content-type", media)], Some(bytes.to_vec())).await
    };
    let added = send(&shop, "image/png", PHOTO).await?.expect(201)?;
    let url = added.text("/url")?;
    assert_eq!(added.header("location"), Some(url));
    let again = send(&shop, "image/png", PHOTO).await?.expect(201)?;
    assert_eq!(again.body, added.body);
    send(&shop, "image/png", b"no picture").await?.expect(422)?;
    send(&shop, "text/html", PHOTO).await?.expect(415)?;
    // It is not one of those that everybody may look at.
    let nobody = shop.with_key(None);
    nobody.get(url).await?.expect(401)?;
    nobody.get(&format!("/media/{}", added.text("/name")?)).await?.expect(404)?;
    server.kill().await?;
    server.start().await?;
    let shop = server.shop()?;
    let known = shop.get(&path).await?.expect(200)?;
    assert_eq!(known.list("/photos")?.len(), 1);
    assert_eq!(known.at("/photos/0")?, &added.body);
    let shown = shop.get(url).await?.expect(200)?;
    assert_eq!(shown.header("cache-control"), Some("private, no-store"));
    shop.get(added.text("/thumbnail_url")?).await?.expect(200)?;
    let cancelled = shop.post(&format!("{path}/cancellation"), &json!({})).await?;
    cancelled.expect(200)?;
    let late =
        shop.send(Method::POST, &photos, &[("content-type", "image/png")], Some(PHOTO.to_vec()));
    late.await?.expect_problem(409, "invalid_transition")?;
    sound(server).await
}

async fn returns_are_listed_by_status_and_customer(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let (order, mug) = delivered(&shop, 3).await?;
    let (mut opened, mut customer) = (Vec::new(), String::new());
    for _ in 0..3 {
        let answer = shop.post("/v1/returns", &wanted(&order, &mug, 1)).await?.expect(201)?;
        opened.push(answer.text("/id")?.to_owned());
        answer.text("/customer_id")?.clone_into(&mut customer);
    }
    let (id, no) = (&opened[0], json!({"approved": false, "reason": "worn"}));
    step(&shop, id, "authorization", &no).await?.expect(200)?;
    let list = async |query: &str| shop.get(&format!("/v1/returns?{query}")).await?.expect(200);
    wait::until("the returns are listed as they are", LISTED_WITHIN, || async {
        let rejected = list("status=REJECTED").await?.int("/total")?;
        let open = list("status=PENDING_AUTHORIZATION").await?.int("/total")?;
        ensure!((rejected, open) == (1, 2), "{rejected} and {open}");
        Ok(())
    })
    .await?;
    let ids = |page: &Answer| -> Result<Vec<String>> {
        page.list("/items")?
            .iter()
            .map(|item| Ok(item["id"].as_str().context("id")?.to_owned()))
            .collect()
    };
    let open = list("status=PENDING_AUTHORIZATION").await?;
    assert_eq!(ids(&open)?, [opened[2].clone(), opened[1].clone()]);
    let rejected = list(&format!("status=REJECTED&customer_id={customer}")).await?;
    assert_eq!((ids(&rejected)?, rejected.int("/total")?), (vec![opened[0].clone()], 1));
    assert_eq!(list("customer_id=somebody-else").await?.int("/total")?, 0);
    let mut leafed = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = list(&format!("limit=1{cursor}")).await?;
        leafed.extend(ids(&page)?);
        let Some(next) = page.at("/next_cursor")?.as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    opened.reverse();
    assert_eq!(leafed, opened);
    shop.get("/v1/returns?status=open").await?.expect_field("status", "invalid_value")?;
    Ok(())
}

/// The demo has a return that waits, and a second start makes no other.
async fn the_demo_has_a_return(at: Store) -> Result<()> {
    // Other stories begin with a shop without orders.
    let launch = Launch::demo(at).await?.variable("MILLRACE_NO_DEMO_RETURN", "false");
    let mut server = launch.start().await?;
    for _start in 0..2 {
        let shop = server.shop()?;
        wait::until("the sample return is listed", LISTED_WITHIN, || async {
            let page = shop.get("/v1/returns").await?.expect(200)?;
            let known = page.list("/items")?;
            ensure!(known.len() == 1, "{}", page.body);
            assert_eq!(known[0]["rma_number"], "RMA-CP3-DEMO-001");
            ensure!(known[0]["status"] == "PENDING_AUTHORIZATION", "not yet: {}", page.body);
            Ok(())
        })
        .await?;
        let sold = shop.stock("3").await?;
        ensure!((sold.on_hand, sold.sold) == (498, 2), "{sold:?}");
        server.terminate().await?;
        server.start().await?;
    }
    sound(server).await
}

#[tokio::test]
async fn the_demo_has_a_return_that_waits_on_sqlite_ret_16() -> Result<()> {
    the_demo_has_a_return(Store::Sqlite).await
}

#[tokio::test]
async fn the_demo_has_a_return_that_waits_on_postgres_ret_16() -> Result<()> {
    the_demo_has_a_return(Store::Postgres).await
}

/// Always fails, as the variable of the drill says; the units stay sold.
async fn refunds_fail(at: Store) -> Result<()> {
    let launch = Launch::demo(at).await?.variable("PAYMENT_REFUND_FAILURE_PROBABILITY", "1.0");
    let server = launch.start().await?;
    let shop = server.shop()?;
    let (order, mug) = delivered(&shop, 2).await?;
    let id = inspected(&shop, &order, &mug, 1).await?;
    let card = json!({"method": "card"});
    for _ in 0..2 {
        let failed = step(&shop, &id, "refund", &card).await?;
        failed.expect_problem(402, "refund_failed")?;
    }
    let read = shop.get(&format!("/v1/returns/{id}")).await?.expect(200)?;
    assert_eq!(read.text("/status")?, "REFUND_FAILED");
    assert_eq!(shop.order(&order).await?.text("/payment_status")?, "paid");
    let stock = shop.stock(&mug).await?;
    ensure!((stock.on_hand, stock.sold) == (8, 2), "{stock:?}");
    sound(server).await
}

#[tokio::test]
async fn a_failed_refund_leaves_the_stock_untouched_on_sqlite() -> Result<()> {
    refunds_fail(Store::Sqlite).await
}

#[tokio::test]
async fn a_failed_refund_leaves_the_stock_untouched_on_postgres() -> Result<()> {
    refunds_fail(Store::Postgres).await
}
