//! A payment provider that can be told how to misbehave, with a ledger that no crash touches.
//!
//! `POST /charges` captures at most once for each key, `GET /charges/{key}` tells what became of a
//! key, `POST /refunds` gives money back. The ledger is what a test compares the shop with. What is
//! decided is in [`Books`]; whoever needs a provider in a process of its own serves those.

mod books;
mod entry;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

pub use self::books::{Books, Charge, ChargeRequest, Deed, Mood, RefundRequest, Reply};
pub use self::entry::Entry;

/// A running provider; it ends with this value.
#[derive(Debug)]
pub struct Provider {
    address: SocketAddr,
    desk: Shared,
    serving: AbortHandle,
}

#[derive(Debug, Default)]
struct Desk {
    books: Books,
    entries: Vec<Entry>,
    asked: Vec<String>,
    questions: u64,
    /// Charges that are made at their moment, in the order in which they were asked for.
    later: Vec<(Instant, ChargeRequest)>,
}

type Shared = Arc<Mutex<Desk>>;

impl Provider {
    /// Listens on a free port.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let desk = Shared::default();
        let router = Router::new()
            .route("/charges", post(charge))
            .route("/charges/{key}", get(question))
            .route("/refunds", post(refund))
            .with_state(Arc::clone(&desk));
        let serving = tokio::runtime::Handle::current()
            .spawn(async move { axum::serve(listener, router).await })
            .abort_handle();
        Ok(Self { address, desk, serving })
    }

    /// What `--provider-url` takes.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How charges are answered from now on.
    pub fn set(&self, mood: Mood) {
        locked(&self.desk).books.mood = mood;
    }

    /// Everything that happened to money, in its order.
    pub fn entries(&self) -> Vec<Entry> {
        locked(&self.desk).entries.clone()
    }

    /// The charges that were decided, by key.
    pub fn charges(&self) -> BTreeMap<Box<str>, Charge> {
        locked(&self.desk).books.charges().clone()
    }

    /// The captured charges of one order.
    pub fn captures_of(&self, order: &str) -> Vec<Charge> {
        let is_meant = |charge: &Charge| charge.captured && *charge.order == *order;
        self.charges().into_values().filter(is_meant).collect()
    }

    /// How many charges were asked for, repeats included.
    pub fn calls(&self) -> usize {
        self.asked().len()
    }

    /// The keys of those calls, one for each call, in their order.
    pub fn asked(&self) -> Vec<String> {
        locked(&self.desk).asked.clone()
    }

    /// How many questions by key were asked.
    pub fn questions(&self) -> u64 {
        locked(&self.desk).questions
    }

    /// Keys that came again with another amount or order: always a fault of the caller.
    pub fn conflicts(&self) -> Vec<Box<str>> {
        let key = |entry| if let Entry::Conflict { key } = entry { Some(key) } else { None };
        self.entries().into_iter().filter_map(key).collect()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The desk as it is now: nobody can look before what is due has been done.
fn locked(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
    desk.pass(Instant::now());
    desk
}

impl Desk {
    fn charge(&mut self, request: ChargeRequest) -> Deed {
        self.asked.push(request.key.to_string());
        let deed = self.books.charge(&request);
        if let Mood::Late { ms } = self.books.mood {
            self.later.push((Instant::now() + Duration::from_millis(ms), request));
        }
        deed
    }

    /// Makes the charges whose moment has come.
    fn pass(&mut self, now: Instant) {
        for (_, request) in self.later.extract_if(.., |(due, _)| *due <= now) {
            self.entries.extend(self.books.decide(&request).entries);
        }
    }

    /// Writes down what was done; what is left of it is how the caller hears of that.
    fn book(&mut self, deed: Deed) -> (Duration, Reply) {
        self.entries.extend(deed.entries);
        (deed.after, deed.reply)
    }
}

/// Silence lasts until the caller hangs up.
async fn give((after, reply): (Duration, Reply)) -> (StatusCode, Json<Value>) {
    sleep_until(Instant::now() + after).await;
    match reply {
        Reply::Answer(status, body) => {
            (StatusCode::from_u16(status).unwrap_or_default(), Json(body))
        }
        Reply::Silence => std::future::pending().await,
    }
}

async fn charge(
    State(desk): State<Shared>,
    Json(request): Json<ChargeRequest>,
) -> (StatusCode, Json<Value>) {
    let booked = {
        let mut desk = locked(&desk);
        let deed = desk.charge(request);
        desk.book(deed)
    };
    give(booked).await
}

async fn question(
    State(desk): State<Shared>,
    Path(key): Path<String>,
) -> (StatusCode, Json<Value>) {
    let booked = {
        let mut desk = locked(&desk);
        desk.questions += 1;
        let deed = desk.books.question(&key);
        desk.book(deed)
    };
    give(booked).await
}

async fn refund(
    State(desk): State<Shared>,
    Json(request): Json<RefundRequest>,
) -> (StatusCode, Json<Value>) {
    let booked = {
        let mut desk = locked(&desk);
        let deed = desk.books.refund(&request);
        desk.book(deed)
    };
    give(booked).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn late(ms: u64) -> Desk {
        let mut desk = Desk::default();
        desk.books.mood = Mood::Late { ms };
        let amount = json!({"minor": 5, "currency": "USD"});
        let asked = json!({"key": "k", "order_id": "order-1", "amount": amount, "token": "tok_ok"});
        let deed = desk.charge(serde_json::from_value(asked).unwrap());
        assert_eq!(deed.reply, Reply::Silence);
        desk
    }

    fn status(desk: &Desk, key: &str) -> u16 {
        match desk.books.question(key).reply {
            Reply::Answer(status, _) => status,
            Reply::Silence => 0,
        }
    }

    #[test]
    fn a_late_capture_is_found_by_its_key_only() {
        let mut desk = late(0);
        desk.pass(Instant::now());
        assert_eq!((status(&desk, "k"), status(&desk, "other")), (200, 404));
    }

    #[test]
    fn a_slow_charge_was_never_made_until_it_is() {
        let mut desk = late(1_000);
        desk.pass(Instant::now());
        assert_eq!((status(&desk, "k"), desk.entries.len()), (404, 0));
        desk.pass(Instant::now() + Duration::from_secs(1));
        assert_eq!((status(&desk, "k"), desk.entries.len()), (200, 1));
    }
}
