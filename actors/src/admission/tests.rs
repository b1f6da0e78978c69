//! The door as a whole: places, waiting, buckets, window, health and the actor behind it.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;

use futures::FutureExt as _;
use proptest::prelude::*;
use tokio::time::{advance, sleep};

use super::*;
use crate::clock::TokioClock;

const SHOPPER: Caller = Caller {
    address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    key_hash: Some(7),
    exempt: false,
    class: Class::Checkout,
};
const READER: Caller = Caller { class: Class::Read, ..SHOPPER };
const LOCAL: Caller = Caller { address: IpAddr::V4(Ipv4Addr::LOCALHOST), ..SHOPPER };

fn bucket(per_second: u32, burst: u32) -> Option<BucketPolicy> {
    let (per_second, burst) = (NonZeroU32::new(per_second)?, NonZeroU32::new(burst)?);
    Some(BucketPolicy { per_second, burst })
}

fn window(checkouts_max: u32) -> Option<WindowPolicy> {
    let span = Duration::from_secs(1);
    Some(WindowPolicy { checkouts_max: NonZeroU32::new(checkouts_max)?, span })
}

fn places(start: usize) -> AdmissionConfig {
    let limit = LimitPolicy { min: 1, start, max: 64, ..LimitPolicy::default() };
    AdmissionConfig { limit, ..AdmissionConfig::default() }
}

fn reason<T>(entered: Result<T, Rejected>) -> Option<Reason> {
    entered.err().map(|rejected| rejected.reason)
}

#[test]
fn reasons_are_numbered_in_their_order() {
    for (number, reason) in Reason::ALL.into_iter().enumerate() {
        assert_eq!(reason as usize, number);
    }
}

#[tokio::test(start_paused = true)]
async fn places_are_taken_and_given_back() {
    let door = Admission::start(places(2)).await.unwrap();
    let first = door.enter(&SHOPPER).unwrap();
    let _second = door.enter(&SHOPPER).unwrap();
    assert_eq!(door.in_flight(), 2);
    let rejected = door.enter(&SHOPPER).unwrap_err();
    assert_eq!(rejected.reason, Reason::Overloaded);
    assert!(Duration::from_secs(1) <= rejected.retry_after);
    drop(first);
    assert!(door.enter(&SHOPPER).is_ok());
}

#[tokio::test(start_paused = true)]
async fn burst_waits_for_a_place_in_the_order_of_its_coming() {
    let door = Admission::start(places(1)).await.unwrap();
    let inside = door.enter(&SHOPPER).unwrap();
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(door.enter_soon(&SHOPPER))).collect();
    for shopper in &mut waiting {
        assert!(futures::poll!(shopper.as_mut()).is_pending());
    }
    drop(inside);
    for shopper in waiting {
        let pass = shopper.await.unwrap();
        assert_eq!(door.in_flight(), 1);
        drop(pass);
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_is_bounded_in_number_and_time() {
    let line = LinePolicy { waiting_max: 1, ..LinePolicy::default() };
    let door = Admission::start(AdmissionConfig { line, ..places(1) }).await.unwrap();
    let _inside = door.enter(&SHOPPER).unwrap();
    let started = tokio::time::Instant::now();
    let (first, second) = tokio::join!(door.enter_soon(&SHOPPER), door.enter_soon(&SHOPPER));
    assert_eq!(reason(first), Some(Reason::Overloaded));
    assert_eq!(reason(second), Some(Reason::Overloaded));
    assert_eq!(started.elapsed(), Duration::from_secs(2), "the first waited, the second did not");
    assert_eq!(door.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn standing_crowd_is_rejected_sooner_than_a_burst() {
    let door = Admission::start(places(1)).await.unwrap();
    let _inside = door.enter(&SHOPPER).unwrap();
    let early = door.enter_soon(&SHOPPER);
    let late = async {
        sleep(Duration::from_millis(1_999)).await;
        let overlapping = door.enter_soon(&SHOPPER);
        let latest = async {
            sleep(Duration::from_millis(101)).await;
            let started = tokio::time::Instant::now();
            assert!(door.enter_soon(&SHOPPER).await.is_err());
            started.elapsed()
        };
        tokio::join!(overlapping, latest).1
    };
    let (first, waited) = tokio::join!(early, late);
    assert!(first.is_err());
    assert_eq!(waited, Duration::from_millis(50));
}

#[tokio::test(start_paused = true)]
async fn a_line_that_stands_is_served_from_its_end() {
    let door = Admission::start(places(1)).await.unwrap();
    let inside = door.enter(&SHOPPER).unwrap();
    let mut first = Box::pin(door.enter_soon(&SHOPPER));
    assert!(futures::poll!(first.as_mut()).is_pending());
    advance(Duration::from_millis(51)).await;
    let mut last = Box::pin(door.enter_soon(&SHOPPER));
    assert!(futures::poll!(last.as_mut()).is_pending());
    drop(inside);
    let pass = last.await.unwrap();
    assert!(futures::poll!(first.as_mut()).is_pending());
    drop(pass);
    assert!(first.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_comes_in_when_the_limit_rises() {
    let door = Admission::start(places(1)).await.unwrap();
    let _inside = door.enter(&SHOPPER).unwrap();
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(door.enter_soon(&SHOPPER))).collect();
    for shopper in &mut waiting {
        assert!(futures::poll!(shopper.as_mut()).is_pending());
    }
    door.gate.set_limit(3);
    let mut called = Vec::new();
    for shopper in &mut waiting {
        called.extend(shopper.now_or_never());
    }
    assert_eq!(called.iter().flatten().count(), 2);
    assert_eq!(door.in_flight(), 3);
}

#[tokio::test(start_paused = true)]
async fn whoever_pushes_leaves_the_last_places_to_others() {
    let door = Admission::start(places(16)).await.unwrap();
    let passes: Vec<_> = (0..14).map(|_| door.enter(&SHOPPER).unwrap()).collect();
    let _other = door.enter(&LOCAL).unwrap();
    assert_eq!(reason(door.enter_soon(&SHOPPER).await), Some(Reason::Overloaded));
    assert!(door.enter(&LOCAL).is_ok(), "the last place is for somebody else");
    drop(passes);
    assert!(door.enter(&SHOPPER).is_ok());
}

#[tokio::test(start_paused = true)]
async fn somebody_who_gives_up_waiting_takes_no_place() {
    let door = Admission::start(places(1)).await.unwrap();
    let inside = door.enter(&SHOPPER).unwrap();
    let mut waiting = Box::pin(door.enter_soon(&SHOPPER));
    assert!(futures::poll!(waiting.as_mut()).is_pending());
    drop(inside);
    drop(waiting);
    assert_eq!(door.in_flight(), 0);
    assert!(door.enter(&SHOPPER).is_ok());
}

#[tokio::test(start_paused = true)]
async fn addresses_and_keys_have_buckets_but_loopback_and_exempt_keys_have_none() {
    let config = AdmissionConfig { by_address: bucket(1, 2), by_key: None, ..places(64) };
    let door = Admission::start(config).await.unwrap();
    assert!(door.knock(&READER).is_ok() && door.knock(&READER).is_ok());
    let rejected = door.knock(&READER).unwrap_err();
    assert_eq!(rejected.reason, Reason::Address);
    assert_eq!(rejected.retry_after, Duration::from_secs(1));
    let exempt = Caller { exempt: true, ..READER };
    for _ in 0..10 {
        assert!(door.knock(&LOCAL).is_ok() && door.knock(&exempt).is_ok());
    }

    let config = AdmissionConfig { by_address: None, by_key: bucket(1, 1), ..places(64) };
    let door = Admission::start(config).await.unwrap();
    assert!(door.knock(&READER).is_ok());
    assert_eq!(reason(door.knock(&READER)), Some(Reason::Key));
    let stranger = Caller { key_hash: None, ..READER };
    assert!(door.knock(&stranger).is_ok(), "an unknown key has no bucket");
}

#[tokio::test(start_paused = true)]
async fn bodies_on_their_way_are_counted_apart_for_strangers_and_take_no_place_in_flight() {
    let config = AdmissionConfig { bodies_max: 1, strangers_bodies_max: 2, ..places(1) };
    let door = Admission::start(config).await.unwrap();
    let stranger = Caller { key_hash: None, ..SHOPPER };
    let slow: Vec<_> = (0..2).map(|_| door.await_body(&stranger).unwrap()).collect();
    assert_eq!(reason(door.await_body(&stranger)), Some(Reason::Bodies));
    let shopper = door.await_body(&SHOPPER).unwrap();
    assert_eq!(reason(door.await_body(&SHOPPER)), Some(Reason::Bodies));
    assert_eq!(door.in_flight(), 0);
    drop(slow);
    assert!(door.await_body(&stranger).is_ok());
    drop(shopper);
    assert!(door.await_body(&SHOPPER).is_ok());
}

#[tokio::test(start_paused = true)]
async fn checkout_window_is_for_everybody() {
    let config = AdmissionConfig { window: window(2), ..places(64) };
    let door = Admission::start(config).await.unwrap();
    assert!(door.enter(&LOCAL).is_ok() && door.enter(&LOCAL).is_ok());
    assert_eq!(reason(door.enter(&LOCAL)), Some(Reason::Checkout));
    assert!(door.enter(&READER).is_ok(), "only checkouts are counted");
    advance(Duration::from_secs(1)).await;
    assert!(door.enter(&LOCAL).is_ok());
}

#[tokio::test(start_paused = true)]
async fn mutations_are_rejected_while_the_store_is_out_and_reads_are_not() {
    let clock = Arc::new(TokioClock::starting_at(engine::values::Moment::default()));
    let health = Arc::new(ServiceHealth::new(clock));
    let config = AdmissionConfig { health: Some(Arc::clone(&health)), ..places(64) };
    let door = Admission::start(config).await.unwrap();
    health.report(Dependency::Store, Report::Failing("commit failed"));
    assert_eq!(reason(door.enter(&SHOPPER)), Some(Reason::StoreOut));
    let writer = Caller { class: Class::Write, ..SHOPPER };
    assert_eq!(reason(door.enter_soon(&writer).await), Some(Reason::StoreOut));
    assert!(door.enter(&READER).is_ok());
    health.report(Dependency::Store, Report::Working);
    assert!(door.enter(&SHOPPER).is_ok() && door.enter(&writer).is_ok());
}

/// Holds `shoppers` places for `span`, a hundred times over.
async fn crowd(door: &Admission, shoppers: usize, span: Duration) {
    crowds(100, door, shoppers, span).await;
}

async fn crowds(rounds: u32, door: &Admission, shoppers: usize, span: Duration) {
    for _ in 0..rounds {
        let passes: Vec<_> = (0..shoppers).map_while(|_| door.enter(&SHOPPER).ok()).collect();
        sleep(span).await;
        drop(passes);
    }
}

#[tokio::test(start_paused = true)]
async fn limit_rises_under_fast_load_and_falls_under_slow_load() {
    let door = Admission::start(places(16)).await.unwrap();
    crowd(&door, 64, Duration::from_millis(50)).await;
    assert_eq!(door.limit(), 64);
    crowd(&door, 64, Duration::from_millis(150)).await;
    assert!(door.limit() < 16, "{}", door.limit());
}

#[tokio::test(start_paused = true)]
async fn time_spent_outside_does_not_lower_the_limit() {
    let outside: Outside = Arc::new(|| Duration::from_millis(500));
    let config = AdmissionConfig { outside: Some(outside), ..places(16) };
    let door = Admission::start(config).await.unwrap();
    crowd(&door, 64, Duration::from_millis(550)).await;
    assert_eq!(door.limit(), 64);
    crowd(&door, 64, Duration::from_millis(650)).await;
    assert!(door.limit() < 16, "{}", door.limit());
}

#[tokio::test(start_paused = true)]
async fn time_spent_outside_is_no_reason_to_expect_little_of_those_inside() {
    let outside: Outside = Arc::new(|| Duration::from_millis(290));
    let config = AdmissionConfig { outside: Some(outside), ..places(16) };
    let door = Admission::start(config).await.unwrap();
    crowds(5, &door, 1, Duration::from_millis(300)).await;
    crowds(8, &door, 64, Duration::from_millis(290 + 60)).await;
    assert!(door.limit() < 16, "60 ms are slow here: {}", door.limit());
}

#[tokio::test(start_paused = true)]
async fn full_queues_inside_lower_the_limit() {
    let door = Admission::start(places(16)).await.unwrap();
    for _ in 0..200 {
        drop(door.enter(&READER));
        door.note_overload();
    }
    sleep(Duration::from_millis(250)).await;
    assert_eq!(door.limit(), 12);
}

#[tokio::test(start_paused = true)]
async fn door_stays_open_and_keeps_its_limit_when_its_actor_dies() {
    let door = Admission::start(places(16)).await.unwrap();
    crowd(&door, 64, Duration::from_millis(50)).await;
    door.actor.kill();
    assert!(door.enter(&SHOPPER).is_ok());
    sleep(Duration::from_secs(1)).await;
    assert_eq!(door.limit(), 64);
    crowd(&door, 64, Duration::from_millis(150)).await;
    assert!(door.limit() < 16, "the next incarnation adapts it: {}", door.limit());
}

proptest! {
    #[test]
    fn places_add_up_however_the_limit_moves(
        steps in prop::collection::vec((0_u8..3, 0_usize..64), 0..200),
    ) {
        let gate = Arc::new(Gate::new(&places(8), Uptime::starting_now()));
        let mut inside = Vec::new();
        for (what, number) in steps {
            match what {
                0 => {
                    let room = inside.len() < gate.limit();
                    let entered = gate.enter(&LOCAL);
                    prop_assert_eq!(entered.is_ok(), room);
                    inside.extend(entered);
                }
                1 => { inside.pop(); }
                _ => gate.set_limit(number.max(1)),
            }
            prop_assert_eq!(gate.in_flight(), inside.len());
            prop_assert_eq!(gate.free(), gate.limit().saturating_sub(inside.len()));
        }
    }
}
