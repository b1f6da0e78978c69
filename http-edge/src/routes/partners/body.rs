//! Partners, their keys and their feeds as the outside sees them.

use engine::import::{Feed, RowError};
use engine::partner::{Partner, PartnerKey, Standing};
use engine::values::{ImportId, Moment, PartnerId, PartnerKeyId};
use serde::Serialize;

use crate::wire::{Instant, instant};

/// A partner.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Partner)]
pub(crate) struct PartnerBody {
    /// Its id.
    #[schema(value_type = String)]
    id: PartnerId,
    /// Its name for people.
    name: String,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    registered_at: Instant,
    /// Its keys, oldest first.
    keys: Vec<PartnerKeyBody>,
    /// The new key itself: shown once, and known to nobody afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
}

impl PartnerBody {
    pub(crate) fn new(id: &PartnerId, partner: &Partner, now: Moment) -> Self {
        Self {
            id: id.clone(),
            name: partner.name.clone(),
            registered_at: instant(partner.registered_at),
            keys: partner.keys.iter().map(|key| PartnerKeyBody::new(key, now)).collect(),
            api_key: None,
        }
    }

    /// With the new key itself, unless it was shown before.
    pub(crate) fn showing(self, api_key: Option<String>) -> Self {
        Self { api_key, ..self }
    }
}

/// A key of a partner, without the secret.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PartnerKey)]
pub(crate) struct PartnerKeyBody {
    /// Its name.
    #[schema(value_type = uuid::Uuid)]
    id: PartnerKeyId,
    /// `live`, `revoked` or `expired`.
    status: &'static str,
    /// When it was issued.
    #[schema(value_type = String, format = DateTime)]
    issued_at: Instant,
    /// When it opens nothing any more.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Instant>,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Instant>,
    /// When it was used last, give or take ten minutes.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Instant>,
}

impl PartnerKeyBody {
    fn new(key: &PartnerKey, now: Moment) -> Self {
        Self {
            id: key.id,
            status: match key.standing(now) {
                Standing::Live => "live",
                Standing::Revoked => "revoked",
                Standing::Expired => "expired",
            },
            issued_at: instant(key.issued_at),
            expires_at: key.expires_at.map(instant),
            revoked_at: key.revoked_at.map(instant),
            last_used_at: key.used_at.map(instant),
        }
    }
}

/// All partners.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PartnersBody {
    /// By id; there are 1,000 at most.
    pub(crate) items: Vec<PartnerBody>,
}

/// A feed and what became of its rows.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Import)]
pub(crate) struct ImportBody {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    id: ImportId,
    /// Whose it is.
    #[schema(value_type = String)]
    partner_id: PartnerId,
    /// `csv`, `json` or `xml`.
    format: String,
    /// `running`, also when it was interrupted, or `finished`.
    status: &'static str,
    /// How many bytes.
    bytes: u64,
    /// How many rows.
    rows: u32,
    /// Rows that were looked at.
    done: u32,
    /// Products that came into the catalogue.
    created: u32,
    /// Products or stocks that changed.
    updated: u32,
    /// Rows that say what held already.
    unchanged: u32,
    /// Rows that were not taken.
    refused: u32,
    /// How many reasons there are.
    errors_total: u64,
    /// The first 1,000 of them.
    errors: Vec<RowErrorBody>,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    started_at: Instant,
    /// When it last moved on.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
    /// Counts the changes.
    version: u64,
}

impl From<&Feed> for ImportBody {
    fn from(feed: &Feed) -> Self {
        Self {
            id: feed.id,
            partner_id: feed.partner.clone(),
            format: feed.format.0.to_string(),
            status: feed.status.as_str(),
            bytes: feed.bytes,
            rows: feed.rows,
            done: feed.done,
            created: feed.tally.created,
            updated: feed.tally.updated,
            unchanged: feed.tally.unchanged,
            refused: feed.tally.refused,
            errors_total: feed.errors_total,
            errors: feed.errors.iter().map(RowErrorBody::from).collect(),
            started_at: instant(feed.started_at),
            updated_at: instant(feed.updated_at),
            version: feed.version,
        }
    }
}

/// Why a row was not taken. What it said is not repeated.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = RowError)]
pub(crate) struct RowErrorBody {
    /// In CSV the line on which the row begins; else the number of the row.
    line: u64,
    /// Which field; `row` for the row as a whole.
    field: &'static str,
    /// Stable code for machines; see docs/partner-feeds.md.
    code: &'static str,
    /// What is wrong, for people.
    message: &'static str,
}

impl From<&RowError> for RowErrorBody {
    fn from(error: &RowError) -> Self {
        Self {
            line: error.line,
            field: error.field.as_str(),
            code: error.code.as_str(),
            message: error.code.message(),
        }
    }
}
