//! The edge with nothing behind it: the same doors and the same parsing, then an answer.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actors::admission::{Admission, ConnectionCap};
use axum::Router;
use axum::response::Response;
use axum::routing::post;
use engine::values::{Currency, ItemId, Moment, Money, OrderId};
use http::StatusCode;
use serde::Serialize;

use super::serve::{admission, bind};
use super::signals::stop_when_asked;
use super::{Failure, on_runtime};
use crate::access::{DEMO_KEY, Keys, Principal, Scope};
use crate::call::Call;
use crate::cli::EdgeArgs;
use crate::front::{Front, FrontConfig};
use crate::idempotency::{RequestKey, fingerprint};
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::orders::wish::NewOrder;
use crate::wire::{Json, MoneyBody, instant};
use crate::{listener, telemetry};

/// Serves `POST /v1/orders` without an engine.
pub(super) fn edge_only(args: &EdgeArgs) -> Result<ExitCode, Failure> {
    let keys = Keys::default().with(DEMO_KEY, Principal::new("demo", &Scope::ALL)?.exempt());
    on_runtime(args.workers(), async {
        telemetry::keep_folding(telemetry::record_figures()?);
        let admission = Admission::start(admission(args)).await?;
        let router = Router::new().route("/v1/orders", post(place));
        let config = FrontConfig { body_limit: args.body_limit, ..FrontConfig::default() };
        let front = Arc::new(Front::new(admission, keys, router, config));
        let stop = stop_when_asked(Arc::new(AtomicBool::new(false)))?;
        let cap = ConnectionCap::new(args.connections_max);
        let drain = Duration::from_secs(1);
        listener::serve(bind(args)?, front, cap, stop, drain).await;
        Ok(ExitCode::SUCCESS)
    })
}

/// The order that nobody placed, in the form of a real one.
#[derive(Serialize)]
struct Nothing<'a> {
    id: OrderId,
    customer_id: &'a str,
    status: &'static str,
    payment_status: &'static str,
    items: Vec<NothingItem<'a>>,
    subtotal: MoneyBody,
    discount: MoneyBody,
    shipping: MoneyBody,
    duties: MoneyBody,
    tax: MoneyBody,
    total: MoneyBody,
    channel: &'static str,
    created_at: crate::wire::Instant,
    updated_at: crate::wire::Instant,
    version: u64,
}

#[derive(Serialize)]
struct NothingItem<'a> {
    id: ItemId,
    product_id: &'a str,
    quantity: i64,
    unit_price: MoneyBody,
}

/// Does everything that the real handler does before and after it asks the engine.
async fn place(call: Call, key: RequestKey, body: Json<NewOrder>) -> Result<Response, Problem> {
    let account = &call.allowed(Scope::Orders)?.account;
    let order = key.order(account);
    let fingerprint = fingerprint(&body.0)?;
    // As dear as the command that the real handler builds; nobody takes it.
    drop(call.asking(Some(&key), Some(fingerprint)));
    let amount = |minor| MoneyBody::from(Money::new(minor, Currency::USD));
    let items = body.0.items.iter().zip(0_u16..).map(|(item, index)| NothingItem {
        id: order.item(index),
        product_id: &item.0.product_id,
        quantity: item.0.quantity,
        unit_price: amount(2_550),
    });
    let at = instant(Moment::from_unix_micros(1_700_000_000_000_001));
    let body = Nothing {
        id: order,
        customer_id: account,
        status: "PENDING",
        payment_status: "paid",
        items: items.collect(),
        subtotal: amount(2_550),
        discount: amount(0),
        shipping: amount(0),
        duties: amount(0),
        tax: amount(0),
        total: amount(2_550),
        channel: "api",
        created_at: at,
        updated_at: at,
        version: 3,
    };
    Ok(Reply::new(StatusCode::CREATED, &body).location("/v1/orders", order).into_response())
}
