//! The edge with nothing behind it: the same doors and the same parsing, then an answer.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actors::admission::{Admission, ConnectionCap};
use axum::Router;
use axum::response::Response;
use axum::routing::post;
use engine::values::Currency;
use http::StatusCode;
use serde_json::json;

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
use crate::wire::Json;
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

/// Does everything that the real handler does before and after it asks the engine.
async fn place(call: Call, key: RequestKey, body: Json<NewOrder>) -> Result<Response, Problem> {
    let account = &call.allowed(Scope::Orders)?.account;
    let order = key.order(account);
    let fingerprint = fingerprint(&body.0)?;
    let amount = |minor: u32| json!({"minor": minor, "currency": Currency::USD});
    let items: Vec<_> = body
        .0
        .items
        .iter()
        .zip(0_u16..)
        .map(|(item, index)| {
            json!({"id": order.item(index), "product_id": item.0.product_id,
               "quantity": item.0.quantity, "unit_price": amount(2_550)})
        })
        .collect();
    let body = json!({
        "id": order, "customer_id": account, "status": "PENDING", "payment_status": "paid",
        "items": items, "subtotal": amount(2_550), "discount": amount(0), "shipping": amount(0),
        "duties": amount(0), "tax": amount(0), "total": amount(2_550), "channel": "api",
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "version": 3,
        "fingerprint": fingerprint,
    });
    Ok(Reply::new(StatusCode::CREATED, &body)
        .location(&format!("/v1/orders/{order}"))
        .into_response())
}
