//! The receipt of an order, as JSON and as a text.

use acceptance_tests::server::Server;
use acceptance_tests::shop::card_order;
use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::json;

crate::on_both_stores! {
    a_receipt_says_what_was_bought_and_what_was_paid_chk_9,
    a_receipt_is_a_text_for_those_who_ask_for_one_chk_9,
}

async fn a_receipt_says_what_was_bought_and_what_was_paid_chk_9(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let order = shop.placed(&card_order(&mug, 2, "tok_ok")).await?;
    let id = order.text("/id")?;
    let receipt = shop.get(&format!("/v1/orders/{id}/receipt")).await?.expect(200)?;
    assert_eq!(receipt.text("/order_id")?, id);
    assert_eq!(receipt.text("/method")?, "card");
    assert_eq!(receipt.text("/payment_status")?, "paid");
    ensure!(!receipt.text("/reference")?.is_empty(), "{}", receipt.body);
    let usd = |minor: i64| json!({"minor": minor, "currency": "USD"});
    assert_eq!(
        receipt.at("/items")?,
        &json!([{"product_id": mug, "quantity": 2, "unit_price": usd(1250), "amount": usd(2500)}])
    );
    for (field, minor) in
        [("/subtotal", 2500), ("/total", 2500), ("/captured", 2500), ("/refunded", 0)]
    {
        assert_eq!(receipt.at(field)?, &usd(minor), "{field}");
    }
    let nobody = "/v1/orders/00000000-0000-8000-8000-000000000000/receipt";
    shop.get(nobody).await?.expect(404)?;
    Ok(())
}

async fn a_receipt_is_a_text_for_those_who_ask_for_one_chk_9(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let order = shop.placed(&json!({"items": [{"product_id": mug, "quantity": 2}]})).await?;
    let path = format!("/v1/orders/{}/receipt", order.text("/id")?);
    let accept = [("accept", "text/plain")];
    let receipt = shop.send(Method::GET, &path, &accept, None).await?.expect(200)?;
    let kind = receipt.header("content-type").unwrap_or_default();
    ensure!(kind.starts_with("text/plain"), "{kind}");
    let text = receipt.body.as_str().unwrap_or_default();
    for part in
        [order.text("/id")?, &format!("2 x {mug} at 12.50: 25.00"), "Total: 25.00", "Taken: 0.00"]
    {
        ensure!(text.contains(part), "no {part:?} in {text}");
    }
    Ok(())
}
