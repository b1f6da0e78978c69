//! The rules of webhook endpoints.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::model::{
    ENDPOINTS_MAX, Endpoint, EndpointCommand, EndpointEvent, EndpointRefusal, EndpointStatus,
    Endpoints, EndpointsState, FAILING_LONGEST, PauseReason, SECRET_OVERLAP,
};
use crate::aggregate::Aggregate;
use crate::values::{EndpointId, KeyUse, Moment};

type Decision = Result<Vec<EndpointEvent>, EndpointRefusal>;

impl Aggregate for Endpoints {
    const KIND: &'static str = "endpoint";
    type State = EndpointsState;
    type Command = EndpointCommand;
    type Event = EndpointEvent;
    type Refusal = EndpointRefusal;
    type View = Arc<BTreeMap<EndpointId, Endpoint>>;

    fn decide(state: &EndpointsState, command: &EndpointCommand, now: Moment) -> Decision {
        match command {
            EndpointCommand::Once { request, command } => match state.answered.judge(request) {
                KeyUse::Repeat => Ok(Vec::new()),
                KeyUse::Other => Err(EndpointRefusal::KeyReused),
                KeyUse::New => {
                    let mut events = Self::decide(state, command, now)?;
                    events.push(EndpointEvent::Answered { request: *request });
                    Ok(events)
                }
            },
            EndpointCommand::Create { endpoint, url, types, secret } => {
                if state.endpoints.contains_key(endpoint) {
                    return Err(EndpointRefusal::KeyReused);
                }
                if let Some(other) = state.endpoints.values().find(|other| other.url == *url) {
                    return Err(EndpointRefusal::AddressTaken(other.id));
                }
                if ENDPOINTS_MAX <= state.endpoints.len() {
                    return Err(EndpointRefusal::TooMany);
                }
                let (endpoint, url) = (*endpoint, url.clone());
                let (types, secret) = (types.clone(), secret.clone());
                Ok(vec![EndpointEvent::Created { endpoint, url, types, secret }])
            }
            EndpointCommand::Pause { endpoint } => {
                let known = known(state, *endpoint)?;
                let (endpoint, why) = (*endpoint, PauseReason::Asked);
                let is_paused = matches!(known.status, EndpointStatus::Paused(_));
                Ok(if is_paused { vec![] } else { vec![EndpointEvent::Paused { endpoint, why }] })
            }
            EndpointCommand::Resume { endpoint } => {
                let is_active = known(state, *endpoint)?.status == EndpointStatus::Active;
                let endpoint = *endpoint;
                Ok(if is_active { vec![] } else { vec![EndpointEvent::Resumed { endpoint }] })
            }
            EndpointCommand::Rotate { endpoint, secret } => {
                known(state, *endpoint)?;
                Ok(vec![EndpointEvent::SecretRotated {
                    endpoint: *endpoint,
                    secret: secret.clone(),
                    overlap_until: now.saturating_add(SECRET_OVERLAP),
                }])
            }
            EndpointCommand::Replay { endpoint, from } => {
                known(state, *endpoint)?;
                if now < *from {
                    return Err(EndpointRefusal::FromTheFuture);
                }
                Ok(vec![EndpointEvent::Replayed { endpoint: *endpoint, from: *from }])
            }
            EndpointCommand::Delete { endpoint } => {
                known(state, *endpoint)?;
                Ok(vec![EndpointEvent::Deleted { endpoint: *endpoint }])
            }
            EndpointCommand::NoteFailure { endpoint, why } => {
                Ok(failed(state, *endpoint, why, now).into_iter().collect())
            }
            EndpointCommand::NoteSuccess { endpoint } => {
                let fails = state.endpoints.get(endpoint).is_some_and(|e| e.failing.is_some());
                let endpoint = *endpoint;
                Ok(if fails { vec![EndpointEvent::Recovered { endpoint }] } else { vec![] })
            }
        }
    }

    fn evolve(state: &mut EndpointsState, event: &EndpointEvent, at: Moment) {
        super::evolve::evolve(state, event, at);
    }

    fn view(state: &EndpointsState) -> Self::View {
        Arc::clone(&state.endpoints)
    }
}

fn known(state: &EndpointsState, endpoint: EndpointId) -> Result<&Endpoint, EndpointRefusal> {
    state.endpoints.get(&endpoint).ok_or(EndpointRefusal::Unknown)
}

/// Whoever tells messages may come late: an endpoint that is gone or paused stays as it is.
fn failed(
    state: &EndpointsState,
    endpoint: EndpointId,
    why: &str,
    now: Moment,
) -> Option<EndpointEvent> {
    let known = state.endpoints.get(&endpoint)?;
    if known.status != EndpointStatus::Active {
        return None;
    }
    match &known.failing {
        None => Some(EndpointEvent::Failing { endpoint, why: why.to_owned() }),
        Some(failing) if failing.since.saturating_add(FAILING_LONGEST) <= now => {
            Some(EndpointEvent::Paused { endpoint, why: PauseReason::Failing })
        }
        Some(_) => None,
    }
}
