//! The peer's handlers and wire forms: the same request and the same order body as Millrace.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep_until};
use uuid::{Builder, Uuid};

use crate::Shop;
use crate::store::{Order, Placed, Wish};

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// `POST /v1/orders`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderRequest {
    customer_id: Option<String>,
    items: [ItemRequest; 1],
    payment: PaymentRequest,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemRequest {
    product_id: String,
    quantity: u16,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PaymentRequest {
    method: Method,
    token: Token,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Method {
    Card,
}

#[derive(Debug, Deserialize)]
enum Token {
    #[serde(rename = "tok_ok")]
    Ok,
}

#[derive(Debug, Serialize)]
struct Money {
    minor: i64,
    currency: &'static str,
}

#[derive(Debug, Serialize)]
struct ItemBody<'a> {
    id: &'static str,
    product_id: &'a str,
    quantity: i64,
    unit_price: Money,
}

#[derive(Debug, Serialize)]
struct OrderBody<'a> {
    id: Uuid,
    customer_id: Option<&'a str>,
    status: &'static str,
    payment_status: &'static str,
    items: [ItemBody<'a>; 1],
    subtotal: Money,
    discount: Money,
    shipping: Money,
    duties: Money,
    tax: Money,
    total: Money,
    channel: &'static str,
    created_at: &'a str,
    updated_at: &'a str,
    version: u64,
}

/// Places and charges an order.
pub(crate) async fn place(
    State(shop): State<Arc<Shop>>,
    headers: HeaderMap,
    body: Result<Json<OrderRequest>, JsonRejection>,
) -> Response {
    let header = |name| headers.get(name).map(HeaderValue::as_bytes);
    if header("x-api-key") != Some(shop.api_key.as_bytes()) {
        return problem(StatusCode::UNAUTHORIZED, "unauthorized");
    }
    let Some(key) = header("idempotency-key") else {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_missing");
    };
    let Json(OrderRequest { customer_id, items: [item], payment }) = match body {
        Ok(body) => body,
        Err(rejection) => return problem(rejection.status(), "validation_failed"),
    };
    if item.quantity == 0 {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "validation_failed");
    }
    let (Method::Card, Token::Ok) = (payment.method, payment.token);
    let wish = Wish {
        id: order_id(key),
        product_id: item.product_id,
        quantity: i64::from(item.quantity),
        customer_id,
        created_at_us: jiff::Timestamp::now().as_microsecond(),
    };
    match buy(&shop, wish).await {
        Ok(Placed::New(order)) => shown(&order, false),
        Ok(Placed::Before(order)) => shown(&order, true),
        Ok(Placed::Refused) => problem(StatusCode::CONFLICT, "insufficient_stock"),
        Err(_) => problem(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable"),
    }
}

async fn buy(shop: &Shop, wish: Wish) -> sqlx::Result<Placed> {
    let mut placed = shop.store.place(wish).await?;
    if let Placed::New(order) | Placed::Before(order) = &mut placed
        && !order.paid
    {
        // No connection is held here.
        if !shop.charge.is_zero() {
            sleep_until(Instant::now() + shop.charge).await;
        }
        shop.store.mark_paid(order.id).await?;
        order.paid = true;
    }
    Ok(placed)
}

/// Shows what a product had and has, in the form of Millrace's product page.
pub(crate) async fn product(State(shop): State<Arc<Shop>>, Path(id): Path<String>) -> Response {
    match shop.store.units(&id).await {
        Ok(Some((initial, available))) => {
            let sold = initial.saturating_sub(available);
            let stock =
                json!({ "on_hand": available, "held": 0, "available": available, "sold": sold });
            Json(json!({ "id": id, "stock": stock })).into_response()
        }
        Ok(None) => problem(StatusCode::NOT_FOUND, "unknown_product"),
        Err(_) => problem(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable"),
    }
}

/// The same key names the same order, always.
fn order_id(key: &[u8]) -> Uuid {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(Sha256::digest(key)).for_each(|(to, from)| *to = from);
    Builder::from_custom_bytes(bytes).into_uuid()
}

fn shown(order: &Order, replayed: bool) -> Response {
    let at = jiff::Timestamp::from_microsecond(order.created_at_us).unwrap_or_default().to_string();
    let money = |minor| Money { minor, currency: "USD" };
    let total = order.unit_price_minor.saturating_mul(order.quantity);
    let body = OrderBody {
        id: order.id,
        customer_id: order.customer_id.as_deref(),
        status: "PENDING",
        payment_status: if order.paid { "paid" } else { "unpaid" },
        items: [ItemBody {
            id: "1",
            product_id: &order.product_id,
            quantity: order.quantity,
            unit_price: money(order.unit_price_minor),
        }],
        subtotal: money(total),
        discount: money(0),
        shipping: money(0),
        duties: money(0),
        tax: money(0),
        total: money(total),
        channel: "web",
        created_at: &at,
        updated_at: &at,
        version: if order.paid { 2 } else { 1 },
    };
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    if replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

fn problem(status: StatusCode, code: &'static str) -> Response {
    (status, Json(json!({ "status": status.as_u16(), "code": code }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_one_order_and_another_key_another() {
        assert_eq!(order_id(b"one"), order_id(b"one"));
        assert_ne!(order_id(b"one"), order_id(b"two"));
        assert_eq!(order_id(b"one").get_version_num(), 8);
    }

    #[test]
    fn an_order_is_of_one_line_paid_by_card() {
        let read = |text: &str| serde_json::from_str::<OrderRequest>(text).is_ok();
        let line = r#"{"product_id":"bench-0000","quantity":1}"#;
        let card = r#""payment":{"method":"card","token":"tok_ok"}"#;
        assert!(read(&format!(r#"{{"items":[{line}],{card}}}"#)));
        assert!(!read(&format!(r#"{{"items":[{line},{line}],{card}}}"#)));
        assert!(!read(&format!(r#"{{"items":[],{card}}}"#)));
        assert!(!read(&format!(r#"{{"items":[{line}],"gift":1,{card}}}"#)));
        assert!(!read(&format!(r#"{{"items":[{line}],"payment":{{"method":"cash"}}}}"#)));
    }

    #[tokio::test]
    async fn the_body_has_every_field_of_an_order() {
        let order = Order {
            id: order_id(b"one"),
            product_id: "bench-0000".to_owned(),
            quantity: 2,
            unit_price_minor: 1_999,
            customer_id: None,
            created_at_us: 1_700_000_000_000_000,
            paid: true,
        };
        let response = shown(&order, true);
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers().get(REPLAYED), Some(&HeaderValue::from_static("true")));
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let fields: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = [
            "id",
            "customer_id",
            "status",
            "payment_status",
            "items",
            "subtotal",
            "discount",
            "shipping",
            "duties",
            "tax",
            "total",
            "channel",
            "created_at",
            "updated_at",
            "version",
        ];
        expected.sort_unstable();
        assert_eq!(fields, expected);
        assert_eq!(body["total"]["minor"], 3_998);
        assert_eq!(body["created_at"], "2023-11-14T22:13:20Z");
    }
}
