//! The bookkeeping of webhook endpoints.

use std::sync::Arc;

use super::model::{Endpoint, EndpointEvent, EndpointStatus, EndpointsState, Failing};
use crate::values::{EndpointId, Moment};

pub(super) fn evolve(state: &mut EndpointsState, event: &EndpointEvent, at: Moment) {
    match event {
        EndpointEvent::Created { endpoint, url, types, secret } => {
            let made = Endpoint {
                id: *endpoint,
                url: url.clone(),
                types: types.clone(),
                secret: secret.clone(),
                previous: None,
                status: EndpointStatus::Active,
                failing: None,
                from: at,
                run: 1,
                created_at: at,
                updated_at: at,
            };
            Arc::make_mut(&mut state.endpoints).insert(*endpoint, made);
        }
        EndpointEvent::Paused { endpoint, why } => change(state, *endpoint, at, |known| {
            known.status = EndpointStatus::Paused(*why);
        }),
        EndpointEvent::Resumed { endpoint } => change(state, *endpoint, at, |known| {
            known.status = EndpointStatus::Active;
            known.failing = None;
        }),
        EndpointEvent::SecretRotated { endpoint, secret, overlap_until } => {
            change(state, *endpoint, at, |known| {
                let old = std::mem::replace(&mut known.secret, secret.clone());
                known.previous = Some((old, *overlap_until));
            });
        }
        EndpointEvent::Replayed { endpoint, from } => change(state, *endpoint, at, |known| {
            known.from = *from;
            known.run = known.run.saturating_add(1);
        }),
        EndpointEvent::Deleted { endpoint } => {
            Arc::make_mut(&mut state.endpoints).remove(endpoint);
        }
        EndpointEvent::Failing { endpoint, why } => change(state, *endpoint, at, |known| {
            known.failing = Some(Failing { since: at, why: why.clone() });
        }),
        EndpointEvent::Recovered { endpoint } => {
            change(state, *endpoint, at, |known| known.failing = None);
        }
        EndpointEvent::Answered { request } => state.answered.remember(*request),
    }
}

/// A change of nothing is kept as nothing.
fn change(
    state: &mut EndpointsState,
    endpoint: EndpointId,
    at: Moment,
    change: impl FnOnce(&mut Endpoint),
) {
    if let Some(known) = Arc::make_mut(&mut state.endpoints).get_mut(&endpoint) {
        change(known);
        known.updated_at = at;
    }
}
