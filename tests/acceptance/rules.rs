//! The rules of an order over HTTP: told together, warnings beside them, and what a shop demands.

use acceptance_tests::server::{Launch, Server, Store};
use acceptance_tests::shop::{card_order, fresh_key};
use anyhow::{Result, ensure};
use serde_json::{Value, json};

crate::on_both_stores! {
    everything_that_is_wrong_is_told_at_once,
    an_address_is_judged_when_it_is_given,
    a_warning_stands_on_the_order_and_blocks_nothing,
    only_a_card_has_a_token,
}

fn order_to(address: &Value) -> Value {
    let mut order = card_order("mouse", 1, "tok_ok");
    if let Some(fields) = order.as_object_mut() {
        fields.insert("shipping_address".to_owned(), address.clone());
    }
    order
}

fn home() -> Value {
    json!({
        "name": "Juan dela Cruz", "lines": ["12 Mabini St"], "city": "Makati",
        "postal_code": "1200", "country": "PH", "phone": "0917 123 4567",
    })
}

fn home_with(field: &str, value: &str) -> Value {
    let mut address = home();
    if let Some(fields) = address.as_object_mut() {
        fields.insert(field.to_owned(), value.into());
    }
    address
}

async fn everything_that_is_wrong_is_told_at_once(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let order = json!({
        "items": [{"product_id": "mouse", "quantity": 0}, {"product_id": "nothing", "quantity": 1}],
        "payment": {"method": "card"},
        "shipping_address": home_with("postal_code", "12"),
        "email": "nobody",
        "channel": "carrier-1",
    });
    let refused = shop.place(&fresh_key("wrong"), &order).await?;
    let refused = refused.expect_problem(422, "validation_failed")?;
    for (field, code) in [
        ("items[0].quantity", "quantity_out_of_range"),
        ("items[1].product_id", "unknown_product"),
        ("payment.token", "token_required"),
        ("shipping_address.postal_code", "postal_code_malformed"),
        ("email", "email_malformed"),
        ("channel", "channel_unknown"),
    ] {
        ensure!(refused.clone().expect_field(field, code).is_ok(), "{code}: {}", refused.body);
    }
    assert_eq!(refused.list("/errors")?.len(), 6, "{}", refused.body);
    // What the form alone shows comes with it.
    let order = json!({"items": [], "note": "4242 4242 4242 4242"});
    let refused = shop.place(&fresh_key("card"), &order).await?;
    let refused = refused.expect_problem(422, "validation_failed")?;
    let refused = refused.expect_field("note", "card_number_refused")?;
    refused.expect_field("items", "no_items")?;
    Ok(())
}

async fn an_address_is_judged_when_it_is_given(server: Server) -> Result<()> {
    let shop = server.shop()?;
    // The demo is a shop of the Philippines: local numbers are read.
    let placed = shop.placed(&order_to(&home())).await?;
    ensure!(placed.at("/warnings").is_err(), "{}", placed.body);
    for (field, value, named, code) in [
        ("city", " ", "city", "address_incomplete"),
        ("country", "ph", "country", "country_malformed"),
        ("phone", "0917 123", "phone", "phone_malformed"),
        ("name", "<b>Juan</b>", "name", "markup_refused"),
    ] {
        let order = order_to(&home_with(field, value));
        let refused = shop.place(&fresh_key(field), &order).await?;
        let refused = refused.expect_problem(422, "validation_failed")?;
        refused.expect_field(&format!("shipping_address.{named}"), code)?;
    }
    Ok(())
}

async fn a_warning_stands_on_the_order_and_blocks_nothing(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let order = json!({
        "items": [{"product_id": "mouse", "quantity": 1}],
        "payment": {"method": "card", "token": "tok_ok"},
        "channel": "carrier-1",
    });
    let key = fresh_key("warned");
    let placed = shop.place(&key, &order).await?.expect(201)?;
    assert_eq!(placed.text("/warnings/0/code")?, "channel_unknown");
    assert_eq!(placed.text("/warnings/0/field")?, "channel");
    assert_eq!(placed.text("/warnings/0/severity")?, "warning");
    assert_eq!(placed.list("/warnings")?.len(), 1);
    let read = shop.order(placed.text("/id")?).await?.expect(200)?;
    let again = shop.place(&key, &order).await?.expect(201)?;
    assert_eq!(read.at("/warnings")?, placed.at("/warnings")?);
    assert_eq!(again.at("/warnings")?, placed.at("/warnings")?);
    // Where there is nothing to say nothing is said.
    let plain = shop.placed(&json!({"items": [{"product_id": "mouse", "quantity": 1}]})).await?;
    ensure!(plain.at("/warnings").is_err(), "{}", plain.body);
    Ok(())
}

async fn only_a_card_has_a_token(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let order = json!({
        "items": [{"product_id": "mouse", "quantity": 1}],
        "payment": {"method": "cash", "token": "tok_ok"},
    });
    let refused = shop.place(&fresh_key("cash"), &order).await?;
    refused
        .expect_problem(422, "validation_failed")?
        .expect_field("payment.token", "token_unexpected")?;
    Ok(())
}

#[tokio::test]
async fn a_shop_demands_what_it_is_told_to() -> Result<()> {
    let launch = Launch::demo(Store::Sqlite).await?;
    let launch = launch.variable("MILLRACE_REQUIRE", "payment,address,phone");
    let server = launch.variable("MILLRACE_DELIVERS_TO", "PH,SG").start().await?;
    let shop = server.shop()?;
    let plain = json!({"items": [{"product_id": "mouse", "quantity": 1}]});
    let refused = shop.place(&fresh_key("plain"), &plain).await?;
    let refused = refused.expect_problem(422, "validation_failed")?;
    let refused = refused.expect_field("payment", "payment_required")?;
    refused.expect_field("shipping_address", "address_required")?;
    // A rule of business is no fault of the form: the same order may be right one day (C-11).
    let far = json!({
        "name": "Jane Roe", "lines": ["1 Main St"], "city": "Berlin", "postal_code": "10115",
        "country": "DE",  "phone": "+4930123456",
    });
    let refused = shop.place(&fresh_key("far"), &order_to(&far)).await?;
    let refused = refused.expect_problem(400, "business_rule_broken")?;
    refused.expect_field("shipping_address.country", "country_not_served")?;
    shop.placed(&order_to(&home())).await?;
    Ok(())
}
