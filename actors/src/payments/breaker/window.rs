//! Calls of the last seconds, counted in ten slots that are used in turn.

use std::time::Duration;

const SLOTS: u64 = 10;

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    number: u64,
    worked: u64,
    failed: u64,
}

/// A rolling count. It forgets a tenth of its span at a time.
#[derive(Debug)]
pub(super) struct Window {
    slot_micros: u128,
    slots: [Slot; 10],
}

impl Window {
    pub(super) fn new(span: Duration) -> Self {
        Self { slot_micros: (span.as_micros() / u128::from(SLOTS)).max(1), slots: <_>::default() }
    }

    pub(super) fn add(&mut self, worked: u32, failed: u32, now: Duration) {
        let number = self.number(now);
        let place = usize::try_from(number % SLOTS).unwrap_or_default();
        let Some(slot) = self.slots.get_mut(place) else { return };
        if slot.number != number {
            *slot = Slot { number, ..Slot::default() };
        }
        slot.worked = slot.worked.saturating_add(u64::from(worked));
        slot.failed = slot.failed.saturating_add(u64::from(failed));
    }

    /// Calls that worked and calls that failed within the span before `now`.
    pub(super) fn sums(&self, now: Duration) -> (u64, u64) {
        let number = self.number(now);
        self.slots.iter().filter(|slot| number < slot.number.saturating_add(SLOTS)).fold(
            (0_u64, 0_u64),
            |(worked, failed), slot| {
                (worked.saturating_add(slot.worked), failed.saturating_add(slot.failed))
            },
        )
    }

    fn number(&self, now: Duration) -> u64 {
        u64::try_from(now.as_micros() / self.slot_micros).unwrap_or(u64::MAX)
    }
}
