//! Lists of orders: filtered, paged, complete.

use std::collections::BTreeSet;
use std::time::Duration;

use acceptance_tests::server::Server;
use acceptance_tests::shop::{Answer, Shop, card_order};
use acceptance_tests::wait;
use anyhow::{Result, ensure};
use serde_json::json;

crate::on_both_stores! {
    pages_show_every_order_once,
    a_cursor_walks_through_every_order_once,
    a_filter_by_status_shows_only_that_status,
    a_page_beyond_the_end_is_empty,
    a_page_that_can_never_be_right_is_refused,
}

async fn pages_show_every_order_once(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let placed = place(&shop, 7).await?;
    let mut seen = Vec::new();
    for page in 1..=3 {
        let page = shop.get(&format!("/v1/orders?page={page}&limit=3")).await?.expect(200)?;
        assert_eq!(page.int("/total")?, 7);
        assert_eq!(page.int("/limit")?, 3);
        seen.extend(ids(&page)?);
    }
    assert_eq!(seen.len(), 7);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), placed);
    Ok(())
}

async fn a_cursor_walks_through_every_order_once(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let placed = place(&shop, 7).await?;
    let (mut path, mut seen) = ("/v1/orders?limit=2".to_owned(), Vec::new());
    loop {
        let page = shop.get(&path).await?.expect(200)?;
        seen.extend(ids(&page)?);
        let Some(cursor) = page.at("/next_cursor")?.as_str() else { break };
        ensure!(seen.len() <= 7, "the cursor goes round in circles");
        path = format!("/v1/orders?limit=2&cursor={cursor}");
    }
    assert_eq!(seen.len(), 7);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), placed);
    Ok(())
}

async fn a_filter_by_status_shows_only_that_status(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let placed = place(&shop, 4).await?;
    let first = placed.first().cloned().unwrap_or_default();
    let path = format!("/v1/orders/{first}/status");
    shop.put(&path, &json!({"status": "PROCESSING"})).await?.expect(200)?;
    wait::until("the list has seen the change", Duration::from_secs(15), || async {
        let moved = shop.get("/v1/orders?status=PROCESSING").await?.expect(200)?;
        ensure!(ids(&moved)? == [first.clone()], "{}", moved.body);
        assert_eq!(moved.int("/total")?, 1);
        let waiting = shop.get("/v1/orders?status=PENDING").await?.expect(200)?;
        ensure!(waiting.int("/total")? == 3, "{}", waiting.body);
        Ok(())
    })
    .await?;
    shop.get("/v1/orders?status=LOST").await?.expect_problem(422, "validation_failed")?;
    Ok(())
}

async fn a_page_beyond_the_end_is_empty(server: Server) -> Result<()> {
    let shop = server.shop()?;
    place(&shop, 2).await?;
    let page = shop.get("/v1/orders?page=9&limit=5").await?.expect(200)?;
    assert_eq!(ids(&page)?.len(), 0);
    assert_eq!(page.int("/total")?, 2);
    Ok(())
}

async fn a_page_that_can_never_be_right_is_refused(server: Server) -> Result<()> {
    let shop = server.shop()?;
    for query in ["page=0", "page=-1", "limit=0", "limit=-1", "limit=1000000", "page=x", "cursor=x"]
    {
        let refused = shop.get(&format!("/v1/orders?{query}")).await?;
        refused.expect_problem(422, "validation_failed")?;
    }
    Ok(())
}

/// Places orders, and waits until the list, which follows the journal, has them all.
async fn place(shop: &Shop, count: usize) -> Result<BTreeSet<String>> {
    let mut placed = BTreeSet::new();
    for _ in 0..count {
        placed
            .insert(shop.placed(&card_order("mouse", 1, "tok_ok")).await?.text("/id")?.to_owned());
    }
    wait::until("the list is complete", Duration::from_secs(15), || async {
        let list = shop.get("/v1/orders?limit=1").await?.expect(200)?;
        ensure!(list.int("/total")? == i64::try_from(count)?, "{}", list.body);
        Ok(())
    })
    .await?;
    Ok(placed)
}

fn ids(page: &Answer) -> Result<Vec<String>> {
    let items = page.list("/items")?.iter();
    Ok(items.filter_map(|item| Some(item.get("id")?.as_str()?.to_owned())).collect())
}
