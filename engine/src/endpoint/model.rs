//! State, commands, events and refusals of webhook endpoints.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::aggregate::EventName;
use crate::public::PublicName;
use crate::values::{Answered, EndpointId, KeyedRequest, Moment};

/// The key of the one stream.
pub const BOOK: &str = "all";

/// Endpoints of one shop. Each costs a reader of the journal.
pub const ENDPOINTS_MAX: usize = 32;

/// Longest address, in bytes.
pub const URL_BYTES_MAX: usize = 2_048;

/// Most event types that one endpoint may name; there are fewer.
pub const TYPES_MAX: usize = 64;

/// How long messages are signed with the old secret as well.
pub const SECRET_OVERLAP: Duration = Duration::from_hours(24);

/// An endpoint that has failed for so long without a break is paused.
pub const FAILING_LONGEST: Duration = Duration::from_hours(24);

/// The aggregate of all endpoints of a shop.
#[derive(Clone, Copy, Debug)]
pub struct Endpoints;

/// What messages to an endpoint are signed with: `whsec_` and base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SigningSecret(Arc<str>);

impl SigningSecret {
    /// Wraps a secret that was minted outside.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The secret itself, for signing and for its owner only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

// Whoever reads it can sign: it must not reach a log through `{:?}`.
impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(..)")
    }
}

/// Why an endpoint hears nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// Somebody wanted it so.
    Asked,
    /// It failed for too long.
    Failing,
}

/// Whether an endpoint hears anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointStatus {
    /// It does.
    Active,
    /// It does not; it will hear what it misses when it is resumed.
    Paused(PauseReason),
}

/// A failure that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// Since when.
    pub since: Moment,
    /// What was wrong at first.
    pub why: String,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// Where messages go.
    pub url: String,
    /// Which events it hears; all when there are none.
    pub types: BTreeSet<PublicName>,
    /// What messages are signed with.
    pub secret: SigningSecret,
    /// What they are signed with as well, until then.
    pub previous: Option<(SigningSecret, Moment)>,
    /// Whether it hears anything.
    pub status: EndpointStatus,
    /// Whether it fails now.
    pub failing: Option<Failing>,
    /// It hears what was decided from then on.
    pub from: Moment,
    /// Counts how often it was told to begin.
    pub run: u32,
    /// When it was made.
    pub created_at: Moment,
    /// When it last changed.
    pub updated_at: Moment,
}

impl Endpoint {
    /// Whether it hears events of this name.
    pub fn hears(&self, name: PublicName) -> bool {
        self.types.is_empty() || self.types.contains(&name)
    }

    /// The secrets to sign with, the newest first.
    pub fn secrets(&self, now: Moment) -> impl Iterator<Item = &SigningSecret> {
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until);
        std::iter::once(&self.secret).chain(previous.map(|(secret, _)| secret))
    }
}

/// All endpoints of a shop. Shared, so that a view is a pointer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointsState {
    /// By id.
    pub endpoints: Arc<BTreeMap<EndpointId, Endpoint>>,
    /// The last requests that came under keys.
    #[serde(default, skip_serializing_if = "Answered::is_empty")]
    pub answered: Answered,
}

/// What can be asked of endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointCommand {
    /// Begin to tell somebody.
    Create {
        /// Its id.
        endpoint: EndpointId,
        /// Where messages go; the edge has judged its form.
        url: String,
        /// Which events; all when there are none.
        types: BTreeSet<PublicName>,
        /// What they are signed with.
        secret: SigningSecret,
    },
    /// Tell it nothing for a while.
    Pause {
        /// Which.
        endpoint: EndpointId,
    },
    /// Go on telling it, from where it was.
    Resume {
        /// Which.
        endpoint: EndpointId,
    },
    /// Exchange its secret; the old one is used beside the new for [`SECRET_OVERLAP`].
    Rotate {
        /// Which.
        endpoint: EndpointId,
        /// The new one.
        secret: SigningSecret,
    },
    /// Tell it again what was decided from a moment on.
    Replay {
        /// Which.
        endpoint: EndpointId,
        /// From when.
        from: Moment,
    },
    /// Tell it nothing any more.
    Delete {
        /// Which.
        endpoint: EndpointId,
    },
    /// Note that it keeps failing.
    NoteFailure {
        /// Which.
        endpoint: EndpointId,
        /// What is wrong.
        why: String,
    },
    /// Note that it has taken a message.
    NoteSuccess {
        /// Which.
        endpoint: EndpointId,
    },
    /// Do something once, however often it is asked under the same key.
    Once {
        /// The request.
        request: KeyedRequest,
        /// What to do.
        command: Box<EndpointCommand>,
    },
}

/// What happened to endpoints. Journaled: add variants, never change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointEvent {
    /// Somebody is told from now on.
    Created {
        /// Its id.
        endpoint: EndpointId,
        /// Where messages go.
        url: String,
        /// Which events; all when there are none.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        types: BTreeSet<PublicName>,
        /// What they are signed with.
        secret: SigningSecret,
    },
    /// It is told nothing for a while.
    Paused {
        /// Which.
        endpoint: EndpointId,
        /// Why.
        why: PauseReason,
    },
    /// It is told again, from where it was.
    Resumed {
        /// Which.
        endpoint: EndpointId,
    },
    /// It has another secret.
    SecretRotated {
        /// Which.
        endpoint: EndpointId,
        /// The new one.
        secret: SigningSecret,
        /// Until when the old one is used as well.
        overlap_until: Moment,
    },
    /// It is told again what was decided from a moment on.
    Replayed {
        /// Which.
        endpoint: EndpointId,
        /// From when.
        from: Moment,
    },
    /// It is told nothing any more.
    Deleted {
        /// Which.
        endpoint: EndpointId,
    },
    /// It keeps failing.
    Failing {
        /// Which.
        endpoint: EndpointId,
        /// What is wrong.
        why: String,
    },
    /// It takes messages again.
    Recovered {
        /// Which.
        endpoint: EndpointId,
    },
    /// A request under a key was done; a repeat of it changes nothing.
    Answered {
        /// The request.
        request: KeyedRequest,
    },
}

impl EventName for EndpointEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "endpoint.created",
            Self::Paused { .. } => "endpoint.paused",
            Self::Resumed { .. } => "endpoint.resumed",
            Self::SecretRotated { .. } => "endpoint.secret_rotated",
            Self::Replayed { .. } => "endpoint.replayed",
            Self::Deleted { .. } => "endpoint.deleted",
            Self::Failing { .. } => "endpoint.failing",
            Self::Recovered { .. } => "endpoint.recovered",
            Self::Answered { .. } => "endpoint.answered",
        }
    }
}

/// Why a command was turned down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointRefusal {
    /// There is no such endpoint.
    #[error("endpoint is unknown")]
    Unknown,
    /// Another request was answered under its key.
    #[error("the key was used for another request")]
    KeyReused,
    /// An endpoint has this address already.
    #[error("endpoint {0} has this address")]
    AddressTaken(EndpointId),
    /// There are too many.
    #[error("a shop has at most {ENDPOINTS_MAX} endpoints")]
    TooMany,
    /// A replay from the future would skip what has not been told.
    #[error("a replay begins at a moment that has passed")]
    FromTheFuture,
}
