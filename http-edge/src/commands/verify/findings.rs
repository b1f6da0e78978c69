//! What is told about a journal.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use engine::ledger::{Closing, Place, Violation};

use super::shard::Spent;

/// Violations that are told one by one: those at the lowest places. The rest are counted.
const TOLD_MAX: usize = 20;

/// Broken promises by their places.
#[derive(Debug, Default)]
pub(super) struct Told {
    count: u64,
    /// The number tells those at one place apart.
    first: BTreeMap<(Place, u64), String>,
}

impl Told {
    /// Tells a promise that is broken at a place of the journal.
    pub(super) fn broken(&mut self, promise: &str, place: Place, words: &str) {
        self.note(place, format!("{promise} broken at {place}: {words}"));
    }

    /// Tells what the ledger found.
    pub(super) fn violation(&mut self, violation: &Violation) {
        self.note(violation.place, violation.to_string());
    }

    /// Takes over what was told elsewhere.
    pub(super) fn absorb(&mut self, other: Self) {
        let more = other.count.saturating_sub(other.first.len() as u64);
        for ((place, _), words) in other.first {
            self.note(place, words);
        }
        self.count = self.count.saturating_add(more);
    }

    fn note(&mut self, place: Place, words: String) {
        self.count = self.count.saturating_add(1);
        self.first.insert((place, self.count), words);
        if TOLD_MAX < self.first.len() {
            self.first.pop_last();
        }
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// From the lowest place on.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.first.values().map(String::as_str)
    }
}

/// Everything that was found.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) closing: Closing,
    pub(super) told: Told,
    pub(super) shards: u16,
    /// Snapshots that were compared with their histories.
    pub(super) snapshots: u64,
    pub(super) spent: Spent,
    pub(super) threads: usize,
    pub(super) took: Duration,
}

impl Findings {
    pub(super) const fn is_sound(&self) -> bool {
        self.told.count() == 0
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { closing, told, shards, snapshots, spent, threads, took } = self;
        let Closing { events, streams, orders, open_holds, open_captures, units, .. } = closing;
        let rate = u128::from(*events).saturating_mul(1_000_000) / took.as_micros().max(1);
        writeln!(
            f,
            "{events} events of {streams} streams in {shards} shards, {orders} orders, \
             {snapshots} snapshots"
        )?;
        writeln!(f, "read in {} ms, {rate} events/s", took.as_millis())?;
        let Spent { reading, bytes, books } = spent;
        writeln!(
            f,
            "{threads} threads: {} ms waiting for pages, {} ms in bytes and hashes, {} ms in the \
             books",
            reading.as_millis(),
            bytes.as_millis(),
            books.as_millis()
        )?;
        for ((currency, account), balance) in &closing.balances {
            writeln!(f, "{} {}: {balance} minor units", currency.code(), account.as_str())?;
        }
        let (holds, captures) = (open_holds.len(), open_captures.len());
        writeln!(
            f,
            "not finished: {holds} holds, {captures} captures, stock and orders of {} products",
            units.len()
        )?;
        for words in told.words() {
            writeln!(f, "violation: {words}")?;
        }
        match told.count() {
            0 => writeln!(f, "no violations"),
            1 => writeln!(f, "1 violation"),
            many => writeln!(f, "{many} violations"),
        }
    }
}
