//! Somebody who is told: takes messages, refuses them, is slow, and remembers each.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use acceptance_tests::wait;
use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// How messages are answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mood {
    Take,
    Fail,
    Slow(Duration),
}

/// One message as it came.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: String,
    timestamp: String,
    signatures: String,
    body: Vec<u8>,
    pub(crate) event: Value,
}

#[derive(Debug)]
struct Desk {
    mood: Mood,
    taken: Vec<Message>,
    refused: usize,
}

type Shared = Arc<Mutex<Desk>>;

/// A receiver that listens; it ends with this value.
#[derive(Debug)]
pub(crate) struct Receiver {
    address: SocketAddr,
    desk: Shared,
    serving: AbortHandle,
}

impl Receiver {
    /// Listens on a free port.
    pub(crate) async fn start(mood: Mood) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let desk = Arc::new(Mutex::new(Desk { mood, taken: Vec::new(), refused: 0 }));
        let router = Router::new().route("/hooks", post(hear)).with_state(Arc::clone(&desk));
        let serving = tokio::runtime::Handle::current()
            .spawn(async move { axum::serve(listener, router).await })
            .abort_handle();
        Ok(Self { address, desk, serving })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    pub(crate) fn set(&self, mood: Mood) {
        locked(&self.desk).mood = mood;
    }

    /// What was taken, in the order in which it came.
    pub(crate) fn taken(&self) -> Vec<Message> {
        locked(&self.desk).taken.clone()
    }

    pub(crate) fn refused(&self) -> usize {
        locked(&self.desk).refused
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn locked(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn hear(State(desk): State<Shared>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mood = locked(&desk).mood;
    if let Mood::Slow(span) = mood {
        wait::lag(span).await;
    }
    let text = |name: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let message = Message {
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp"),
        signatures: text("webhook-signature"),
        event: serde_json::from_slice(&body).unwrap_or_default(),
        body: body.to_vec(),
    };
    let mut desk = locked(&desk);
    if matches!(mood, Mood::Fail) {
        desk.refused += 1;
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    desk.taken.push(message);
    StatusCode::NO_CONTENT
}

impl Message {
    /// Whether one of its signatures was made with a secret.
    pub(crate) fn is_signed_with(&self, secret: &str) -> Result<bool> {
        let key = secret.strip_prefix("whsec_").context("a secret begins with whsec_")?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&BASE64_STANDARD.decode(key)?)?;
        for part in [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", &self.body] {
            mac.update(part);
        }
        let expected = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
        ensure!(self.timestamp.parse::<i64>().is_ok(), "timestamp {}", self.timestamp);
        Ok(self.signatures.split(' ').any(|signature| signature == expected))
    }

    /// Shard and position of the event.
    pub(crate) fn place(&self) -> Result<(u32, u64)> {
        place(&self.event)
    }
}

/// Where an event lies.
pub(crate) fn place(event: &Value) -> Result<(u32, u64)> {
    let text = event.get("position").and_then(Value::as_str).context("no position")?;
    let (shard, position) = text.split_once(':').context("shard and position")?;
    Ok((shard.parse()?, position.parse()?))
}
