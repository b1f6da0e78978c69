//! Promo codes: made, used, limited, given back, ended.

use std::time::Duration;

use acceptance_tests::server::Server;
use acceptance_tests::shop::{Answer, Shop, fresh_word};
use acceptance_tests::wait;
use anyhow::{Context as _, Result, ensure};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::sound;

crate::on_both_stores! {
    of_sixty_four_claims_on_the_last_use_one_is_granted_price_6,
    a_code_is_taken_off_an_order_and_a_use_comes_back_with_it,
    a_customer_uses_a_code_as_often_as_one_may,
    a_code_holds_in_its_time_and_for_enough_goods,
    a_cart_is_quoted_and_ordered_with_its_code,
    codes_are_made_once_listed_and_ended,
}

const CLAIMS: usize = 64;

/// Lists lag by a fraction of a second.
const LISTED_WITHIN: Duration = Duration::from_secs(15);

fn usd(minor: i64) -> Value {
    json!({"minor": minor, "currency": "USD"})
}

/// What a code says, with a name of its own.
fn named(mut promo: Value) -> (String, Value) {
    let code = fresh_word().to_uppercase();
    promo["code"] = json!(code);
    (code, promo)
}

async fn made(shop: &Shop, promo: Value) -> Result<String> {
    let (code, promo) = named(promo);
    let made = shop.post("/v1/promos", &promo).await?.expect(201)?;
    ensure!(made.text("/code")? == code, "{}", made.body);
    Ok(code)
}

/// An order for mugs under a code.
fn order(product: &str, count: i64, code: &str, token: &str) -> Value {
    json!({
        "items": [{"product_id": product, "quantity": count}],
        "payment": {"method": "card", "token": token},
        "promo_code": code,
    })
}

async fn uses(shop: &Shop, code: &str) -> Result<(i64, i64)> {
    let promo = shop.get(&format!("/v1/promos/{code}")).await?.expect(200)?;
    Ok((promo.int("/used")?, promo.int("/held")?))
}

async fn of_sixty_four_claims_on_the_last_use_one_is_granted_price_6(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1_000, 100).await?;
    let code = made(&shop, json!({"percent_bps": 5000, "uses_max": 1})).await?;
    let wish = order(&mug, 1, &code, "tok_ok");
    let claims = join_all((0..CLAIMS).map(|_| shop.post("/v1/orders", &wish))).await;
    let (mut granted, mut refused) = (0, 0);
    for claim in claims {
        let answer: Answer = claim?;
        if answer.status == 201 {
            assert_eq!(answer.at("/discount")?, &usd(500));
            granted += 1;
        } else {
            answer.expect_problem(400, "promo_used_up")?;
            refused += 1;
        }
    }
    assert_eq!((granted, refused), (1, CLAIMS - 1));
    assert_eq!(uses(&shop, &code).await?, (1, 0));
    // Who was refused holds nothing.
    let stock = shop.stock(&mug).await?;
    ensure!((stock.on_hand, stock.held, stock.sold) == (99, 0, 1), "{stock:?}");
    sound(server).await
}

async fn a_code_is_taken_off_an_order_and_a_use_comes_back_with_it(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1_000, 10).await?;
    let code = made(&shop, json!({"amount": usd(300), "uses_max": 1})).await?;
    let declined = shop.post("/v1/orders", &order(&mug, 2, &code, "tok_declined")).await?;
    declined.expect_problem(402, "payment_declined")?;
    assert_eq!(uses(&shop, &code).await?, (0, 0), "a declined order keeps no use");
    let placed = shop.placed(&order(&mug, 2, &code.to_lowercase(), "tok_ok")).await?;
    let id = placed.text("/id")?.to_owned();
    assert_eq!(placed.at("/promo")?, &json!({"code": code, "amount": usd(300)}));
    assert_eq!((placed.at("/discount")?, placed.at("/total")?), (&usd(300), &usd(1_700)));
    assert_eq!(uses(&shop, &code).await?, (1, 0));
    shop.delete(&format!("/v1/orders/{id}")).await?.expect(200)?;
    wait::until("the use comes back", LISTED_WITHIN, || async {
        let left = uses(&shop, &code).await?;
        ensure!(left == (0, 0), "{left:?}");
        Ok(())
    })
    .await?;
    shop.placed(&order(&mug, 1, &code, "tok_ok")).await?;
    sound(server).await
}

async fn a_customer_uses_a_code_as_often_as_one_may(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1_000, 10).await?;
    let code = made(&shop, json!({"percent_bps": 1000, "uses_per_customer": 1})).await?;
    let by = |customer: &str| {
        let mut wish = order(&mug, 1, &code, "tok_ok");
        wish["customer_id"] = json!(customer);
        wish
    };
    shop.placed(&by("alice")).await?;
    let again = shop.post("/v1/orders", &by("alice")).await?;
    again.expect_problem(400, "promo_limit_reached")?;
    shop.placed(&by("bob")).await?;
    sound(server).await
}

async fn a_code_holds_in_its_time_and_for_enough_goods(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1_000, 10).await?;
    for (promo, why) in [
        (json!({"percent_bps": 1, "starts_at": "9000-01-01T00:00:00Z"}), "promo_not_yet_valid"),
        (json!({"percent_bps": 1, "ends_at": "2000-01-01T00:00:00Z"}), "promo_expired"),
        (json!({"percent_bps": 1, "minimum": usd(1_001)}), "promo_minimum_not_reached"),
        (json!({"amount": {"minor": 1, "currency": "EUR"}}), "promo_other_currency"),
    ] {
        let code = made(&shop, promo).await?;
        let refused = shop.post("/v1/orders", &order(&mug, 1, &code, "tok_ok")).await?;
        refused.expect_problem(400, "business_rule_broken")?.expect_field("promo_code", why)?;
    }
    let unknown = shop.post("/v1/orders", &order(&mug, 1, "NOTHING", "tok_ok")).await?;
    unknown.expect_field("promo_code", "unknown_promo_code")?;
    let stock = shop.stock(&mug).await?;
    ensure!((stock.on_hand, stock.held) == (10, 0), "{stock:?}");
    Ok(())
}

async fn a_cart_is_quoted_and_ordered_with_its_code(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 999, 10).await?;
    let code = made(&shop, json!({"percent_bps": 3333, "minimum": usd(2_000)})).await?;
    let cart = shop.post("/v1/carts", &json!({})).await?.expect(201)?.text("/id")?.to_owned();
    let put = async |count: i64| {
        let path = format!("/v1/carts/{cart}/items/{mug}");
        shop.put(&path, &json!({"quantity": count})).await?.expect(200)
    };
    let quote = async || shop.get(&format!("/v1/carts/{cart}/quote")).await?.expect(200);
    put(2).await?;
    let promo = format!("/v1/carts/{cart}/promo");
    let unknown = shop.put(&promo, &json!({"promo_code": "NOTHING"})).await?;
    unknown.expect_field("promo_code", "unknown_promo_code")?;
    shop.put(&promo, &json!({})).await?.expect_field("promo_code", "missing_field")?;
    let set = shop.put(&promo, &json!({"promo_code": code})).await?.expect(200)?;
    assert_eq!(set.text("/promo_code")?, code);
    let short = quote().await?;
    assert_eq!(short.at("/promo/amount")?, &Value::Null);
    assert_eq!(short.text("/promo/errors/0/code")?, "promo_minimum_not_reached");
    assert_eq!(short.at("/amounts/total")?, &usd(1_998));
    put(3).await?;
    let told = quote().await?;
    assert_eq!(told.at("/promo")?, &json!({"code": code, "amount": usd(999), "errors": []}));
    assert_eq!(told.at("/amounts/total")?, &usd(1_998));
    let steps: Vec<_> = told.list("/items/0/steps")?.iter().map(|step| &step["code"]).collect();
    assert_eq!(steps, ["listed_price", "promo_code"]);
    let pay = json!({"payment": {"method": "card", "token": "tok_ok"}});
    let order = shop.post(&format!("/v1/carts/{cart}/checkout"), &pay).await?.expect(201)?;
    assert_eq!((order.at("/discount")?, order.at("/total")?), (&usd(999), &usd(1_998)));
    assert_eq!(order.text("/promo/code")?, code);
    assert_eq!(uses(&shop, &code).await?, (1, 0));
    sound(server).await
}

async fn codes_are_made_once_listed_and_ended(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1_000, 10).await?;
    let (code, promo) = named(json!({"percent_bps": 1000}));
    let first = shop.post("/v1/promos", &promo).await?.expect(201)?;
    let again = shop.post("/v1/promos", &promo).await?.expect(201)?;
    assert_eq!(again.body, first.body);
    let mut other = promo.clone();
    other["percent_bps"] = json!(1001);
    shop.post("/v1/promos", &other).await?.expect_problem(409, "promo_exists")?;
    for (bad, field) in [
        (json!({"code": "a b", "percent_bps": 1}), "code"),
        (json!({"code": "4111111111111111", "percent_bps": 1}), "code"),
        (json!({"code": "X", "percent_bps": 0}), "rebate"),
        (json!({"code": "X", "percent_bps": 1, "amount": usd(1)}), "amount"),
        (json!({"code": "X", "percent_bps": 1, "uses_max": 0}), "uses_max"),
    ] {
        let refused = shop.post("/v1/promos", &bad).await?.expect(422)?;
        let errors = refused.list("/errors")?;
        ensure!(errors.iter().any(|error| error["field"] == field), "{field}: {}", refused.body);
    }
    let ended = shop.delete(&format!("/v1/promos/{code}")).await?.expect(200)?;
    assert_eq!(ended.text("/status")?, "ended");
    let refused = shop.post("/v1/orders", &order(&mug, 1, &code, "tok_ok")).await?;
    let refused = refused.expect_problem(400, "business_rule_broken")?;
    refused.expect_field("promo_code", "promo_ended")?;
    wait::until("it is listed", LISTED_WITHIN, || async {
        let page = shop.get("/v1/promos?status=ended").await?.expect(200)?;
        let first = page.list("/items")?.first().context("nothing is listed")?["code"].clone();
        ensure!(first == json!(code), "{}", page.body);
        Ok(())
    })
    .await?;
    shop.get("/v1/promos/NOTHING").await?.expect(404)?;
    // Its uses are no product.
    shop.get(&format!("/v1/products/promo%2F{code}")).await?.expect(404)?;
    server.shop()?.with_key(None).get("/v1/promos").await?.expect(401)?;
    Ok(())
}
