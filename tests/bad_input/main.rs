//! What must be refused: the status, the code, no event in the journal, and a process in good health.
//!
//! One table for each kind of input. Every case of a table runs, so that one run shows all faults.

mod forms;
mod json;
mod keys;
mod numbers;
mod paths;
mod text;
mod wire;

use acceptance_tests::server::{Launch, Server, Store};
use acceptance_tests::shop::{Answer, Shop, Stock, fresh_key};
use acceptance_tests::{figures, store};
use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::Value;

/// What may come back: a status and a code, or any code where none is given.
type Expected = &'static [(u16, &'static str)];

const MALFORMED: Expected = &[(400, "malformed_json")];
const INVALID: Expected = &[(422, "validation_failed")];
/// The parser may see it before the rules do.
const UNREADABLE: Expected = &[(400, "malformed_json"), (422, "validation_failed")];
const TOO_LARGE: Expected = &[(413, "")];
/// Within the size limit it is unreadable, beyond it too large.
const UNREADABLE_OR_LARGE: Expected =
    &[(400, "malformed_json"), (422, "validation_failed"), (413, "")];
const NOT_FOUND: Expected = &[(404, "")];

/// Memory that refusals may leave behind.
const GROWTH_MAX: u64 = 64 * 1024 * 1024;

/// One request that must be refused.
struct Case {
    name: String,
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
    expected: Expected,
}

impl Case {
    fn new(name: &str, method: Method, path: &str, expected: Expected) -> Self {
        let (name, path) = (name.to_owned(), path.to_owned());
        Self { name, method, path, headers: Vec::new(), body: None, expected }
    }

    /// An order with this body.
    fn order(name: &str, body: impl Into<Vec<u8>>, expected: Expected) -> Self {
        let case = Self::new(name, Method::POST, "/v1/orders", expected);
        case.header("idempotency-key", &fresh_key("bad")).body(body)
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    async fn send(&self, shop: &Shop) -> Result<Answer> {
        let headers = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let headers: Vec<_> = headers.collect();
        shop.send(self.method.clone(), &self.path, &headers, self.body.clone()).await
    }

    /// What is wrong with an answer, if anything is.
    fn judge(&self, answer: &Result<Answer>) -> Option<String> {
        let answer = match answer {
            Ok(answer) => answer,
            // A server that stops reading a body that is too large may close the connection.
            Err(_) if self.expected.contains(&(413, "")) => return None,
            Err(why) => return Some(format!("{}: no answer: {why:#}", self.name)),
        };
        let code = answer.body.get("code").and_then(Value::as_str).unwrap_or_default();
        let right = self.expected.iter().any(|(status, expected)| {
            answer.status == *status && (expected.is_empty() || code == *expected)
        });
        let whole = answer.clone().expect_problem(answer.status, code);
        match (right, whole) {
            (false, _) => Some(format!(
                "{}: expected {:?}, got {} {}",
                self.name, self.expected, answer.status, answer.body
            )),
            (true, Err(why)) => Some(format!("{}: not a whole problem: {why:#}", self.name)),
            (true, Ok(_)) => None,
        }
    }
}

/// The server that hears nothing but nonsense.
struct Victim {
    server: Server,
    shop: Shop,
    memory: u64,
}

impl Victim {
    async fn start() -> Result<Self> {
        let server = Launch::demo(Store::Sqlite).await?.start().await?;
        let shop = server.shop()?;
        // What the first requests allocate is not counted against the bad ones.
        for _ in 0..20 {
            shop.get("/v1/products").await?.expect(200)?;
        }
        let memory = server.resident_bytes()?;
        Ok(Self { server, shop, memory })
    }

    async fn state(&self) -> Result<(i64, Stock, i64)> {
        let events = store::journal_events(self.server.launch()).await?;
        let orders = self.shop.get("/v1/orders?limit=1").await?.expect(200)?.int("/total")?;
        Ok((events, self.shop.stock("mouse").await?, orders))
    }

    /// Sends every case, then fails with all that went wrong.
    async fn suffer(mut self, table: &str, cases: Vec<Case>) -> Result<()> {
        let before = self.state().await?;
        let mut faults = Vec::new();
        let count = cases.len();
        for case in cases {
            faults.extend(case.judge(&case.send(&self.shop).await));
            let now = self.state().await?;
            if now != before {
                faults.push(format!("{}: it had an effect: {before:?} became {now:?}", case.name));
                break;
            }
        }
        faults.extend(self.health().await.err().map(|why| format!("{why:#}")));
        let failed = faults.len();
        figures::report("bad_input", &format!("table={table} cases={count} failed={failed}"))?;
        ensure!(faults.is_empty(), "{failed} of {count}:\n{}", faults.join("\n"));
        Ok(())
    }

    /// Alive, ready, not swollen, and still selling.
    async fn health(&mut self) -> Result<()> {
        ensure!(self.server.ended().is_none(), "the server ended");
        self.shop.get("/health/ready").await?.expect(200)?;
        let grown = self.server.resident_bytes()?.saturating_sub(self.memory);
        ensure!(grown <= GROWTH_MAX, "memory grew by {} MB", grown / (1024 * 1024));
        let log = self.server.log()?;
        let panicked =
            log.lines().find(|line| line.contains("panic at") || line.contains("panicked at"));
        ensure!(panicked.is_none(), "something panicked: {panicked:?}");
        self.shop.placed(&acceptance_tests::shop::card_order("laptop", 1, "tok_ok")).await?;
        Ok(())
    }
}
