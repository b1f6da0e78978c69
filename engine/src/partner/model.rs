//! State, commands, events and refusals of partners and their keys.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::aggregate::EventName;
use crate::values::{Moment, PartnerId, PartnerKeyId};

/// The key of the one stream that holds all partners.
pub const REGISTER: &str = "register";

/// Most partners.
pub const PARTNERS_MAX: usize = 1_000;

/// Keys that are remembered of a partner; one more lets go of the oldest that opens nothing.
pub const KEYS_MAX: usize = 16;

/// Longest name of a partner, in bytes.
pub const NAME_MAX: usize = 200;

/// A use of a key is written down once in so long: knowing the minute is worth no event for each.
pub const KEY_USE_GRAIN: Duration = Duration::from_mins(10);

/// The aggregate of all partners.
#[derive(Clone, Copy, Debug)]
pub struct Partners;

/// SHA-256 of a key, as 64 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyDigest(Arc<str>);

impl KeyDigest {
    /// Checks and wraps the digits.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (text.len() == 64 && text.bytes().all(is_digit)).then(|| Self(text.into()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// It opens nothing, but nobody needs to see it in a log.
impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest")
    }
}

/// A key that is to be issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Its name; a repeat names the same key.
    pub id: PartnerKeyId,
    /// What it is known by.
    pub digest: KeyDigest,
    /// When it opens nothing any more.
    pub expires_at: Option<Moment>,
}

/// A key as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerKey {
    /// Its name.
    pub id: PartnerKeyId,
    /// What it is known by.
    pub digest: KeyDigest,
    /// When it was issued.
    pub issued_at: Moment,
    /// When it opens nothing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Moment>,
    /// When it was used last, give or take [`KEY_USE_GRAIN`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Moment>,
}

/// What a key is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It opens the door.
    Live,
    /// It was revoked.
    Revoked,
    /// Its time has run out.
    Expired,
}

impl PartnerKey {
    /// What it is worth now.
    pub fn standing(&self, now: Moment) -> Standing {
        if self.revoked_at.is_some() {
            Standing::Revoked
        } else if self.expires_at.is_some_and(|end| end <= now) {
            Standing::Expired
        } else {
            Standing::Live
        }
    }
}

/// A partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partner {
    /// Its name for people.
    pub name: String,
    /// Its keys, oldest first.
    pub keys: Vec<PartnerKey>,
    /// When it was registered.
    pub registered_at: Moment,
}

/// All partners. Shared, so that taking a view is free.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Registered(pub Arc<BTreeMap<PartnerId, Partner>>);

impl Registered {
    /// A key of a partner.
    pub fn key(&self, partner: &PartnerId, id: PartnerKeyId) -> Option<&PartnerKey> {
        self.0.get(partner)?.keys.iter().find(|key| key.id == id)
    }
}

/// What can be asked of the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartnerCommand {
    /// Let somebody be a partner, with a first key.
    Register {
        /// Who.
        partner: PartnerId,
        /// Its name for people.
        name: String,
        /// Its first key.
        key: NewKey,
    },
    /// Give a partner one more key.
    IssueKey {
        /// Who.
        partner: PartnerId,
        /// The key.
        key: NewKey,
    },
    /// Let a key open nothing any more.
    RevokeKey {
        /// Whose.
        partner: PartnerId,
        /// Which.
        key: PartnerKeyId,
    },
    /// Note that a key was used.
    NoteUse {
        /// Whose.
        partner: PartnerId,
        /// Which.
        key: PartnerKeyId,
    },
}

/// What happened to partners. Journaled: add variants, never change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartnerEvent {
    /// Somebody became a partner.
    Registered {
        /// Who.
        partner: PartnerId,
        /// Its name for people.
        name: String,
    },
    /// A key was issued.
    KeyIssued {
        /// To whom.
        partner: PartnerId,
        /// The key's name.
        key: PartnerKeyId,
        /// What it is known by.
        digest: KeyDigest,
        /// When it opens nothing any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Moment>,
    },
    /// A key was revoked.
    KeyRevoked {
        /// Whose.
        partner: PartnerId,
        /// Which.
        key: PartnerKeyId,
    },
    /// A key was used, for the first time in a while.
    KeyUsed {
        /// Whose.
        partner: PartnerId,
        /// Which.
        key: PartnerKeyId,
    },
}

impl EventName for PartnerEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Registered { .. } => "partner.registered",
            Self::KeyIssued { .. } => "partner.key_issued",
            Self::KeyRevoked { .. } => "partner.key_revoked",
            Self::KeyUsed { .. } => "partner.key_used",
        }
    }
}

/// Why the register turned something down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartnerRefusal {
    /// There is no such partner.
    #[error("partner is unknown")]
    Unknown,
    /// There is no such key.
    #[error("key is unknown")]
    UnknownKey,
    /// Another partner has this id.
    #[error("partner {0} exists with another name")]
    Exists(PartnerId),
    /// The name cannot be used.
    #[error("the name has 1 to {NAME_MAX} bytes")]
    NameOutOfRange,
    /// There are enough partners.
    #[error("there are {PARTNERS_MAX} partners, and no more can be")]
    TooManyPartners,
    /// The partner has enough keys.
    #[error("the partner has {KEYS_MAX} live keys, and no more can be")]
    TooManyKeys,
    /// The same secret, or the same name for another key.
    #[error("the key exists")]
    KeyExists,
    /// A key that is born expired opens nothing.
    #[error("the key expires before it is issued")]
    AlreadyExpired,
}
