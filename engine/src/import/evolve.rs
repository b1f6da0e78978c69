//! The bookkeeping of a feed, with assertions that stay on in production.

use std::sync::Arc;

use super::model::{Feed, ImportEvent, ImportState, ImportStatus, Tally};
use crate::values::Moment;

pub(super) fn evolve(state: &mut ImportState, event: &ImportEvent, at: Moment) {
    if let ImportEvent::Started {
        import,
        partner,
        format,
        digest,
        bytes,
        rows,
        refused,
        errors_total,
    } = event
    {
        state.0 = Some(Arc::new(Feed {
            id: *import,
            partner: partner.clone(),
            format: format.clone(),
            digest: *digest,
            bytes: *bytes,
            rows: *rows,
            done: 0,
            tally: Tally { refused: *refused, ..Tally::default() },
            errors: Vec::new(),
            errors_total: *errors_total,
            status: ImportStatus::Running,
            started_at: at,
            updated_at: at,
            version: 1,
        }));
        return;
    }
    // Nothing but a start can come first; a change of nothing is kept as nothing.
    let Some(feed) = &mut state.0 else { return };
    let feed = Arc::make_mut(feed);
    feed.version = feed.version.saturating_add(1);
    feed.updated_at = at;
    match event {
        ImportEvent::Started { .. } => {}
        ImportEvent::RowsRefused { errors } => feed.errors.extend(errors.iter().copied()),
        ImportEvent::Advanced { after, upto, tally, errors_more } => {
            // Kept in release builds: a row that was taken twice must stop the feed.
            assert!(*after == feed.done && *after < *upto, "IMPORT-1 violated: rows out of step");
            feed.done = *upto;
            feed.tally = plus(&feed.tally, tally);
            feed.errors_total = feed.errors_total.saturating_add(*errors_more);
        }
        ImportEvent::Finished => {
            assert!(
                feed.done == feed.rows && feed.tally.total() == Some(feed.rows),
                "IMPORT-1 violated: rows are unaccounted for"
            );
            feed.status = ImportStatus::Finished;
        }
    }
}

#[expect(clippy::expect_used, reason = "decide checked the range; overflow here is corruption")]
fn plus(left: &Tally, right: &Tally) -> Tally {
    left.plus(right).expect("rows of a feed overflow")
}
