//! Drills: a fault is written down before it goes off, ends when it is told to, and loses nothing.

use std::sync::Arc;
use std::time::Duration;

use crate::faulty::{self as journal, FaultyJournal};
use crate::shop::{Shop, Wishing as _, asking, order_id, place};
use actors::faults::{Drills, Faults};
use actors::{NotAccepted, NotDone};
use engine::drill::{ActorKind, Asker, DrillEvent, Ending, Fault, FaultName};
use engine::order::PaymentStatus;
use engine::values::Moment;
use persistence::Stores;
use tokio::time::sleep;

const STALL: Fault = Fault::JournalStall { millis: None };
const SLOW: Fault = Fault::PaymentLatency { millis: 300 };

fn asker() -> Asker {
    Asker { by: "ops".to_owned(), request: "r-1".to_owned() }
}

async fn drilled() -> (Shop, Arc<Drills>) {
    over(Stores::in_memory()).await
}

async fn over(stores: Stores) -> (Shop, Arc<Drills>) {
    let faults = Faults::none(false);
    let shop = Shop::over(faults.among(stores).await).await;
    let drills = shop.system.start_drills(faults).await.unwrap();
    (shop, drills)
}

async fn stocked() -> (Shop, Arc<Drills>) {
    let (shop, drills) = drilled().await;
    shop.publish("mouse").await;
    shop.receive("mouse", 10).await;
    (shop, drills)
}

fn names(drills: &Drills) -> Vec<FaultName> {
    drills.active().iter().map(|injection| injection.fault.name()).collect()
}

async fn events(drills: &Drills) -> Vec<DrillEvent> {
    drills.log().await.unwrap().into_iter().map(|logged| logged.event).collect()
}

fn injected(fault: Fault, until: Option<Moment>) -> DrillEvent {
    DrillEvent::FaultInjected { fault, until, asker: asker() }
}

#[tokio::test(start_paused = true)]
async fn a_fault_is_active_and_in_the_log_until_it_is_lifted() {
    let (_shop, drills) = drilled().await;
    for changed in [true, false] {
        let done = drills.inject(SLOW, None, asker(), asking()).await.unwrap();
        assert_eq!(done.changed, changed);
    }
    assert_eq!(names(&drills), [FaultName::PaymentLatency]);

    for changed in [true, false] {
        let lifted = drills.lift(&[FaultName::PaymentLatency], asker(), asking()).await.unwrap();
        assert_eq!(lifted.map(|done| done.changed), Some(changed));
    }
    assert_eq!(names(&drills), []);
    let ended =
        DrillEvent::FaultEnded { fault: FaultName::PaymentLatency, how: Ending::Lifted(asker()) };
    assert_eq!(events(&drills).await, [injected(SLOW, None), ended]);
}

#[tokio::test(start_paused = true)]
async fn a_fault_whose_time_runs_out_ends_by_itself() {
    let (_shop, drills) = drilled().await;
    let until = Some(Moment::from_unix_micros(61_000_000));
    drills.inject(SLOW, until, asker(), asking()).await.unwrap();
    sleep(Duration::from_secs(59)).await;
    assert_eq!(names(&drills), [FaultName::PaymentLatency]);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(names(&drills), []);
    let ended = DrillEvent::FaultEnded { fault: FaultName::PaymentLatency, how: Ending::Expired };
    assert_eq!(events(&drills).await, [injected(SLOW, until), ended]);
}

#[tokio::test(start_paused = true)]
async fn a_fault_does_not_outlive_its_process() {
    let stores = Stores::in_memory();
    let (first, drills) = over(stores.clone()).await;
    drills.inject(SLOW, None, asker(), asking()).await.unwrap();
    drop((first, drills));

    let (_shop, drills) = over(stores).await;
    assert_eq!(names(&drills), []);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(names(&drills), []);
    let ended = DrillEvent::FaultEnded { fault: FaultName::PaymentLatency, how: Ending::Restarted };
    assert_eq!(events(&drills).await, [injected(SLOW, None), ended]);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_journal_leaves_nobody_with_a_wrong_answer_and_heals() {
    let (shop, drills) = stocked().await;
    drills.inject(STALL, None, asker(), asking()).await.unwrap();
    let wish = || place(1, "mouse", 1).card("tok_ok");
    assert_eq!(shop.place(1, wish()).await.unwrap_err(), NotDone::Unknown);
    // Nothing can be written down, so nothing else can go off before the stall is over.
    let late = drills.inject(SLOW, None, asker(), asking()).await.unwrap_err();
    assert_eq!(late, NotDone::Unknown);
    assert_eq!(names(&drills), [FaultName::JournalStall]);

    drills.lift(&FaultName::ALL, asker(), asking()).await.unwrap();
    let placed = shop.place(1, wish()).await.unwrap();
    assert_eq!(placed.view.unwrap().payment.status, PaymentStatus::Paid);
    assert_eq!(shop.stock("mouse").await.sold.units(), 1);
    // What nobody waited for any more was written down in the end, and was lifted with the rest.
    sleep(Duration::from_secs(1)).await;
    assert_eq!(names(&drills), []);
    assert_eq!(events(&drills).await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_nobody_waited_for_goes_off_once_it_is_written_down() {
    let (_shop, drills) = drilled().await;
    let until = Some(Moment::from_unix_micros(9_000_000));
    drills.inject(STALL, until, asker(), asking()).await.unwrap();
    let late = drills.inject(SLOW, None, asker(), asking()).await.unwrap_err();
    assert_eq!(late, NotDone::Unknown);
    assert_eq!(names(&drills), [FaultName::JournalStall]);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(names(&drills), [FaultName::PaymentLatency]);
}

#[tokio::test(start_paused = true)]
async fn a_stall_that_runs_out_lets_the_journal_go() {
    let (shop, drills) = stocked().await;
    let until = Some(Moment::from_unix_micros(4_000_000));
    drills.inject(STALL, until, asker(), asking()).await.unwrap();
    let placed = shop.place(1, place(1, "mouse", 1).card("tok_ok")).await.unwrap();
    assert!(placed.changed);
    sleep(Duration::from_secs(1)).await;
    let ended = DrillEvent::FaultEnded { fault: FaultName::JournalStall, how: Ending::Expired };
    assert_eq!(events(&drills).await, [injected(STALL, until), ended]);
}

#[tokio::test(start_paused = true)]
async fn a_fault_is_lifted_also_when_that_cannot_be_written_down_yet() {
    let stores = Stores::in_memory();
    let journal = Arc::new(FaultyJournal::over(Arc::clone(&stores.journal)));
    let inner = Arc::clone(&journal) as Arc<_>;
    let (_shop, drills) = over(Stores { journal: inner, ..stores }).await;
    drills.inject(SLOW, None, asker(), asking()).await.unwrap();
    journal.arm(journal::Fault::Unavailable);

    let name = FaultName::PaymentLatency;
    let unwritten = drills.lift(&[name], asker(), asking()).await.unwrap_err();
    assert_eq!(unwritten, NotDone::NotAccepted(NotAccepted::NotWritten));
    assert_eq!(names(&drills), []);
    // The same fault once more is another fault, however early it comes.
    let again = drills.inject(SLOW, None, asker(), asking()).await.unwrap();
    assert!(again.changed);
    assert_eq!(names(&drills), [name]);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(names(&drills), [name]);
    let ended = DrillEvent::FaultEnded { fault: name, how: Ending::Lifted(asker()) };
    let injected = injected(SLOW, None);
    assert_eq!(events(&drills).await, [injected.clone(), ended, injected]);
}

#[tokio::test(start_paused = true)]
async fn a_killed_actor_is_rebuilt_and_has_lost_nothing() {
    let (shop, drills) = stocked().await;
    for number in 1..=3 {
        shop.place(number, place(number, "mouse", 1).card("tok_ok")).await.unwrap();
        let (kind, key) = (ActorKind::Inventory, "mouse");
        let killed = drills.kill(kind, key, asker(), asking()).await.unwrap();
        assert!(killed.is_some_and(|noted| noted.changed), "it was not live");
        // Its death is known a moment later.
        sleep(Duration::from_millis(10)).await;
    }
    // Killed more often than an actor may die by its own fault, and still served.
    shop.place(4, place(4, "mouse", 1).card("tok_ok")).await.unwrap();
    let stock = shop.stock("mouse").await;
    assert_eq!((stock.on_hand.units(), stock.held.units(), stock.sold.units()), (6, 0, 4));
    assert_eq!(events(&drills).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_order_that_is_killed_while_it_waits_for_its_money_is_taken_up_again() {
    let (shop, drills) = stocked().await;
    let queued = shop.place(1, place(1, "mouse", 1).card("tok_late_success")).await.unwrap();
    assert_eq!(queued.view.unwrap().payment.status, PaymentStatus::Queued);
    let key = order_id(1).to_string();
    let killed = drills.kill(ActorKind::Order, &key, asker(), asking()).await.unwrap();
    assert!(killed.is_some());
    shop.until(|order| order.payment.status == PaymentStatus::Paid, 1).await;
    assert_eq!(shop.stock("mouse").await.sold.units(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_live_cannot_be_killed_and_nothing_is_written_down() {
    let (_shop, drills) = drilled().await;
    let killed = drills.kill(ActorKind::Cart, "nobody", asker(), asking()).await.unwrap();
    assert!(killed.is_none());
    assert_eq!(events(&drills).await, []);
}
