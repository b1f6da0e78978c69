//! A shop in a few lines that keeps the contract, and can be told to break it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a fixture that fails should end the test"
)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::LocalSet;

/// How the shop keeps, strains or breaks its contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Keeps it.
    #[default]
    Honest,
    /// Grants one unit beyond the stock, and counts it as sold.
    Oversells,
    /// Forgets the first order after having acknowledged it.
    Forgets,
    /// Takes a repeated key for a new one.
    IgnoresKeys,
    /// Answers the first try of every key `503` with `Retry-After: 0`.
    BusyAtFirst,
    /// Drops the connection after placing the order, at the first try of every key.
    CutsAtFirst,
    /// Places the order and never answers, at the first try of every key.
    SilentAtFirst,
    /// Answers 202 first; the order is paid when it is read for the second time.
    Queues,
}

#[derive(Debug)]
struct Shelf {
    stock: u64,
    sold: u64,
    held: u64,
    version: u64,
}

#[derive(Debug)]
struct Order {
    body: Value,
    product: String,
    quantity: u64,
    reads: u64,
    /// Where its last change lies.
    place: u64,
}

#[derive(Debug, Default)]
struct Shop {
    habit: Habit,
    shelves: BTreeMap<String, Shelf>,
    orders: BTreeMap<String, Order>,
    keys: BTreeMap<String, String>,
    tries: BTreeMap<String, u64>,
    /// How many changes there were: each lies behind the one before it.
    changes: u64,
}

/// A fake shop that listens until the test process ends.
pub(crate) struct Fake {
    pub(crate) url: String,
    shop: Arc<Mutex<Shop>>,
}

impl Fake {
    /// Opens a shop on a free port, on a thread of its own.
    pub(crate) fn open(habit: Habit) -> Self {
        let shop = Arc::new(Mutex::new(Shop { habit, ..Shop::default() }));
        let (tell, told) = std::sync::mpsc::channel::<SocketAddr>();
        let inside = Arc::clone(&shop);
        thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            LocalSet::new().block_on(&runtime, async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let shop = Arc::clone(&inside);
                    tokio::task::spawn_local(async move {
                        let service = service_fn(move |request| serve(Arc::clone(&shop), request));
                        // A cut connection is one of the habits, not a fault of the test.
                        drop(
                            http1::Builder::new()
                                .serve_connection(TokioIo::new(stream), service)
                                .await,
                        );
                    });
                }
            });
        });
        Self { url: format!("http://{}", told.recv().unwrap()), shop }
    }

    /// Puts a product on the shelf before anybody comes.
    pub(crate) fn stock(&self, product: &str, stock: u64) {
        let made = Shelf { stock, sold: 0, held: 0, version: 1 };
        self.shop.lock().unwrap().shelves.insert(product.to_owned(), made);
    }

    /// Orders that exist.
    pub(crate) fn orders(&self) -> usize {
        self.shop.lock().unwrap().orders.len()
    }
}

async fn serve(
    shop: Arc<Mutex<Shop>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    if header("x-api-key") != Some("secret-key-123") {
        return Ok(problem(401, "unauthenticated"));
    }
    let key = header("idempotency-key").unwrap_or_default().to_owned();
    let path: Vec<&str> = head.uri.path().trim_matches('/').split('/').collect();
    let (answer, habit) = {
        let mut shop = shop.lock().unwrap();
        let answer = match (&head.method, path.as_slice()) {
            (&Method::POST, ["v1", "products"]) => Some(shop.create(&body)),
            (&Method::POST, ["v1", "products", id, "stock"]) => Some(shop.restock(id, &body)),
            (&Method::GET, ["v1", "products", id]) => Some(shop.product(id)),
            (&Method::POST, ["v1", "orders"]) => shop.checkout(key, &body),
            (&Method::GET, ["v1", "orders", id]) => Some(shop.order(id)),
            _ => Some(problem(404, "not_found")),
        };
        (answer, shop.habit)
    };
    match answer {
        Some(answer) => Ok(answer),
        None if habit == Habit::CutsAtFirst => Err(std::io::Error::other("cut")),
        None => std::future::pending().await,
    }
}

impl Shop {
    fn create(&mut self, body: &Value) -> Response<Full<Bytes>> {
        let id = body["id"].as_str().unwrap().to_owned();
        let stock = body["stock"].as_u64().unwrap();
        self.shelves.insert(id, Shelf { stock, sold: 0, held: 0, version: 1 });
        self.changes += 1;
        changed(201, body, 1, self.changes, false)
    }

    fn restock(&mut self, id: &str, body: &Value) -> Response<Full<Bytes>> {
        let Some(found) = self.shelves.get_mut(id) else { return problem(404, "not_found") };
        found.stock = found.stock.checked_add_signed(body["delta"].as_i64().unwrap()).unwrap();
        found.version += 1;
        self.changes += 1;
        changed(200, &json!({}), found.version, self.changes, false)
    }

    fn product(&self, id: &str) -> Response<Full<Bytes>> {
        let Some(found) = self.shelves.get(id) else { return problem(404, "not_found") };
        let available = found.stock.saturating_sub(found.sold + found.held);
        let stock = json!({
            "on_hand": available + found.held, "held": found.held, "available": available,
            "sold": found.sold, "version": found.version,
        });
        reply(200, &json!({ "id": id, "stock": stock }))
    }

    /// Places an order; `None` is an order without an answer.
    fn checkout(&mut self, key: String, body: &Value) -> Option<Response<Full<Bytes>>> {
        let tries = self.tries.entry(key.clone()).or_default();
        *tries += 1;
        let first = *tries == 1;
        if first && self.habit == Habit::BusyAtFirst {
            return Some(
                Response::builder()
                    .status(503)
                    .header("retry-after", "0")
                    .body(Full::new(Bytes::from_static(b"{\"code\":\"overloaded\"}")))
                    .unwrap(),
            );
        }
        if self.habit != Habit::IgnoresKeys
            && let Some(order) = self.keys.get(&key).and_then(|id| self.orders.get(id))
        {
            let status = if self.habit == Habit::Queues { 202 } else { 201 };
            return Some(order.told(status, true));
        }
        let item = &body["items"][0];
        let (product, quantity) =
            (item["product_id"].as_str().unwrap().to_owned(), item["quantity"].as_u64().unwrap());
        let Some(found) = self.shelves.get_mut(&product) else {
            return Some(problem(422, "validation_failed"));
        };
        if found.sold + found.held + quantity
            > found.stock + u64::from(self.habit == Habit::Oversells)
        {
            return Some(problem(409, "insufficient_stock"));
        }
        let id = format!("order-{}", self.orders.len());
        let queued = self.habit == Habit::Queues;
        if queued {
            found.held += quantity;
        } else {
            found.sold += quantity;
        }
        let body = order_body(&id, &product, quantity, if queued { "queued" } else { "paid" });
        self.changes += 1;
        let order = Order { body, product, quantity, reads: 0, place: self.changes };
        let answer = order.told(if queued { 202 } else { 201 }, false);
        self.orders.insert(id.clone(), order);
        self.keys.insert(key, id);
        let speechless = matches!(self.habit, Habit::CutsAtFirst | Habit::SilentAtFirst);
        if first && speechless {
            return None;
        }
        Some(answer)
    }

    fn order(&mut self, id: &str) -> Response<Full<Bytes>> {
        if self.habit == Habit::Forgets && id == "order-0" {
            return problem(404, "not_found");
        }
        let Some(order) = self.orders.get_mut(id) else { return problem(404, "not_found") };
        order.reads += 1;
        if order.reads == 2 && self.habit == Habit::Queues {
            order.body["payment_status"] = json!("paid");
            order.body["version"] = json!(2);
            self.changes += 1;
            order.place = self.changes;
            let found = self.shelves.get_mut(&order.product).unwrap();
            found.held -= order.quantity;
            found.sold += order.quantity;
        }
        reply(200, &order.body)
    }
}

impl Order {
    /// The answer to whoever has placed it.
    fn told(&self, status: u16, replayed: bool) -> Response<Full<Bytes>> {
        let version = self.body["version"].as_u64().unwrap();
        changed(status, &self.body, version, self.place, replayed)
    }
}

fn order_body(id: &str, product: &str, quantity: u64, payment: &str) -> Value {
    let money = |minor: u64| json!({ "minor": minor, "currency": "USD" });
    json!({
        "id": id, "customer_id": null, "status": "PENDING", "payment_status": payment,
        "items": [{ "id": format!("{id}-1"), "product_id": product, "quantity": quantity,
                    "unit_price": money(1_999) }],
        "subtotal": money(1_999 * quantity), "discount": money(0), "shipping": money(0),
        "duties": money(0), "tax": money(0), "total": money(1_999 * quantity), "version": 1,
    })
}

fn reply(status: u16, body: &Value) -> Response<Full<Bytes>> {
    let body = Full::new(Bytes::from(body.to_string()));
    Response::builder().status(status).body(body).unwrap()
}

/// The answer to a change, which says where it stands.
fn changed(
    status: u16,
    body: &Value,
    version: u64,
    place: u64,
    replayed: bool,
) -> Response<Full<Bytes>> {
    let mut response = reply(status, body);
    let headers = response.headers_mut();
    headers.insert("x-version", version.into());
    headers.insert("x-position", format!("0:{place}").parse().unwrap());
    if replayed {
        headers.insert("idempotent-replayed", "true".parse().unwrap());
    }
    response
}

fn problem(status: u16, code: &str) -> Response<Full<Bytes>> {
    reply(status, &json!({ "code": code, "retryable": false }))
}
