//! A shopper's HTTP client: it knows the contract and nothing of the code behind it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::listener::{Ended, Listener, Question};

/// The key that the demo ships.
pub const DEMO_KEY: &str = "secret-key-123";

/// Longer than the longest answer that the contract allows (5 s).
const PATIENCE: Duration = Duration::from_secs(20);

/// A client with one API key.
#[derive(Clone, Debug)]
pub struct Shop {
    client: Client,
    base: String,
    key: Option<String>,
    listener: Option<Arc<dyn Listener>>,
}

/// One answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body as JSON; `Null` when there was none, a string when it was not JSON.
    pub body: Value,
}

/// The stock of one product as its page shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stock {
    /// Units in the house: held and available.
    pub on_hand: i64,
    /// Promised to orders that are not decided yet.
    pub held: i64,
    /// For sale.
    pub available: i64,
    /// Sold for good.
    pub sold: i64,
    /// Version of the stock.
    pub version: i64,
}

impl Shop {
    /// A client of the server at `base` (`http://host:port`) with the demo key.
    pub fn new(base: &str) -> Result<Self> {
        let client = Client::builder()
            .timeout(PATIENCE)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let key = Some(DEMO_KEY.to_owned());
        Ok(Self { client, base: base.to_owned(), key, listener: None })
    }

    /// The same client, heard by somebody.
    #[must_use]
    pub fn heard_by(&self, listener: Arc<dyn Listener>) -> Self {
        Self { listener: Some(listener), ..self.clone() }
    }

    /// The same client with another key, or with none.
    #[must_use]
    pub fn with_key(&self, key: Option<&str>) -> Self {
        Self { key: key.map(str::to_owned), ..self.clone() }
    }

    /// Sends a request. An `Err` means that no whole answer came: the outcome is unknown.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Result<Answer> {
        let header = |wanted: &str| {
            let mut named = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
            named.next().map(|(_, value)| *value)
        };
        let told = self.listener.as_ref().and_then(|listener| {
            let (key, body) = (header("idempotency-key"), body.as_deref().unwrap_or_default());
            Arc::clone(listener).asked(&Question { method: &method, path, key, body })
        });
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(key) = &self.key {
            request = request.header("x-api-key", key);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            if header("content-type").is_none() {
                request = request.header("content-type", "application/json");
            }
            request = request.body(body);
        }
        let ended = whole(request).await;
        if let Some(told) = told {
            told(match &ended {
                Ok((status, headers, body)) => Ended::Answered { status: *status, headers, body },
                Err(error) if error.is_connect() => Ended::NotSent,
                Err(_) => Ended::Cut,
            });
        }
        let (status, headers, bytes) = ended?;
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()))
        };
        Ok(Answer { status, headers, body })
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path, &[], None).await
    }

    /// `POST path` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(Method::POST, path, &[], Some(serde_json::to_vec(body)?)).await
    }

    /// `PUT path` with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(Method::PUT, path, &[], Some(serde_json::to_vec(body)?)).await
    }

    /// `DELETE path`.
    pub async fn delete(&self, path: &str) -> Result<Answer> {
        self.send(Method::DELETE, path, &[], None).await
    }

    /// `POST path` with an idempotency key.
    pub async fn post_with_key(&self, path: &str, key: &str, body: &Value) -> Result<Answer> {
        let headers = [("idempotency-key", key)];
        self.send(Method::POST, path, &headers, Some(serde_json::to_vec(body)?)).await
    }

    /// Places an order under a key.
    pub async fn place(&self, key: &str, order: &Value) -> Result<Answer> {
        self.post_with_key("/v1/orders", key, order).await
    }

    /// Places an order that must be answered 201, and gives the answer.
    pub async fn placed(&self, order: &Value) -> Result<Answer> {
        let answer = self.place(&fresh_key("placed"), order).await?;
        answer.expect(201)
    }

    /// One order.
    pub async fn order(&self, id: &str) -> Result<Answer> {
        self.get(&format!("/v1/orders/{id}")).await
    }

    /// Lets an order arrive, step by step.
    pub async fn deliver(&self, id: &str) -> Result<()> {
        for status in ["PROCESSING", "SHIPPED", "DELIVERED"] {
            let path = format!("/v1/orders/{id}/status");
            self.put(&path, &json!({"status": status})).await?.expect(200)?;
        }
        Ok(())
    }

    /// Creates a product with `stock` units at `minor` cents, and gives its id.
    pub async fn stocked(&self, id: &str, minor: i64, stock: i64) -> Result<String> {
        let product = json!({"id": id, "name": id, "price": {"minor": minor, "currency": "USD"}, "stock": stock});
        let answer = self.post("/v1/products", &product).await?.expect(201)?;
        Ok(answer.text("/id")?.to_owned())
    }

    /// The stock of a product.
    pub async fn stock(&self, product: &str) -> Result<Stock> {
        self.get(&format!("/v1/products/{product}")).await?.expect(200)?.stock()
    }
}

/// Sends a request and reads the answer to its end.
async fn whole(request: RequestBuilder) -> reqwest::Result<(u16, HeaderMap, Vec<u8>)> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok((status, headers, response.bytes().await?.to_vec()))
}

impl Answer {
    /// Itself when it has this status, otherwise an error that shows the whole answer.
    pub fn expect(self, status: u16) -> Result<Self> {
        ensure!(self.status == status, "expected {status}, got {}: {}", self.status, self.body);
        Ok(self)
    }

    /// Itself when it is a problem with this status and code, in the shape of RFC 9457.
    pub fn expect_problem(self, status: u16, code: &str) -> Result<Self> {
        let answer = self.expect(status)?;
        let kind = answer.header("content-type").unwrap_or_default();
        ensure!(kind.starts_with("application/problem+json"), "content-type is {kind:?}");
        ensure!(answer.text("/code")? == code, "expected code {code}: {}", answer.body);
        ensure!(answer.int("/status")? == i64::from(status), "status in the body: {}", answer.body);
        ensure!(!answer.text("/title")?.is_empty(), "no title: {}", answer.body);
        ensure!(answer.at("/retryable")?.is_boolean(), "retryable: {}", answer.body);
        Ok(answer)
    }

    /// Itself when it names `code` on `field` among its field errors, each of them complete.
    pub fn expect_field(self, field: &str, code: &str) -> Result<Self> {
        let errors = self.at("/errors")?.as_array().context("errors is no list")?;
        for error in errors {
            for part in ["field", "code", "message", "severity", "hint"] {
                let text = error.get(part).and_then(Value::as_str);
                ensure!(text.is_some_and(|text| !text.is_empty()), "no {part} in {error}");
            }
        }
        let found = errors.iter().any(|error| {
            error.get("code").and_then(Value::as_str) == Some(code)
                && error.get("field").and_then(Value::as_str) == Some(field)
        });
        ensure!(found, "expected {code} on {field}: {}", self.body);
        Ok(self)
    }

    /// The value at a JSON pointer.
    pub fn at(&self, pointer: &str) -> Result<&Value> {
        self.body.pointer(pointer).with_context(|| format!("no {pointer} in {}", self.body))
    }

    /// The text at a JSON pointer.
    pub fn text(&self, pointer: &str) -> Result<&str> {
        self.at(pointer)?.as_str().with_context(|| format!("{pointer} is no text: {}", self.body))
    }

    /// The whole number at a JSON pointer.
    pub fn int(&self, pointer: &str) -> Result<i64> {
        self.at(pointer)?
            .as_i64()
            .with_context(|| format!("{pointer} is no whole number: {}", self.body))
    }

    /// The list at a JSON pointer.
    pub fn list(&self, pointer: &str) -> Result<&Vec<Value>> {
        self.at(pointer)?.as_array().with_context(|| format!("{pointer} is no list: {}", self.body))
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Shard and position of the mutation, from `x-position`.
    pub fn position(&self) -> Result<(u32, u64)> {
        let text = self.header("x-position").context("no x-position")?;
        let (shard, position) =
            text.split_once(':').with_context(|| format!("x-position {text}"))?;
        Ok((shard.parse()?, position.parse()?))
    }

    /// The version of the entity after the mutation, from `x-version`.
    pub fn version(&self) -> Result<u64> {
        Ok(self.header("x-version").context("no x-version")?.parse()?)
    }

    /// The body without what moves by itself once an order was acknowledged: its version counts the
    /// book-keeping behind it as well.
    pub fn lasting(&self) -> Value {
        let mut body = self.body.clone();
        if let Some(fields) = body.as_object_mut() {
            fields.retain(|name, _| !matches!(name.as_str(), "version" | "updated_at"));
        }
        body
    }

    /// The stock in the body of a product.
    pub fn stock(&self) -> Result<Stock> {
        Ok(Stock {
            on_hand: self.int("/stock/on_hand")?,
            held: self.int("/stock/held")?,
            available: self.int("/stock/available")?,
            sold: self.int("/stock/sold")?,
            version: self.int("/stock/version")?,
        })
    }
}

/// A key that no other test uses.
pub fn fresh_key(purpose: &str) -> String {
    format!("{purpose}-{}", fresh_id())
}

/// An id that nobody else has.
pub fn fresh_id() -> Uuid {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    Uuid::from_u64_pair(u64::from(std::process::id()), number)
}

/// A word of 32 letters that nobody else has: digits could make a card number, which is refused.
pub fn fresh_word() -> String {
    let letter = |digit: char| match digit.to_digit(16).and_then(|it| char::from_digit(it + 10, 26))
    {
        Some(letter) => letter,
        None => digit,
    };
    fresh_id().simple().to_string().chars().map(letter).collect()
}

/// An order of `quantity` units of one product, paid by card with `token`.
pub fn card_order(product: &str, quantity: i64, token: &str) -> Value {
    json!({
        "customer_id": "shopper-1",
        "items": [{"product_id": product, "quantity": quantity}],
        "payment": {"method": "card", "token": token},
    })
}
