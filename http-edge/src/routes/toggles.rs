//! Features that can be switched off and on while the shop is open.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use engine::toggle::{REASON_MAX, Switches, Toggle, ToggleCommand};
use serde::{Deserialize, Serialize};

use super::Shared;
use crate::access::Scope;
use crate::call::Call;
use crate::idempotency::{RequestKey, remembered};
use crate::problem::{Code, Problem, ProblemBody};
use crate::reply::Reply;
use crate::wire::{Instant, Json, Path, Texts, instant};

/// How a feature stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Toggle)]
pub(crate) struct ToggleBody {
    /// Its name.
    name: &'static str,
    /// What it does while it is on.
    meaning: &'static str,
    /// Whether it is on.
    on: bool,
    /// Who switched it last; null when nobody has.
    by: Option<String>,
    /// Why.
    reason: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Instant>,
}

impl ToggleBody {
    fn new(toggle: Toggle, switches: &Switches) -> Self {
        let thrown = switches.thrown.get(&toggle);
        Self {
            name: toggle.as_str(),
            meaning: toggle.meaning(),
            on: switches.is_on(toggle),
            by: thrown.map(|switch| switch.by.clone()),
            reason: thrown.map(|switch| switch.why.clone()),
            at: thrown.map(|switch| instant(switch.at)),
        }
    }
}

/// All features.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct TogglesBody {
    /// One entry for each.
    items: Vec<ToggleBody>,
}

/// All features, and how they stand.
#[utoipa::path(
    get, path = "/v1/toggles", operation_id = "list_toggles", tag = "toggles",
    responses((status = 200, description = "All features", body = TogglesBody)),
)]
pub(crate) async fn list(State(edge): State<Shared>, call: Call) -> Result<Response, Problem> {
    call.allowed(Scope::Admin)?;
    let switches: Arc<Switches> = edge.shop.system().toggles().switches();
    let items = Toggle::ALL.iter().map(|toggle| ToggleBody::new(*toggle, &switches));
    Ok(Reply::ok(&TogglesBody { items: items.collect() }).into_response())
}

/// How a feature is to stand.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ToggleChange, example = json!({"on": false, "reason": "too many complaints"}))]
pub(crate) struct SwitchBody {
    /// Whether it is to be on.
    on: bool,
    /// Why, for whoever asks later.
    reason: String,
}

/// Switches a feature off or on, everywhere within five seconds. A repeat changes nothing.
#[utoipa::path(
    put, path = "/v1/toggles/{name}", operation_id = "switch_toggle", tag = "toggles",
    params(
        ("name" = String, Path, description = "`flash_sale` or `partner_ingestion`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the request"),
    ),
    request_body = SwitchBody,
    responses(
        (status = 200, description = "The feature as it stands now", body = ToggleBody),
        (status = 404, description = "There is no such feature", body = ProblemBody<'static>),
        (status = 422, description = "A field cannot be used, or the key was used before",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn switch(
    State(edge): State<Shared>,
    call: Call,
    Path(name): Path<String>,
    key: RequestKey,
    body: Json<SwitchBody>,
) -> Result<Response, Problem> {
    let account = &call.allowed(Scope::Admin)?.account;
    let unknown = || Problem::new(Code::NotFound, "there is no feature of this name");
    let toggle = Toggle::parse(&name).ok_or_else(unknown)?;
    let request = key.request(account, &("switch", toggle.as_str(), &body.0))?;
    let SwitchBody { on, reason } = body.0;
    let mut texts = Texts::default();
    texts.reason(&reason, REASON_MAX);
    texts.finish()?;
    let set = ToggleCommand::Set { toggle, on, by: account.to_string(), why: reason };
    let command =
        remembered(request, set, |request, command| ToggleCommand::Once { request, command });
    let system = edge.shop.system();
    let asked = system.ask_register(system.toggles(), command, call.asking(Some(&key), None));
    let asked = asked.await?;
    Ok(Reply::ok(&ToggleBody::new(toggle, &asked.view))
        .standing(&asked)
        .replayed(key.replayed(&asked))
        .into_response())
}
