//! A payment provider that can be told how to misbehave, with a ledger that no crash touches.
//!
//! `POST /charges` captures at most once for each key, `GET /charges/{key}` tells what became of a
//! key, `POST /refunds` gives money back. The ledger is what a test compares the shop with.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// How the provider answers a charge that it has not decided yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// Captures.
    #[default]
    Ok,
    /// Declines.
    Declined,
    /// Does nothing and never answers.
    Timeout,
    /// Does nothing and answers 500.
    ServerError,
    /// Captures and never answers: only a question by key finds out.
    Late,
    /// Captures and answers 500.
    CapturedServerError,
    /// Captures after this span, and never answers: meanwhile the key was never charged.
    Slow(Duration),
}

/// One charge as the ledger knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The order that it is for.
    pub order: String,
    /// Minor units.
    pub minor: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// True when the money was taken; false when the charge was declined.
    pub captured: bool,
    /// Minor units given back.
    pub refunded: i64,
}

#[derive(Debug, Default)]
struct Books {
    mood: Mood,
    charges: BTreeMap<String, Charge>,
    refunds: BTreeMap<String, i64>,
    asked: Vec<String>,
    /// Charges that are made at their moment, in the order in which they were asked for.
    later: Vec<(Instant, ChargeRequest)>,
    questions: u64,
    conflicts: Vec<String>,
}

/// A running provider; it ends with this value.
#[derive(Debug)]
pub struct Provider {
    address: SocketAddr,
    books: Shared,
    serving: AbortHandle,
}

type Shared = Arc<Mutex<Books>>;

#[derive(Debug, Deserialize)]
struct Amount {
    minor: i64,
    currency: String,
}

#[derive(Debug, Deserialize)]
struct ChargeRequest {
    key: String,
    order_id: String,
    amount: Amount,
    token: String,
}

#[derive(Debug, Deserialize)]
struct RefundRequest {
    key: String,
    charge_key: String,
    amount: Amount,
}

impl Provider {
    /// Listens on a free port.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let books = Shared::default();
        let router = Router::new()
            .route("/charges", post(charge))
            .route("/charges/{key}", get(question))
            .route("/refunds", post(refund))
            .with_state(Arc::clone(&books));
        let serving = tokio::runtime::Handle::current()
            .spawn(async move { axum::serve(listener, router).await })
            .abort_handle();
        Ok(Self { address, books, serving })
    }

    /// What `--provider-url` takes.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How charges are answered from now on.
    pub fn set(&self, mood: Mood) {
        locked(&self.books).mood = mood;
    }

    /// The ledger by key.
    pub fn charges(&self) -> BTreeMap<String, Charge> {
        locked(&self.books).charges.clone()
    }

    /// The captured charges of one order.
    pub fn captures_of(&self, order: &str) -> Vec<Charge> {
        let books = locked(&self.books);
        let of_order = books.charges.values().filter(|charge| charge.order == order);
        of_order.filter(|charge| charge.captured).cloned().collect()
    }

    /// How many charges were asked for, repeats included.
    pub fn calls(&self) -> usize {
        self.asked().len()
    }

    /// The keys of those calls, one for each call, in their order.
    pub fn asked(&self) -> Vec<String> {
        locked(&self.books).asked.clone()
    }

    /// How many questions by key were asked.
    pub fn questions(&self) -> u64 {
        locked(&self.books).questions
    }

    /// Keys that came again with another amount or order: always a fault of the caller.
    pub fn conflicts(&self) -> Vec<String> {
        locked(&self.books).conflicts.clone()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The books as they are now: nobody can look before what is due has been done.
fn locked(books: &Mutex<Books>) -> MutexGuard<'_, Books> {
    let mut books = books.lock().unwrap_or_else(PoisonError::into_inner);
    books.pass(Instant::now());
    books
}

/// What the provider does with one request to charge.
#[derive(Debug, PartialEq, Eq)]
enum Reply {
    Answer(StatusCode, Value),
    Silence,
}

impl Books {
    fn charge(&mut self, request: ChargeRequest) -> Reply {
        self.asked.push(request.key.clone());
        if let Some(known) = self.charges.get(&request.key) {
            if known.minor != request.amount.minor || known.order != request.order_id {
                self.conflicts.push(request.key);
                return Reply::Answer(StatusCode::CONFLICT, json!({"error": "key reused"}));
            }
            // Decided keys keep their outcome; the mood decides only whether anybody hears it.
            return match self.mood {
                Mood::Timeout | Mood::Late | Mood::Slow(_) => Reply::Silence,
                Mood::ServerError | Mood::CapturedServerError => failed(),
                Mood::Ok | Mood::Declined => told(&request.key, known),
            };
        }
        match self.mood {
            Mood::Timeout => Reply::Silence,
            Mood::ServerError => failed(),
            Mood::Slow(span) => {
                self.later.push((Instant::now() + span, request));
                Reply::Silence
            }
            Mood::Late => {
                self.decide(request);
                Reply::Silence
            }
            Mood::CapturedServerError => {
                self.decide(request);
                failed()
            }
            Mood::Ok | Mood::Declined => self.decide(request),
        }
    }

    /// Makes the charges whose moment has come.
    fn pass(&mut self, now: Instant) {
        for (_, request) in self.later.extract_if(.., |(due, _)| *due <= now).collect::<Vec<_>>() {
            self.decide(request);
        }
    }

    /// Takes the money or declines, once for each key.
    fn decide(&mut self, request: ChargeRequest) -> Reply {
        let declined = request.token == "tok_declined" || self.mood == Mood::Declined;
        let fresh = Charge {
            order: request.order_id,
            minor: request.amount.minor,
            currency: request.amount.currency,
            captured: !declined,
            refunded: 0,
        };
        told(&request.key, self.charges.entry(request.key.clone()).or_insert(fresh))
    }

    fn question(&mut self, key: &str) -> Reply {
        self.questions += 1;
        match self.mood {
            Mood::Timeout => return Reply::Silence,
            Mood::ServerError => return failed(),
            Mood::Ok | Mood::Declined | Mood::Late | Mood::CapturedServerError | Mood::Slow(_) => {}
        }
        match self.charges.get(key) {
            Some(charge) => {
                let Reply::Answer(_, body) = told(key, charge) else { return Reply::Silence };
                Reply::Answer(StatusCode::OK, body)
            }
            None => Reply::Answer(StatusCode::NOT_FOUND, json!({"error": "never charged"})),
        }
    }

    fn refund(&mut self, request: &RefundRequest) -> Reply {
        if self.refunds.contains_key(&request.key) {
            return Reply::Answer(StatusCode::OK, json!({"outcome": "refunded"}));
        }
        let Some(charge) = self.charges.get_mut(&request.charge_key) else {
            return Reply::Answer(StatusCode::NOT_FOUND, json!({"error": "never charged"}));
        };
        if charge.refunded + request.amount.minor > charge.minor
            || charge.currency != request.amount.currency
        {
            return Reply::Answer(StatusCode::CONFLICT, json!({"error": "too much"}));
        }
        charge.refunded += request.amount.minor;
        self.refunds.insert(request.key.clone(), request.amount.minor);
        Reply::Answer(StatusCode::OK, json!({"outcome": "refunded"}))
    }
}

fn told(key: &str, charge: &Charge) -> Reply {
    if charge.captured {
        let body = json!({"outcome": "captured", "reference": format!("ref-{key}")});
        Reply::Answer(StatusCode::OK, body)
    } else {
        let body = json!({"outcome": "declined", "reason": "insufficient funds"});
        Reply::Answer(StatusCode::PAYMENT_REQUIRED, body)
    }
}

fn failed() -> Reply {
    Reply::Answer(StatusCode::INTERNAL_SERVER_ERROR, json!({"error": "out of order"}))
}

/// Silence lasts until the caller hangs up.
async fn give(reply: Reply) -> (StatusCode, Json<Value>) {
    match reply {
        Reply::Answer(status, body) => (status, Json(body)),
        Reply::Silence => std::future::pending().await,
    }
}

async fn charge(
    State(books): State<Shared>,
    Json(request): Json<ChargeRequest>,
) -> (StatusCode, Json<Value>) {
    let reply = locked(&books).charge(request);
    give(reply).await
}

async fn question(
    State(books): State<Shared>,
    Path(key): Path<String>,
) -> (StatusCode, Json<Value>) {
    let reply = locked(&books).question(&key);
    give(reply).await
}

async fn refund(
    State(books): State<Shared>,
    Json(request): Json<RefundRequest>,
) -> (StatusCode, Json<Value>) {
    let reply = locked(&books).refund(&request);
    give(reply).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(key: &str, minor: i64) -> ChargeRequest {
        let amount = Amount { minor, currency: "USD".to_owned() };
        let (key, token) = (key.to_owned(), "tok_ok".to_owned());
        ChargeRequest { key, order_id: "order-1".to_owned(), amount, token }
    }

    fn books(mood: Mood) -> Books {
        Books { mood, ..Books::default() }
    }

    fn status(reply: &Reply) -> Option<u16> {
        match reply {
            Reply::Answer(status, _) => Some(status.as_u16()),
            Reply::Silence => None,
        }
    }

    #[test]
    fn one_key_is_captured_once_however_often_it_comes() {
        let mut books = books(Mood::Ok);
        assert_eq!(status(&books.charge(request("k", 5))), Some(200));
        assert_eq!(status(&books.charge(request("k", 5))), Some(200));
        assert_eq!((books.charges.len(), books.asked.len()), (1, 2));
    }

    #[test]
    fn one_key_with_two_amounts_is_held_against_the_caller() {
        let mut books = books(Mood::Ok);
        books.charge(request("k", 5));
        assert_eq!(status(&books.charge(request("k", 6))), Some(409));
        assert_eq!(books.conflicts, ["k"]);
    }

    #[test]
    fn a_late_capture_is_found_by_its_key_only() {
        let mut books = books(Mood::Late);
        assert_eq!(status(&books.charge(request("k", 5))), None);
        assert_eq!(status(&books.question("k")), Some(200));
        assert_eq!(status(&books.question("other")), Some(404));
    }

    #[test]
    fn a_time_out_takes_no_money() {
        let mut books = books(Mood::Timeout);
        assert_eq!(status(&books.charge(request("k", 5))), None);
        assert!(books.charges.is_empty());
    }

    #[test]
    fn a_slow_charge_was_never_made_until_it_is() {
        let mut books = books(Mood::Slow(Duration::from_secs(1)));
        assert_eq!(status(&books.charge(request("k", 5))), None);
        books.pass(Instant::now());
        assert_eq!(status(&books.question("k")), Some(404));
        books.pass(Instant::now() + Duration::from_secs(1));
        assert_eq!(status(&books.question("k")), Some(200));
    }
}
