//! What the journal says of an order and of a stock.

use acceptance_tests::server::Server;
use acceptance_tests::shop::{Answer, Shop, card_order};
use anyhow::{Result, ensure};

crate::on_both_stores! {
    the_audit_of_an_order_says_who_did_what_and_when_aud_1,
    every_change_of_a_stock_stands_in_its_movements_inv_7,
    what_cannot_be_asked_is_refused,
}

async fn the_audit_of_an_order_says_who_did_what_and_when_aud_1(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let order = shop.placed(&card_order("mouse", 1, "tok_ok")).await?;
    let id = order.text("/id")?;
    let path = format!("/v1/audit?stream=order/{id}");
    let audit = eventually(&shop, &path, 3).await?;
    let first = format!("/items/{}", audit.list("/items")?.len() - 1);
    assert_eq!(audit.text(&format!("{first}/what"))?, "order.placed");
    for field in ["at", "by", "request", "position", "hash"] {
        ensure!(!audit.text(&format!("{first}/{field}"))?.is_empty(), "{field}: {}", audit.body);
    }
    assert_eq!(audit.text(&format!("{first}/hash"))?.len(), 64);
    let told = audit.body.to_string();
    ensure!(!told.contains("tok_ok") && !told.contains("personal"), "{told}");
    assert_eq!(audit.int(&format!("{first}/number"))?, 1);
    // Page by page it is the same.
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = shop.get(&format!("{path}&limit=1{cursor}")).await?.expect(200)?;
        seen.extend(page.list("/items")?.iter().cloned());
        let Some(next) = page.at("/next_cursor")?.as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(&seen, audit.list("/items")?);
    Ok(())
}

async fn every_change_of_a_stock_stands_in_its_movements_inv_7(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    shop.placed(&card_order(&mug, 2, "tok_ok")).await?;
    let movements = eventually(&shop, &format!("/v1/products/{mug}/movements"), 3).await?;
    let what: Vec<&str> =
        movements.list("/items")?.iter().filter_map(|entry| entry["what"].as_str()).collect();
    assert_eq!(what, ["inventory.committed", "inventory.held", "inventory.adjusted"]);
    shop.get("/v1/products/nothing-of-the-kind/movements").await?.expect(404)?;
    Ok(())
}

async fn what_cannot_be_asked_is_refused(server: Server) -> Result<()> {
    let shop = server.shop()?;
    shop.get("/v1/audit").await?.expect_field("stream", "missing_field")?;
    shop.get("/v1/audit?stream=order").await?.expect_field("stream", "invalid_value")?;
    shop.get("/v1/audit?stream=order/1&limit=1001")
        .await?
        .expect_field("limit", "invalid_value")?;
    assert_eq!(shop.get("/v1/audit?stream=order/1").await?.expect(200)?.list("/items")?.len(), 0);
    server.shop()?.with_key(None).get("/v1/audit?stream=order/1").await?.expect(401)?;
    Ok(())
}

/// The page, once the views know of so many entries.
async fn eventually(shop: &Shop, path: &str, entries: usize) -> Result<Answer> {
    acceptance_tests::wait::until("it is told", std::time::Duration::from_secs(15), || async {
        let found = shop.get(path).await?.expect(200)?.list("/items")?.len();
        ensure!(entries <= found, "{found} entries");
        Ok(())
    })
    .await?;
    shop.get(path).await?.expect(200)
}
