//! The hot path at the door: reads what the actor last published, takes a place, gives it back.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::{Counter, counter};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::bodies::{BodyPlace, BodyPlaces};
use super::buckets::{Buckets, prefix};
use super::health::{PROBE_EVERY, ServiceHealth};
use super::places::Places;
use super::policy::Sample;
use super::shares::{Seat, Seats};
use super::uptime::Uptime;
use super::window::SlidingWindow;
use super::{AdmissionConfig, Caller, Class, Outside, Reason, Rejected};
use crate::metrics::ADMISSION_REJECTED_TOTAL;

/// Everything that requests touch. The actor writes the limit, requests the counts.
pub(super) struct Gate {
    uptime: Uptime,
    /// In microseconds; the actor moves it.
    target: AtomicU64,
    outside: Option<Outside>,
    health: Option<Arc<ServiceHealth>>,
    pub(super) by_key: Option<Buckets<u64>>,
    pub(super) by_address: Option<Buckets<std::net::IpAddr>>,
    window: Option<SlidingWindow>,
    bodies: BodyPlaces,
    strangers: BodyPlaces,
    seats: Seats,
    /// Held for a few instructions, never while anything is waited for.
    places: Mutex<Places<Call>>,
    counts: Counts,
    rejections: [Counter; Reason::ALL.len()],
    retry_turn: AtomicU64,
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// How somebody who waits is let in.
struct Call {
    class: Class,
    pass: oneshot::Sender<Pass>,
}

/// Somebody in a line; dropping it leaves the line.
struct Chair<'a> {
    gate: &'a Gate,
    ticket: u64,
}

impl Drop for Chair<'_> {
    fn drop(&mut self) {
        self.gate.places().give_up(self.ticket);
    }
}

#[derive(Default)]
struct Counts {
    finished: AtomicU32,
    slow: AtomicU32,
    overloaded: AtomicU32,
    took_micros: AtomicU64,
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
            target: AtomicU64::new(micros(config.limit.target)),
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
            seats: Seats::default(),
            places: Mutex::new(Places::new(config.line, limit)),
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
        let seat = self.seats.of(caller);
        if self.places().take(seat) {
            Ok(self.pass(caller.class, seat))
        } else {
            Err(self.overloaded())
        }
    }

    pub(super) async fn enter_soon(self: &Arc<Self>, caller: &Caller) -> Result<Pass, Rejected> {
        self.check(caller)?;
        let seat = self.seats.of(caller);
        let (joined, answer) = {
            let mut places = self.places();
            if places.take(seat) {
                drop(places);
                return Ok(self.pass(caller.class, seat));
            }
            let (pass, answer) = oneshot::channel();
            let call = Call { class: caller.class, pass };
            (places.join(seat, self.uptime.now(), call), answer)
        };
        let Some((ticket, patience)) = joined else { return Err(self.overloaded()) };
        let _chair = Chair { gate: self, ticket };
        match timeout(patience, answer).await {
            Ok(Ok(pass)) => Ok(pass),
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

    /// For a place that is taken.
    fn pass(self: &Arc<Self>, class: Class, seat: Seat) -> Pass {
        Pass { gate: Arc::clone(self), class, seat, entered: Instant::now() }
    }

    fn leave(self: &Arc<Self>, class: Class, seat: Seat, held: Duration) {
        let inside = self.inside(class, held);
        self.counts.finished.fetch_add(1, Ordering::Relaxed);
        self.counts.took_micros.fetch_add(micros(inside), Ordering::Relaxed);
        if self.target() < inside {
            self.counts.slow.fetch_add(1, Ordering::Relaxed);
        }
        let next = {
            let mut places = self.places();
            places.give_back(seat);
            places.call(self.uptime.now())
        };
        self.let_in(next);
    }

    fn let_in(self: &Arc<Self>, next: Option<(Call, Seat)>) {
        if let Some((Call { class, pass }, seat)) = next {
            // Whoever left in this moment drops the pass, which calls the one behind.
            drop(pass.send(self.pass(class, seat)));
        }
    }

    /// Without the wait for the provider: fewer checkouts at once would not shorten that.
    fn inside(&self, class: Class, held: Duration) -> Duration {
        let outside = self.outside.as_ref().filter(|_| class == Class::Checkout);
        held.saturating_sub(outside.map_or(Duration::ZERO, |outside| outside()))
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
        Sample {
            finished: counts.finished.swap(0, Ordering::Relaxed),
            slow: counts.slow.swap(0, Ordering::Relaxed),
            overloaded: counts.overloaded.swap(0, Ordering::Relaxed),
            in_flight_peak: self.places().peak(),
            took: Duration::from_micros(counts.took_micros.swap(0, Ordering::Relaxed)),
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.places().taken()
    }

    pub(super) fn limit(&self) -> usize {
        self.places().limit()
    }

    /// Requests that wait for a place.
    pub(super) fn waiting(&self) -> usize {
        self.places().waiting()
    }

    fn target(&self) -> Duration {
        Duration::from_micros(self.target.load(Ordering::Relaxed))
    }

    pub(super) fn set_target(&self, target: Duration) {
        self.target.store(micros(target), Ordering::Relaxed);
    }

    pub(super) fn set_limit(self: &Arc<Self>, limit: usize) {
        self.places().set_limit(limit);
        loop {
            let next = self.places().call(self.uptime.now());
            if next.is_none() {
                return;
            }
            self.let_in(next);
        }
    }

    fn places(&self) -> MutexGuard<'_, Places<Call>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.places().free()
    }
}
