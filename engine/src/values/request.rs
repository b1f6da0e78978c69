//! Requests that came under a key of their client: a repeat of one is known and done once.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Fingerprint;
use crate::planted::{Bug, planted};

/// How many requests an entity remembers. A repeat that comes after so many others is a new request.
pub const REQUESTS_REMEMBERED_MAX: usize = 64;

/// A request under a key of its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedRequest {
    /// Derived from the key and the account that sent it.
    pub key: Uuid,
    /// What it says.
    pub fingerprint: Fingerprint,
}

/// What a key means to an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// It has not been seen.
    New,
    /// The same request was answered before.
    Repeat,
    /// Another request was answered under it.
    Other,
}

/// The last requests that an entity has answered, oldest first. Shared, so that copies are free.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Answered(Arc<VecDeque<KeyedRequest>>);

impl Answered {
    /// What the key of a request means.
    pub fn judge(&self, request: &KeyedRequest) -> KeyUse {
        let known = self.0.iter().find(|known| known.key == request.key);
        match known.filter(|_| !planted(Bug::CartRepeats)) {
            None => KeyUse::New,
            Some(known) if known == request => KeyUse::Repeat,
            Some(_) => KeyUse::Other,
        }
    }

    /// Remembers one more, and forgets the oldest when there are too many.
    pub(crate) fn remember(&mut self, request: KeyedRequest) {
        let requests = Arc::make_mut(&mut self.0);
        requests.push_back(request);
        if REQUESTS_REMEMBERED_MAX < requests.len() {
            requests.pop_front();
        }
    }

    /// Whether none was answered.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
