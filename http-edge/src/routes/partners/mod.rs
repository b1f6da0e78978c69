//! Partners: registered, given keys, and what became of their feeds. Feeds come in by `catalog`.

pub(crate) mod body;
pub mod catalog;
pub mod imports;
mod reading;

use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use engine::partner::{KeyDigest, NAME_MAX, NewKey, PartnerCommand};
use engine::values::{PartnerId, PartnerKeyId};
use http::StatusCode;
use metrics::counter;
use serde::Deserialize;
use std::time::Duration;
use uuid::Uuid;

use self::body::{PartnerBody, PartnersBody};
use super::{Edge, Shared};
use crate::access::{Scope, hash};
use crate::call::Call;
use crate::idempotency::RequestKey;
use crate::metrics::PARTNER_REFUSED_TOTAL;
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::reply::Reply;
use crate::wire::{Json, Path, Texts};

/// Random bytes of a key.
const SECRET_BYTES: usize = 32;
/// Longest life of a key that has an end: ten years.
const VALID_SECONDS_MAX: u32 = 315_360_000;

/// An id in a path. Whatever cannot be one names no partner.
fn partner_id(text: &str) -> Result<PartnerId, Problem> {
    PartnerId::parse(text).map_err(|_| unknown())
}

fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is no such partner")
}

fn known_partner(edge: &Edge, partner: &PartnerId) -> Result<(), Problem> {
    let registered = edge.shop.system().partners().all();
    if registered.0.contains_key(partner) { Ok(()) } else { Err(unknown()) }
}

/// Whether the caller is this partner, or runs the shop.
fn may_feed(call: &Call, partner: &PartnerId) -> Result<(), Problem> {
    let Some(principal) = call.principal.as_deref() else {
        return Err(Problem::new(Code::Unauthorised, "the request has no key"));
    };
    if principal.partner.as_ref().is_some_and(|(own, _)| own == partner)
        || principal.may(Scope::Admin)
    {
        return Ok(());
    }
    let reason = if principal.partner.is_some() { "other_partner" } else { "scope" };
    tell_refused(reason, partner.as_str(), &principal.account, &call.request_id.to_string());
    Err(Problem::new(Code::Forbidden, "the key is not one of this partner's"))
}

/// Writes down that somebody was turned away from what belongs to partners, and counts it.
pub(crate) fn tell_refused(reason: &'static str, partner: &str, who: &str, request_id: &str) {
    counter!(PARTNER_REFUSED_TOTAL, "reason" => reason).increment(1);
    tracing::warn!(
        security_event = "partner_access_refused",
        reason,
        partner,
        who,
        request_id,
        "access to partner {partner} was refused: {reason}"
    );
}

/// The partner that a path is about, if any, for the record of refusals.
pub(crate) fn partner_in(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/v1/partners/")?;
    let id = rest.split('/').next().unwrap_or_default();
    // Nothing that a stranger made up comes into the log.
    Some(PartnerId::parse(id).map_or("unnamed", |_| id))
}

/// A new partner.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPartner, example = json!({"id": "acme", "name": "Acme Mugs Ltd"}))]
pub(crate) struct NewPartner {
    /// 2 to 24 lower-case letters, digits and dashes; every product of the partner begins with it.
    id: String,
    /// Its name for people.
    name: String,
    /// How long the first key lives; for good when absent.
    valid_seconds: Option<u32>,
}

/// A new key of a partner.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPartnerKey, example = json!({"valid_seconds": 31_536_000}))]
pub(crate) struct NewPartnerKey {
    /// How long it lives; for good when absent.
    valid_seconds: Option<u32>,
}

/// A secret that nobody can guess, and what is kept of it.
fn mint(
    edge: &Edge,
    id: PartnerKeyId,
    valid_seconds: Option<u32>,
) -> Result<(String, NewKey), Problem> {
    if valid_seconds.is_some_and(|seconds| !(1..=VALID_SECONDS_MAX).contains(&seconds)) {
        return Err(Problem::invalid(vec![FieldError::new(
            "valid_seconds",
            "out_of_range",
            "a key lives for 1 second to ten years",
            "Send a number from 1 to 315360000, or none.",
        )]));
    }
    let secret = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; SECRET_BYTES]>());
    let secret = format!("mrp_{secret}");
    let broken = || Problem::new(Code::Internal, "the key has no digest");
    let digest = KeyDigest::parse(&hex::encode(hash(secret.as_bytes()))).ok_or_else(broken)?;
    let lives =
        |seconds: u32| edge.shop.clock().now().saturating_add(Duration::from_secs(seconds.into()));
    Ok((secret, NewKey { id, digest, expires_at: valid_seconds.map(lives) }))
}

/// Asks the register, and shows the partner as it is afterwards.
async fn changed(
    edge: &Edge,
    call: &Call,
    key: &RequestKey,
    partner: &PartnerId,
    command: PartnerCommand,
    secret: Option<String>,
) -> Result<(Reply, bool), Problem> {
    let system = edge.shop.system();
    let asked = system.ask_register(system.partners(), command, call.asking(Some(key), None));
    let asked = asked.await?;
    let known = asked.view.0.get(partner).ok_or_else(unknown)?;
    // The secret of an earlier request is not known any more.
    let secret = secret.filter(|_| asked.changed);
    let shows = secret.is_some();
    let body = PartnerBody::new(partner, known, edge.shop.clock().now()).showing(secret);
    let status = if shows { StatusCode::CREATED } else { StatusCode::OK };
    let reply = Reply::new(status, &body).standing(&asked).replayed(key.replayed(&asked));
    Ok((reply, shows))
}

/// Registers a partner with its first key, which is shown in this answer only.
#[utoipa::path(
    post, path = "/v1/partners", operation_id = "register_partner", tag = "partners",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names the request")),
    request_body = NewPartner,
    responses(
        (status = 201, description = "Registered; api_key is shown once", body = PartnerBody),
        (status = 200, description = "It was registered before; no key is shown", body = PartnerBody),
        (status = 409, description = "It exists with another name, or there are enough",
         body = ProblemBody<'static>),
        (status = 422, description = "A field cannot be used", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn register(
    State(edge): State<Shared>,
    call: Call,
    key: RequestKey,
    body: Json<NewPartner>,
) -> Result<Response, Problem> {
    let account = &call.allowed(Scope::Admin)?.account;
    let NewPartner { id, name, valid_seconds } = body.0;
    let mut texts = Texts::default();
    texts.judge(|| "name".to_owned(), &name, NAME_MAX);
    if name.trim().is_empty() {
        texts.push(FieldError::new("name", "invalid_value", "the name is empty", "Name it."));
    }
    let partner = PartnerId::parse(&id);
    if let Err(error) = &partner {
        let hint = "Choose 2 to 24 lower-case letters, digits and dashes.";
        texts.push(FieldError::new("id", "invalid_value", error.to_string(), hint));
    }
    texts.finish()?;
    let partner = partner.map_err(|_| unknown())?;
    let (secret, new_key) = mint(&edge, key.partner_key(account, &partner), valid_seconds)?;
    let command = PartnerCommand::Register { partner: partner.clone(), name, key: new_key };
    let (reply, _) = changed(&edge, &call, &key, &partner, command, Some(secret)).await?;
    Ok(reply.location("/v1/partners", &partner).into_response())
}

/// All partners, by id.
#[utoipa::path(
    get, path = "/v1/partners", operation_id = "list_partners", tag = "partners",
    responses((status = 200, description = "All partners, 1,000 at most", body = PartnersBody)),
)]
pub(crate) async fn list(State(edge): State<Shared>, call: Call) -> Result<Response, Problem> {
    call.allowed(Scope::Admin)?;
    let (registered, now) = (edge.shop.system().partners().all(), edge.shop.clock().now());
    let items = registered.0.iter().map(|(id, partner)| PartnerBody::new(id, partner, now));
    Ok(Reply::ok(&PartnersBody { items: items.collect() }).into_response())
}

/// One partner with its keys.
#[utoipa::path(
    get, path = "/v1/partners/{id}", operation_id = "get_partner", tag = "partners",
    params(("id" = String, Path, description = "The partner")),
    responses(
        (status = 200, description = "The partner", body = PartnerBody),
        (status = 404, description = "There is no such partner", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn read(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let partner = partner_id(&id)?;
    may_feed(&call, &partner)?;
    let registered = edge.shop.system().partners().all();
    let known = registered.0.get(&partner).ok_or_else(unknown)?;
    let body = PartnerBody::new(&partner, known, edge.shop.clock().now());
    Ok(Reply::ok(&body).into_response())
}

/// Issues one more key, which is shown in this answer only.
#[utoipa::path(
    post, path = "/v1/partners/{id}/keys", operation_id = "issue_partner_key", tag = "partners",
    params(
        ("id" = String, Path, description = "The partner"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the key"),
    ),
    request_body = NewPartnerKey,
    responses(
        (status = 201, description = "Issued; api_key is shown once", body = PartnerBody),
        (status = 200, description = "It was issued before; no key is shown", body = PartnerBody),
        (status = 404, description = "There is no such partner", body = ProblemBody<'static>),
        (status = 409, description = "The partner has enough live keys", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn issue_key(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    body: Json<NewPartnerKey>,
) -> Result<Response, Problem> {
    let account = &call.allowed(Scope::Admin)?.account;
    let partner = partner_id(&id)?;
    let (secret, new_key) = mint(&edge, key.partner_key(account, &partner), body.0.valid_seconds)?;
    let command = PartnerCommand::IssueKey { partner: partner.clone(), key: new_key };
    let (reply, _) = changed(&edge, &call, &key, &partner, command, Some(secret)).await?;
    Ok(reply.into_response())
}

/// Revokes a key: it opens nothing from now on. A repeat changes nothing.
#[utoipa::path(
    delete, path = "/v1/partners/{id}/keys/{key}", operation_id = "revoke_partner_key",
    tag = "partners",
    params(
        ("id" = String, Path, description = "The partner"),
        ("key" = String, Path, description = "The id of the key"),
    ),
    responses(
        (status = 200, description = "Revoked", body = PartnerBody),
        (status = 404, description = "There is no such partner or key", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn revoke_key(
    State(edge): State<Shared>,
    call: Call,
    Path((id, key_id)): Path<(String, String)>,
    key: RequestKey,
) -> Result<Response, Problem> {
    call.allowed(Scope::Admin)?;
    let partner = partner_id(&id)?;
    let no_key = |_| Problem::new(Code::NotFound, "there is no such key");
    let key_id = PartnerKeyId::new(Uuid::try_parse(&key_id).map_err(no_key)?);
    let command = PartnerCommand::RevokeKey { partner: partner.clone(), key: key_id };
    let (reply, _) = changed(&edge, &call, &key, &partner, command, None).await?;
    Ok(reply.into_response())
}
