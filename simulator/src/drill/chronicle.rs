//! The history of a drill's shop: what its clients asked and heard, written down and judged.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use acceptance_tests::listener::{Ended, Listener, Question, Told};
use acceptance_tests::provider::Provider;
use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::Method;
use serde::Deserialize;

use super::findings::Findings;
use crate::client::{Fault, Reply};
use crate::history::{self, Ask, Client, History, Recorder, Verdict, Wanted};
use crate::provider::Entry;

/// A history in the making.
#[derive(Debug)]
pub(super) struct Chronicle {
    recorder: Recorder,
    /// Names of clients that ask nothing at the moment: each asks one question at a time.
    idle: Mutex<Vec<Client>>,
    path: PathBuf,
}

/// The body of an order, as far as a history knows it.
#[derive(Deserialize)]
struct Order {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    product_id: Box<str>,
    quantity: u64,
}

/// Hears for a chronicle; the client of the rig holds it.
#[derive(Debug)]
pub(super) struct Scribe(pub(super) Arc<Chronicle>);

impl Chronicle {
    /// Begins a history in a new file.
    pub(super) fn begin(path: PathBuf) -> Result<Self> {
        let recorder =
            Recorder::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { recorder, idle: Mutex::default(), path })
    }

    /// Judges what was written so far, joined with the ledger of the provider.
    pub(super) fn judge(&self, provider: &Provider, findings: &mut Findings) -> Result<()> {
        self.recorder.finish().context("the history has a gap")?;
        let history = read(&self.path)?;
        let judgement = history::check(&history, Some(&entries(provider)));
        let ended = judgement.ended;
        findings.note("questions in the history", ended.ok + ended.rejected + ended.unknown);
        findings.note("of them, nobody knows how they ended", ended.unknown);
        let is_valid = judgement.verdict == Verdict::Valid;
        let first = judgement.first().unwrap_or_default();
        let verdict = if is_valid { "valid".to_owned() } else { format!("not valid: {first}") };
        findings.demand("history", verdict, "valid", is_valid);
        Ok(())
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Client>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path) -> Result<History> {
    History::read(path).with_context(|| format!("cannot judge {}", path.display()))
}

impl Listener for Scribe {
    fn asked(&self, question: &Question<'_>) -> Option<Told> {
        let chronicle = Arc::clone(&self.0);
        let ask = ask(question)?;
        let idle = chronicle.idle().pop();
        let mut client = idle.unwrap_or_else(|| chronicle.recorder.client());
        let open = chronicle.recorder.invoke(&client, question.key, &ask);
        Some(Box::new(move |ended| {
            let end = history::end(&ask, &result(ended));
            chronicle.recorder.complete(&mut client, &open, &end);
            chronicle.idle().push(client);
        }))
    }
}

/// The words of a history for a question; none for what a history does not speak of.
fn ask(question: &Question<'_>) -> Option<Ask> {
    let path = question.path.strip_prefix("/v1/")?;
    match (question.method, path.split_once('/')) {
        (&Method::POST, None) if path == "orders" => {
            let order: Order = serde_json::from_slice(question.body).ok()?;
            let wanted = |item: Item| Wanted { product: item.product_id, n: item.quantity };
            Some(Ask::Place(order.items.into_iter().map(wanted).collect()))
        }
        (&Method::GET, Some(("orders", id))) if is_id(id) => Some(Ask::Read(id.into())),
        (&Method::GET, Some(("products", id))) if is_id(id) => Some(Ask::Look(id.into())),
        _ => None,
    }
}

/// Nothing lies below it, and nothing is asked beside it.
fn is_id(text: &str) -> bool {
    !text.contains(['/', '?'])
}

/// The same end as the client of the crowds tells it.
fn result(ended: Ended<'_>) -> Result<Reply, Fault> {
    match ended {
        Ended::Answered { status, headers, body } => {
            Ok(Reply::new(status, headers, Bytes::copy_from_slice(body)))
        }
        Ended::NotSent => Err(Fault::NotConnected("refused".to_owned())),
        Ended::Cut => Err(Fault::Cut("no whole answer".to_owned())),
    }
}

/// The ledger of the rig's provider in the words of a ledger on disk.
fn entries(provider: &Provider) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (key, charge) in provider.charges() {
        let (key, order) = (Box::<str>::from(key), Box::<str>::from(charge.order));
        if !charge.captured {
            entries.push(Entry::Declined { key, order, minor: charge.minor });
            continue;
        }
        let currency = charge.currency.into();
        let taken = Entry::Captured { key: key.clone(), order, minor: charge.minor, currency };
        entries.push(taken);
        if charge.refunded != 0 {
            let (charge_key, minor) = (key.clone(), charge.refunded);
            entries.push(Entry::Refunded { key, charge_key, minor });
        }
    }
    entries.extend(provider.conflicts().into_iter().map(|key| Entry::Conflict { key: key.into() }));
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &Method, path: &str, body: &str) -> Option<Ask> {
        ask(&Question { method, path, key: None, body: body.as_bytes() })
    }

    #[test]
    fn what_a_history_speaks_of_is_known_by_its_path() {
        let order = r#"{"items":[{"product_id":"mug","quantity":2}],"payment":{"method":"cod"}}"#;
        let wanted = vec![Wanted { product: "mug".into(), n: 2 }];
        assert_eq!(asked(&Method::POST, "/v1/orders", order), Some(Ask::Place(wanted)));
        assert_eq!(asked(&Method::GET, "/v1/orders/7", ""), Some(Ask::Read("7".into())));
        assert_eq!(asked(&Method::GET, "/v1/products/mug", ""), Some(Ask::Look("mug".into())));
        for path in ["/v1/orders", "/v1/orders?limit=1", "/v1/orders/7/history", "/metrics"] {
            assert_eq!(asked(&Method::GET, path, ""), None, "{path}");
        }
    }
}
