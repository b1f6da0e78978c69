//! Faults on purpose: injected, lifted, and who did it. These routes exist only where they may be.

mod body;

use std::sync::Arc;

use actors::faults::Drills;
use axum::extract::State;
use axum::response::Response;
use engine::drill::{ActorKind, Asker, FaultName};
use engine::values::ProductId;
use http::Uri;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use self::body::{FaultBody, FaultsBody, KillBody, KilledBody, LogBody, NewFault};
use super::{Edge, Shared, not_found};
use crate::access::Scope;
use crate::call::Call;
use crate::problem::{Code, Problem, ProblemBody};
use crate::query::Query;
use crate::reply::Reply;
use crate::wire::{Json, Path};

/// Entries of the log in one answer, unless another number is asked for.
const ENTRIES: u64 = 100;
/// Most entries of the log in one answer.
const ENTRIES_MAX: u64 = 1_000;

/// The routes with their descriptions.
pub(super) fn described() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(read, lift_all))
        .routes(routes!(inject, lift))
        .routes(routes!(kill))
        .routes(routes!(log))
}

/// Whether a path belongs to drills. They are let in when nobody else is, because they end faults.
pub(crate) fn is_drill(path: &str) -> bool {
    path.strip_prefix("/v1/ops/faults").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

async fn drills<'a>(edge: &'a Edge, call: &Call) -> Result<(&'a Arc<Drills>, Asker), Problem> {
    let Some(drills) = &edge.outside.drills else { return Err(not_found().await) };
    let by = call.allowed(Scope::Faults)?.account.to_string();
    Ok((drills, Asker { by, request: call.request_id.to_string() }))
}

fn fault_name(text: &str) -> Result<FaultName, Problem> {
    let unknown = || Problem::new(Code::NotFound, "there is no fault of this name");
    FaultName::parse(text).ok_or_else(unknown)
}

/// What goes wrong on purpose now: since when, until when, and who asked for it.
#[utoipa::path(
    get, path = "/v1/ops/faults", operation_id = "list_faults", tag = "drills",
    responses((status = 200, description = "The faults that are injected", body = FaultsBody<'static>)),
)]
async fn read(State(edge): State<Shared>, call: Call) -> Result<Response, Problem> {
    let (drills, _) = drills(&edge, &call).await?;
    Ok(Reply::ok(&FaultsBody::of(drills, &drills.active())).into_response())
}

/// Injects a fault, in the place of one with the same name. It is written down before it goes off;
/// after a 504 it goes off if it turns out to be. A repeat without `ttl_seconds` changes nothing.
#[utoipa::path(
    put, path = "/v1/ops/faults/{name}", operation_id = "inject_fault", tag = "drills",
    params(("name" = String, Path,
            description = "`payment_failure`, `payment_latency`, `journal_stall` or `redis_cut`")),
    request_body = NewFault,
    responses(
        (status = 200, description = "The fault as it is injected now", body = FaultBody<'static>),
        (status = 404, description = "There is no such fault", body = ProblemBody<'static>),
        (status = 409, description = "It cannot be injected here", body = ProblemBody<'static>),
    ),
)]
async fn inject(
    State(edge): State<Shared>,
    call: Call,
    Path(name): Path<String>,
    body: Json<NewFault>,
) -> Result<Response, Problem> {
    let (drills, asker) = drills(&edge, &call).await?;
    let name = fault_name(&name)?;
    let (fault, lasts) = body.0.read(name)?;
    if !drills.available().any(|available| available == name) {
        let detail = "this server announces nothing over Redis";
        return Err(Problem::new(Code::FaultUnavailable, detail));
    }
    let until = lasts.map(|lasts| edge.shop.clock().now().saturating_add(lasts));
    let injected = drills.inject(fault, until, asker, call.asking(None, None)).await?;
    let gone = || Problem::new(Code::Internal, "the fault is not among those that are injected");
    let injection = injected.view.get(&name).ok_or_else(gone)?;
    Ok(Reply::ok(&FaultBody::from(injection)).standing(&injected).into_response())
}

/// Lifts a fault at once. A repeat changes nothing.
#[utoipa::path(
    delete, path = "/v1/ops/faults/{name}", operation_id = "lift_fault", tag = "drills",
    params(("name" = String, Path, description = "The fault")),
    responses(
        (status = 200, description = "The faults that are still injected", body = FaultsBody<'static>),
        (status = 404, description = "There is no such fault", body = ProblemBody<'static>),
        (status = 504, description = "It is lifted, but that is not written down yet",
         body = ProblemBody<'static>),
    ),
)]
async fn lift(
    State(edge): State<Shared>,
    call: Call,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let (drills, asker) = drills(&edge, &call).await?;
    lifted(drills, &[fault_name(&name)?], asker, &call).await
}

/// Lifts all faults at once. A repeat changes nothing.
#[utoipa::path(
    delete, path = "/v1/ops/faults", operation_id = "lift_all_faults", tag = "drills",
    responses(
        (status = 200, description = "No fault is injected", body = FaultsBody<'static>),
        (status = 504, description = "They are lifted, but that is not written down yet",
         body = ProblemBody<'static>),
    ),
)]
async fn lift_all(State(edge): State<Shared>, call: Call) -> Result<Response, Problem> {
    let (drills, asker) = drills(&edge, &call).await?;
    lifted(drills, &FaultName::ALL, asker, &call).await
}

async fn lifted(
    drills: &Drills,
    faults: &[FaultName],
    asker: Asker,
    call: &Call,
) -> Result<Response, Problem> {
    let lifted = drills.lift(faults, asker, call.asking(None, None)).await;
    let unwritten =
        |error| Problem::from(error).after("it is lifted, and that will be written down");
    let lifted = lifted.map_err(unwritten)?;
    let reply = Reply::ok(&FaultsBody::of(drills, &drills.active()));
    let reply = match &lifted {
        Some(accepted) => reply.standing(accepted),
        None => reply,
    };
    Ok(reply.into_response())
}

/// Kills a live actor, as a panic would: its next command rebuilds it from the journal. Each request
/// kills once more; what the actor had submitted is never lost.
#[utoipa::path(
    post, path = "/v1/ops/faults/actor_kill", operation_id = "kill_actor", tag = "drills",
    request_body = KillBody,
    responses(
        (status = 200, description = "It was killed", body = KilledBody<'static>),
        (status = 404, description = "No such actor is live", body = ProblemBody<'static>),
    ),
)]
async fn kill(
    State(edge): State<Shared>,
    call: Call,
    body: Json<KillBody>,
) -> Result<Response, Problem> {
    let (drills, asker) = drills(&edge, &call).await?;
    let KillBody { kind, key } = body.0;
    let absent = || Problem::new(Code::NotFound, "no such actor is live");
    let key = actor_key(kind, &key).ok_or_else(absent)?;
    let killed = drills.kill(kind, &key, asker, call.asking(None, None)).await?;
    let killed = killed.ok_or_else(absent)?;
    let body = KilledBody { kind: kind.as_str(), key: &key };
    Ok(Reply::ok(&body).standing(&killed).into_response())
}

/// The key as its stream has it.
fn actor_key(kind: ActorKind, text: &str) -> Option<String> {
    match kind {
        ActorKind::Order | ActorKind::Cart => Uuid::try_parse(text).ok().map(|id| id.to_string()),
        ActorKind::Product | ActorKind::Inventory => {
            ProductId::parse(text).ok().map(|id| id.to_string())
        }
    }
}

/// Every injection, every end and every killing, newest first, with who asked for it. Durable: it
/// stands in the journal.
#[utoipa::path(
    get, path = "/v1/ops/faults/log", operation_id = "list_drills", tag = "drills",
    params(("limit" = Option<u64>, Query, description = "1 to 1,000; 100 when absent")),
    responses(
        (status = 200, description = "The latest entries", body = LogBody),
        (status = 422, description = "A parameter cannot be used", body = ProblemBody<'static>),
    ),
)]
async fn log(State(edge): State<Shared>, call: Call, uri: Uri) -> Result<Response, Problem> {
    let (drills, _) = drills(&edge, &call).await?;
    let mut query = Query::of(&uri, &["limit"])?;
    let limit = query.number("limit", 1, ENTRIES_MAX).unwrap_or(ENTRIES);
    query.finish()?;
    let log = drills.log().await.map_err(|error| {
        tracing::error!(error = %error, "the log of drills cannot be read");
        Problem::new(Code::Unavailable, "it cannot be read now")
    })?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(Reply::ok(&LogBody::of(log.iter().rev().take(limit))).into_response())
}
