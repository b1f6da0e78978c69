//! One sample of every event of webhook endpoints.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::events::{all, request};
use super::seconds;
use crate::endpoint::{EndpointEvent, PauseReason, SigningSecret};
use crate::public::PublicName;
use crate::values::EndpointId;

const ENDPOINT: EndpointId = EndpointId::new(Uuid::from_u128(0xe0d));

pub(super) fn endpoints() -> Vec<EndpointEvent> {
    let first = EndpointEvent::Created {
        endpoint: ENDPOINT,
        url: "https://shop.example/hooks".to_owned(),
        types: [PublicName::OrderPlaced, PublicName::OrderPaid].into(),
        secret: SigningSecret::new("whsec_Zmlyc3Q="),
    };
    all(first, |event| {
        Some(match event {
            EndpointEvent::Created { .. } => {
                EndpointEvent::Paused { endpoint: ENDPOINT, why: PauseReason::Asked }
            }
            EndpointEvent::Paused { .. } => EndpointEvent::Resumed { endpoint: ENDPOINT },
            EndpointEvent::Resumed { .. } => EndpointEvent::SecretRotated {
                endpoint: ENDPOINT,
                secret: SigningSecret::new("whsec_c2Vjb25k"),
                overlap_until: seconds(86_400),
            },
            EndpointEvent::SecretRotated { .. } => {
                EndpointEvent::Replayed { endpoint: ENDPOINT, from: seconds(60) }
            }
            EndpointEvent::Replayed { .. } => EndpointEvent::Deleted { endpoint: ENDPOINT },
            EndpointEvent::Deleted { .. } => {
                EndpointEvent::Failing { endpoint: ENDPOINT, why: "answered 500".to_owned() }
            }
            EndpointEvent::Failing { .. } => EndpointEvent::Recovered { endpoint: ENDPOINT },
            EndpointEvent::Recovered { .. } => EndpointEvent::Answered { request: request() },
            EndpointEvent::Answered { .. } => return None,
        })
    })
}

/// The same for endpoints.
pub(super) fn other_endpoints() -> Vec<(&'static str, EndpointEvent)> {
    let bare = EndpointEvent::Created {
        endpoint: ENDPOINT,
        url: "https://shop.example/all".to_owned(),
        types: BTreeSet::new(),
        secret: SigningSecret::new("whsec_Zmlyc3Q="),
    };
    vec![
        ("endpoint.created.all", bare),
        (
            "endpoint.paused.failing",
            EndpointEvent::Paused { endpoint: ENDPOINT, why: PauseReason::Failing },
        ),
    ]
}
