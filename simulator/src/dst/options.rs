//! What kind of world a seed lives in: how large, how slow, and what goes wrong in it.
//!
//! Each seed draws its own mixture (swarm testing): every fault is absent from many seeds, so that
//! faults which hide each other are also met alone.

use serde::{Deserialize, Serialize};

use super::chance::{Chance, Purpose};

/// The options of one seed. Spans are in microseconds, shares in thousandths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Options {
    /// Products for sale.
    pub(super) products: usize,
    /// Carts that orders are made from.
    pub(super) carts: usize,
    /// Orders that clients wish to place.
    pub(super) visits: usize,
    /// Shards of the journal.
    pub(super) shards: u16,
    /// The span over which the clients arrive.
    pub(super) span: u64,
    /// Events in one commit.
    pub(super) batch_events_max: usize,
    /// Events between two snapshots.
    pub(super) snapshot_every: u64,
    /// Places in a mailbox.
    pub(super) slots: usize,
    /// Longest time until an actor that has work gets its turn.
    pub(super) turn: u64,
    /// Longest commit.
    pub(super) commit: u64,
    /// How long a client waits before it sends again what was not answered definitely.
    pub(super) patience: u64,
    /// Units of each product at first.
    pub(super) stock: u32,
    /// Units that one customer may buy; none: no limit.
    pub(super) limit: Option<u32>,
    /// Shares of what goes wrong.
    pub(super) faults: Faults,
}

/// What goes wrong, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Faults {
    /// Times that the process is killed and started again.
    pub(super) crashes: u64,
    /// Times that another process takes the journal over while the first believes to own it.
    pub(super) take_overs: u64,
    /// Times that the store is out of reach.
    pub(super) store_outages: u64,
    /// Times that the provider does not answer.
    pub(super) provider_outages: u64,
    /// Times that the wall clock jumps.
    pub(super) clock_steps: u64,
    /// Appends whose outcome stays unknown to the writer.
    pub(super) append_unknown: u64,
    /// Appends that the store refuses.
    pub(super) append_unavailable: u64,
    /// Appends that arrive long after the writer has given up on them.
    pub(super) append_late: u64,
    /// Steps in which an actor dies.
    pub(super) panics: u64,
    /// Answers that do not reach their client.
    pub(super) answers_lost: u64,
    /// Requests that arrive twice.
    pub(super) requests_doubled: u64,
    /// Requests that take long.
    pub(super) requests_delayed: u64,
    /// Calls to the provider whose answer is lost after the money was taken.
    pub(super) provider_answers_lost: u64,
    /// Calls to the provider that are lost before it has heard them.
    pub(super) provider_requests_lost: u64,
    /// Calls that reach the provider long after the caller has given up.
    pub(super) provider_late: u64,
    /// Cards that the provider declines.
    pub(super) declines: u64,
    /// Outcomes that the provider also tells by a callback.
    pub(super) callbacks: u64,
    /// Snapshots that are lost.
    pub(super) snapshots_lost: u64,
    /// Snapshots that cannot be read.
    pub(super) snapshots_rotten: u64,
    /// Steps after which the idle are put to sleep.
    pub(super) sleeps: u64,
}

impl Options {
    /// The options of a seed.
    pub(super) fn of(seed: u64) -> Self {
        let mut chance = Chance::of(seed, Purpose::Options);
        let calm = chance.permille(100);
        Self {
            products: chance.index(3) + 1,
            carts: chance.index(3),
            visits: chance.index(40) + 30,
            shards: chance.one_of(1, &[2, 4]),
            span: chance.one_of(200_000, &[2_000_000, 20_000_000, 180_000_000]),
            batch_events_max: chance.one_of(512, &[1, 4]),
            snapshot_every: chance.one_of(1_000, &[2, 7]),
            slots: chance.one_of(1_024, &[1_024, 3]),
            turn: chance.one_of(50, &[500, 20_000]),
            commit: chance.one_of(300, &[5_000, 400_000]),
            patience: chance.one_of(50_000, &[1_000_000, 8_000_000]),
            stock: chance.one_of(12, &[0, 3, 40, 200]),
            limit: chance.permille(300).then_some(4),
            faults: if calm { Faults::default() } else { Faults::draw(&mut chance).survivable() },
        }
    }
}

impl Faults {
    /// Without what the engine does not promise to survive.
    ///
    /// A call that is under way for long is believed to have arrived after a minute by the clock of
    /// the process. A leap within one process is made up for little by little; one that falls together
    /// with a new process cannot be told from time that has passed.
    fn survivable(mut self) -> Self {
        if 0 < self.take_overs {
            // The older process charges for as long as it does not know that it has lost the journal.
            self.clock_steps = 0;
        }
        if 0 < self.clock_steps && 0 < self.crashes {
            self.provider_late = 0;
        }
        self
    }

    /// Every fault, so that each can be left out.
    pub(super) const fn all(&mut self) -> [&mut u64; 20] {
        [
            &mut self.crashes,
            &mut self.take_overs,
            &mut self.store_outages,
            &mut self.provider_outages,
            &mut self.clock_steps,
            &mut self.append_unknown,
            &mut self.append_unavailable,
            &mut self.append_late,
            &mut self.panics,
            &mut self.answers_lost,
            &mut self.requests_doubled,
            &mut self.requests_delayed,
            &mut self.provider_answers_lost,
            &mut self.provider_requests_lost,
            &mut self.provider_late,
            &mut self.declines,
            &mut self.callbacks,
            &mut self.snapshots_lost,
            &mut self.snapshots_rotten,
            &mut self.sleeps,
        ]
    }

    fn draw(chance: &mut Chance) -> Self {
        let mut some = |share: u64| if chance.permille(500) { chance.between(1, share) } else { 0 };
        Self {
            crashes: some(4),
            take_overs: some(2),
            store_outages: some(2),
            provider_outages: some(2),
            clock_steps: some(3),
            append_unknown: some(60),
            append_unavailable: some(40),
            append_late: some(40),
            panics: some(12),
            answers_lost: some(200),
            requests_doubled: some(300),
            requests_delayed: some(200),
            provider_answers_lost: some(300),
            provider_requests_lost: some(300),
            provider_late: some(200),
            declines: some(300),
            callbacks: some(600),
            snapshots_lost: some(400),
            snapshots_rotten: some(200),
            sleeps: some(100),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_absent_from_many_seeds_and_present_in_many() {
        let with = |fault: fn(&Faults) -> u64| {
            (0..400).filter(|seed| 0 < fault(&Options::of(*seed).faults)).count()
        };
        for fault in [
            (|faults| faults.crashes) as fn(&Faults) -> u64,
            |faults| faults.append_unknown,
            |faults| faults.panics,
            |faults| faults.provider_late,
            |faults| faults.clock_steps,
        ] {
            let seeds = with(fault);
            assert!((50..300).contains(&seeds), "{seeds} of 400 seeds");
        }
    }
}
