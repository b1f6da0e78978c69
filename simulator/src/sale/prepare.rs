//! Before the doors open: the run's own products, or the stock of existing ones.

use std::rc::Rc;

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use serde_json::json;

use super::ask::{Clerk, SaleError, insist, stock_of};
use super::{Plan, SIDE_CALLS};
use crate::client::{Call, Fault, Reply};
use crate::crowd::retry::Patience;
use crate::history::{Ask, Wanted};
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

/// The same as the history tells it.
pub(super) fn order_ask(product: &str, quantity: u32) -> Ask {
    Ask::Place(vec![Wanted { product: product.into(), n: u64::from(quantity) }])
}

/// Makes all products ready and reads their stock.
///
/// # Errors
/// [`SaleError`] when one of them cannot be made ready.
pub(super) async fn shelves(clerk: Clerk<'_>, plan: &Plan) -> Result<Vec<Shelf>, SaleError> {
    stream::iter(0..plan.products)
        .map(|number| shelf(clerk, plan, number))
        .buffered(SIDE_CALLS)
        .try_collect()
        .await
}

async fn shelf(clerk: Clerk<'_>, plan: &Plan, number: u32) -> Result<Shelf, SaleError> {
    let base = plan.product_id.as_deref().unwrap_or(&plan.run);
    let product: Rc<str> = match plan.products {
        1 => Rc::from(base),
        _ => Rc::from(format!("{base}-{number}")),
    };
    let place = Place { clerk, plan, product: &product, number };
    let before = match &plan.product_id {
        None => place.create().await?,
        Some(_) => place.find_or_create().await?,
    };
    Ok(Shelf { product, before, after: None })
}

/// Where one product is made ready.
struct Place<'a> {
    clerk: Clerk<'a>,
    plan: &'a Plan,
    product: &'a str,
    number: u32,
}

impl Place<'_> {
    async fn find_or_create(&self) -> Result<Stock, SaleError> {
        let page = self.look().await?;
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
        let call = self.post("/v1/products", "create", &body);
        // A product that is not there has no stock that a history could tell of.
        let exchange = async || self.clerk.pool.exchange(&call).await;
        let reply = insist(exchange, Patience::new(self.plan.tries), &mut self.chance()).await;
        let reply = self.answered("creating", reply)?;
        if !(200..300).contains(&reply.status) {
            return Err(SaleError::refused(self.doing("creating"), &reply));
        }
        self.read().await
    }

    /// Moves the available units of an existing product to `wanted`.
    async fn set(&self, found: Stock, wanted: u64) -> Result<Stock, SaleError> {
        let delta = i128::from(wanted).saturating_sub(i128::from(found.available));
        let delta = i64::try_from(delta).unwrap_or(i64::MAX);
        let body = json!({
            "delta": delta,
            "reason": format!("stock for load run {}", self.plan.run),
        });
        let path = format!("/v1/products/{}/stock", self.product);
        let question = Ask::Restock(self.product.into(), delta);
        let call = self.post(&path, "stock", &body);
        let reply = self.ask("stocking", &call, &question).await?;
        if !(200..300).contains(&reply.status) {
            return Err(SaleError::refused(self.doing("stocking"), &reply));
        }
        self.read().await
    }

    async fn read(&self) -> Result<Stock, SaleError> {
        let page = self.look().await?;
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

    async fn look(&self) -> Result<Reply, SaleError> {
        let call = Call::get(format!("/v1/products/{}", self.product));
        self.ask("reading", &call, &Ask::Look(self.product.into())).await
    }

    async fn ask(&self, verb: &str, call: &Call, question: &Ask) -> Result<Reply, SaleError> {
        let patience = Patience::new(self.plan.tries);
        let reply = self.clerk.ask(call, question, patience, &mut self.chance()).await;
        self.answered(verb, reply)
    }

    fn answered(&self, verb: &str, reply: Result<Reply, Fault>) -> Result<Reply, SaleError> {
        reply.map_err(|fault| SaleError::NoAnswer { doing: self.doing(verb), fault })
    }

    fn chance(&self) -> Xoshiro256PlusPlus {
        Xoshiro256PlusPlus::seed_from_u64(self.plan.seed ^ u64::from(self.number))
    }

    fn post(&self, path: &str, step: &str, body: &serde_json::Value) -> Call {
        let key = format!("{}-{step}-{}", self.plan.run, self.number);
        Call::post(path, key, Bytes::from(body.to_string()))
    }

    fn doing(&self, verb: &str) -> String {
        format!("{verb} product {} at {}", self.product, self.plan.url)
    }
}
