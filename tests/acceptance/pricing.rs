//! Prices on terms: discount, shipping, duty, tax, flash sales; quotes and orders say the same.

use acceptance_tests::server::Server;
use acceptance_tests::shop::{Answer, Shop};
use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

crate::on_both_stores! {
    a_quote_and_its_order_say_the_same_and_how_it_comes_about,
    the_total_of_the_samples_is_exact,
    a_flash_price_holds_in_its_window_only,
    terms_that_make_no_sense_are_refused,
    an_archived_product_cannot_be_ordered_or_changed,
}

fn usd(minor: i64) -> Value {
    json!({"minor": minor, "currency": "USD"})
}

async fn put_terms(shop: &Shop, product: &str, terms: &Value) -> Result<Answer> {
    shop.put(&format!("/v1/products/{product}/terms"), terms).await
}

/// A cart with these lines, and what it would cost.
async fn quoted(shop: &Shop, lines: &[(&str, i64)]) -> Result<(String, Answer)> {
    let cart = shop.post("/v1/carts", &json!({})).await?.expect(201)?.text("/id")?.to_owned();
    for (product, quantity) in lines {
        let line = json!({"quantity": quantity});
        shop.put(&format!("/v1/carts/{cart}/items/{product}"), &line).await?.expect(200)?;
    }
    let quote = shop.get(&format!("/v1/carts/{cart}/quote")).await?.expect(200)?;
    Ok((cart, quote))
}

async fn a_quote_and_its_order_say_the_same_and_how_it_comes_about(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1_000, 5).await?;
    let terms = json!({
        "discount": {"percent_bps": 1000}, "shipping_fee": usd(250), "duty_bps": 500,
        "tax_bps": 2000,
    });
    let changed = put_terms(&shop, &mug, &terms).await?.expect(200)?;
    changed.position()?;
    assert_eq!(changed.at("/terms")?, &terms);
    let (cart, quote) = quoted(&shop, &[(&mug, 2)]).await?;
    let parts = json!({
        "subtotal": usd(2_000), "discount": usd(200), "shipping": usd(500), "duties": usd(90),
        "tax": usd(478), "total": usd(2_868),
    });
    assert_eq!(quote.at("/amounts")?, &parts);
    let steps: Vec<_> = quote.list("/items/0/steps")?.iter().map(|step| &step["code"]).collect();
    assert_eq!(steps, ["listed_price", "discount", "shipping_fee", "import_duty", "tax"]);
    let pay = json!({"payment": {"method": "card", "token": "tok_ok"}});
    let order = shop.post(&format!("/v1/carts/{cart}/checkout"), &pay).await?.expect(201)?;
    for part in ["subtotal", "discount", "shipping", "duties", "tax", "total"] {
        assert_eq!(order.at(&format!("/{part}"))?, &parts[part], "{part}");
    }
    Ok(())
}

async fn the_total_of_the_samples_is_exact(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let (_, quote) = quoted(&shop, &[("laptop", 1), ("mouse", 2)]).await?;
    assert_eq!(quote.at("/amounts/total")?, &usd(105_099));
    Ok(())
}

async fn a_flash_price_holds_in_its_window_only(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1_000, 9).await?;
    let order = |price: i64| json!({"items": [{"product_id": "mug", "quantity": 1, "unit_price": usd(price)}]});
    let sale = |from: &str, to: &str| json!({"flash_sale": {"price": usd(700), "starts_at": from, "ends_at": to}});
    let (begin, end) = ("2000-01-01T00:00:00Z", "2000-01-02T00:00:00Z");
    put_terms(&shop, &mug, &sale(begin, end)).await?.expect(200)?;
    shop.placed(&order(1_000)).await?;
    put_terms(&shop, &mug, &sale(begin, "9000-01-01T00:00:00Z")).await?.expect(200)?;
    let refused = shop.post("/v1/orders", &order(1_000)).await?;
    refused.expect_field("items[0].unit_price", "price_mismatch")?;
    let bought = shop.placed(&order(700)).await?;
    assert_eq!(bought.at("/total")?, &usd(700));
    let off = json!({"on": false, "reason": "the site cannot take it"});
    shop.put("/v1/toggles/flash_sale", &off).await?.expect(200)?;
    let bought = shop.placed(&order(1_000)).await?;
    assert_eq!(bought.at("/total")?, &usd(1_000));
    let (_, quote) = quoted(&shop, &[(&mug, 1)]).await?;
    assert_eq!(quote.at("/amounts/total")?, &usd(1_000));
    Ok(())
}

async fn terms_that_make_no_sense_are_refused(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1_000, 1).await?;
    for (terms, field) in [
        (json!({"duty_bps": 10_001}), "duty_bps"),
        (json!({"shipping_fee": {"minor": 1, "currency": "EUR"}}), "shipping_fee"),
        (json!({"discount": {}}), "discount"),
        (
            json!({"flash_sale": {"price": usd(1), "starts_at": "soon", "ends_at": "later"}}),
            "flash_sale.starts_at",
        ),
    ] {
        let refused = put_terms(&shop, &mug, &terms).await?;
        ensure!(refused.status == 422, "{terms}: {}", refused.body);
        ensure!(refused.at("/errors/0/field")? == field, "{terms}: {}", refused.body);
    }
    put_terms(&shop, "nothing", &json!({})).await?.expect_problem(404, "not_found")?;
    Ok(())
}

async fn an_archived_product_cannot_be_ordered_or_changed(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1_000, 5).await?;
    let archived = shop.delete("/v1/products/mug").await?.expect(200)?;
    assert_eq!(archived.text("/status")?, "archived");
    shop.delete("/v1/products/mug").await?.expect(200)?;
    let order = json!({"items": [{"product_id": mug, "quantity": 1}]});
    let refused = shop.post("/v1/orders", &order).await?;
    refused.expect_field("items[0].product_id", "product_unavailable")?;
    let body = serde_json::to_vec(&json!({"status": "active"}))?;
    let back = shop.send(Method::PATCH, "/v1/products/mug", &[], Some(body)).await?;
    back.expect_problem(409, "product_archived")?;
    Ok(())
}
