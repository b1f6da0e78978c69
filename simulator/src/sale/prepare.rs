//! Before the doors open: the run's own products, or the stock of existing ones.

use std::rc::Rc;

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use serde_json::json;

use super::ask::{SaleError, ask, stock_of};
use super::{Plan, SIDE_CALLS};
use crate::client::{Call, Pool, Reply};
use crate::crowd::retry::Patience;
use crate::record::{Shelf, Stock};

/// Price of a product that a run creates, in US cents.
const PRICE: i64 = 1_999;

/// The order that every shopper sends for one product.
pub(super) fn order_body(product: &str, quantity: u32) -> Bytes {
    let order = json!({
        "items": [{ "product_id": product, "quantity": quantity }],
        "payment": { "method": "card", "token": "tok_ok" },
    });
    Bytes::from(order.to_string())
}

/// Makes all products ready and reads their stock.
///
/// # Errors
/// [`SaleError`] when one of them cannot be made ready.
pub(super) async fn shelves(pool: &Pool, plan: &Plan) -> Result<Vec<Shelf>, SaleError> {
    stream::iter(0..plan.products)
        .map(|number| shelf(pool, plan, number))
        .buffered(SIDE_CALLS)
        .try_collect()
        .await
}

async fn shelf(pool: &Pool, plan: &Plan, number: u32) -> Result<Shelf, SaleError> {
    let base = plan.product_id.as_deref().unwrap_or(&plan.run);
    let product: Rc<str> = match plan.products {
        1 => Rc::from(base),
        _ => Rc::from(format!("{base}-{number}")),
    };
    let clerk = Clerk { pool, plan, product: &product, number };
    let before = match &plan.product_id {
        None => clerk.create().await?,
        Some(_) => clerk.find_or_create().await?,
    };
    Ok(Shelf { product, before, after: None })
}

/// Makes one product ready.
struct Clerk<'a> {
    pool: &'a Pool,
    plan: &'a Plan,
    product: &'a str,
    number: u32,
}

impl Clerk<'_> {
    async fn find_or_create(&self) -> Result<Stock, SaleError> {
        let page = self.ask("reading", &self.page()).await?;
        match page.status {
            404 => self.create().await,
            200 => {
                let found = self.stock(&page)?;
                match self.plan.stock {
                    Some(wanted) if wanted != found.available => self.set(found, wanted).await,
                    Some(_) | None => Ok(found),
                }
            }
            _ => Err(SaleError::refused(self.doing("reading"), &page)),
        }
    }

    async fn create(&self) -> Result<Stock, SaleError> {
        let stock = self.plan.stock.unwrap_or(self.plan.fresh_stock);
        let body = json!({
            "id": self.product,
            "name": format!("Load run {}", self.product),
            "price": { "minor": PRICE, "currency": "USD" },
            "stock": stock,
        });
        let reply = self.ask("creating", &self.post("/v1/products", "create", &body)).await?;
        if !(200..300).contains(&reply.status) {
            return Err(SaleError::refused(self.doing("creating"), &reply));
        }
        self.read().await
    }

    /// Moves the available units of an existing product to `wanted`.
    async fn set(&self, found: Stock, wanted: u64) -> Result<Stock, SaleError> {
        let delta = i128::from(wanted).saturating_sub(i128::from(found.available));
        let body = json!({
            "delta": i64::try_from(delta).unwrap_or(i64::MAX),
            "reason": format!("stock for load run {}", self.plan.run),
        });
        let path = format!("/v1/products/{}/stock", self.product);
        let reply = self.ask("stocking", &self.post(&path, "stock", &body)).await?;
        if !(200..300).contains(&reply.status) {
            return Err(SaleError::refused(self.doing("stocking"), &reply));
        }
        self.read().await
    }

    async fn read(&self) -> Result<Stock, SaleError> {
        let page = self.ask("reading", &self.page()).await?;
        if page.status != 200 {
            return Err(SaleError::refused(self.doing("reading"), &page));
        }
        self.stock(&page)
    }

    fn stock(&self, page: &Reply) -> Result<Stock, SaleError> {
        stock_of(page).map_err(|error| SaleError::Unreadable {
            doing: self.doing("reading"),
            reason: error.to_string(),
        })
    }

    async fn ask(&self, verb: &str, call: &Call) -> Result<Reply, SaleError> {
        let mut chance = Xoshiro256PlusPlus::seed_from_u64(self.plan.seed ^ u64::from(self.number));
        ask(self.pool, call, Patience::new(self.plan.tries), &mut chance)
            .await
            .map_err(|fault| SaleError::NoAnswer { doing: self.doing(verb), fault })
    }

    fn page(&self) -> Call {
        Call::get(format!("/v1/products/{}", self.product))
    }

    fn post(&self, path: &str, step: &str, body: &serde_json::Value) -> Call {
        let key = format!("{}-{step}-{}", self.plan.run, self.number);
        Call::post(path, key, Bytes::from(body.to_string()))
    }

    fn doing(&self, verb: &str) -> String {
        format!("{verb} product {} at {}", self.product, self.plan.url)
    }
}
