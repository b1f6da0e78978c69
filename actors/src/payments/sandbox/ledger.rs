//! What the sandbox remembers of each charge: small entries, at most so many, for a day.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry as Place;
use engine::process::ChargeOutcome;
use engine::values::{ChargeKey, Money, ReturnId};

use crate::admission::uptime::Uptime;

/// How long a charge is remembered.
const KEPT_FOR: Duration = Duration::from_hours(24);

/// Why money is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decline {
    CardDeclined,
    UnknownToken,
}

/// One charge. The texts of its outcome are made when asked for, to keep a million of them small.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry {
    Captured { amount: Money, refunded: bool },
    Declined(Decline),
}

impl Entry {
    pub(super) const fn captured(amount: Money) -> Self {
        Self::Captured { amount, refunded: false }
    }

    pub(super) const fn declined(reason: Decline) -> Self {
        Self::Declined(reason)
    }

    pub(super) fn outcome(self, key: ChargeKey) -> ChargeOutcome {
        match self {
            Self::Captured { .. } => {
                ChargeOutcome::Captured { reference: format!("sandbox-{key}") }
            }
            Self::Declined(Decline::CardDeclined) => {
                ChargeOutcome::Declined { reason: "card_declined".into() }
            }
            Self::Declined(Decline::UnknownToken) => {
                ChargeOutcome::Declined { reason: "unknown_token".into() }
            }
        }
    }
}

/// How often money moved, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Keys that were charged.
    pub captured: u64,
    /// Keys that were declined.
    pub declined: u64,
    /// Keys whose money went back.
    pub refunded: u64,
}

/// The charges, and the order in which they came.
pub(super) struct Ledger {
    uptime: Uptime,
    charges_max: usize,
    charges: DashMap<ChargeKey, Entry>,
    /// What of a charge went back for which return.
    parts: DashMap<ChargeKey, Vec<(ReturnId, Money)>>,
    /// Key and time of recording, oldest first.
    order: Mutex<VecDeque<(ChargeKey, Duration)>>,
    captured: AtomicU64,
    declined: AtomicU64,
    refunded: AtomicU64,
}

impl Ledger {
    pub(super) fn new(charges_max: usize) -> Self {
        Self {
            uptime: Uptime::starting_now(),
            charges_max: charges_max.max(1),
            charges: DashMap::new(),
            parts: DashMap::new(),
            order: Mutex::default(),
            captured: AtomicU64::new(0),
            declined: AtomicU64::new(0),
            refunded: AtomicU64::new(0),
        }
    }

    pub(super) fn entry(&self, key: ChargeKey) -> Option<Entry> {
        self.charges.get(&key).map(|entry| *entry)
    }

    /// Keeps what was decided first for the key; whether that was this.
    pub(super) fn record(&self, key: ChargeKey, entry: Entry) -> (Entry, bool) {
        match self.charges.entry(key) {
            Place::Occupied(first) => return (*first.get(), false),
            Place::Vacant(place) => drop(place.insert(entry)),
        }
        let counter = match entry {
            Entry::Captured { .. } => &self.captured,
            Entry::Declined(_) => &self.declined,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.forget_oldest(key);
        (entry, true)
    }

    /// Gives a captured amount back, once; whether it is back.
    pub(super) fn refund(&self, key: ChargeKey, amount: Money) -> bool {
        let Some(mut entry) = self.charges.get_mut(&key) else { return false };
        let Entry::Captured { amount: taken, refunded } = &mut *entry else { return false };
        let is_in_parts = self.parts.contains_key(&key);
        if is_in_parts || amount.currency() != taken.currency() || taken.minor() < amount.minor() {
            return false;
        }
        if !*refunded {
            *refunded = true;
            self.refunded.fetch_add(1, Ordering::Relaxed);
        }
        true
    }

    /// Gives a part of a captured amount back, once for each return; whether it is back.
    pub(super) fn refund_part(&self, key: ChargeKey, rma: ReturnId, amount: Money) -> bool {
        let Some(Entry::Captured { amount: taken, refunded: false }) = self.entry(key) else {
            return false;
        };
        let mut parts = self.parts.entry(key).or_default();
        if let Some((_, before)) = parts.iter().find(|(known, _)| *known == rma) {
            return *before == amount;
        }
        let back = parts.iter().try_fold(amount, |sum, (_, part)| sum.checked_add(*part).ok());
        let fits = back.is_some_and(|back| {
            back.currency() == taken.currency() && back.minor() <= taken.minor()
        });
        if fits {
            parts.push((rma, amount));
        }
        fits
    }

    pub(super) fn tally(&self) -> Tally {
        Tally {
            captured: self.captured.load(Ordering::Relaxed),
            declined: self.declined.load(Ordering::Relaxed),
            refunded: self.refunded.load(Ordering::Relaxed),
        }
    }

    fn forget_oldest(&self, newest: ChargeKey) {
        let now = self.uptime.now();
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        order.push_back((newest, now));
        while let Some((key, since)) = order.front().copied() {
            if order.len() <= self.charges_max && now.saturating_sub(since) <= KEPT_FOR {
                break;
            }
            order.pop_front();
            self.charges.remove(&key);
            self.parts.remove(&key);
        }
    }
}
