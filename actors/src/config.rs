//! Everything that the engine can be told, with its defaults.

use std::time::Duration;

/// Limits and spans of the engine. Every queue's bound is here.
#[derive(Clone, Copy, Debug)]
pub struct EngineConfig {
    /// Commands that may wait for one entity; one more is answered "overloaded".
    pub mailbox_slots: usize,
    /// Entities of one kind in memory; one more is answered "overloaded", and the idle are put to
    /// sleep at once. The idle go early when half of it is reached, also those that pause between
    /// two tries; due wake-ups fill three quarters of it at most. An idle one takes about 7 KB.
    pub live_max: usize,
    /// Events in one commit.
    pub batch_events_max: usize,
    /// Events that may wait for the writer; entities wait when it is full.
    pub writer_queue_max: usize,
    /// Events between two snapshots of one entity.
    pub snapshot_every: u64,
    /// How long an entity may be idle before it is put to sleep.
    pub idle_after: Duration,
    /// Deaths of one entity within [`Self::death_window`] before its stream is quarantined.
    pub deaths_max: u32,
    /// The window for counting deaths, and how long a quarantine lasts before one more try.
    pub death_window: Duration,
    /// How often read models are brought up to date.
    pub projection_interval: Duration,
    /// How often due wake-ups are looked for.
    pub wakeup_interval: Duration,
    /// How often PENDING orders are moved to PROCESSING; never when absent.
    pub process_pending_every: Option<Duration>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            mailbox_slots: 1_024,
            live_max: 50_000,
            batch_events_max: 512,
            writer_queue_max: 8_192,
            snapshot_every: 100_000,
            idle_after: Duration::from_mins(1),
            deaths_max: 3,
            death_window: Duration::from_mins(1),
            projection_interval: Duration::from_millis(50),
            wakeup_interval: Duration::from_millis(250),
            process_pending_every: None,
        }
    }
}
