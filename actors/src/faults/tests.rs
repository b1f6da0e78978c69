//! What the decorators do to the ports while a fault is injected, and after.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::drill::{FailedPayment, Fault, FaultName};
use engine::process::ChargeOutcome;
use engine::values::{ChargeKey, Currency, Money, OrderId, PaymentToken};
use persistence::Stores;
use persistence::journal::{Batch, Shard};
use persistence::pubsub::Announcement;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::Faults;
use crate::payments::{ChargeRequest, ProviderFailure, SandboxConfig, SandboxProvider};
use crate::runtime::spawn_light;

fn request(number: u128) -> ChargeRequest {
    let order = OrderId::new(Uuid::from_u128(number));
    ChargeRequest {
        key: ChargeKey { order, attempt: 1 },
        order,
        amount: Money::new(2_550, Currency::USD),
        token: PaymentToken::new("tok_ok"),
    }
}

fn only(fault: Fault) -> BTreeMap<FaultName, Fault> {
    BTreeMap::from([(fault.name(), fault)])
}

fn failing(kind: FailedPayment, per_million: u32) -> BTreeMap<FaultName, Fault> {
    only(Fault::PaymentFailure { kind, per_million })
}

#[tokio::test(start_paused = true)]
async fn a_charge_is_declined_by_the_provider_itself() {
    let faults = Faults::none(false);
    let sandbox = Arc::new(SandboxProvider::new(SandboxConfig::default()));
    let provider = faults.before(sandbox.clone());
    let captured = provider.charge(&request(1)).await.unwrap();

    faults.set(failing(FailedPayment::Declined, 1_000_000));
    let declined = provider.charge(&request(2)).await.unwrap();
    assert!(matches!(declined, ChargeOutcome::Declined { .. }), "{declined:?}");
    // What was captured before is never called declined.
    assert_eq!(provider.charge(&request(1)).await.unwrap(), captured);
    faults.set(BTreeMap::new());
    assert_eq!(provider.charge(&request(2)).await.unwrap(), declined);
    assert_eq!(provider.query(request(2).key).await.unwrap(), declined);
}

#[tokio::test(start_paused = true)]
async fn an_error_moves_no_money_and_a_lost_answer_does() {
    let faults = Faults::none(false);
    let sandbox = Arc::new(SandboxProvider::new(SandboxConfig::default()));
    let provider = faults.before(sandbox.clone());
    faults.set(failing(FailedPayment::Error, 1_000_000));
    assert_eq!(provider.charge(&request(1)).await, Err(ProviderFailure::Unknown));
    assert_eq!(provider.query(request(1).key).await, Err(ProviderFailure::Unknown));
    assert_eq!(sandbox.tally().captured, 0);

    faults.set(failing(FailedPayment::Timeout, 1_000_000));
    let asked = request(1);
    let lost = timeout(Duration::from_secs(2), provider.charge(&asked));
    assert!(lost.await.is_err(), "an answer came");
    faults.set(BTreeMap::new());
    let known = provider.query(request(1).key).await.unwrap();
    assert!(matches!(known, ChargeOutcome::Captured { .. }), "{known:?}");
}

#[tokio::test(start_paused = true)]
async fn about_the_wanted_share_of_calls_fails() {
    let faults = Faults::none(false);
    let provider = faults.before(Arc::new(SandboxProvider::new(SandboxConfig::default())));
    faults.set(failing(FailedPayment::Error, 250_000));
    let mut failed = 0;
    for number in 0..2_000 {
        failed += u32::from(provider.charge(&request(number)).await.is_err());
    }
    assert!((350..=650).contains(&failed), "{failed} of 2,000");
    faults.set(failing(FailedPayment::Error, 0));
    assert!(provider.charge(&request(9_999)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_slow_provider_answers_at_once_when_the_fault_is_lifted() {
    let faults = Faults::none(false);
    let provider = faults.before(Arc::new(SandboxProvider::new(SandboxConfig::default())));
    faults.set(only(Fault::PaymentLatency { millis: 700 }));
    let began = Instant::now();
    provider.charge(&request(1)).await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_millis(700));

    let began = Instant::now();
    let slow = spawn_light(async move { provider.charge(&request(2)).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    faults.set(BTreeMap::new());
    slow.await.unwrap().unwrap();
    assert_eq!(began.elapsed(), Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn an_append_waits_while_the_journal_stalls_and_then_lands() {
    let faults = Faults::none(false);
    let stores = faults.among(Stores::in_memory()).await;
    let epoch = stores.journal.acquire("test").await.unwrap().epoch;
    let empty = Batch { epoch, ..Batch::default() };
    faults.set(only(Fault::JournalStall { millis: Some(40) }));
    let began = Instant::now();
    stores.journal.append(&empty).await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_millis(40));

    faults.set(only(Fault::JournalStall { millis: None }));
    let hour = timeout(Duration::from_hours(1), stores.journal.append(&empty));
    assert!(hour.await.is_err(), "a stalled journal has written");
    // Reading goes on.
    assert_eq!(stores.journal.heads().await.unwrap(), vec![0; 16]);
    let journal = Arc::clone(&stores.journal);
    let waiting = spawn_light(async move { journal.append(&empty).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    faults.set(BTreeMap::new());
    waiting.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_cut_holds_announcements_back_and_its_end_lets_the_last_ones_go() {
    let stores = Stores::in_memory();
    let faults = Faults::none(true);
    let mut outside = stores.pubsub.listen().await;
    let here = faults.among(stores.clone()).await.pubsub;
    let mut inside = here.listen().await;
    let say = |position| Announcement { shard: Shard(3), position };
    here.announce(&[say(1)]).await;
    assert_eq!(outside.recv().await.unwrap(), say(1));
    assert_eq!(inside.recv().await.unwrap(), say(1));

    faults.set(only(Fault::RedisCut));
    here.announce(&[say(2)]).await;
    here.announce(&[say(3)]).await;
    // Who listens in this process hears it all the same.
    assert_eq!(inside.recv().await.unwrap(), say(2));
    assert!(outside.try_recv().is_err(), "a cut has let something through");
    faults.set(BTreeMap::new());
    assert_eq!(outside.recv().await.unwrap(), say(3));
}

#[test]
fn without_redis_there_is_nothing_to_cut() {
    let names = |faults: &Faults| faults.available().count();
    assert_eq!((names(&Faults::none(false)), names(&Faults::none(true))), (3, 4));
}
