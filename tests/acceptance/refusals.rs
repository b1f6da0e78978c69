//! Refusals of the order form, each with its code and the field that it is about.

use acceptance_tests::server::Server;
use acceptance_tests::shop::{Answer, Shop, fresh_key};
use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

crate::on_both_stores! {
    an_unknown_product_is_named,
    a_wrong_price_is_named,
    a_product_that_stands_twice_is_named,
    quantities_and_line_counts_have_limits,
    a_form_with_several_faults_names_them_all,
    a_body_that_is_no_json_is_told_apart,
    an_unknown_field_is_refused,
    an_unknown_order_is_not_found,
    a_card_number_is_never_taken,
}

async fn an_unknown_product_is_named(server: Server) -> Result<()> {
    let refused = place(&server, &json!([{"product_id": "no-such-thing", "quantity": 1}])).await?;
    named(refused, "product_id", "unknown_product")
}

async fn a_wrong_price_is_named(server: Server) -> Result<()> {
    for price in [
        json!({"minor": 2551, "currency": "USD"}),
        json!({"minor": 0, "currency": "USD"}),
        json!({"minor": 2550, "currency": "EUR"}),
    ] {
        let line = json!([{"product_id": "mouse", "quantity": 1, "unit_price": price}]);
        named(place(&server, &line).await?, "unit_price", "price_mismatch")?;
    }
    Ok(())
}

async fn a_product_that_stands_twice_is_named(server: Server) -> Result<()> {
    let lines = json!([
        {"product_id": "mouse", "quantity": 1},
        {"product_id": "mouse", "quantity": 2},
    ]);
    named(place(&server, &lines).await?, "product_id", "duplicate_product")
}

async fn quantities_and_line_counts_have_limits(server: Server) -> Result<()> {
    for quantity in [0, -1, 101, i64::MAX] {
        let lines = json!([{"product_id": "2", "quantity": quantity}]);
        place(&server, &lines).await?.expect_problem(422, "validation_failed")?;
    }
    place(&server, &json!([])).await?.expect_problem(422, "validation_failed")?;
    let shop = server.shop()?;
    for number in 0..51 {
        shop.stocked(&format!("bead-{number}"), 10, 5).await?;
    }
    let lines = |count: usize| -> Value {
        (0..count).map(|n| json!({"product_id": format!("bead-{n}"), "quantity": 1})).collect()
    };
    place(&server, &lines(51)).await?.expect_problem(422, "validation_failed")?;
    place(&server, &lines(50)).await?.expect(201)?;
    place(&server, &json!([{"product_id": "2", "quantity": 100}])).await?.expect(201)?;
    Ok(())
}

async fn a_form_with_several_faults_names_them_all(server: Server) -> Result<()> {
    // What the form says is judged first, what the catalogue says second.
    let lines = |first: &str, second: &str, quantity: i64| {
        json!([
            {"product_id": first, "quantity": quantity},
            {"product_id": second, "quantity": quantity},
        ])
    };
    for lines in [lines("mouse", "laptop", 0), lines("no-such-thing", "nor-this", 1)] {
        let refused = place(&server, &lines).await?.expect_problem(422, "validation_failed")?;
        ensure!(refused.list("/errors")?.len() == 2, "{}", refused.body);
    }
    Ok(())
}

async fn a_body_that_is_no_json_is_told_apart(server: Server) -> Result<()> {
    let shop = server.shop()?;
    for body in ["", "{", "{'items': []}", "{\"items\": [}", "not json"] {
        let key = fresh_key("broken");
        let headers = [("idempotency-key", key.as_str())];
        let body = Some(body.as_bytes().to_vec());
        let refused = shop.send(Method::POST, "/v1/orders", &headers, body).await?;
        refused.expect_problem(400, "malformed_json")?;
    }
    Ok(())
}

async fn an_unknown_field_is_refused(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let order = json!({"items": [{"product_id": "mouse", "quantity": 1}], "status": "DELIVERED"});
    let refused = shop.place(&fresh_key("sly"), &order).await?;
    refused.expect_problem(422, "validation_failed")?;
    let inside = json!([{"product_id": "mouse", "quantity": 1, "price": 1}]);
    place(&server, &inside).await?.expect_problem(422, "validation_failed")?;
    Ok(())
}

async fn an_unknown_order_is_not_found(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let nobody = "/v1/orders/00000000-0000-8000-8000-000000000000";
    is_not_found(shop.get(nobody).await?)?;
    is_not_found(shop.delete(nobody).await?)?;
    is_not_found(shop.put(&format!("{nobody}/status"), &json!({"status": "SHIPPED"})).await?)?;
    is_not_found(shop.post(&format!("{nobody}/cancellation"), &json!({})).await?)?;
    is_not_found(shop.get("/v1/products/no-such-thing").await?)?;
    is_not_found(shop.get("/v1/no-such-route").await?)?;
    Ok(())
}

async fn a_card_number_is_never_taken(server: Server) -> Result<()> {
    let shop = server.shop()?;
    // A number of the test range that passes the Luhn check, where a name or a token belongs.
    for order in [
        json!({"customer_id": "4242 4242 4242 4242", "items": [{"product_id": "mouse", "quantity": 1}]}),
        json!({
            "items": [{"product_id": "mouse", "quantity": 1}],
            "payment": {"method": "card", "token": "4242424242424242"},
        }),
    ] {
        let refused = shop.place(&fresh_key("plain"), &order).await?;
        let mut said = refused.expect_problem(422, "validation_failed")?.body;
        // Any four digits may be drawn in it.
        said.as_object_mut().and_then(|said| said.remove("request_id")).context("no request id")?;
        ensure!(!said.to_string().contains("4242"), "the number comes back");
    }
    let log = server.log()?;
    ensure!(!log.contains("42424242") && !log.contains("4242 4242"), "the number is in the log");
    Ok(())
}

async fn place(server: &Server, items: &Value) -> Result<Answer> {
    let shop: Shop = server.shop()?;
    let payment = json!({"method": "card", "token": "tok_ok"});
    shop.place(&fresh_key("refused"), &json!({"items": items, "payment": payment})).await
}

/// A validation problem with `code` on a field whose path ends with `part`.
fn named(answer: Answer, part: &str, code: &str) -> Result<()> {
    let answer = answer.expect_problem(422, "validation_failed")?;
    let errors = answer.list("/errors")?;
    let fields =
        errors.iter().filter(|error| error.get("code").and_then(Value::as_str) == Some(code));
    let field = fields.filter_map(|error| error.get("field")?.as_str()).next_back();
    let field = field.with_context(|| format!("no {code} in {}", answer.body))?.to_owned();
    ensure!(field.contains(part), "{code} is reported on {field}");
    answer.expect_field(&field, code)?;
    Ok(())
}

fn is_not_found(answer: Answer) -> Result<()> {
    let answer = answer.expect(404)?;
    let code = answer.text("/code")?.to_owned();
    answer.expect_problem(404, &code)?;
    Ok(())
}
