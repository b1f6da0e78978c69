//! The hot path at the door: reads what the actor last published, takes a place, gives it back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use metrics::{Counter, counter};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use super::bodies::{BodyPlace, BodyPlaces};
use super::buckets::{Buckets, prefix};
use super::health::{PROBE_EVERY, ServiceHealth};
use super::policy::Sample;
use super::shares::{Seat, Shares};
use super::uptime::Uptime;
use super::window::SlidingWindow;
use super::{AdmissionConfig, Caller, Class, Outside, Reason, Rejected};
use crate::metrics::ADMISSION_REJECTED_TOTAL;

/// Everything that requests touch. The actor writes the limit, requests the counts.
pub(super) struct Gate {
    uptime: Uptime,
    target: Duration,
    outside: Option<Outside>,
    health: Option<Arc<ServiceHealth>>,
    pub(super) by_key: Option<Buckets<u64>>,
    pub(super) by_address: Option<Buckets<std::net::IpAddr>>,
    window: Option<SlidingWindow>,
    bodies: BodyPlaces,
    strangers: BodyPlaces,
    places: Places,
    waiting: WaitingRoom,
    shares: Shares,
    counts: Counts,
    rejections: [Counter; Reason::ALL.len()],
    retry_turn: AtomicU64,
}

/// Places in flight. Held ones above a lowered limit are owed: they go when they are given back.
struct Places {
    free: Semaphore,
    limit: AtomicUsize,
    owed: AtomicUsize,
}

/// Requests that wait for a place. A crowd that has not cleared for long is told to go sooner,
/// because a queue that stands makes everybody late and nobody faster.
struct WaitingRoom {
    max: usize,
    patience: Duration,
    patience_crowded: Duration,
    waiting: AtomicUsize,
    crowded_since_micros: AtomicU64,
}

#[derive(Default)]
struct Counts {
    in_flight: AtomicUsize,
    peak: AtomicUsize,
    finished: AtomicU32,
    slow: AtomicU32,
    overloaded: AtomicU32,
}

/// Leave to work. Dropping it gives the place back and reports how long it was held.
pub struct Pass {
    gate: Arc<Gate>,
    class: Class,
    seat: Seat,
    entered: Instant,
}

impl std::fmt::Debug for Pass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pass").field("class", &self.class).finish_non_exhaustive()
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gate.leave(self.class, self.seat, self.entered.elapsed());
    }
}

impl Gate {
    pub(super) fn new(config: &AdmissionConfig, uptime: Uptime) -> Self {
        let limit =
            super::policy::Aimd::new(config.limit, config.limit.start, uptime.now()).limit();
        Self {
            uptime,
            target: config.limit.target,
            outside: config.outside.clone(),
            health: config.health.clone(),
            by_key: config.by_key.map(|policy| Buckets::new(policy, config.keys_max, uptime)),
            by_address: config
                .by_address
                .map(|policy| Buckets::new(policy, config.keys_max, uptime)),
            window: config.window.map(SlidingWindow::new),
            bodies: BodyPlaces::new(config.bodies_max, None),
            strangers: BodyPlaces::new(
                config.strangers_bodies_max,
                Some(config.address_bodies_max),
            ),
            places: Places {
                free: Semaphore::new(limit),
                limit: AtomicUsize::new(limit),
                owed: AtomicUsize::new(0),
            },
            waiting: WaitingRoom {
                max: config.waiting_max,
                patience: config.patience,
                patience_crowded: config.patience_crowded,
                waiting: AtomicUsize::new(0),
                crowded_since_micros: AtomicU64::new(0),
            },
            shares: Shares::new(),
            counts: Counts::default(),
            rejections: Reason::ALL
                .map(|reason| counter!(ADMISSION_REJECTED_TOTAL, "reason" => reason.label())),
            retry_turn: AtomicU64::new(0),
        }
    }

    /// What can be told before a body is read; nothing is counted.
    pub(super) fn foresee(&self, caller: &Caller) -> Result<(), Rejected> {
        self.store_takes(caller)?;
        if caller.class == Class::Checkout
            && let Some(window) = &self.window
        {
            let wait = window.wait(self.uptime.now());
            return wait.map_or(Ok(()), |wait| Err(self.reject(Reason::Checkout, wait)));
        }
        Ok(())
    }

    pub(super) fn enter(self: &Arc<Self>, caller: &Caller) -> Result<Pass, Rejected> {
        self.check(caller)?;
        let seat = self.shares.seat(caller);
        self.take_place(caller.class, seat).ok_or_else(|| self.overloaded())
    }

    pub(super) async fn enter_soon(self: &Arc<Self>, caller: &Caller) -> Result<Pass, Rejected> {
        self.check(caller)?;
        let seat = self.shares.seat(caller);
        if let Some(pass) = self.take_place(caller.class, seat) {
            return Ok(pass);
        }
        let Some(_chair) = self.waiting.sit(self.uptime) else { return Err(self.overloaded()) };
        if self.must_yield(seat) {
            // It waits aside and asks once more: in the queue others would stand behind it.
            sleep(self.waiting.patience_crowded).await;
            return self.take_place(caller.class, seat).ok_or_else(|| self.overloaded());
        }
        let patience = self.waiting.patience(self.uptime);
        match timeout(patience, self.places.free.acquire()).await {
            Ok(Ok(place)) => {
                place.forget();
                Ok(self.let_in(caller.class, seat))
            }
            _ => Err(self.overloaded()),
        }
    }

    pub(super) fn knock(&self, caller: &Caller) -> Result<(), Rejected> {
        let known = caller.exempt || caller.address.to_canonical().is_loopback();
        if !known {
            if let Some(buckets) = &self.by_address {
                let taken = buckets.take(&prefix(caller.address));
                taken.map_err(|wait| self.reject(Reason::Address, wait))?;
            }
            if let (Some(buckets), Some(key)) = (&self.by_key, &caller.key_hash) {
                buckets.take(key).map_err(|wait| self.reject(Reason::Key, wait))?;
            }
        }
        Ok(())
    }

    pub(super) fn await_body(&self, caller: &Caller) -> Result<BodyPlace<'_>, Rejected> {
        let places = if caller.key_hash.is_some() { &self.bodies } else { &self.strangers };
        places.take(caller.address).ok_or_else(|| self.reject(Reason::Bodies, self.come_back()))
    }

    /// Everything but the place. Whoever finds the store out of service does not count.
    fn check(&self, caller: &Caller) -> Result<(), Rejected> {
        self.store_takes(caller)?;
        if caller.class == Class::Checkout
            && let Some(window) = &self.window
        {
            let admitted = window.admit(self.uptime.now());
            admitted.map_err(|wait| self.reject(Reason::Checkout, wait))?;
        }
        Ok(())
    }

    fn store_takes(&self, caller: &Caller) -> Result<(), Rejected> {
        if caller.class != Class::Read
            && let Some(health) = &self.health
            && !health.may_write()
        {
            return Err(self.reject(Reason::StoreOut, PROBE_EVERY));
        }
        Ok(())
    }

    fn take_place(self: &Arc<Self>, class: Class, seat: Seat) -> Option<Pass> {
        if self.must_yield(seat) {
            return None;
        }
        self.places.free.try_acquire().ok()?.forget();
        Some(self.let_in(class, seat))
    }

    fn must_yield(&self, seat: Seat) -> bool {
        self.shares.must_yield(seat, self.places.free.available_permits(), self.limit())
    }

    fn let_in(self: &Arc<Self>, class: Class, seat: Seat) -> Pass {
        self.shares.take(seat);
        let before = self.counts.in_flight.fetch_add(1, Ordering::Relaxed);
        self.counts.peak.fetch_max(before.saturating_add(1), Ordering::Relaxed);
        Pass { gate: Arc::clone(self), class, seat, entered: Instant::now() }
    }

    fn leave(&self, class: Class, seat: Seat, held: Duration) {
        self.shares.give_back(seat);
        self.counts.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.counts.finished.fetch_add(1, Ordering::Relaxed);
        if self.target < held && !self.waited_outside(class, held) {
            self.counts.slow.fetch_add(1, Ordering::Relaxed);
        }
        self.places.give_back();
    }

    /// Whether a checkout was long because the provider was; fewer at once would not help then.
    fn waited_outside(&self, class: Class, held: Duration) -> bool {
        class == Class::Checkout
            && self
                .outside
                .as_ref()
                .is_some_and(|outside| held <= self.target.saturating_add(outside()))
    }

    fn overloaded(&self) -> Rejected {
        self.reject(Reason::Overloaded, self.come_back())
    }

    /// Callers that are rejected together are told different times to come back.
    fn come_back(&self) -> Duration {
        let turn = self.retry_turn.fetch_add(1, Ordering::Relaxed) % 3;
        Duration::from_secs(turn.saturating_add(1))
    }

    fn reject(&self, reason: Reason, retry_after: Duration) -> Rejected {
        if let Some(counter) = self.rejections.get(reason as usize) {
            counter.increment(1);
        }
        Rejected { reason, retry_after }
    }

    pub(super) fn note_overload(&self) {
        self.counts.overloaded.fetch_add(1, Ordering::Relaxed);
    }

    /// What happened since this was asked last.
    pub(super) fn sample(&self) -> Sample {
        let counts = &self.counts;
        let in_flight = self.in_flight();
        Sample {
            finished: counts.finished.swap(0, Ordering::Relaxed),
            slow: counts.slow.swap(0, Ordering::Relaxed),
            overloaded: counts.overloaded.swap(0, Ordering::Relaxed),
            in_flight_peak: counts.peak.swap(in_flight, Ordering::Relaxed),
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.counts.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn limit(&self) -> usize {
        self.places.limit.load(Ordering::Relaxed)
    }

    /// Only the actor calls this, so changes follow one another.
    pub(super) fn set_limit(&self, limit: usize) {
        self.places.set_limit(limit);
    }

    pub(super) fn forget_rested(&self) {
        if let Some(buckets) = &self.by_key {
            buckets.forget_rested();
        }
        if let Some(buckets) = &self.by_address {
            buckets.forget_rested();
        }
    }

    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.places.free.available_permits()
    }
}

impl Places {
    fn give_back(&self) {
        let order = Ordering::AcqRel;
        let pay = |owed: usize| owed.checked_sub(1);
        if self.owed.fetch_update(order, Ordering::Acquire, pay).is_err() {
            self.free.add_permits(1);
        }
    }

    fn set_limit(&self, limit: usize) {
        let before = self.limit.swap(limit, Ordering::Relaxed);
        if limit < before {
            let fewer = before.saturating_sub(limit);
            let gone = self.free.forget_permits(fewer);
            self.owed.fetch_add(fewer.saturating_sub(gone), Ordering::AcqRel);
        } else {
            let more = limit.saturating_sub(before);
            let forgive = |owed: usize| Some(owed.saturating_sub(more));
            let owed = self.owed.fetch_update(Ordering::AcqRel, Ordering::Acquire, forgive);
            self.free.add_permits(more.saturating_sub(owed.unwrap_or_default()));
        }
    }
}

impl WaitingRoom {
    /// Takes a chair; `None` when there is none.
    fn sit(&self, uptime: Uptime) -> Option<Chair<'_>> {
        let order = Ordering::Relaxed;
        let more = |waiting: usize| (waiting < self.max).then(|| waiting.saturating_add(1));
        let before = self.waiting.fetch_update(order, order, more).ok()?;
        if before == 0 {
            self.crowded_since_micros.store(uptime.micros(), order);
        }
        Some(Chair(self))
    }

    fn patience(&self, uptime: Uptime) -> Duration {
        let since = self.crowded_since_micros.load(Ordering::Relaxed);
        let crowded_for = Duration::from_micros(uptime.micros().saturating_sub(since));
        if crowded_for < self.patience { self.patience } else { self.patience_crowded }
    }
}

/// One chair in the waiting room. Frees itself when dropped.
struct Chair<'a>(&'a WaitingRoom);

impl Drop for Chair<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
