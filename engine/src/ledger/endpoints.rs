//! What must hold for webhook endpoints.

use std::collections::BTreeMap;

use super::violation::{Found, holds};
use crate::endpoint::{ENDPOINTS_MAX, EndpointEvent};
use crate::values::EndpointId;

/// Which endpoints there are, and their addresses.
#[derive(Debug, Default)]
pub(super) struct EndpointBook {
    addresses: BTreeMap<EndpointId, String>,
}

impl EndpointBook {
    pub(super) fn enter(&mut self, event: &EndpointEvent) -> Result<(), Found> {
        match event {
            EndpointEvent::Created { endpoint, url, .. } => {
                let is_new = !self.addresses.values().any(|known| known == url)
                    && self.addresses.insert(*endpoint, url.clone()).is_none();
                holds("R12", is_new && self.addresses.len() <= ENDPOINTS_MAX, || {
                    format!("endpoint {endpoint} was made twice, or is one too many")
                })
            }
            EndpointEvent::Deleted { endpoint } => {
                holds("R12", self.addresses.remove(endpoint).is_some(), || {
                    format!("endpoint {endpoint} ended, but was not there")
                })
            }
            EndpointEvent::Paused { endpoint, .. }
            | EndpointEvent::Resumed { endpoint }
            | EndpointEvent::SecretRotated { endpoint, .. }
            | EndpointEvent::Replayed { endpoint, .. }
            | EndpointEvent::Failing { endpoint, .. }
            | EndpointEvent::Recovered { endpoint } => {
                holds("R12", self.addresses.contains_key(endpoint), || {
                    format!("endpoint {endpoint} changed, but was not there")
                })
            }
            EndpointEvent::Answered { .. } => Ok(()),
        }
    }
}
