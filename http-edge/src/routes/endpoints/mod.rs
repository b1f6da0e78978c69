//! Webhook endpoints: made, listed, paused, given another secret, told again, taken away.

mod body;

use actors::outcome::Accepted;
use axum::extract::State;
use axum::response::Response;
use engine::endpoint::{EndpointCommand, Endpoints};
use engine::values::{EndpointId, Moment};
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use self::body::{
    DeliveriesBody, EndpointBody, EndpointsBody, NewEndpoint, NewEndpointStatus, NewReplay,
    WantedStatus,
};
use super::{Edge, Shared, admin};
use crate::access::Scope;
use crate::call::{Call, place};
use crate::idempotency::{RequestKey, remembered};
use crate::outbound::mint_secret;
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::reply::Reply;
use crate::wire::{Json, Path};

/// There is no such endpoint.
fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is no such webhook endpoint")
}

fn endpoint_id(text: &str) -> Result<EndpointId, Problem> {
    Uuid::try_parse(text).map(EndpointId::new).map_err(|_| unknown())
}

/// Every endpoint, with how it does.
#[utoipa::path(
    get, path = "/v1/webhook-endpoints", operation_id = "list_webhook_endpoints", tag = "webhooks",
    responses((status = 200, description = "All of them", body = EndpointsBody<'static>)),
)]
pub(crate) async fn list(State(edge): State<Shared>, call: Call) -> Result<Response, Problem> {
    admin(&call)?;
    let book = edge.shop.endpoints().await?;
    let items = book.values().map(EndpointBody::from).collect();
    Ok(Reply::ok(&EndpointsBody { items }).into_response())
}

/// Makes an endpoint: it is told what happens from now on. The answer has the secret that messages are
/// signed with; no other does.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints", operation_id = "create_webhook_endpoint", tag = "webhooks",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names the endpoint")),
    request_body = NewEndpoint,
    responses(
        (status = 201, description = "Made", body = EndpointBody<'static>),
        (status = 409, description = "An endpoint has this address, or there are 32",
         body = ProblemBody<'static>),
        (status = 422, description = "The address is not allowed, or a field cannot be used",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn create(
    State(edge): State<Shared>,
    call: Call,
    key: RequestKey,
    body: Json<NewEndpoint>,
) -> Result<Response, Problem> {
    let account = &call.allowed(Scope::Admin)?.account;
    let (url, types) = body.0.judge(edge.outside.outbound.targets).await?;
    let (endpoint, url) = (key.endpoint(account), url.to_string());
    let says = ("create", &url, &types);
    let secret = mint_secret();
    let command =
        EndpointCommand::Create { endpoint, url: url.clone(), types: types.clone(), secret };
    let made = ask(&edge, &call, &key, &says, command).await?;
    let known = made.view.get(&endpoint).ok_or_else(unknown)?;
    Ok(Reply::new(StatusCode::CREATED, &EndpointBody::with_secret(known))
        .location("/v1/webhook-endpoints", endpoint)
        .standing(&made)
        .replayed(key.replayed(&made))
        .into_response())
}

/// One endpoint.
#[utoipa::path(
    get, path = "/v1/webhook-endpoints/{id}", operation_id = "get_webhook_endpoint", tag = "webhooks",
    params(("id" = Uuid, Path, description = "The endpoint")),
    responses(
        (status = 200, description = "The endpoint", body = EndpointBody<'static>),
        (status = 404, description = "There is no such endpoint", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn read(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    admin(&call)?;
    let id = endpoint_id(&id)?;
    let book = edge.shop.endpoints().await?;
    let known = book.get(&id).ok_or_else(unknown)?;
    Ok(Reply::ok(&EndpointBody::from(known)).into_response())
}

/// Takes an endpoint away: it is told nothing any more.
#[utoipa::path(
    delete, path = "/v1/webhook-endpoints/{id}", operation_id = "delete_webhook_endpoint",
    tag = "webhooks",
    params(
        ("id" = Uuid, Path, description = "The endpoint"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the request"),
    ),
    responses(
        (status = 200, description = "The endpoints that are left", body = EndpointsBody<'static>),
        (status = 404, description = "There is no such endpoint", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn delete(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
) -> Result<Response, Problem> {
    let endpoint = endpoint_id(&id)?;
    let command = EndpointCommand::Delete { endpoint };
    let gone = ask(&edge, &call, &key, &("delete", endpoint), command).await?;
    let items = gone.view.values().map(EndpointBody::from).collect();
    Ok(Reply::ok(&EndpointsBody { items })
        .standing(&gone)
        .replayed(key.replayed(&gone))
        .into_response())
}

/// Pauses an endpoint, or lets it go on from where it was; what it missed is told then.
#[utoipa::path(
    put, path = "/v1/webhook-endpoints/{id}/status", operation_id = "set_webhook_endpoint_status",
    tag = "webhooks",
    params(
        ("id" = Uuid, Path, description = "The endpoint"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the request"),
    ),
    request_body = NewEndpointStatus,
    responses(
        (status = 200, description = "The endpoint as it is now", body = EndpointBody<'static>),
        (status = 404, description = "There is no such endpoint", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn set_status(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    body: Json<NewEndpointStatus>,
) -> Result<Response, Problem> {
    let endpoint = endpoint_id(&id)?;
    let command = match body.0.status {
        WantedStatus::Active => EndpointCommand::Resume { endpoint },
        WantedStatus::Paused => EndpointCommand::Pause { endpoint },
    };
    let changed = ask(&edge, &call, &key, &("status", endpoint, body.0.status), command).await?;
    answer(&changed, endpoint, &key, Shows::Endpoint)
}

/// Exchanges the secret. For a day messages are signed with the old one, too. The answer has the new
/// one; no other does.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints/{id}/secret", operation_id = "rotate_webhook_secret",
    tag = "webhooks",
    params(
        ("id" = Uuid, Path, description = "The endpoint"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the exchange"),
    ),
    responses(
        (status = 200, description = "Exchanged", body = EndpointBody<'static>),
        (status = 404, description = "There is no such endpoint", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn rotate(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
) -> Result<Response, Problem> {
    let endpoint = endpoint_id(&id)?;
    let command = EndpointCommand::Rotate { endpoint, secret: mint_secret() };
    let rotated = ask(&edge, &call, &key, &("rotate", endpoint), command).await?;
    answer(&rotated, endpoint, &key, Shows::Secret)
}

/// Tells an endpoint again what was decided from a moment or a place on. Its messages have the ids that
/// they had.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints/{id}/replay", operation_id = "replay_webhooks",
    tag = "webhooks",
    params(
        ("id" = Uuid, Path, description = "The endpoint"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the replay"),
    ),
    request_body = NewReplay,
    responses(
        (status = 200, description = "It is told again from `from` on", body = EndpointBody<'static>),
        (status = 404, description = "There is no such endpoint", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn replay(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    body: Json<NewReplay>,
) -> Result<Response, Problem> {
    admin(&call)?;
    let endpoint = endpoint_id(&id)?;
    let from = begin(&edge, &body.0).await?;
    let command = EndpointCommand::Replay { endpoint, from };
    let replayed = ask(&edge, &call, &key, &("replay", endpoint, from), command).await?;
    answer(&replayed, endpoint, &key, Shows::Endpoint)
}

/// What an endpoint was told lately, and how far it is.
#[utoipa::path(
    get, path = "/v1/webhook-endpoints/{id}/deliveries", operation_id = "list_webhook_deliveries",
    tag = "webhooks",
    params(("id" = Uuid, Path, description = "The endpoint")),
    responses(
        (status = 200, description = "The last tries since the server was started",
         body = DeliveriesBody),
        (status = 404, description = "There is no such endpoint", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn deliveries(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    admin(&call)?;
    let id = endpoint_id(&id)?;
    if !edge.shop.endpoints().await?.contains_key(&id) {
        return Err(unknown());
    }
    let (attempts, heard) = match &edge.outside.outbound.webhooks {
        Some(webhooks) => {
            let heard =
                webhooks.heard(id).await.map_err(|error| crate::shop::unreadable(&error))?;
            (webhooks.attempts(id), heard)
        }
        None => (Vec::new(), Vec::new()),
    };
    Ok(Reply::ok(&DeliveriesBody::of(attempts, &heard)).into_response())
}

/// Asks, once for each key of the client.
async fn ask(
    edge: &Edge,
    call: &Call,
    key: &RequestKey,
    says: &impl Serialize,
    command: EndpointCommand,
) -> Result<Accepted<Endpoints>, Problem> {
    let account = &call.allowed(Scope::Admin)?.account;
    let request = key.request(account, says)?;
    let form = |request, command| EndpointCommand::Once { request, command };
    let command = remembered(request, command, form);
    Ok(edge.shop.ask_endpoints(command, call.asking(Some(key), None)).await?)
}

/// What an answer says beside how the endpoint is.
#[derive(Clone, Copy)]
enum Shows {
    /// Nothing.
    Endpoint,
    /// Its secret.
    Secret,
}

fn answer(
    changed: &Accepted<Endpoints>,
    endpoint: EndpointId,
    key: &RequestKey,
    shows: Shows,
) -> Result<Response, Problem> {
    let known = changed.view.get(&endpoint).ok_or_else(unknown)?;
    let body = match shows {
        Shows::Endpoint => EndpointBody::from(known),
        Shows::Secret => EndpointBody::with_secret(known),
    };
    Ok(Reply::ok(&body).standing(changed).replayed(key.replayed(changed)).into_response())
}

/// The moment from which a replay begins.
async fn begin(edge: &Edge, wanted: &NewReplay) -> Result<Moment, Problem> {
    let invalid = |field: &'static str, message: &'static str, hint: &'static str| {
        Problem::invalid(vec![FieldError::new(field, "invalid_value", message, hint)])
    };
    match (&wanted.since, &wanted.position) {
        (Some(since), None) => {
            let hint = "Send a moment as in 2026-11-26T18:00:00Z.";
            let since: Timestamp =
                since.parse().map_err(|_| invalid("since", "not a moment", hint))?;
            Ok(Moment::from_unix_micros(since.as_microsecond()))
        }
        (None, Some(position)) => {
            let hint = "Send the position of an event, as its message named it.";
            let missing = || invalid("position", "there is no event at this position", hint);
            let place = place(position).ok_or_else(missing)?;
            edge.shop.moment_of(place).await?.ok_or_else(missing)
        }
        _ => Err(invalid("since", "not one of since and position", "Send either of them.")),
    }
}
