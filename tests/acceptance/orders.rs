//! Placing an order: what comes back, and what it does to the shelf.

use acceptance_tests::server::Server;
use acceptance_tests::shop::{Answer, card_order, fresh_key};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use uuid::Uuid;

crate::on_both_stores! {
    a_card_order_is_paid_and_its_units_are_sold,
    the_body_of_an_order_is_whole,
    totals_are_the_sum_of_the_lines,
    an_order_reads_back_as_it_was_placed,
    cash_and_cod_are_sold_at_once_and_unpaid,
    an_order_without_a_method_holds_its_units,
    a_sold_out_product_is_refused_and_nothing_is_written,
    an_order_takes_all_its_lines_or_none,
    the_last_units_go_to_exactly_as_many_shoppers,
}

async fn a_card_order_is_paid_and_its_units_are_sold(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 10).await?;
    let before = shop.stock(&mug).await?;
    let order = shop.placed(&card_order(&mug, 3, "tok_ok")).await?;
    assert_eq!(order.text("/status")?, "PENDING");
    assert_eq!(order.text("/payment_status")?, "paid");
    // A 201 leaves after its commit is visible: no waiting here.
    let after = shop.stock(&mug).await?;
    assert_eq!((before.on_hand, before.held, before.available, before.sold), (10, 0, 10, 0));
    assert_eq!((after.on_hand, after.held, after.available, after.sold), (7, 0, 7, 3));
    ensure!(after.version > before.version, "the version of the stock stands still: {after:?}");
    Ok(())
}

async fn the_body_of_an_order_is_whole(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let order = shop
        .placed(&json!({
            "customer_id": "c-17",
            "items": [{"product_id": "mouse", "quantity": 2}],
            "payment": {"method": "card", "token": "tok_ok"},
            "channel": "kiosk",
        }))
        .await?;
    Uuid::parse_str(order.text("/id")?).context("the id is a UUID")?;
    assert_eq!(Uuid::parse_str(order.text("/id")?)?.get_version_num(), 8);
    assert_eq!(order.text("/customer_id")?, "c-17");
    assert_eq!(order.text("/channel")?, "kiosk");
    Uuid::parse_str(order.text("/items/0/id")?).context("the id of a line is a UUID")?;
    assert_eq!(order.text("/items/0/product_id")?, "mouse");
    assert_eq!(order.int("/items/0/quantity")?, 2);
    assert_eq!(order.at("/items/0/unit_price")?, &json!({"minor": 2550, "currency": "USD"}));
    for amount in ["subtotal", "discount", "shipping", "duties", "tax", "total"] {
        order.int(&format!("/{amount}/minor"))?;
        assert_eq!(order.text(&format!("/{amount}/currency"))?, "USD");
    }
    for time in ["/created_at", "/updated_at"] {
        let text = order.text(time)?;
        ensure!(text.contains('T') && text.ends_with('Z'), "{time} is not RFC 3339 UTC: {text}");
    }
    ensure!(order.int("/version")? >= 1, "the version: {}", order.body);
    let location = order.header("location").context("a 201 has a Location")?;
    assert_eq!(location, format!("/v1/orders/{}", order.text("/id")?));
    Ok(())
}

async fn totals_are_the_sum_of_the_lines(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let (mug, pen) = (shop.stocked("mug", 1250, 10).await?, shop.stocked("pen", 199, 10).await?);
    let order = shop
        .placed(&json!({
            "items": [
                {"product_id": mug, "quantity": 3, "unit_price": {"minor": 1250, "currency": "USD"}},
                {"product_id": pen, "quantity": 7},
            ],
            "payment": {"method": "card", "token": "tok_ok"},
        }))
        .await?;
    assert_eq!(order.int("/subtotal/minor")?, 3 * 1250 + 7 * 199);
    let sum = order.int("/subtotal/minor")? - order.int("/discount/minor")?
        + order.int("/shipping/minor")?
        + order.int("/duties/minor")?
        + order.int("/tax/minor")?;
    assert_eq!(order.int("/total/minor")?, sum);
    Ok(())
}

async fn an_order_reads_back_as_it_was_placed(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let placed = shop.placed(&card_order("laptop", 1, "tok_ok")).await?;
    let read = shop.order(placed.text("/id")?).await?.expect(200)?;
    assert_eq!(read.lasting(), placed.lasting());
    Ok(())
}

async fn cash_and_cod_are_sold_at_once_and_unpaid(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 10).await?;
    for (bought, method) in [(1, "cash"), (2, "cod")] {
        let order = shop.placed(&with_payment(&mug, &json!({"method": method}))).await?;
        assert_eq!(order.text("/status")?, "PENDING");
        assert_eq!(order.text("/payment_status")?, "unpaid");
        let stock = shop.stock(&mug).await?;
        assert_eq!((stock.held, stock.sold), (0, bought), "{method}");
    }
    Ok(())
}

async fn an_order_without_a_method_holds_its_units(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 10).await?;
    let order = shop.placed(&json!({"items": [{"product_id": mug, "quantity": 4}]})).await?;
    assert_eq!(order.text("/payment_status")?, "unpaid");
    let stock = shop.stock(&mug).await?;
    assert_eq!((stock.on_hand, stock.held, stock.available, stock.sold), (10, 4, 6, 0));
    Ok(())
}

async fn a_sold_out_product_is_refused_and_nothing_is_written(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 2).await?;
    let (stock, orders) = (shop.stock(&mug).await?, total(&shop.get("/v1/orders").await?)?);
    let refused = shop.place(&fresh_key("greedy"), &card_order(&mug, 3, "tok_ok")).await?;
    let refused = refused.expect_problem(409, "insufficient_stock")?;
    ensure!(refused.header("x-position").is_none(), "a refusal has no position");
    assert_eq!(shop.stock(&mug).await?, stock);
    assert_eq!(total(&shop.get("/v1/orders").await?)?, orders);
    Ok(())
}

async fn an_order_takes_all_its_lines_or_none(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let (mug, pen) = (shop.stocked("mug", 1250, 10).await?, shop.stocked("pen", 199, 1).await?);
    let order = json!({
        "items": [
            {"product_id": mug, "quantity": 3},
            {"product_id": pen, "quantity": 2},
        ],
        "payment": {"method": "card", "token": "tok_ok"},
    });
    let refused = shop.place(&fresh_key("half"), &order).await?;
    refused.expect_problem(409, "insufficient_stock")?;
    // The hold that was granted first is given back; it may take until the release is processed.
    acceptance_tests::wait::until("the mugs are back", std::time::Duration::from_secs(10), || {
        let (shop, mug) = (shop.clone(), mug.clone());
        async move {
            let stock = shop.stock(&mug).await?;
            ensure!(stock.available == 10 && stock.held == 0 && stock.sold == 0, "{stock:?}");
            Ok(())
        }
    })
    .await?;
    assert_eq!(shop.stock(&pen).await?.available, 1);
    Ok(())
}

async fn the_last_units_go_to_exactly_as_many_shoppers(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 7).await?;
    let crowd = (0..40).map(|shopper| {
        let (shop, order) = (shop.clone(), card_order(&mug, 1, "tok_ok"));
        async move { shop.place(&fresh_key(&format!("rush-{shopper}")), &order).await }
    });
    let answers = futures::future::try_join_all(crowd).await?;
    let sold = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(sold, 7);
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        answer.expect_problem(409, "insufficient_stock")?;
    }
    let stock = shop.stock(&mug).await?;
    assert_eq!((stock.on_hand, stock.held, stock.available, stock.sold), (0, 0, 0, 7));
    Ok(())
}

fn with_payment(product: &str, payment: &Value) -> Value {
    json!({"items": [{"product_id": product, "quantity": 1}], "payment": payment})
}

fn total(list: &Answer) -> Result<i64> {
    list.int("/total")
}
