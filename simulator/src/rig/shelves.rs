//! The products of a measurement: put on the shelf before it, and looked at after it.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::request::product_id;
use crate::client::{Call, Pool};
use crate::record::Stock;

/// Offers products by number, each with so many units.
pub(crate) async fn fill(
    pool: &Pool,
    products: impl Iterator<Item = (u32, u64)>,
) -> anyhow::Result<()> {
    for (number, units) in products {
        let id = product_id(number);
        let body = json!({
            "id": id,
            "name": format!("Measured {number}"),
            "price": { "minor": 1_999, "currency": "USD" },
            "stock": units,
        });
        let body = Bytes::from(body.to_string());
        let call = Call::post("/v1/products", format!("create-{id}"), body);
        let reply = pool.exchange(&call).await?;
        if reply.status != 201 {
            let body = String::from_utf8_lossy(&reply.body);
            bail!("creating product {id}: {} {body}", reply.status);
        }
    }
    Ok(())
}

/// What the page of a product says about its stock.
pub(crate) async fn stock(pool: &Pool, number: u32) -> anyhow::Result<Stock> {
    #[derive(Deserialize)]
    struct Page {
        stock: Stock,
    }
    let path = format!("/v1/products/{}", product_id(number));
    let reply = pool.exchange(&Call::get(&path)).await?;
    let page: Page = serde_json::from_slice(&reply.body)
        .with_context(|| format!("GET {path}: {}", reply.status))?;
    Ok(page.stock)
}
