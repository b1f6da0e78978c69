//! Knows which version of a stream comes next, for streams that were written lately.
//!
//! The journal cannot refuse a version twice, so this does: no two incarnations may ever continue the
//! same history.

use indexmap::IndexMap;
use persistence::journal::{NewEvent, StreamId};

/// Streams whose last version is remembered, twice over: more than can ever wait for the journal.
const RECENT_MAX: usize = 16_384;

/// The last versions of streams that were written lately or are about to be.
#[derive(Default)]
pub(super) struct Recent {
    young: IndexMap<StreamId, u64>,
    old: IndexMap<StreamId, u64>,
}

impl Recent {
    /// Notes events; whether they continue what is known of their stream.
    pub(super) fn follow(&mut self, events: &[NewEvent]) -> bool {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return true };
        let known = self.young.get(&first.stream).or_else(|| self.old.get(&first.stream));
        if known.is_some_and(|known| known.saturating_add(1) != first.version) {
            return false;
        }
        if RECENT_MAX <= self.young.len() {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(first.stream.clone(), last.version);
        true
    }
}

#[cfg(test)]
mod tests {
    use engine::values::Moment;

    use super::*;

    fn events(key: &str, versions: &[u64]) -> Vec<NewEvent> {
        let event = |version: &u64| NewEvent {
            stream: StreamId::new("thing", key),
            version: *version,
            name: "thing_happened",
            schema: 1,
            at: Moment::default(),
            meta: String::new(),
            payload: String::new(),
        };
        versions.iter().map(event).collect()
    }

    #[test]
    fn a_history_is_continued_where_it_ended() {
        let mut recent = Recent::default();
        assert!(recent.follow(&events("a", &[7, 8])), "nothing is known of it yet");
        assert!(recent.follow(&events("b", &[1])));
        assert!(recent.follow(&events("a", &[9])));
        assert!(!recent.follow(&events("a", &[9])), "somebody has written that version");
        assert!(!recent.follow(&events("a", &[11])), "one is missing");
    }

    #[test]
    fn as_many_streams_as_can_wait_are_remembered_and_few_more() {
        let mut recent = Recent::default();
        for number in 0..3 * RECENT_MAX {
            assert!(recent.follow(&events(&number.to_string(), &[1])));
        }
        assert!(recent.young.len() + recent.old.len() <= 2 * RECENT_MAX);
        let last = (3 * RECENT_MAX - 1).to_string();
        assert!(!recent.follow(&events(&last, &[1])));
    }
}
