//! What a follower does next in which shard, as a function: one turn per shard at a time, so that
//! order is kept, and growing pauses where the other side fails.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::values::Moment;
use persistence::journal::Shard;

/// The pause after the first failure; it doubles with each further one.
const PAUSE_FIRST: Duration = Duration::from_millis(500);

/// No pause is longer than this, whatever has failed for however long.
const PAUSE_LONGEST: Duration = Duration::from_mins(30);

/// Turns under way at once.
const TURNS_MAX: usize = 4;

/// Failures in a row after which they are worth noting. One alone is the weather.
const NOTED_AFTER: u32 = 3;

/// Events that a follower may be ahead of its stored place when it had nothing to tell of them.
const UNSTORED_MAX: u64 = 2_000;

/// One shard.
#[derive(Clone, Copy, Debug, Default)]
struct Lane {
    /// Everything up to here was dealt with.
    cursor: u64,
    /// What the store knows of that.
    stored: u64,
    tries: u32,
    due: Moment,
    under_way: bool,
}

/// What came of one turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turned {
    /// Everything up to here was dealt with.
    pub(super) cursor: u64,
    /// How many messages were taken on the way.
    pub(super) told: u32,
    /// Whether the message after that was not.
    pub(super) failed: bool,
}

/// What is to be done after a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct After {
    /// The place is to be stored.
    pub(super) store: Option<u64>,
    /// The failure is to be noted.
    pub(super) note_failure: bool,
    /// That all is well is to be noted, if anything else is noted.
    pub(super) note_success: bool,
}

/// All shards of one follower.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    by_shard: BTreeMap<Shard, Lane>,
    /// Failures since the last message that was taken.
    streak: u32,
    /// Nothing is tried before this while there is a streak.
    due: Moment,
}

impl Lanes {
    /// Begins at these places, which the store knows.
    pub(super) fn at(places: &[(Shard, u64)]) -> Self {
        let lane = |cursor| Lane { cursor, stored: cursor, ..Lane::default() };
        let lanes = places.iter().map(|(shard, cursor)| (*shard, lane(*cursor)));
        Self { by_shard: lanes.collect(), ..Self::default() }
    }

    /// Where each shard stands.
    pub(super) fn places(&self) -> impl Iterator<Item = (Shard, u64)> {
        self.by_shard.iter().map(|(shard, lane)| (*shard, lane.cursor))
    }

    /// The turns to be taken now, each from a place in a shard. While the other side fails there is
    /// one at a time: whoever is down is not knocked at by all shards.
    pub(super) fn begin(
        &mut self,
        now: Moment,
        has_more: impl Fn(Shard, u64) -> bool,
    ) -> Vec<(Shard, u64)> {
        if 0 < self.streak && now < self.due {
            return Vec::new();
        }
        let most = self.turns_free();
        let mut ready: Vec<(Moment, Shard)> = Vec::new();
        for (shard, lane) in &self.by_shard {
            if !lane.under_way && lane.due <= now && has_more(*shard, lane.cursor) {
                ready.push((lane.due, *shard));
            }
        }
        // Who waited for longest comes first, so that one shard does not keep the others out.
        ready.sort_unstable();
        let mut turns = Vec::new();
        for (_, shard) in ready.into_iter().take(most) {
            if let Some(lane) = self.by_shard.get_mut(&shard) {
                lane.under_way = true;
                turns.push((shard, lane.cursor));
            }
        }
        turns
    }

    /// Turns that may begin beside those under way: while the receiver fails, one knocks.
    fn turns_free(&self) -> usize {
        let under_way = self.by_shard.values().filter(|lane| lane.under_way).count();
        let most = if 0 < self.streak { 1 } else { TURNS_MAX };
        most.saturating_sub(under_way)
    }

    /// Books the end of a turn.
    pub(super) fn end(&mut self, shard: Shard, turned: Turned, now: Moment, draw: u64) -> After {
        let Some(lane) = self.by_shard.get_mut(&shard) else { return After::default() };
        lane.under_way = false;
        lane.cursor = lane.cursor.max(turned.cursor);
        if 0 < turned.told || !turned.failed {
            lane.tries = 0;
        }
        lane.due = now;
        if 0 < turned.told {
            self.streak = 0;
        }
        let mut note_failure = false;
        if turned.failed {
            lane.tries = lane.tries.saturating_add(1);
            self.streak = self.streak.saturating_add(1);
            lane.due = now.saturating_add(pause(lane.tries, draw));
            self.due = now.saturating_add(pause(self.streak, draw));
            note_failure = NOTED_AFTER <= lane.tries.max(self.streak);
        }
        let ahead = lane.cursor.saturating_sub(lane.stored);
        let worth = 0 < turned.told || UNSTORED_MAX <= ahead;
        let store = (worth && 0 < ahead).then_some(lane.cursor);
        let is_well = self.by_shard.values().all(|lane| lane.tries == 0);
        After { store, note_failure, note_success: 0 < turned.told && is_well }
    }

    /// The store knows a place.
    pub(super) fn stored(&mut self, shard: Shard, cursor: u64) {
        if let Some(lane) = self.by_shard.get_mut(&shard) {
            lane.stored = lane.stored.max(cursor);
        }
    }

    /// The earliest moment after `now` at which something that failed is tried again.
    ///
    /// Nothing while no turn could begin anyway: the end of one that is under way comes first.
    pub(super) fn next_due(&self, now: Moment) -> Option<Moment> {
        if self.turns_free() == 0 {
            return None;
        }
        let failed = self.by_shard.values().filter(|lane| 0 < lane.tries && !lane.under_way);
        let due = failed.map(|lane| lane.due.max(self.due)).min();
        due.map(|due| due.max(now))
    }
}

/// Half of the ceiling for sure, and a share of the other half: who failed together does not come
/// back together.
fn pause(tries: u32, draw: u64) -> Duration {
    let doubled = 2_u32.saturating_pow(tries.saturating_sub(1));
    let half = PAUSE_FIRST.saturating_mul(doubled).min(PAUSE_LONGEST) / 2;
    let share = half.as_nanos().saturating_mul(u128::from(draw)) >> 64;
    half.saturating_add(u64::try_from(share).map_or(half, Duration::from_nanos))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(count: i64) -> Moment {
        Moment::from_unix_micros(count * 1_000_000)
    }

    fn lanes(count: u16) -> Lanes {
        Lanes::at(&(0..count).map(|shard| (Shard(shard), 0)).collect::<Vec<_>>())
    }

    fn failed(cursor: u64) -> Turned {
        Turned { cursor, told: 0, failed: true }
    }

    fn told(cursor: u64, told: u32) -> Turned {
        Turned { cursor, told, failed: false }
    }

    #[test]
    fn a_shard_has_one_turn_at_a_time() {
        let mut lanes = lanes(1);
        assert_eq!(lanes.begin(seconds(0), |_, _| true), [(Shard(0), 0)]);
        assert!(lanes.begin(seconds(0), |_, _| true).is_empty());
        lanes.end(Shard(0), told(5, 2), seconds(1), 0);
        assert_eq!(lanes.begin(seconds(1), |_, _| true), [(Shard(0), 5)]);
    }

    #[test]
    fn few_shards_have_their_turns_at_once() {
        let mut lanes = lanes(16);
        assert_eq!(lanes.begin(seconds(0), |_, _| true).len(), TURNS_MAX);
        assert!(lanes.begin(seconds(0), |_, _| true).is_empty());
    }

    #[test]
    fn a_shard_with_nothing_new_rests() {
        let mut lanes = lanes(2);
        assert_eq!(lanes.begin(seconds(0), |shard, _| shard == Shard(1)), [(Shard(1), 0)]);
    }

    #[test]
    fn who_fails_is_tried_from_where_it_failed_and_alone() {
        let mut lanes = lanes(8);
        let first = lanes.begin(seconds(0), |_, _| true);
        for (shard, _) in first {
            lanes.end(shard, failed(3), seconds(0), 0);
        }
        assert!(lanes.begin(seconds(0), |_, _| true).is_empty(), "it pauses");
        assert_eq!(lanes.begin(seconds(60), |_, _| true).len(), 1, "one shard knocks");
        assert!(lanes.begin(seconds(60), |_, _| true).is_empty());
    }

    #[test]
    fn what_was_told_before_a_failure_is_not_told_again() {
        let mut lanes = lanes(1);
        lanes.begin(seconds(0), |_, _| true);
        let after = lanes.end(Shard(0), Turned { cursor: 7, told: 3, failed: true }, seconds(0), 0);
        assert_eq!(after.store, Some(7));
        assert_eq!(lanes.begin(seconds(60), |_, _| true), [(Shard(0), 7)]);
    }

    #[test]
    fn pauses_double_up_to_half_an_hour() {
        let longest = |tries| pause(tries, u64::MAX).as_millis().div_ceil(100) * 100;
        assert_eq!([1, 2, 3].map(longest), [500, 1_000, 2_000]);
        assert_eq!(longest(40), PAUSE_LONGEST.as_millis());
        assert_eq!(pause(1, 0), PAUSE_FIRST / 2);
    }

    #[test]
    fn a_failure_is_noted_when_it_stays_and_its_end_when_nothing_fails_any_more() {
        let mut lanes = lanes(2);
        for expected in [false, false, true] {
            lanes.begin(seconds(9_999), |shard, _| shard == Shard(0));
            let after = lanes.end(Shard(0), failed(0), seconds(0), 0);
            assert_eq!(after.note_failure, expected);
        }
        lanes.begin(seconds(9_999), |shard, _| shard == Shard(1));
        let other = lanes.end(Shard(1), told(1, 1), seconds(9_999), 0);
        assert!(!other.note_success, "one shard still fails");
        lanes.begin(seconds(19_999), |shard, _| shard == Shard(0));
        assert!(lanes.end(Shard(0), told(1, 1), seconds(19_999), 0).note_success);
    }

    #[test]
    fn what_needs_no_telling_is_stored_now_and_then() {
        let mut lanes = lanes(1);
        lanes.begin(seconds(0), |_, _| true);
        assert_eq!(lanes.end(Shard(0), told(100, 0), seconds(0), 0).store, None);
        lanes.begin(seconds(0), |_, _| true);
        let after = lanes.end(Shard(0), told(UNSTORED_MAX, 0), seconds(0), 0);
        assert_eq!(after.store, Some(UNSTORED_MAX));
        lanes.stored(Shard(0), UNSTORED_MAX);
        lanes.begin(seconds(0), |_, _| true);
        assert_eq!(lanes.end(Shard(0), told(UNSTORED_MAX + 1, 0), seconds(0), 0).store, None);
    }

    #[test]
    fn nobody_looks_again_while_one_shard_knocks() {
        let mut lanes = lanes(2);
        for (shard, _) in lanes.begin(seconds(0), |_, _| true) {
            lanes.end(shard, failed(0), seconds(0), 0);
        }
        assert!(lanes.next_due(seconds(0)).is_some());
        assert_eq!(lanes.begin(seconds(60), |_, _| true).len(), 1);
        assert_eq!(lanes.next_due(seconds(60)), None, "its end comes first");
    }

    #[test]
    fn it_is_known_when_to_look_again() {
        let mut lanes = lanes(1);
        assert_eq!(lanes.next_due(seconds(0)), None);
        lanes.begin(seconds(0), |_, _| true);
        lanes.end(Shard(0), failed(0), seconds(0), 0);
        let due = lanes.next_due(seconds(0)).unwrap();
        assert_eq!(due, Moment::default().saturating_add(PAUSE_FIRST / 2));
        assert_eq!(lanes.begin(due, |_, _| true), [(Shard(0), 0)]);
    }

    proptest! {
        /// Whatever fails and whatever is taken: places only grow, nothing is stored that was not dealt
        /// with, and whoever has more is told in the end.
        #[test]
        fn no_event_is_passed_over(ends in prop::collection::vec((0_u64..4, 0_u32..3, any::<bool>()), 0..80)) {
            let mut lanes = lanes(3);
            let mut now = seconds(0);
            let mut dealt: BTreeMap<Shard, u64> = BTreeMap::new();
            for (moved, told, failed) in ends {
                now = now.saturating_add(PAUSE_LONGEST);
                let turns = lanes.begin(now, |_, _| true);
                prop_assert!(!turns.is_empty(), "nobody waits for ever");
                for (shard, from) in turns {
                    prop_assert_eq!(from, dealt.get(&shard).copied().unwrap_or_default());
                    let told = if moved == 0 { 0 } else { told };
                    let turned = Turned { cursor: from + moved, told, failed };
                    let after = lanes.end(shard, turned, now, u64::MAX);
                    prop_assert!(after.store.is_none_or(|place| place == from + moved));
                    dealt.insert(shard, from + moved);
                }
            }
        }
    }
}
