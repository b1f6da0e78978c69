//! Calls to the provider over a network that loses and delays, behind the real breaker and with the
//! real pauses between tries.

use std::time::Duration;

use actors::answers;
use actors::payments::{Breaker, BreakerState, Input, PaymentsConfig, ProbeId, ProviderFailure};
use engine::process::{Answer, ChargeOutcome};
use engine::values::{ChargeKey, Money};

use super::books::Violation;
use super::cast::micros;
use super::clients::{self, Request};
use super::names::order_index;
use super::outside::{Event, Outside};
use super::process::Process;
use super::reply::Asker;
use super::sights::Sight;

/// Longest wait for one attempt.
const TIMEOUT: u64 = 2_000_000;

/// Longest way to the provider, when nothing is wrong.
const WAY: u64 = 30_000;

/// How late a call may still arrive: a little less than the engine reckons with.
const LATE: u64 = 50_000_000;

/// What is asked of the provider.
#[derive(Clone, Debug)]
pub(super) enum CallOf {
    Charge { key: ChargeKey, amount: Money, token: String },
    Query { key: ChargeKey },
    Refund { key: ChargeKey, amount: Money },
}

impl CallOf {
    const fn is_refund(&self) -> bool {
        matches!(self, Self::Refund { .. })
    }
}

/// What the provider says.
#[derive(Clone, Debug)]
pub(super) enum Said {
    Charge(ChargeOutcome),
    Refunded,
}

/// A call that is under way.
pub(super) struct Call {
    asker: Asker,
    of: CallOf,
    /// Names the attempt under way; an answer to another one counts for nothing.
    attempt: u32,
    /// Attempts that have failed.
    failures: u32,
    started: u64,
    /// Whether an attempt may have reached the provider.
    may_have_arrived: bool,
    probe: Option<ProbeId>,
}

/// How a call moves on.
pub(super) enum CallEvent {
    /// It reaches the provider; whether the answer finds its way back.
    Arrives { process: u32, call: u64, attempt: u32, of: CallOf, answers: bool },
    /// The answer is there, or a definite failure.
    Ends { process: u32, call: u64, attempt: u32, said: Result<Said, ProviderFailure> },
    /// It is tried again.
    Again { process: u32, call: u64 },
}

impl Process {
    /// Begins a call; its answer comes later.
    pub(super) fn call(
        &mut self,
        asker: Asker,
        of: CallOf,
        outside: &mut Outside,
    ) -> Option<Answer> {
        self.calls_made = self.calls_made.saturating_add(1);
        let call = self.calls_made;
        let started = outside.now();
        let begun = Call {
            asker,
            of,
            attempt: 0,
            failures: 0,
            started,
            may_have_arrived: false,
            probe: None,
        };
        self.calls.insert(call, begun);
        self.attempt(call, outside);
        None
    }

    fn breaker(&mut self, is_refund: bool) -> &mut Breaker {
        if is_refund { &mut self.refunds } else { &mut self.charges }
    }

    /// Tells a breaker something.
    fn tell_breaker(
        &mut self,
        is_refund: bool,
        input: Input,
        outside: &mut Outside,
    ) -> Option<ProbeId> {
        let now = Duration::from_micros(outside.now());
        let effects = self.breaker(is_refund).on(input, now);
        match effects.changed {
            Some(BreakerState::Open) => outside.see(Sight::BreakerOpened),
            Some(BreakerState::Closed) => outside.see(Sight::BreakerClosed),
            Some(BreakerState::HalfOpen) | None => {}
        }
        effects.granted
    }

    /// Makes one more attempt, if the breaker lets it.
    pub(super) fn attempt(&mut self, number: u64, outside: &mut Outside) {
        let Some(call) = self.calls.get(&number) else { return };
        let is_refund = call.of.is_refund();
        self.tell_breaker(is_refund, Input::Tick, outside);
        let probe = match self.breaker(is_refund).state() {
            BreakerState::Closed => None,
            BreakerState::HalfOpen | BreakerState::Open => {
                match self.tell_breaker(is_refund, Input::ProbeAsked, outside) {
                    Some(probe) => Some(probe),
                    None => return self.give_up(number, outside),
                }
            }
        };
        let process = self.id;
        let Some(call) = self.calls.get_mut(&number) else { return };
        call.attempt = call.attempt.saturating_add(1);
        call.probe = probe;
        let (attempt, of) = (call.attempt, call.of.clone());
        dispatch(process, number, attempt, of, outside);
    }

    /// An attempt has ended.
    pub(super) fn call_ended(
        &mut self,
        number: u64,
        attempt: u32,
        said: Result<Said, ProviderFailure>,
        outside: &mut Outside,
    ) {
        let Some(call) = self.calls.get_mut(&number).filter(|call| call.attempt == attempt) else {
            return;
        };
        let (is_refund, probe, worked) = (call.of.is_refund(), call.probe.take(), said.is_ok());
        if let Err(ProviderFailure::Unknown) = said {
            call.may_have_arrived = true;
        }
        let input = match probe {
            Some(probe) => Input::ProbeEnded { probe, worked: Some(worked) },
            None => Input::Calls { worked: u32::from(worked), failed: u32::from(!worked) },
        };
        self.tell_breaker(is_refund, input, outside);
        match said {
            Ok(said) => self.finish(number, &Ok(said), outside),
            Err(_) => self.again_or_give_up(number, outside),
        }
    }

    fn again_or_give_up(&mut self, number: u64, outside: &mut Outside) {
        let process = self.id;
        let Some(call) = self.calls.get_mut(&number) else { return };
        // Until it is tried again nothing of it counts any more: its time-out is still to come.
        call.attempt = call.attempt.saturating_add(1);
        let retry = call.failures;
        call.failures = retry.saturating_add(1);
        let elapsed = Duration::from_micros(outside.now().saturating_sub(call.started));
        let draw = outside.luck.below(u64::MAX);
        match PaymentsConfig::default().backoff.pause(retry, elapsed, draw) {
            Some(pause) => {
                let again = CallEvent::Again { process, call: number };
                outside.agenda.after(micros(pause), Event::Call(again));
            }
            None => self.give_up(number, outside),
        }
    }

    fn give_up(&mut self, number: u64, outside: &mut Outside) {
        let arrived = self.calls.get(&number).is_some_and(|call| call.may_have_arrived);
        let failure = if arrived { ProviderFailure::Unknown } else { ProviderFailure::NotSent };
        self.finish(number, &Err(failure), outside);
    }

    fn finish(&mut self, number: u64, said: &Result<Said, ProviderFailure>, outside: &mut Outside) {
        let Some(call) = self.calls.remove(&number) else { return };
        let answer = match said {
            Ok(Said::Charge(outcome)) => answers::of_charge(Ok(outcome.clone())),
            Ok(Said::Refunded) => answers::of_refund(Ok(())),
            Err(failure) if call.of.is_refund() => answers::of_refund(Err(*failure)),
            Err(failure) => answers::of_charge(Err(*failure)),
        };
        self.answer(call.asker, answer, outside);
    }
}

/// An attempt leaves for the provider, and fate decides what becomes of it.
pub(super) fn dispatch(process: u32, call: u64, attempt: u32, of: CallOf, outside: &mut Outside) {
    let unknown = Err(ProviderFailure::Unknown);
    let times_out = CallEvent::Ends { process, call, attempt, said: unknown };
    outside.agenda.after(TIMEOUT, Event::Call(times_out));
    if !outside.provider.is_up(outside.now()) {
        return;
    }
    if outside.strikes(|faults| faults.provider_requests_lost) {
        if outside.luck.permille(500) {
            let said = Err(ProviderFailure::NotSent);
            let fails = CallEvent::Ends { process, call, attempt, said };
            outside.agenda.within(WAY, Event::Call(fails));
        }
        return;
    }
    if outside.strikes(|faults| faults.provider_late) {
        outside.see(Sight::ProviderLate);
        let late = CallEvent::Arrives { process, call, attempt, of, answers: false };
        return outside.agenda.within(LATE, Event::Call(late));
    }
    let answers = !outside.strikes(|faults| faults.provider_answers_lost);
    let arrives = CallEvent::Arrives { process, call, attempt, of, answers };
    outside.agenda.within(WAY, Event::Call(arrives));
}

/// A call reaches the provider.
pub(super) fn arrives(
    process: u32,
    call: u64,
    attempt: u32,
    of: CallOf,
    answers: bool,
    outside: &mut Outside,
) {
    let said = match of {
        CallOf::Charge { key, amount, token } => {
            let (outcome, is_new) = outside.provider.charge(key, amount, &token);
            if is_new {
                call_back(key, &outcome, outside);
            }
            Said::Charge(outcome)
        }
        CallOf::Query { key } => Said::Charge(outside.provider.query(key)),
        CallOf::Refund { key, amount } => {
            let refunded = outside.provider.refund(key, amount);
            outside.judge(refunded.map_err(|sentence| Violation::new("R13", sentence)));
            Said::Refunded
        }
    };
    if answers {
        let ends = CallEvent::Ends { process, call, attempt, said: Ok(said) };
        outside.agenda.within(WAY, Event::Call(ends));
    }
}

/// The provider tells an outcome by itself: early, late, and more than once.
fn call_back(key: ChargeKey, outcome: &ChargeOutcome, outside: &mut Outside) {
    if !outside.strikes(|faults| faults.callbacks) {
        return;
    }
    let Some(order) = order_index(key.order) else { return };
    for copy in 0..outside.luck.between(1, 3) {
        outside.see(if copy == 0 { Sight::CallbackFirst } else { Sight::CallbackAgain });
        let request = Request::CallBack { order, key, outcome: outcome.clone() };
        let longest = outside.luck.between(1, 20_000_000);
        clients::send(request, longest, outside);
    }
}
