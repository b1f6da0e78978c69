//! Bodies of drills: what is asked for, what is injected, what the log says.

use std::time::Duration;

use actors::faults::{Drills, Logged};
use engine::drill::{
    ActorKind, Asker, DrillEvent, Ending, FAULT_MILLIS_MAX, FailedPayment, Fault, FaultName,
    Injection, PER_MILLION_MAX,
};
use serde::{Deserialize, Serialize};

use crate::problem::{FieldError, Problem};
use crate::wire::{Instant, instant};

/// Longest time that a fault may be given, in seconds.
const TTL_SECONDS_MAX: u32 = 86_400;

/// A fault to inject: each takes the fields that say so, and `ttl_seconds`.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"probability": 1.0, "kind": "error", "ttl_seconds": 60}))]
pub(crate) struct NewFault {
    /// Of `payment_failure`: which share of the calls to the provider fails, 0 to 1.
    probability: Option<f64>,
    /// Of `payment_failure`: `declined`, `error` (no money moves) or `timeout` (the answer is lost).
    #[schema(value_type = Option<String>)]
    kind: Option<FailedPayment>,
    /// Of `payment_latency`, and of `journal_stall` for each append: 1 to 60,000. A stall without it
    /// lasts until it is lifted.
    ms: Option<i64>,
    /// The fault ends by itself after 1 to 86,400 seconds; absent: when it is lifted.
    ttl_seconds: Option<i64>,
}

impl NewFault {
    /// The fault of that name, and how long it lasts.
    pub(super) fn read(self, name: FaultName) -> Result<(Fault, Option<Duration>), Problem> {
        let Self { probability, kind, ms, ttl_seconds } = self;
        let mut wrong = Wrong(Vec::new());
        let takes_ms = matches!(name, FaultName::PaymentLatency | FaultName::JournalStall);
        let is_failure = name == FaultName::PaymentFailure;
        wrong.foreign(name, "probability", !is_failure && probability.is_some());
        wrong.foreign(name, "kind", !is_failure && kind.is_some());
        wrong.foreign(name, "ms", !takes_ms && ms.is_some());
        wrong.missing("probability", is_failure && probability.is_none());
        wrong.missing("kind", is_failure && kind.is_none());
        wrong.missing("ms", name == FaultName::PaymentLatency && ms.is_none());
        let millis = ms.and_then(|ms| wrong.within("ms", ms, FAULT_MILLIS_MAX));
        let ttl = ttl_seconds.and_then(|ttl| wrong.within("ttl_seconds", ttl, TTL_SECONDS_MAX));
        let per_million = probability.and_then(|share| wrong.share("probability", share));
        let fault = match (name, per_million, kind, millis) {
            (FaultName::PaymentFailure, Some(per_million), Some(kind), _) => {
                Some(Fault::PaymentFailure { kind, per_million })
            }
            (FaultName::PaymentLatency, _, _, Some(millis)) => {
                Some(Fault::PaymentLatency { millis })
            }
            (FaultName::JournalStall, ..) => Some(Fault::JournalStall { millis }),
            (FaultName::RedisCut, ..) => Some(Fault::RedisCut),
            (FaultName::PaymentFailure | FaultName::PaymentLatency, ..) => None,
        };
        let lasts = ttl.map(|seconds| Duration::from_secs(seconds.into()));
        match fault {
            Some(fault) if wrong.0.is_empty() => Ok((fault, lasts)),
            _ => Err(Problem::invalid(wrong.0)),
        }
    }
}

/// What is wrong with the fields of one fault.
struct Wrong(Vec<FieldError>);

impl Wrong {
    fn foreign(&mut self, name: FaultName, field: &'static str, is_there: bool) {
        if is_there {
            let message = format!("{} takes no {field}", name.as_str());
            self.0.push(FieldError::new(field, "unknown_field", message, "Leave it out."));
        }
    }

    fn missing(&mut self, field: &'static str, is_absent: bool) {
        if is_absent {
            let message = format!("{field} is missing");
            self.0.push(FieldError::new(field, "missing_field", message, "Add the field."));
        }
    }

    fn within(&mut self, field: &'static str, number: i64, max: u32) -> Option<u32> {
        let found = u32::try_from(number).ok().filter(|number| (1..=max).contains(number));
        if found.is_none() {
            self.out_of_range(field, format!("Send a whole number from 1 to {max}."));
        }
        found
    }

    /// Of a million, rounded to the nearest.
    fn share(&mut self, field: &'static str, share: f64) -> Option<u32> {
        let least = 1.0 / f64::from(PER_MILLION_MAX);
        if share != 0.0 && !(least..=1.0).contains(&share) {
            self.out_of_range(field, "Send 0, or a number from 0.000001 to 1.".to_owned());
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number from 0 to 1,000,000"
        )]
        let per_million = (share * f64::from(PER_MILLION_MAX)).round() as u32;
        Some(per_million)
    }

    fn out_of_range(&mut self, field: &'static str, hint: String) {
        let message = format!("{field} is outside of what is allowed");
        self.0.push(FieldError::new(field, "out_of_range", message, hint));
    }
}

/// The numbers of a fault; it has those that belong to it.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(crate) struct FaultSettings {
    /// Which share of the calls to the provider fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
    /// How they fail: `declined`, `error` or `timeout`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    kind: Option<FailedPayment>,
    /// How long each call, or each append, is held up.
    #[serde(skip_serializing_if = "Option::is_none")]
    ms: Option<u32>,
}

impl From<Fault> for FaultSettings {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::PaymentFailure { kind, per_million } => {
                let probability = f64::from(per_million) / f64::from(PER_MILLION_MAX);
                Self { probability: Some(probability), kind: Some(kind), ms: None }
            }
            Fault::PaymentLatency { millis } => Self { ms: Some(millis), ..Self::default() },
            Fault::JournalStall { millis } => Self { ms: millis, ..Self::default() },
            Fault::RedisCut => Self::default(),
        }
    }
}

/// A fault that is injected.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = InjectedFault)]
pub(crate) struct FaultBody<'a> {
    /// Which.
    name: &'static str,
    #[serde(flatten)]
    settings: FaultSettings,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Instant,
    /// When it ends by itself; null: when it is lifted.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Instant>,
    /// Which account asked for it.
    by: &'a str,
    /// With which request.
    request_id: &'a str,
}

impl<'a> From<&'a Injection> for FaultBody<'a> {
    fn from(injection: &'a Injection) -> Self {
        Self {
            name: injection.fault.name().as_str(),
            settings: injection.fault.into(),
            since: instant(injection.since),
            until: injection.until.map(instant),
            by: &injection.asker.by,
            request_id: &injection.asker.request,
        }
    }
}

/// What goes wrong on purpose, and what could.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Faults)]
pub(crate) struct FaultsBody<'a> {
    /// The faults that are injected.
    faults: Vec<FaultBody<'a>>,
    /// The faults that can be injected here.
    available: Vec<&'static str>,
}

impl<'a> FaultsBody<'a> {
    pub(super) fn of(drills: &Drills, active: &'a [Injection]) -> Self {
        let faults = active.iter().map(FaultBody::from).collect();
        Self { faults, available: drills.available().map(FaultName::as_str).collect() }
    }
}

/// An actor to kill.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ActorToKill, example = json!({"kind": "inventory", "key": "mouse"}))]
pub(crate) struct KillBody {
    /// `order`, `cart`, `inventory` or `product`.
    #[schema(value_type = String)]
    pub(super) kind: ActorKind,
    /// The id of the order, the cart or the product.
    pub(super) key: String,
}

/// An actor that was killed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = KilledActor)]
pub(crate) struct KilledBody<'a> {
    /// Of which kind.
    pub(super) kind: &'static str,
    /// Which one.
    pub(super) key: &'a str,
}

/// What happened in drills.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DrillLog)]
pub(crate) struct LogBody {
    /// The entries, newest first.
    items: Vec<EntryBody>,
}

/// One entry of the log.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
#[schema(as = DrillLogEntry)]
pub(crate) struct EntryBody {
    /// Counts the entries, from 1.
    number: u64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Option<Instant>,
    /// `injected`, `lifted`, `expired`, `restarted` (its process is gone) or `actor_killed`.
    what: &'static str,
    /// Which fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'static str>,
    #[serde(flatten)]
    settings: FaultSettings,
    /// When it was to end by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Instant>,
    /// The kind of the actor that was killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'static str>,
    /// Its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Which account asked for it; `system` for what comes by itself.
    by: String,
    /// With which request.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl LogBody {
    pub(super) fn of<'a>(entries: impl Iterator<Item = &'a Logged>) -> Self {
        Self { items: entries.map(EntryBody::from).collect() }
    }
}

impl EntryBody {
    fn asked_by(self, Asker { by, request }: &Asker) -> Self {
        Self { by: by.clone(), request_id: Some(request.clone()), ..self }
    }

    fn by_itself(self) -> Self {
        Self { by: "system".to_owned(), ..self }
    }
}

impl From<&Logged> for EntryBody {
    fn from(Logged { number, at, event }: &Logged) -> Self {
        let entry =
            |what| Self { number: *number, at: Some(instant(*at)), what, ..Self::default() };
        match event {
            DrillEvent::FaultInjected { fault, until, asker } => Self {
                fault: Some(fault.name().as_str()),
                settings: (*fault).into(),
                until: until.map(instant),
                ..entry("injected").asked_by(asker)
            },
            DrillEvent::FaultEnded { fault, how } => {
                let ended = match how {
                    Ending::Lifted(asker) => entry("lifted").asked_by(asker),
                    Ending::Expired => entry("expired").by_itself(),
                    Ending::Restarted => entry("restarted").by_itself(),
                };
                Self { fault: Some(fault.as_str()), ..ended }
            }
            DrillEvent::ActorKilled { kind, key, asker } => Self {
                actor: Some(kind.as_str()),
                key: Some(key.clone()),
                ..entry("actor_killed").asked_by(asker)
            },
        }
    }
}
