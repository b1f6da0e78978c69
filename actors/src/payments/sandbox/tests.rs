//! What each token does, how drills change it, and that the ledger stays small.

use engine::values::{Currency, OrderId, PaymentToken};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::*;

const PROVIDER_TIMEOUT: Duration = Duration::from_secs(2);

fn key(order: u128) -> ChargeKey {
    OrderId::new(Uuid::from_u128(order)).charge(1)
}

fn request(order: u128, token: &str) -> ChargeRequest {
    ChargeRequest {
        key: key(order),
        order: OrderId::new(Uuid::from_u128(order)),
        amount: Money::new(1_999, Currency::USD),
        token: PaymentToken::new(token),
    }
}

fn captured(order: u128) -> ChargeOutcome {
    ChargeOutcome::Captured { reference: format!("sandbox-{}", key(order)) }
}

fn declined(reason: &str) -> ChargeOutcome {
    ChargeOutcome::Declined { reason: reason.to_owned() }
}

fn sandbox() -> (SandboxProvider, mpsc::Receiver<ProviderCallback>) {
    let (callbacks, received) = mpsc::channel(8);
    let config = SandboxConfig { callbacks: Some(callbacks), ..SandboxConfig::default() };
    (SandboxProvider::new(config), received)
}

/// How a call ended, as somebody sees it who waits for two seconds.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Answer(ChargeOutcome),
    Failure(ProviderFailure),
    Silence,
}

async fn charge(sandbox: &SandboxProvider, request: &ChargeRequest) -> Seen {
    match timeout(PROVIDER_TIMEOUT, sandbox.charge(request)).await {
        Ok(Ok(outcome)) => Seen::Answer(outcome),
        Ok(Err(failure)) => Seen::Failure(failure),
        Err(_elapsed) => Seen::Silence,
    }
}

#[tokio::test(start_paused = true)]
async fn token_says_what_happens() {
    struct Case {
        token: &'static str,
        first: Seen,
        again: Seen,
        query: ChargeOutcome,
        callbacks: usize,
    }
    let answer = |outcome: ChargeOutcome| (Seen::Answer(outcome.clone()), Seen::Answer(outcome));
    let case =
        |token, (first, again), query, callbacks| Case { token, first, again, query, callbacks };
    let unknown = || Seen::Failure(ProviderFailure::Unknown);
    let paid = || captured(7);
    let none = ChargeOutcome::NotCharged;
    let cases = [
        case("tok_ok", answer(paid()), paid(), 0),
        case("tok_anything", answer(paid()), paid(), 0),
        case("tok_declined", answer(declined("card_declined")), declined("card_declined"), 0),
        case("4242", answer(declined("unknown_token")), declined("unknown_token"), 0),
        case("tok_timeout", (Seen::Silence, Seen::Silence), none.clone(), 0),
        case("tok_error", (unknown(), unknown()), none, 0),
        case("tok_late_success", (Seen::Silence, Seen::Answer(paid())), paid(), 1),
        case("tok_duplicate_callback", answer(paid()), paid(), 2),
    ];
    for Case { token, first, again, query, callbacks } in cases {
        let (sandbox, mut received) = sandbox();
        let request = request(7, token);
        assert_eq!(charge(&sandbox, &request).await, first, "{token}");
        assert_eq!(charge(&sandbox, &request).await, again, "{token} again");
        assert_eq!(sandbox.query(request.key).await, Ok(query.clone()), "{token} asked by key");

        tokio::time::sleep(Duration::from_secs(10)).await;
        let expected = ProviderCallback { key: request.key, outcome: query };
        for _ in 0..callbacks {
            assert_eq!(received.try_recv().as_ref(), Ok(&expected), "{token}");
        }
        assert!(received.try_recv().is_err(), "{token}: no further callback");
    }
}

#[tokio::test(start_paused = true)]
async fn callback_of_a_late_success_comes_after_everybody_gave_up() {
    let (sandbox, mut received) = sandbox();
    let started = Instant::now();
    assert_eq!(charge(&sandbox, &request(7, "tok_late_success")).await, Seen::Silence);
    assert!(received.try_recv().is_err());
    assert!(received.recv().await.is_some());
    assert!(PROVIDER_TIMEOUT < started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn key_that_nobody_charged_is_not_charged() {
    let (sandbox, _received) = sandbox();
    assert_eq!(sandbox.query(key(1)).await, Ok(ChargeOutcome::NotCharged));
}

#[tokio::test(start_paused = true)]
async fn money_is_taken_and_goes_back_once_per_key() {
    let (sandbox, _received) = sandbox();
    let (paid, refused) = (request(1, "tok_ok"), request(2, "tok_declined"));
    for _ in 0..3 {
        assert!(sandbox.charge(&paid).await.is_ok() && sandbox.charge(&refused).await.is_ok());
    }
    for _ in 0..3 {
        assert_eq!(sandbox.refund(paid.key, paid.amount).await, Ok(()));
    }
    assert_eq!(sandbox.tally(), Tally { captured: 1, declined: 1, refunded: 1 });
}

#[tokio::test(start_paused = true)]
async fn parts_go_back_once_for_each_return_and_are_never_more_than_the_whole() {
    let (sandbox, _received) = sandbox();
    let paid = request(1, "tok_ok");
    assert!(sandbox.charge(&paid).await.is_ok());
    let part = |rma: u128, minor: i64| {
        let (rma, amount) = (ReturnId::new(Uuid::from_u128(rma)), Money::new(minor, Currency::USD));
        sandbox.refund_part(paid.key, rma, amount)
    };
    let not_made = Err(ProviderFailure::NotSent);
    assert_eq!(part(1, 1_000).await, Ok(()));
    assert_eq!(part(1, 1_000).await, Ok(()), "a repeat");
    assert_eq!(part(1, 999).await, not_made, "the same return, another amount");
    assert_eq!(part(2, 1_000).await, not_made, "one cent too much");
    assert_eq!(part(2, 999).await, Ok(()));
    assert_eq!(sandbox.refund(paid.key, paid.amount).await, not_made, "it went back in parts");
}

#[tokio::test(start_paused = true)]
async fn refund_of_what_was_not_taken_is_certainly_not_made() {
    let (sandbox, _received) = sandbox();
    let refused = request(2, "tok_declined");
    assert!(sandbox.charge(&refused).await.is_ok());
    assert!(sandbox.charge(&request(1, "tok_ok")).await.is_ok());
    let not_made = Err(ProviderFailure::NotSent);
    assert_eq!(sandbox.refund(refused.key, refused.amount).await, not_made);
    assert_eq!(sandbox.refund(key(3), refused.amount).await, not_made);
    let (more, foreign) = (Money::new(2_000, Currency::USD), Money::new(1_999, Currency::EUR));
    assert_eq!(sandbox.refund(key(1), more).await, not_made);
    assert_eq!(sandbox.refund(key(1), foreign).await, not_made);
    assert_eq!(sandbox.tally().refunded, 0);
}

#[tokio::test(start_paused = true)]
async fn provider_that_is_down_is_not_reached() {
    let (sandbox, _received) = sandbox();
    sandbox.faults().set_down(true);
    let paid = request(1, "tok_ok");
    assert_eq!(sandbox.charge(&paid).await, Err(ProviderFailure::NotSent));
    assert_eq!(sandbox.query(paid.key).await, Err(ProviderFailure::NotSent));
    assert_eq!(sandbox.refund(paid.key, paid.amount).await, Err(ProviderFailure::NotSent));
    sandbox.faults().set_down(false);
    assert_eq!(sandbox.query(paid.key).await, Ok(ChargeOutcome::NotCharged));
    assert_eq!(sandbox.charge(&paid).await, Ok(captured(1)));
}

#[tokio::test(start_paused = true)]
async fn share_of_calls_fails_and_moves_no_money() {
    let draws = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counting = Arc::clone(&draws);
    let draw: Draw =
        Arc::new(move || counting.fetch_add(250_000, std::sync::atomic::Ordering::Relaxed));
    let sandbox = SandboxProvider::new(SandboxConfig { draw, ..SandboxConfig::default() });
    sandbox.faults().set_failures_per_million(500_000);
    let mut failed = 0;
    for order in 0..8 {
        failed += u32::from(sandbox.charge(&request(order, "tok_ok")).await.is_err());
    }
    assert_eq!(failed, 4);
    assert_eq!(sandbox.tally().captured, 4);

    sandbox.faults().set_failures_per_million(0);
    sandbox.faults().set_refund_failures_per_million(u32::MAX);
    let charged = request(2, "tok_ok");
    assert!(sandbox.charge(&charged).await.is_ok());
    let refund = sandbox.refund(charged.key, charged.amount).await;
    assert_eq!(refund, Err(ProviderFailure::Unknown));
}

#[tokio::test(start_paused = true)]
async fn answer_takes_as_long_as_it_is_told_to() {
    let latency = Duration::from_millis(20);
    let sandbox = SandboxProvider::new(SandboxConfig { latency, ..SandboxConfig::default() });
    let started = Instant::now();
    assert!(sandbox.charge(&request(1, "tok_ok")).await.is_ok());
    assert_eq!(started.elapsed(), latency);
    sandbox.faults().set_latency(Duration::ZERO);
    assert!(sandbox.charge(&request(2, "tok_ok")).await.is_ok());
    assert_eq!(started.elapsed(), latency);
}

#[tokio::test(start_paused = true)]
async fn oldest_charges_are_forgotten_beyond_the_cap_and_after_a_day() {
    let config = SandboxConfig { charges_max: 2, ..SandboxConfig::default() };
    let sandbox = SandboxProvider::new(config);
    for order in 1..=3 {
        assert!(sandbox.charge(&request(order, "tok_ok")).await.is_ok());
    }
    assert_eq!(sandbox.query(key(1)).await, Ok(ChargeOutcome::NotCharged));
    assert_eq!(sandbox.query(key(2)).await, Ok(captured(2)));

    tokio::time::sleep(Duration::from_hours(25)).await;
    assert!(sandbox.charge(&request(4, "tok_ok")).await.is_ok());
    assert_eq!(sandbox.query(key(2)).await, Ok(ChargeOutcome::NotCharged));
    assert_eq!(sandbox.query(key(3)).await, Ok(ChargeOutcome::NotCharged));
    assert_eq!(sandbox.query(key(4)).await, Ok(captured(4)));
}

#[tokio::test(start_paused = true)]
async fn callbacks_that_find_their_queue_full_are_dropped() {
    let (callbacks, mut received) = mpsc::channel(1);
    let config = SandboxConfig { callbacks: Some(callbacks), ..SandboxConfig::default() };
    let sandbox = SandboxProvider::new(config);
    let charged = charge(&sandbox, &request(1, "tok_duplicate_callback")).await;
    assert_eq!(charged, Seen::Answer(captured(1)));
    assert!(received.try_recv().is_ok());
    assert!(received.try_recv().is_err());
}
