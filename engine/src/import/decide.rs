//! The rules of a feed.

use std::sync::Arc;

use super::model::{
    ERRORS_IN_EVENT, ERRORS_KEPT_MAX, Feed, Import, ImportCommand, ImportEvent, ImportRefusal,
    ImportState, ImportStatus, NewFeed, ROWS_MAX, Tally,
};
use super::row::RowError;
use crate::aggregate::{Aggregate, Entry};
use crate::values::Moment;

type Decision = Result<Vec<ImportEvent>, ImportRefusal>;

impl Aggregate for Import {
    const KIND: &'static str = "import";
    const IS_LISTED: bool = true;
    type State = ImportState;
    type Command = ImportCommand;
    type Event = ImportEvent;
    type Refusal = ImportRefusal;
    type View = Option<Arc<Feed>>;

    fn decide(state: &ImportState, command: &ImportCommand, _now: Moment) -> Decision {
        match command {
            ImportCommand::Start(new) => start(state, new),
            ImportCommand::Advance { after, upto, tally, errors } => {
                advance(state, *after, *upto, tally, errors)
            }
        }
    }

    fn evolve(state: &mut ImportState, event: &ImportEvent, at: Moment) {
        super::evolve::evolve(state, event, at);
    }

    fn view(state: &ImportState) -> Option<Arc<Feed>> {
        state.0.clone()
    }

    fn is_dormant(state: &ImportState) -> bool {
        state.0.as_ref().is_some_and(|feed| feed.status == ImportStatus::Finished)
    }

    fn entry(state: &ImportState) -> Option<Entry> {
        let feed = state.0.as_deref()?;
        let owner = Some(feed.partner.to_string());
        Some(Entry { status: feed.status.as_str(), owner, at: feed.started_at })
    }
}

fn start(state: &ImportState, new: &NewFeed) -> Decision {
    if let Some(feed) = &state.0 {
        let is_same = feed.digest == new.digest
            && feed.bytes == new.bytes
            && feed.partner == new.partner
            && feed.format == new.format;
        return if is_same { Ok(Vec::new()) } else { Err(ImportRefusal::OtherContent) };
    }
    if ROWS_MAX < new.rows || new.rows < new.refused {
        return Err(ImportRefusal::Miscounted);
    }
    let mut events = vec![ImportEvent::Started {
        import: new.id,
        partner: new.partner.clone(),
        format: new.format.clone(),
        digest: new.digest,
        bytes: new.bytes,
        rows: new.rows,
        refused: new.refused,
        errors_total: new.errors_total,
    }];
    events.extend(reasons(&new.errors, 0));
    if new.rows == 0 {
        events.push(ImportEvent::Finished);
    }
    Ok(events)
}

fn advance(
    state: &ImportState,
    after: u32,
    upto: u32,
    tally: &Tally,
    errors: &[RowError],
) -> Decision {
    let feed = state.0.as_ref().ok_or(ImportRefusal::Unknown)?;
    // A repeat of what was noted already.
    if upto <= feed.done {
        return Ok(Vec::new());
    }
    if after != feed.done {
        return Err(ImportRefusal::OutOfStep { done: feed.done });
    }
    let looked_at = upto.checked_sub(after).ok_or(ImportRefusal::Miscounted)?;
    let counted = tally.total().ok_or(ImportRefusal::Miscounted)?;
    let sum = feed.tally.plus(tally).and_then(|sum| sum.total());
    let sum = sum.ok_or(ImportRefusal::Miscounted)?;
    let is_last = upto == feed.rows;
    // What became of a row is known for each at the end, and for no more than all before.
    if looked_at < counted || feed.rows < upto || feed.rows < sum || is_last && sum != feed.rows {
        return Err(ImportRefusal::Miscounted);
    }
    let errors_more = u64::try_from(errors.len()).unwrap_or(u64::MAX);
    let mut events: Vec<ImportEvent> = reasons(errors, feed.errors.len()).collect();
    events.push(ImportEvent::Advanced { after, upto, tally: *tally, errors_more });
    if is_last {
        events.push(ImportEvent::Finished);
    }
    Ok(events)
}

/// The reasons that are kept, when so many are known already.
fn reasons(errors: &[RowError], known: usize) -> impl Iterator<Item = ImportEvent> {
    let room = ERRORS_KEPT_MAX.saturating_sub(known).min(errors.len());
    let kept = errors.get(..room).unwrap_or_default();
    kept.chunks(ERRORS_IN_EVENT).map(|some| ImportEvent::RowsRefused { errors: some.to_vec() })
}
