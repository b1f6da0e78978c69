//! Durable timers in a simulated process: due wishes are brought to their entities. The counterpart
//! of the scheduler in production.

use std::time::Duration;

use actors::entity::NextWake;
use engine::values::Moment;

use super::cast::{Cast, Message, micros};
use super::names::{Kind, Who};
use super::outside::{Event, Outside};
use super::process::Process;
use super::sights::Sight;

/// How often due wake-ups are looked for.
const INTERVAL: u64 = 250_000;

/// An entity that still has open work is woken again after this.
const RECHECK_AFTER: Duration = Duration::from_secs(5);

impl Process {
    /// Sees to it that the scheduler looks when the earliest wish is due.
    pub(super) fn plan_tick(&mut self, outside: &mut Outside) {
        let Some(earliest) = outside.rows.wishes().map(|(_, due, _)| due).min() else { return };
        let soonest = outside.now().saturating_add(INTERVAL);
        let at = soonest.max(
            outside.now().saturating_add(micros(earliest.saturating_since(self.wall(outside)))),
        );
        if self.next_tick.is_none_or(|planned| planned <= outside.now() || at < planned) {
            self.next_tick = Some(at);
            outside.agenda.at(at, Event::Tick { process: self.id });
        }
    }

    /// The scheduler looks.
    pub(super) fn tick(&mut self, outside: &mut Outside) {
        if self.next_tick.is_some_and(|planned| outside.now() < planned) {
            return;
        }
        self.next_tick = None;
        if self.desk.stopped {
            return;
        }
        if outside.store.is_up(outside.now()) {
            let now = self.wall(outside);
            let due: Vec<(Who, u64)> = outside
                .rows
                .wishes()
                .filter(|(_, due, _)| *due <= now)
                .map(|(who, _, version)| (who, version))
                .collect();
            for (who, version) in due {
                // Until it has answered nobody asks again; what is dropped unheard comes up again.
                outside.rows.set(who, Some(later(now, INTERVAL)), version);
                self.wake(who, outside);
            }
        }
        self.plan_tick(outside);
    }

    pub(super) fn wake_of<A: Cast>(&mut self, index: usize, outside: &mut Outside) {
        let slept = A::hosts(self).life(index).is_none();
        if self.begin_if_needed::<A>(index, outside).is_err() {
            let who = Who::new(A::SORT, index);
            let version = outside.rows.wishes().find(|(found, ..)| *found == who);
            if let Some((_, _, version)) = version {
                let recheck = self.wall(outside).saturating_add(RECHECK_AFTER);
                outside.rows.set(who, Some(recheck), version);
            }
            return;
        }
        if slept && A::SORT == Kind::Order {
            outside.see(Sight::WokenByTimer);
        }
        if let Some(life) = A::hosts(self).life(index) {
            let number = life.number;
            self.post_if::<A>(index, number, Message::Wake, outside);
        }
    }

    /// An entity has heard its timer, and says when it wants the next one if it can.
    pub(super) fn woken(&mut self, who: Who, next: Option<NextWake>, outside: &mut Outside) {
        let now = self.wall(outside);
        if let Some(NextWake { due, version }) = next {
            let recheck = now.saturating_add(RECHECK_AFTER);
            let due = due.map(|due| if due <= now { recheck } else { due });
            outside.rows.set(who, due, version);
        }
        self.plan_tick(outside);
    }
}

fn later(now: Moment, span: u64) -> Moment {
    now.saturating_add(Duration::from_micros(span))
}
