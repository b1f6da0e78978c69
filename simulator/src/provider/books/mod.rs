//! What the provider decides: once for each key, whatever its mood lets the caller hear of it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ledger::Entry;

/// How the provider treats a charge that it has not decided yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mood", rename_all = "snake_case")]
pub enum Mood {
    /// Captures.
    #[default]
    Ok,
    /// Declines.
    Decline,
    /// Captures, and answers after a while.
    Slow {
        /// Milliseconds.
        ms: u64,
    },
    /// Does nothing and answers 500.
    ServerError,
    /// Does nothing and never answers.
    TimeOut,
    /// Captures and answers 500.
    CapturedServerError,
    /// Captures after a while and never answers: only a question by key, or a callback, tells.
    Late {
        /// Milliseconds.
        ms: u64,
    },
}

/// What the provider tells by itself about a charge that it has decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Callbacks {
    /// Nothing.
    #[default]
    None,
    /// It once, after the answer.
    Once,
    /// It three times.
    Duplicate,
    /// That of a later charge first: each second one goes before the one that came before it.
    Reordered,
    /// It before the answer.
    Early,
}

/// What the provider has been told to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Towards charges.
    #[serde(flatten)]
    pub mood: Mood,
    /// Towards the shop.
    #[serde(default)]
    pub callbacks: Callbacks,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Amount {
    minor: i64,
    currency: Box<str>,
}

/// A request to charge.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ChargeRequest {
    key: Box<str>,
    order_id: Box<str>,
    amount: Amount,
    token: Box<str>,
}

/// A request to give back.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct RefundRequest {
    key: Box<str>,
    charge_key: Box<str>,
    amount: Amount,
}

/// A charge that was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Charge {
    order: Box<str>,
    minor: i64,
    /// `None` for one that was declined before a restart: declined charges move no money.
    currency: Option<Box<str>>,
    captured: bool,
    refunded: i64,
}

/// An answer, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Answer(u16, Value),
    Silence,
}

/// What to do about a request.
#[derive(Debug, PartialEq)]
pub(super) struct Deed {
    /// Goes to the ledger before anybody hears of it.
    pub(super) entries: Vec<Entry>,
    /// What the caller hears then.
    pub(super) reply: Reply,
    /// How long the caller waits for it.
    pub(super) after: Duration,
    /// The decision, as a callback tells it.
    pub(super) news: Option<Value>,
}

impl Deed {
    fn only(reply: Reply) -> Self {
        Self { entries: Vec::new(), reply, after: Duration::ZERO, news: None }
    }
}

/// Charges and refunds by key. Nothing in here waits or writes.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) setting: Setting,
    charges: BTreeMap<Box<str>, Charge>,
    refunds: BTreeMap<Box<str>, i64>,
}

impl Books {
    /// The books as a ledger tells them.
    pub(super) fn of(entries: &[Entry]) -> Self {
        let mut books = Self::default();
        for entry in entries {
            match entry.clone() {
                Entry::Captured { key, order, minor, currency } => {
                    let currency = Some(currency);
                    let charge = Charge { order, minor, currency, captured: true, refunded: 0 };
                    books.charges.insert(key, charge);
                }
                Entry::Declined { key, order, minor } => {
                    let charge =
                        Charge { order, minor, currency: None, captured: false, refunded: 0 };
                    books.charges.insert(key, charge);
                }
                Entry::Refunded { key, charge_key, minor } => {
                    if let Some(charge) = books.charges.get_mut(&charge_key) {
                        charge.refunded = charge.refunded.saturating_add(minor);
                    }
                    books.refunds.insert(key, minor);
                }
                Entry::Conflict { .. } => {}
            }
        }
        books
    }

    /// Judges a request to charge. A charge that is late is judged when its moment has come, by
    /// [`Self::decide`].
    pub(super) fn charge(&mut self, request: &ChargeRequest) -> Deed {
        let mood = self.setting.mood;
        if let Some(known) = self.charges.get(&request.key) {
            let same = known.minor == request.amount.minor
                && known.order == request.order_id
                && known.currency.as_ref().is_none_or(|known| *known == request.amount.currency);
            if !same {
                let entries = vec![Entry::Conflict { key: request.key.clone() }];
                let reply = Reply::Answer(409, json!({"error": "key reused"}));
                return Deed { entries, ..Deed::only(reply) };
            }
            // Decided keys keep their outcome; the mood decides only whether anybody hears it.
            return match mood {
                Mood::TimeOut | Mood::Late { .. } => Deed::only(Reply::Silence),
                Mood::ServerError | Mood::CapturedServerError => Deed::only(failed()),
                Mood::Slow { ms } => {
                    let after = Duration::from_millis(ms);
                    Deed { after, ..Deed::only(told(&request.key, known)) }
                }
                Mood::Ok | Mood::Decline => Deed::only(told(&request.key, known)),
            };
        }
        match mood {
            Mood::TimeOut | Mood::Late { .. } => Deed::only(Reply::Silence),
            Mood::ServerError => Deed::only(failed()),
            Mood::CapturedServerError => Deed { reply: failed(), ..self.decide(request) },
            Mood::Slow { ms } => Deed { after: Duration::from_millis(ms), ..self.decide(request) },
            Mood::Ok | Mood::Decline => self.decide(request),
        }
    }

    /// Takes the money or declines, once for each key.
    pub(super) fn decide(&mut self, request: &ChargeRequest) -> Deed {
        let ChargeRequest { key, order_id, amount, token } = request;
        if let Some(known) = self.charges.get(key) {
            return Deed::only(told(key, known));
        }
        let declined = **token == *"tok_declined" || self.setting.mood == Mood::Decline;
        let charge = Charge {
            order: order_id.clone(),
            minor: amount.minor,
            currency: Some(amount.currency.clone()),
            captured: !declined,
            refunded: 0,
        };
        let (key, order, minor) = (key.clone(), order_id.clone(), amount.minor);
        let entry = if declined {
            Entry::Declined { key: key.clone(), order, minor }
        } else {
            let currency = amount.currency.clone();
            Entry::Captured { key: key.clone(), order, minor, currency }
        };
        let reply = told(&key, &charge);
        let news = Some(news(&key, &charge));
        self.charges.insert(key, charge);
        Deed { entries: vec![entry], news, ..Deed::only(reply) }
    }

    /// What became of a key.
    pub(super) fn question(&self, key: &str) -> Deed {
        match self.setting.mood {
            Mood::TimeOut => return Deed::only(Reply::Silence),
            Mood::ServerError => return Deed::only(failed()),
            Mood::Ok
            | Mood::Decline
            | Mood::Slow { .. }
            | Mood::CapturedServerError
            | Mood::Late { .. } => {}
        }
        let reply = match self.charges.get(key).map(|charge| told(key, charge)) {
            Some(Reply::Answer(_, body)) => Reply::Answer(200, body),
            Some(Reply::Silence) | None => Reply::Answer(404, json!({"error": "never charged"})),
        };
        Deed::only(reply)
    }

    /// Gives money back, once for each key and never more than was taken.
    pub(super) fn refund(&mut self, request: &RefundRequest) -> Deed {
        let RefundRequest { key, charge_key, amount } = request;
        match self.setting.mood {
            Mood::TimeOut => return Deed::only(Reply::Silence),
            Mood::ServerError => return Deed::only(failed()),
            _ => {}
        }
        let done = Reply::Answer(200, json!({"outcome": "refunded"}));
        if self.refunds.contains_key(key) {
            return Deed::only(done);
        }
        let Some(charge) = self.charges.get_mut(charge_key).filter(|charge| charge.captured) else {
            return Deed::only(Reply::Answer(404, json!({"error": "never charged"})));
        };
        let back = charge.refunded.saturating_add(amount.minor);
        if amount.minor <= 0
            || back > charge.minor
            || charge.currency.as_deref() != Some(&*amount.currency)
        {
            return Deed::only(Reply::Answer(409, json!({"error": "too much"})));
        }
        charge.refunded = back;
        self.refunds.insert(key.clone(), amount.minor);
        let (key, charge_key) = (key.clone(), charge_key.clone());
        let entries = vec![Entry::Refunded { key, charge_key, minor: amount.minor }];
        Deed { entries, ..Deed::only(done) }
    }
}

fn told(key: &str, charge: &Charge) -> Reply {
    let status = if charge.captured { 200 } else { 402 };
    let mut body = news(key, charge);
    if let Some(body) = body.as_object_mut() {
        body.remove("key");
    }
    Reply::Answer(status, body)
}

/// The decision as a callback tells it.
fn news(key: &str, charge: &Charge) -> Value {
    if charge.captured {
        json!({"key": key, "outcome": "captured", "reference": format!("ref-{key}")})
    } else {
        json!({"key": key, "outcome": "declined", "reason": "insufficient funds"})
    }
}

fn failed() -> Reply {
    Reply::Answer(500, json!({"error": "out of order"}))
}
