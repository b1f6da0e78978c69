//! State, commands, events and refusals of a feed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::row::RowError;
use crate::aggregate::EventName;
use crate::values::{Fingerprint, ImportId, Moment, PartnerId};

/// Largest feed, in bytes.
pub const FEED_BYTES_MAX: u64 = 50 * 1_024 * 1_024;

/// Most rows of a feed.
pub const ROWS_MAX: u32 = 200_000;

/// Largest row, in bytes of its format.
pub const ROW_BYTES_MAX: usize = 64 * 1_024;

/// Errors of rows that are kept; of further ones only the number is.
pub const ERRORS_KEPT_MAX: usize = 1_000;

/// Errors in one event.
pub const ERRORS_IN_EVENT: usize = 100;

/// The aggregate of one feed.
#[derive(Clone, Copy, Debug)]
pub struct Import;

/// What a feed is written in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeedFormat(pub Arc<str>);

/// A feed that was read to its end and whose rows are about to be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFeed {
    /// Its name.
    pub id: ImportId,
    /// Whose it is.
    pub partner: PartnerId,
    /// What it is written in.
    pub format: FeedFormat,
    /// What it says: digest of all its bytes.
    pub digest: Fingerprint,
    /// How many bytes.
    pub bytes: u64,
    /// How many rows, good ones and others.
    pub rows: u32,
    /// How many of them can never be taken.
    pub refused: u32,
    /// Why; the first of them.
    pub errors: Vec<RowError>,
    /// How many reasons there are.
    pub errors_total: u64,
}

/// What became of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Products that came into the catalogue.
    pub created: u32,
    /// Products or stocks that changed.
    pub updated: u32,
    /// Rows that say what holds already.
    pub unchanged: u32,
    /// Rows that were not taken.
    pub refused: u32,
}

impl Tally {
    /// All rows; `None` when they are more than can be counted.
    pub fn total(&self) -> Option<u32> {
        let taken = self.created.checked_add(self.updated)?;
        taken.checked_add(self.unchanged)?.checked_add(self.refused)
    }

    pub(super) fn plus(&self, other: &Self) -> Option<Self> {
        Some(Self {
            created: self.created.checked_add(other.created)?,
            updated: self.updated.checked_add(other.updated)?,
            unchanged: self.unchanged.checked_add(other.unchanged)?,
            refused: self.refused.checked_add(other.refused)?,
        })
    }
}

/// How far a feed is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportStatus {
    /// Its rows are being taken, or it was interrupted and goes on when it is sent again.
    Running,
    /// All rows were looked at.
    Finished,
}

impl ImportStatus {
    /// Its name in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
        }
    }
}

/// A feed that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Its name.
    pub id: ImportId,
    /// Whose it is.
    pub partner: PartnerId,
    /// What it is written in.
    pub format: FeedFormat,
    /// What it says.
    pub digest: Fingerprint,
    /// How many bytes.
    pub bytes: u64,
    /// How many rows.
    pub rows: u32,
    /// Rows up to this one are done, from 1.
    pub done: u32,
    /// What became of them; rows that can never be taken are in it from the start.
    pub tally: Tally,
    /// Why rows were refused; the first of them.
    pub errors: Vec<RowError>,
    /// How many reasons there are.
    pub errors_total: u64,
    /// Whether it is over.
    pub status: ImportStatus,
    /// When it was begun.
    pub started_at: Moment,
    /// When it last moved on.
    pub updated_at: Moment,
    /// Counts the changes.
    pub version: u64,
}

/// A feed, once it was begun.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImportState(pub Option<Arc<Feed>>);

/// What can be asked of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportCommand {
    /// Begin it, or go on with it.
    Start(Box<NewFeed>),
    /// Note what became of the next rows.
    Advance {
        /// The rows after this one.
        after: u32,
        /// Up to this one.
        upto: u32,
        /// What became of them. Rows that can never be taken are not in it.
        tally: Tally,
        /// Why rows were refused.
        errors: Vec<RowError>,
    },
}

/// What happened to a feed. Journaled: add variants, never change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportEvent {
    /// It was read to its end, and its rows are being taken from now on.
    Started {
        /// Its name.
        import: ImportId,
        /// Whose it is.
        partner: PartnerId,
        /// What it is written in.
        format: FeedFormat,
        /// What it says.
        digest: Fingerprint,
        /// How many bytes.
        bytes: u64,
        /// How many rows.
        rows: u32,
        /// How many of them can never be taken.
        refused: u32,
        /// How many reasons there are.
        errors_total: u64,
    },
    /// Why rows were refused.
    RowsRefused {
        /// Some of the reasons.
        errors: Vec<RowError>,
    },
    /// The next rows were taken.
    Advanced {
        /// The rows after this one.
        after: u32,
        /// Up to this one.
        upto: u32,
        /// What became of them. Rows that can never be taken are not in it.
        tally: Tally,
        /// How many more reasons there are.
        #[serde(default, skip_serializing_if = "is_zero")]
        errors_more: u64,
    },
    /// All rows were looked at.
    Finished,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl EventName for ImportEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Started { .. } => "import.started",
            Self::RowsRefused { .. } => "import.rows_refused",
            Self::Advanced { .. } => "import.advanced",
            Self::Finished => "import.finished",
        }
    }
}

/// Why a feed was turned down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportRefusal {
    /// It was never begun.
    #[error("feed is unknown")]
    Unknown,
    /// It was begun with other content, or by another partner.
    #[error("the feed was begun with other content")]
    OtherContent,
    /// Somebody else goes on with it.
    #[error("rows up to {done} are done already")]
    OutOfStep {
        /// How far it is.
        done: u32,
    },
    /// More rows than are there, or counts that do not add up.
    #[error("the counts of the feed do not add up")]
    Miscounted,
}
