//! Products and their stock: the samples of the demo, new ones, deliveries and corrections.

use std::time::Duration;

use acceptance_tests::server::Server;
use acceptance_tests::shop::{Answer, Shop, Stock, card_order, fresh_key};
use acceptance_tests::wait;
use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

crate::on_both_stores! {
    the_demo_ships_its_samples,
    the_list_shows_every_product,
    a_product_is_created_and_read_back,
    a_product_without_an_id_gets_one,
    a_product_is_not_created_twice,
    a_delivery_raises_the_stock_and_the_version,
    a_repeated_delivery_counts_once,
    a_correction_never_takes_more_than_is_there,
    a_correction_leaves_held_units_alone,
    a_stale_version_is_refused,
    the_identity_of_stock_holds_under_a_crowd,
}

async fn the_demo_ships_its_samples(server: Server) -> Result<()> {
    let shop = server.shop()?;
    for (id, minor) in [("1", Some(99_999)), ("laptop", Some(99_999)), ("mouse", Some(2550))] {
        let product = shop.get(&format!("/v1/products/{id}")).await?.expect(200)?;
        assert_eq!(product.text("/id")?, id);
        ensure!(!product.text("/name")?.is_empty(), "{id} has no name");
        assert_eq!(product.text("/price/currency")?, "USD");
        assert_eq!(Some(product.int("/price/minor")?), minor, "{id}");
        ensure!(product.stock()?.available > 0, "{id} is sold out from the start");
    }
    assert_eq!(shop.stock("2").await?.available, 100_000);
    shop.get("/v1/products/3").await?.expect(200)?;
    Ok(())
}

async fn the_list_shows_every_product(server: Server) -> Result<()> {
    let shop = server.shop()?;
    shop.stocked("mug", 1250, 5).await?;
    // The list follows the journal.
    wait::until("the list is complete", Duration::from_secs(15), || async {
        let listed = listed(&shop).await?;
        ensure!(listed == ["1", "2", "3", "laptop", "mouse", "mug"], "{listed:?}");
        Ok(())
    })
    .await
}

/// The ids of all products, page by page.
async fn listed(shop: &Shop) -> Result<Vec<String>> {
    let (mut path, mut ids) = ("/v1/products?limit=2".to_owned(), Vec::new());
    loop {
        let page = shop.get(&path).await?.expect(200)?;
        for item in page.list("/items")? {
            ids.extend(item.get("id").and_then(Value::as_str).map(str::to_owned));
        }
        let Some(cursor) = page.at("/next_cursor")?.as_str() else { break };
        path = format!("/v1/products?limit=2&cursor={cursor}");
    }
    ids.sort();
    Ok(ids)
}

async fn a_product_is_created_and_read_back(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let product = json!({
        "id": "mug-blue",
        "name": "Blue mug",
        "price": {"minor": 1250, "currency": "USD"},
        "stock": 12,
    });
    let created = shop.post("/v1/products", &product).await?.expect(201)?;
    assert_eq!(created.header("location"), Some("/v1/products/mug-blue"));
    let read = shop.get("/v1/products/mug-blue").await?.expect(200)?;
    assert_eq!(read.text("/name")?, "Blue mug");
    assert_eq!(read.at("/price")?, &json!({"minor": 1250, "currency": "USD"}));
    let stock = read.stock()?;
    assert_eq!((stock.on_hand, stock.held, stock.available, stock.sold), (12, 0, 12, 0));
    Ok(())
}

async fn a_product_without_an_id_gets_one(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let product = json!({"name": "Nameless", "price": {"minor": 100, "currency": "USD"}});
    let created = shop.post("/v1/products", &product).await?.expect(201)?;
    let stock = shop.stock(created.text("/id")?).await?;
    assert_eq!((stock.on_hand, stock.available), (0, 0));
    Ok(())
}

async fn a_product_is_not_created_twice(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let other = json!({"id": mug, "name": "Other", "price": {"minor": 1, "currency": "USD"}});
    let refused = shop.post("/v1/products", &other).await?;
    ensure!(refused.status == 409, "{}: {}", refused.status, refused.body);
    let read = shop.get("/v1/products/mug").await?.expect(200)?;
    assert_eq!(read.int("/price/minor")?, 1250);
    Ok(())
}

async fn a_delivery_raises_the_stock_and_the_version(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let before = shop.stock(&mug).await?;
    let adjusted = adjust(&shop, &mug, 7, &fresh_key("delivery"), None).await?.expect(200)?;
    adjusted.position()?;
    let after = shop.stock(&mug).await?;
    assert_eq!((after.on_hand, after.available), (12, 12));
    ensure!(after.version > before.version, "{after:?}");
    Ok(())
}

async fn a_repeated_delivery_counts_once(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let key = fresh_key("delivery");
    adjust(&shop, &mug, 7, &key, None).await?.expect(200)?;
    adjust(&shop, &mug, 7, &key, None).await?.expect(200)?;
    assert_eq!(shop.stock(&mug).await?.on_hand, 12);
    Ok(())
}

async fn a_correction_never_takes_more_than_is_there(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    adjust(&shop, &mug, -2, &fresh_key("broken"), None).await?.expect(200)?;
    let before = shop.stock(&mug).await?;
    let refused = adjust(&shop, &mug, -4, &fresh_key("broken"), None).await?;
    ensure!(matches!(refused.status, 409 | 422), "{}: {}", refused.status, refused.body);
    assert_eq!(shop.stock(&mug).await?, before);
    Ok(())
}

async fn a_correction_leaves_held_units_alone(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    shop.placed(&json!({"items": [{"product_id": mug, "quantity": 3}]})).await?;
    let refused = adjust(&shop, &mug, -3, &fresh_key("broken"), None).await?;
    ensure!(matches!(refused.status, 409 | 422), "{}: {}", refused.status, refused.body);
    let stock = shop.stock(&mug).await?;
    assert_eq!((stock.on_hand, stock.held, stock.available), (5, 3, 2));
    Ok(())
}

async fn a_stale_version_is_refused(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let version = shop.stock(&mug).await?.version;
    let seen = format!("\"{version}\"");
    adjust(&shop, &mug, 1, &fresh_key("one"), Some(&seen)).await?.expect(200)?;
    adjust(&shop, &mug, 1, &fresh_key("two"), Some(&seen)).await?.expect(412)?;
    assert_eq!(shop.stock(&mug).await?.on_hand, 6);
    Ok(())
}

async fn the_identity_of_stock_holds_under_a_crowd(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 60).await?;
    let buying = futures::future::try_join_all((0..80).map(|shopper| {
        let token = if shopper % 4 == 0 { "tok_declined" } else { "tok_ok" };
        let (shop, order) = (shop.clone(), card_order(&mug, 1, token));
        async move { shop.place(&fresh_key(&format!("crowd-{shopper}")), &order).await }
    }));
    let watching = async {
        for _ in 0..60 {
            let seen = shop.stock(&mug).await?;
            ensure!(identity(seen, 60), "{seen:?}");
        }
        Ok(())
    };
    let (answers, watched) = futures::join!(buying, watching);
    watched?;
    // A shopper whose card is declined may hold, for a moment, what another is then refused.
    let paid = answers?.iter().filter(|answer| answer.status == 201).count();
    let paid = i64::try_from(paid)?;
    let stock = shop.stock(&mug).await?;
    ensure!(identity(stock, 60) && stock.held == 0 && stock.sold == paid, "{paid}: {stock:?}");
    ensure!(paid > 0, "nobody bought anything");
    Ok(())
}

fn identity(stock: Stock, units: i64) -> bool {
    stock.on_hand == stock.held + stock.available
        && stock.on_hand + stock.sold == units
        && stock.held >= 0
        && stock.available >= 0
}

async fn adjust(
    shop: &Shop,
    product: &str,
    delta: i64,
    key: &str,
    version: Option<&str>,
) -> Result<Answer> {
    let mut headers = vec![("idempotency-key", key)];
    headers.extend(version.map(|version| ("if-match", version)));
    let body = serde_json::to_vec(&json!({"delta": delta, "reason": "count"}))?;
    shop.send(Method::POST, &format!("/v1/products/{product}/stock"), &headers, Some(body)).await
}
