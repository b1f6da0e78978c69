//! Shops that lie in one way each: the reckoning must find out which.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Audit, Burst, Shelf};
use crate::shop::Shop;

const UNITS: i64 = 25;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    None,
    Forgets,
    RenamesRepeats,
    SellsTwice,
    DoublesInTheList,
    KeepsHolds,
    LeavesQueued,
    BlamesTheClient,
    TakesBack,
}

struct Books {
    lie: Lie,
    orders: BTreeMap<String, Value>,
}

impl Books {
    fn sold(&self) -> i64 {
        i64::try_from(self.orders.len()).unwrap_or(i64::MAX)
    }

    fn place(&mut self, key: &str, order: &Value) -> (StatusCode, Value) {
        if let Some(known) = self.orders.get(key) {
            let mut known = known.clone();
            if self.lie == Lie::TakesBack && key.ends_with('1') {
                let problem = json!({"code": "order_cancelled", "order_id": known["id"]});
                return (StatusCode::PAYMENT_REQUIRED, problem);
            }
            // Shoppers repeat every fifth key at once; this one only the reckoning repeats.
            if self.lie == Lie::RenamesRepeats && key.ends_with('1') {
                known["id"] = json!("another");
            }
            return (StatusCode::CREATED, known);
        }
        let limit = if self.lie == Lie::SellsTwice { UNITS + 1 } else { UNITS };
        if self.sold() >= limit {
            let (status, code) = if self.lie == Lie::BlamesTheClient {
                (StatusCode::BAD_REQUEST, "bad")
            } else {
                (StatusCode::CONFLICT, "insufficient_stock")
            };
            return (status, json!({"code": code, "retryable": false}));
        }
        let payment = if self.lie == Lie::LeavesQueued { "queued" } else { "paid" };
        let order = json!({
            "id": format!("order-{key}"),
            "items": order["items"],
            "total": {"minor": 1, "currency": "USD"},
            "payment_status": payment,
        });
        self.orders.insert(key.to_owned(), order.clone());
        (StatusCode::CREATED, order)
    }

    fn read(&self, id: &str) -> (StatusCode, Value) {
        let first = self.orders.values().next();
        match self.orders.values().find(|order| order["id"] == id) {
            Some(order) if self.lie == Lie::Forgets && Some(order) == first => {
                (StatusCode::NOT_FOUND, Value::Null)
            }
            Some(order) => (StatusCode::OK, order.clone()),
            None => (StatusCode::NOT_FOUND, Value::Null),
        }
    }

    fn stock(&self) -> Value {
        let sold = if self.lie == Lie::LeavesQueued { 0 } else { self.sold() };
        let held = i64::from(self.lie == Lie::KeepsHolds);
        let on_hand = UNITS - sold;
        let available = on_hand - held;
        json!({"stock": {"on_hand": on_hand, "held": held, "available": available,
                         "sold": sold, "version": 1}})
    }
}

type Shared = Arc<Mutex<Books>>;

fn with<T>(books: &Shared, look: impl FnOnce(&mut Books) -> T) -> T {
    look(&mut books.lock().unwrap_or_else(PoisonError::into_inner))
}

async fn place(
    State(books): State<Shared>,
    headers: HeaderMap,
    Json(order): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or_default();
    let (status, body) = with(&books, |books| books.place(key, &order));
    (status, Json(body))
}

async fn list(State(books): State<Shared>) -> Json<Value> {
    let extra = with(&books, |books| i64::from(books.lie == Lie::DoublesInTheList));
    Json(json!({"total": with(&books, |books| books.sold()) + extra}))
}

async fn read(State(books): State<Shared>, Path(id): Path<String>) -> (StatusCode, Json<Value>) {
    let (status, body) = with(&books, |books| books.read(&id));
    (status, Json(body))
}

async fn stock(State(books): State<Shared>) -> Json<Value> {
    Json(with(&books, |books| books.stock()))
}

/// Lets a crowd of six buy from a shop with this lie, and takes stock.
async fn audit(lie: Lie) -> Result<Audit> {
    let books = Arc::new(Mutex::new(Books { lie, orders: BTreeMap::new() }));
    let router = Router::new()
        .route("/v1/orders", post(place).get(list))
        .route("/v1/orders/{id}", get(read))
        .route("/v1/products/{id}", get(stock))
        .with_state(books);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let shop = Shop::new(&format!("http://{}", listener.local_addr()?))?;
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move { axum::serve(listener, router).await });
    let mut burst = Burst::start(&shop, "liar", 6, &["mug"]);
    burst.answered(40).await?;
    let tries = burst.stop().await?;
    Audit::take(&shop, &tries, &[Shelf { product: "mug".to_owned(), units: UNITS }]).await
}

async fn finds(lie: Lie, wrong: impl Fn(&Audit) -> bool) {
    let audit = audit(lie).await.unwrap();
    assert!(wrong(&audit), "{lie:?}: {audit}");
    assert!(audit.clean().is_err(), "{lie:?}: {audit}");
}

#[tokio::test]
async fn an_honest_shop_comes_out_even() {
    let audit = audit(Lie::None).await.unwrap();
    audit.clean().unwrap();
    assert_eq!(audit.acked, 25);
    assert!(audit.refused >= 15, "{audit}");
}

#[tokio::test]
async fn a_forgotten_order_is_found() {
    finds(Lie::Forgets, |audit| audit.lost == 1).await;
}

#[tokio::test]
async fn a_repeat_that_names_another_order_is_found() {
    finds(Lie::RenamesRepeats, |audit| audit.changed > 0).await;
}

#[tokio::test]
async fn an_order_that_is_taken_back_is_found() {
    finds(Lie::TakesBack, |audit| 0 < audit.lost).await;
}

#[tokio::test]
async fn a_unit_sold_twice_is_found() {
    finds(Lie::SellsTwice, |audit| audit.oversold == 1).await;
}

#[tokio::test]
async fn an_order_that_nobody_placed_is_found() {
    finds(Lie::DoublesInTheList, |audit| audit.duplicated == 1).await;
}

#[tokio::test]
async fn a_hold_that_never_ends_is_found() {
    finds(Lie::KeepsHolds, |audit| audit.held == 1).await;
}

#[tokio::test]
async fn an_order_that_nobody_finishes_is_found() {
    finds(Lie::LeavesQueued, |audit| audit.stuck == 25).await;
}

#[tokio::test]
async fn a_refusal_that_the_contract_does_not_have_is_found() {
    finds(Lie::BlamesTheClient, |audit| audit.foreign > 0).await;
}
