//! Calls through the breaker: bounded, timed, repeated under one key, shut and opened again.

use std::sync::atomic::{AtomicU32, Ordering};

use engine::values::{Currency, Moment, OrderId, PaymentToken, ReturnId};
use tokio::task::yield_now;
use uuid::Uuid;

use super::*;
use crate::clock::TokioClock;

fn request(order: u128, token: &str) -> ChargeRequest {
    let order = OrderId::new(Uuid::from_u128(order));
    ChargeRequest {
        key: order.charge(1),
        order,
        amount: Money::new(1_999, Currency::USD),
        token: PaymentToken::new(token),
    }
}

struct Shop {
    sandbox: Arc<SandboxProvider>,
    payments: Arc<Payments>,
    health: Arc<ServiceHealth>,
}

impl Shop {
    async fn open(config: PaymentsConfig) -> Self {
        let clock: Arc<dyn Clock> =
            Arc::new(TokioClock::starting_at(Moment::from_unix_micros(1_000_000)));
        let sandbox = Arc::new(SandboxProvider::new(SandboxConfig::default()));
        let health = Arc::new(ServiceHealth::new(Arc::clone(&clock)));
        let config = PaymentsConfig { health: Some(Arc::clone(&health)), ..config };
        let provider: Arc<dyn PaymentProvider> = Arc::clone(&sandbox) as _;
        let payments = Payments::start(provider, config, clock).await.unwrap();
        Self { sandbox, payments, health }
    }

    async fn charge(&self, order: u128, token: &str) -> Result<ChargeOutcome, ProviderFailure> {
        self.payments.charge(&request(order, token)).await
    }

    /// Fails twenty calls at once, which opens the breaker.
    async fn break_down(&self) {
        self.sandbox.faults().set_down(true);
        for order in 0..20 {
            assert_eq!(self.charge(order, "tok_ok").await, Err(ProviderFailure::NotSent));
        }
        settle().await;
        assert_eq!(self.payments.state(), BreakerState::Open);
    }
}

/// Lets the actors handle what has been sent.
async fn settle() {
    for _ in 0..32 {
        yield_now().await;
    }
}

fn without_retries() -> PaymentsConfig {
    let backoff = Backoff { retries: 0, ..PaymentsConfig::default().backoff };
    PaymentsConfig { backoff, ..PaymentsConfig::default() }
}

const CAPTURED: fn(&Result<ChargeOutcome, ProviderFailure>) -> bool =
    |outcome| matches!(outcome, Ok(ChargeOutcome::Captured { .. }));

#[tokio::test(start_paused = true)]
async fn charge_query_and_refund_reach_the_provider() {
    let shop = Shop::open(PaymentsConfig::default()).await;
    let paid = request(1, "tok_ok");
    assert!(CAPTURED(&shop.payments.charge(&paid).await));
    assert!(CAPTURED(&shop.payments.query(paid.key).await));
    assert_eq!(shop.payments.refund(paid.key, paid.amount).await, Ok(()));
    assert_eq!(shop.sandbox.tally(), Tally { captured: 1, declined: 0, refunded: 1 });
}

#[tokio::test(start_paused = true)]
async fn silent_provider_is_left_after_two_seconds_without_a_repeat() {
    let shop = Shop::open(PaymentsConfig::default()).await;
    let started = Instant::now();
    assert_eq!(shop.charge(1, "tok_timeout").await, Err(ProviderFailure::Unknown));
    assert_eq!(started.elapsed(), Duration::from_secs(2));
    assert_eq!(shop.payments.slowest(), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn late_success_is_found_by_the_next_call_and_charged_once() {
    let shop = Shop::open(PaymentsConfig::default()).await;
    assert_eq!(shop.charge(1, "tok_late_success").await, Err(ProviderFailure::Unknown));
    assert!(CAPTURED(&shop.charge(1, "tok_late_success").await));
    assert_eq!(shop.sandbox.tally().captured, 1);
}

/// Fails in the given ways, then captures; counts how often it was asked.
struct Scripted {
    failures: Vec<ProviderFailure>,
    asked: AtomicU32,
}

#[async_trait::async_trait]
impl PaymentProvider for Scripted {
    async fn charge(&self, _request: &ChargeRequest) -> Result<ChargeOutcome, ProviderFailure> {
        let turn = self.asked.fetch_add(1, Ordering::Relaxed);
        let failure = self.failures.get(usize::try_from(turn).unwrap());
        failure.map_or_else(|| Ok(ChargeOutcome::Captured { reference: "x".into() }), |f| Err(*f))
    }

    async fn query(&self, _key: ChargeKey) -> Result<ChargeOutcome, ProviderFailure> {
        Ok(ChargeOutcome::NotCharged)
    }

    async fn refund(&self, _key: ChargeKey, _amount: Money) -> Result<(), ProviderFailure> {
        Ok(())
    }

    async fn refund_part(
        &self,
        _key: ChargeKey,
        _rma: ReturnId,
        _amount: Money,
    ) -> Result<(), ProviderFailure> {
        Ok(())
    }
}

async fn scripted(failures: &[ProviderFailure]) -> (Result<ChargeOutcome, ProviderFailure>, u32) {
    let provider = Arc::new(Scripted { failures: failures.to_vec(), asked: AtomicU32::new(0) });
    let clock = Arc::new(TokioClock::starting_at(Moment::default()));
    let config = PaymentsConfig::default();
    let payments = Payments::start(Arc::clone(&provider) as _, config, clock).await.unwrap();
    let outcome = payments.charge(&request(1, "tok_ok")).await;
    (outcome, provider.asked.load(Ordering::Relaxed))
}

#[tokio::test(start_paused = true)]
async fn failed_attempts_are_repeated_twice() {
    use ProviderFailure::{NotSent, Unknown};
    let (outcome, asked) = scripted(&[Unknown, NotSent]).await;
    assert!(CAPTURED(&outcome));
    assert_eq!(asked, 3);
    assert_eq!(scripted(&[NotSent, NotSent, NotSent, NotSent]).await, (Err(NotSent), 3));
}

#[tokio::test(start_paused = true)]
async fn one_unknown_attempt_makes_the_whole_call_unknown() {
    use ProviderFailure::{NotSent, Unknown};
    assert_eq!(scripted(&[NotSent, Unknown, NotSent]).await, (Err(Unknown), 3));
}

#[tokio::test(start_paused = true)]
async fn declines_never_open_the_breaker() {
    let shop = Shop::open(PaymentsConfig::default()).await;
    for order in 0..100 {
        assert!(shop.charge(order, "tok_declined").await.is_ok());
    }
    settle().await;
    assert_eq!(shop.payments.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn every_failure_is_judged_at_once_not_only_the_first() {
    let shop = Shop::open(without_retries()).await;
    shop.sandbox.faults().set_down(true);
    for order in 0..20 {
        assert_eq!(shop.payments.state(), BreakerState::Closed);
        assert!(shop.charge(order, "tok_ok").await.is_err());
        settle().await;
    }
    assert_eq!(shop.payments.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn open_breaker_asks_nobody_and_the_provider_is_out_of_service() {
    let shop = Shop::open(without_retries()).await;
    shop.break_down().await;
    assert!(shop.health.is_out(Dependency::Provider));
    shop.sandbox.faults().set_down(false);
    assert_eq!(shop.charge(99, "tok_ok").await, Err(ProviderFailure::NotSent));
    assert_eq!(shop.sandbox.tally().captured, 0);
}

#[tokio::test(start_paused = true)]
async fn breaker_closes_after_three_good_probes_and_measures_the_outage() {
    let shop = Shop::open(without_retries()).await;
    shop.break_down().await;
    let opened = shop.payments.report().since;
    shop.sandbox.faults().set_down(false);
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert_eq!(shop.payments.state(), BreakerState::HalfOpen, "seen without any traffic");
    for order in 100..103 {
        assert!(CAPTURED(&shop.charge(order, "tok_ok").await));
        settle().await;
    }
    let report = shop.payments.report();
    assert_eq!(report.state, BreakerState::Closed);
    assert_eq!(report.recoveries.count, 1);
    assert_eq!(report.recoveries.last, report.since.saturating_since(opened));
    assert_eq!(report.recoveries.last, Duration::from_secs(7));
    assert!(!shop.health.is_out(Dependency::Provider));
}

#[tokio::test(start_paused = true)]
async fn half_open_lets_one_probe_through_and_refuses_the_rest() {
    let shop = Shop::open(without_retries()).await;
    shop.break_down().await;
    shop.sandbox.faults().set_down(false);
    shop.sandbox.faults().set_latency(Duration::from_millis(20));
    tokio::time::sleep(Duration::from_secs(6)).await;
    let calls: Vec<_> = (0..50).map(|order| request(200 + order, "tok_ok")).collect();
    let outcomes =
        futures::future::join_all(calls.iter().map(|call| shop.payments.charge(call))).await;
    assert_eq!(outcomes.iter().filter(|outcome| CAPTURED(outcome)).count(), 1);
    assert_eq!(shop.sandbox.tally().captured, 1);
}

#[tokio::test(start_paused = true)]
async fn abandoned_probe_does_not_keep_the_door_shut() {
    let shop = Shop::open(without_retries()).await;
    shop.break_down().await;
    shop.sandbox.faults().set_down(false);
    tokio::time::sleep(Duration::from_secs(6)).await;
    let hanging = request(300, "tok_timeout");
    let given_up = timeout(Duration::from_millis(10), shop.payments.charge(&hanging)).await;
    assert!(given_up.is_err());
    settle().await;
    assert!(CAPTURED(&shop.charge(301, "tok_ok").await));
}

#[tokio::test(start_paused = true)]
async fn restarted_breaker_is_still_open_and_still_closes() {
    let shop = Shop::open(without_retries()).await;
    shop.break_down().await;
    shop.payments.charges.breaker.kill();
    settle().await;
    assert_eq!(shop.payments.state(), BreakerState::Open);
    shop.sandbox.faults().set_down(false);
    assert_eq!(shop.charge(99, "tok_ok").await, Err(ProviderFailure::NotSent));
    tokio::time::sleep(Duration::from_secs(6)).await;
    for order in 100..103 {
        assert!(CAPTURED(&shop.charge(order, "tok_ok").await));
        settle().await;
    }
    assert_eq!(shop.payments.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn failures_count_although_the_breaker_actor_was_dead() {
    let shop = Shop::open(without_retries()).await;
    shop.payments.charges.breaker.kill();
    settle().await;
    shop.sandbox.faults().set_down(true);
    for order in 0..20 {
        assert!(shop.charge(order, "tok_ok").await.is_err());
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(shop.payments.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn one_call_too_many_is_not_made() {
    let config = PaymentsConfig { in_flight_max: 2, ..PaymentsConfig::default() };
    let shop = Shop::open(config).await;
    shop.sandbox.faults().set_latency(Duration::from_millis(20));
    let calls: Vec<_> = (0..3).map(|order| request(order, "tok_ok")).collect();
    let outcomes =
        futures::future::join_all(calls.iter().map(|call| shop.payments.charge(call))).await;
    assert_eq!(outcomes.iter().filter(|outcome| CAPTURED(outcome)).count(), 2);
    assert!(outcomes.contains(&Err(ProviderFailure::NoPlace)));
    assert!(CAPTURED(&shop.charge(9, "tok_ok").await), "places are given back");
}

#[test]
fn a_call_ends_long_before_a_charge_is_believed_not_to_have_been_made() {
    let PaymentsConfig { timeout, backoff, .. } = PaymentsConfig::default();
    let longest = timeout + backoff.budget;
    assert!(longest * 4 < engine::order::CHARGE_ARRIVES_WITHIN, "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn refunds_that_fail_shut_refunds_and_leave_charges_alone() {
    let shop = Shop::open(without_retries()).await;
    assert!(CAPTURED(&shop.charge(1, "tok_ok").await));
    shop.sandbox.faults().set_refund_failures_per_million(1_000_000);
    let paid = request(1, "tok_ok");
    for _ in 0..20 {
        let failed = shop.payments.refund(paid.key, paid.amount).await;
        assert_eq!(failed, Err(ProviderFailure::Unknown));
    }
    settle().await;

    assert_eq!(shop.payments.refund(paid.key, paid.amount).await, Err(ProviderFailure::NotSent));
    assert!(shop.health.is_out(Dependency::Refunds));
    assert_eq!(shop.payments.state(), BreakerState::Closed);
    assert!(!shop.health.is_out(Dependency::Provider));
    assert!(CAPTURED(&shop.charge(2, "tok_ok").await));
}
