//! Rows of the lists that kinds other than orders and products have.

use engine::values::Moment;

use crate::journal::StreamId;

/// One entity's place in the list of its kind. What it says is read from the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    /// Which entity.
    pub stream: StreamId,
    /// Where it stands, for filters.
    pub status: String,
    /// Whose it is, for filters.
    pub owner: Option<String>,
    /// Its moment: lists show the newest first.
    pub at: Moment,
    /// The entity's version on which this is based.
    pub version: u64,
}

/// Which entities of a kind a list shows. Newest first; of one moment, the greatest key first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryQuery {
    /// The kind.
    pub kind: &'static str,
    /// Only these, if given.
    pub status: Option<String>,
    /// Only theirs, if given.
    pub owner: Option<String>,
    /// At most this many.
    pub limit: u32,
    /// After the row with this moment and key, if given.
    pub after: Option<(Moment, String)>,
    /// Of what follows, that many rows are left out.
    pub skip: u64,
}

/// A page of a kind's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryPage {
    /// The rows.
    pub rows: Vec<EntryRow>,
    /// How many there are in all that match.
    pub total: u64,
    /// Whether more rows follow.
    pub more: bool,
}

impl EntryPage {
    /// A page of the rows found, which are one more than `limit` if more follow.
    pub(super) fn of(mut rows: Vec<EntryRow>, limit: u32, total: u64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = limit < rows.len();
        rows.truncate(limit);
        Self { rows, total, more }
    }
}
