//! Webhook endpoints as they stand on the wire.

use std::collections::BTreeSet;

use actors::followers::webhooks::{Attempt, Heard, Outcome};
use engine::endpoint::{Endpoint, EndpointStatus, PauseReason, TYPES_MAX, URL_BYTES_MAX};
use engine::public::PublicName;
use engine::values::EndpointId;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::outbound::Targets;
use crate::problem::{FieldError, Problem};
use crate::wire::{Instant, Texts, instant};

/// A new endpoint.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"url": "https://shop.example/hooks", "event_types": ["order.paid.v1"]}))]
pub(crate) struct NewEndpoint {
    /// Where messages go: https, and of the public internet.
    url: String,
    /// Which events are told; all when absent.
    event_types: Option<Vec<String>>,
}

impl NewEndpoint {
    /// Address and types, when they can be used.
    ///
    /// # Errors
    ///
    /// `validation_failed`.
    pub(crate) async fn judge(
        &self,
        targets: Targets,
    ) -> Result<(Url, BTreeSet<PublicName>), Problem> {
        let mut texts = Texts::default();
        texts.judge(|| "url".to_owned(), &self.url, URL_BYTES_MAX);
        let refused = |why: &'static str| {
            let hint = "Send an https address that is reachable from the internet.";
            FieldError::new("url", "target_not_allowed", why, hint)
        };
        let mut url = targets.judge(&self.url).map_err(|why| texts.push(refused(why))).ok();
        if let Some(found) = &url
            && !targets.resolves_well(found).await
        {
            texts.push(refused("its name leads into an inner network"));
            url = None;
        }
        let types = self.types(&mut texts);
        texts.finish()?;
        let missing = || Problem::invalid(vec![refused("not an address")]);
        Ok((url.ok_or_else(missing)?, types))
    }

    fn types(&self, texts: &mut Texts) -> BTreeSet<PublicName> {
        let named = self.event_types.as_deref();
        let hint = "Leave event_types out to be told everything, or name types of docs/events.md.";
        if named.is_some_and(|names| names.is_empty() || TYPES_MAX < names.len()) {
            let message = "the list is empty or too long";
            texts.push(FieldError::new("event_types", "out_of_range", message, hint));
            return BTreeSet::new();
        }
        let mut types = BTreeSet::new();
        for (index, name) in named.unwrap_or_default().iter().enumerate() {
            match PublicName::parse(name) {
                Some(name) => {
                    types.insert(name);
                }
                None => texts.push(FieldError::new(
                    format!("event_types[{index}]"),
                    "invalid_value",
                    "there is no such event",
                    hint,
                )),
            }
        }
        types
    }
}

/// An endpoint.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = WebhookEndpoint)]
pub(crate) struct EndpointBody<'a> {
    /// Named by the idempotency key under which it was made.
    #[schema(value_type = uuid::Uuid)]
    id: EndpointId,
    /// Where messages go.
    url: &'a str,
    /// Which events are told; empty: all.
    event_types: Vec<&'static str>,
    /// `active` or `paused`.
    status: &'static str,
    /// `asked` or `failing`, when it is paused.
    paused_because: Option<&'static str>,
    /// Since when several tries in a row have failed, and why; absent when all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing: Option<FailingBody<'a>>,
    /// It is told what was decided from then on.
    #[schema(value_type = String, format = DateTime)]
    from: Instant,
    /// What messages are signed with; only in the answer that made it or exchanged it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

/// A failure that has not ended.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct FailingBody<'a> {
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Instant,
    /// What was wrong at first.
    why: &'a str,
}

impl<'a> EndpointBody<'a> {
    /// With its secret, for whoever has just made or exchanged it.
    pub(crate) fn with_secret(endpoint: &'a Endpoint) -> Self {
        Self { secret: Some(endpoint.secret.expose()), ..Self::from(endpoint) }
    }
}

impl<'a> From<&'a Endpoint> for EndpointBody<'a> {
    fn from(endpoint: &'a Endpoint) -> Self {
        let (status, paused_because) = match endpoint.status {
            EndpointStatus::Active => ("active", None),
            EndpointStatus::Paused(PauseReason::Asked) => ("paused", Some("asked")),
            EndpointStatus::Paused(PauseReason::Failing) => ("paused", Some("failing")),
        };
        let failing = endpoint.failing.as_ref();
        Self {
            id: endpoint.id,
            url: &endpoint.url,
            event_types: endpoint.types.iter().map(|name| name.as_str()).collect(),
            status,
            paused_because,
            failing: failing.map(|f| FailingBody { since: instant(f.since), why: &f.why }),
            from: instant(endpoint.from),
            secret: None,
            created_at: instant(endpoint.created_at),
            updated_at: instant(endpoint.updated_at),
        }
    }
}

/// All endpoints.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = WebhookEndpoints)]
pub(crate) struct EndpointsBody<'a> {
    /// By id; at most 32.
    pub(crate) items: Vec<EndpointBody<'a>>,
}

/// Whether an endpoint is told anything.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEndpointStatus {
    /// `active` or `paused`.
    pub(crate) status: WantedStatus,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WantedStatus {
    /// It is told, from where it was.
    Active,
    /// It is told nothing.
    Paused,
}

/// From where an endpoint is told again: one of both.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReplay {
    /// From a moment on, RFC 3339.
    #[schema(format = DateTime)]
    pub(crate) since: Option<String>,
    /// From the moment of the event at a place, `<shard>:<position>`, as messages and answers name it.
    pub(crate) position: Option<String>,
}

/// What an endpoint was told lately, and how far it is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DeliveriesBody {
    /// The last tries since the server was started, newest first; at most 200.
    items: Vec<DeliveryBody>,
    /// How far it is in each shard.
    shards: Vec<HeardBody>,
}

/// One try.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DeliveryBody {
    /// The event.
    event_id: String,
    /// What happened.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Where it lies.
    position: String,
    /// When it was tried.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// How long it took.
    took_ms: u64,
    /// `taken` or `failed`.
    outcome: &'static str,
    /// The status of the answer, when it was taken.
    answered: Option<u16>,
    /// Why it was not taken.
    why: Option<String>,
}

/// How far an endpoint is in one shard.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct HeardBody {
    /// Which shard.
    shard: u16,
    /// Everything up to here was told, or was not for it.
    position: u64,
    /// The last place of the shard.
    head: u64,
}

impl DeliveriesBody {
    /// Of what is known.
    pub(crate) fn of(attempts: Vec<Attempt>, heard: &[Heard]) -> Self {
        let delivery = |attempt: Attempt| {
            let (outcome, answered, why) = match attempt.outcome {
                Outcome::Taken(status) => ("taken", Some(status), None),
                Outcome::Failed(why) => ("failed", None, Some(why)),
            };
            let place = attempt.position;
            DeliveryBody {
                event_id: format!("evt_{}", attempt.event),
                kind: attempt.name.as_str(),
                position: format!("{}:{}", place.shard, place.position),
                at: instant(attempt.at),
                took_ms: u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
                outcome,
                answered,
                why,
            }
        };
        let shard = |heard: &Heard| HeardBody {
            shard: heard.place.shard.0,
            position: heard.place.position,
            head: heard.head,
        };
        Self {
            items: attempts.into_iter().map(delivery).collect(),
            shards: heard.iter().map(shard).collect(),
        }
    }
}
