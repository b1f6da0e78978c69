//! Crashes, lost acknowledgements and poison: what the journal keeps is what the shop knows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::faulty::{Fault, FaultyJournal};
use crate::shop::{Shop, Wishing as _, asking, order_id, place};
use actors::admission::Dependency;
use actors::{NotAccepted, NotDone};
use async_trait::async_trait;
use engine::inventory::{Inventory, InventoryCommand};
use engine::order::{OrderCommand, PaymentStatus};
use engine::values::{CustomerId, HoldId, Moment, Quantity};
use persistence::Stores;
use persistence::journal::StreamId;
use persistence::pubsub::{Announcement, MemoryPubSub, PubSub};
use persistence::read_models::{OrderQuery, PageStart, Wakeup};
use tokio::sync::broadcast;
use uuid::Uuid;

async fn shop_over_faulty_journal() -> (Shop, Arc<FaultyJournal>) {
    let stores = Stores::in_memory();
    let journal = Arc::new(FaultyJournal::over(Arc::clone(&stores.journal)));
    let shop =
        Shop::over(Stores { journal: Arc::clone(&journal) as Arc<_>, ..stores.clone() }).await;
    shop.publish("mouse").await;
    shop.receive("mouse", 10).await;
    (shop, journal)
}

#[tokio::test(start_paused = true)]
async fn a_lost_acknowledgement_is_looked_up_and_answered() {
    let (shop, journal) = shop_over_faulty_journal().await;
    for fault in [Fault::WrittenButUnknown, Fault::LostAndUnknown] {
        journal.arm(fault);
        let number = 1 + fault as u32;

        let placed = shop.place(number, place(number, "mouse", 1).card("tok_ok")).await;

        assert!(placed.unwrap().changed, "{fault:?}");
    }
    assert_eq!(shop.stock("mouse").await.sold.units(), 2);
}

#[tokio::test(start_paused = true)]
async fn every_commit_of_a_checkout_may_lose_its_acknowledgement() {
    for skip in 0..6 {
        for fault in [Fault::WrittenButUnknown, Fault::LostAndUnknown] {
            let (shop, journal) = shop_over_faulty_journal().await;
            journal.arm_after(fault, skip);

            let placed = shop.place(1, place(1, "mouse", 3).card("tok_ok")).await.unwrap();

            assert_eq!(placed.view.unwrap().payment.status, PaymentStatus::Paid);
            shop.until(|order| order.payment.status == PaymentStatus::Paid, 1).await;
            let stock = shop.stock("mouse").await;
            assert_eq!((stock.on_hand.units(), stock.sold.units()), (7, 3), "{fault:?} {skip}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_journal_means_that_nothing_happened_where_nothing_was_taken() {
    let (shop, journal) = shop_over_faulty_journal().await;
    journal.arm(Fault::Unavailable);

    let limit = InventoryCommand::SetLimit { limit: Some(Quantity::new(5)) };
    let refused = shop.system.ask::<Inventory>("mouse", limit, asking()).await.unwrap_err();
    assert_eq!(refused, NotDone::NotAccepted(NotAccepted::NotWritten));

    // Units that were held for an order may be held still.
    journal.arm(Fault::Unavailable);
    let unknown = shop.place(1, place(1, "mouse", 1).card("tok_ok")).await.unwrap_err();
    assert_eq!(unknown, NotDone::Unknown);
    let again = shop.place(1, place(1, "mouse", 1).card("tok_ok")).await.unwrap();
    assert!(again.changed);
    assert_eq!(shop.stock("mouse").await.sold.units(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_commit_of_a_checkout_may_fail_and_a_repeat_mends_it() {
    for skip in 0..5 {
        let (shop, journal) = shop_over_faulty_journal().await;
        journal.arm_after(Fault::Unavailable, skip);

        let mut placed = shop.place(1, place(1, "mouse", 3).card("tok_ok")).await;
        for _ in 0..5 {
            if placed.is_ok() {
                break;
            }
            placed = shop.place(1, place(1, "mouse", 3).card("tok_ok")).await;
        }

        let order = placed.unwrap().view.unwrap();
        assert_eq!(order.payment.status, PaymentStatus::Paid, "after {skip} commits");
        let stock = shop.stock("mouse").await;
        assert_eq!((stock.on_hand.units(), stock.sold.units()), (7, 3), "after {skip} commits");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unresolved_outcome_is_told_as_unknown_and_a_repeat_tells_the_truth() {
    let (shop, journal) = shop_over_faulty_journal().await;
    journal.cut_at_next_append();

    let unknown = shop.place(1, place(1, "mouse", 1).card("tok_ok")).await.unwrap_err();
    assert_eq!(unknown, NotDone::Unknown);
    journal.mend();
    tokio::time::sleep(Duration::from_secs(1)).await;

    let again = shop.place(1, place(1, "mouse", 1).card("tok_ok")).await.unwrap();

    assert_eq!(again.view.unwrap().payment.status, PaymentStatus::Paid);
    assert_eq!(shop.stock("mouse").await.sold.units(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_taken_over_journal_stops_the_older_engine() {
    let stores = Stores::in_memory();
    let old = Shop::over(stores.clone()).await;
    old.publish("mouse").await;
    old.receive("mouse", 10).await;
    let new = Shop::over(stores).await;

    let zombie = old.place(1, place(1, "mouse", 1).card("tok_ok")).await;

    assert!(zombie.is_err(), "{zombie:?}");
    assert!(old.system.is_fenced());
    assert!(new.place(1, place(1, "mouse", 1).card("tok_ok")).await.unwrap().changed);
    assert_eq!(new.stock("mouse").await.sold.units(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_older_engine_that_writes_nothing_notices_that_it_was_taken_over() {
    let stores = Stores::in_memory();
    let old = Shop::over(stores.clone()).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!old.system.is_fenced());
    let _new = Shop::over(stores).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(old.system.is_fenced());
}

#[tokio::test(start_paused = true)]
async fn a_queued_order_is_resumed_after_a_restart_without_anybody_asking() {
    let stores = Stores::in_memory();
    let before = Shop::over(stores.clone()).await;
    before.publish("mouse").await;
    before.receive("mouse", 10).await;
    before.provider.faults().set_down(true);
    before.place(1, place(1, "mouse", 3).card("tok_ok")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    // A payment that waits for the provider does not hold up leaving.
    assert!(before.system.drain(Duration::from_secs(1)).await);

    let after = Shop::over(stores).await;

    // Reading the order could be what wakes it, so only the provider is watched.
    let charged = async {
        while after.provider.tally().captured == 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), charged).await.expect("nobody resumed the order");
    after.until(|order| order.payment.status == PaymentStatus::Paid, 1).await;
    assert_eq!(after.stock("mouse").await.sold.units(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_that_cannot_be_woken_keep_nobody_else_asleep() {
    let stores = Stores::in_memory();
    let due = Some(Moment::from_unix_micros(1));
    let lost = |number: u32| Wakeup {
        stream: StreamId::new("ghost", &number.to_string()),
        due,
        version: 1,
    };
    let lost: Vec<Wakeup> = (0..1_000).map(lost).collect();
    stores.read_models.set_wakeups(&lost).await.unwrap();
    let shop = Shop::over(stores).await;
    shop.publish("mouse").await;
    shop.receive("mouse", 10).await;
    let hold = InventoryCommand::Hold {
        hold: HoldId::new(Uuid::nil()),
        quantity: Quantity::new(4),
        customer: CustomerId::parse("alice").unwrap(),
        expires_at: Moment::from_unix_micros(3_000_000),
        valid_until: Moment::from_unix_micros(3_000_000),
    };
    shop.system.ask::<Inventory>("mouse", hold, asking()).await.unwrap();

    tokio::time::sleep(Duration::from_secs(10)).await;

    assert_eq!(shop.stock("mouse").await.available.units(), 10);
}

#[tokio::test(start_paused = true)]
async fn without_snapshots_and_read_models_every_answer_is_the_same() {
    let stores = Stores::in_memory();
    let before = Shop::over(stores.clone()).await;
    before.publish("mouse").await;
    before.receive("mouse", 100).await;
    for number in 0..20 {
        before.place(number, place(number, "mouse", 2).card("tok_ok")).await.unwrap();
    }
    let stock = before.stock("mouse").await;
    stores.snapshots.clear().await.unwrap();
    stores.read_models.clear().await.unwrap();

    let after = Shop::over(stores).await;

    assert_eq!(after.stock("mouse").await, stock);
    for number in 0..20 {
        let order = after.system.order(order_id(number)).await.unwrap().expect("order is kept");
        assert_eq!(order.payment.status, PaymentStatus::Paid);
    }
}

#[tokio::test(start_paused = true)]
async fn a_poison_stream_is_quarantined_and_harms_no_other() {
    let (shop, journal) = shop_over_faulty_journal().await;
    shop.publish("laptop").await;
    shop.receive("laptop", 5).await;
    journal.poison("order", &order_id(1).to_string());

    let cancel = || OrderCommand::Cancel { by: "x".into(), as_operator: true, reason: None };
    let mut last = None;
    for _ in 0..5 {
        last = Some(shop.order(1, cancel()).await.unwrap_err());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    assert_eq!(last, Some(NotDone::NotAccepted(NotAccepted::Quarantined)));
    assert!(shop.place(2, place(2, "laptop", 1).card("tok_ok")).await.unwrap().changed);
    assert_eq!(shop.system.readiness().quarantined, 1);
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert_eq!(shop.system.readiness().quarantined, 0, "its time is over, though nobody asked");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_back_is_found_out_without_anybody_asking() {
    let (shop, journal) = shop_over_faulty_journal().await;
    journal.arm(Fault::Unavailable);
    shop.place(1, place(1, "mouse", 1).card("tok_ok")).await.unwrap_err();
    assert!(shop.health.is_out(Dependency::Store));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!shop.health.is_out(Dependency::Store), "nothing was written, and it works again");

    journal.cut_at_next_append();
    shop.place(2, place(2, "mouse", 1).card("tok_ok")).await.unwrap_err();
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(shop.health.is_out(Dependency::Store), "it is out of reach still");
    journal.mend();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!shop.health.is_out(Dependency::Store), "it is within reach again");
    assert!(!shop.system.is_fenced());
    assert!(shop.place(3, place(3, "mouse", 1).card("tok_ok")).await.unwrap().changed);
}

#[tokio::test(start_paused = true)]
async fn draining_finishes_what_is_under_way_and_refuses_the_rest() {
    let (shop, _journal) = shop_over_faulty_journal().await;
    shop.place(1, place(1, "mouse", 1).card("tok_ok")).await.unwrap();

    assert!(shop.system.drain(Duration::from_secs(5)).await);

    let late = shop.place(2, place(2, "mouse", 1).card("tok_ok")).await.unwrap_err();
    assert_eq!(late, NotDone::NotAccepted(NotAccepted::Draining));
}

/// Panics at the next announcement, when told to.
#[derive(Default)]
struct StartledPubSub {
    inner: MemoryPubSub,
    panics: AtomicBool,
}

#[async_trait]
impl PubSub for StartledPubSub {
    async fn announce(&self, announcements: &[Announcement]) {
        assert!(!self.panics.swap(false, Ordering::Relaxed), "a panic that was asked for");
        self.inner.announce(announcements).await;
    }

    async fn listen(&self) -> broadcast::Receiver<Announcement> {
        self.inner.listen().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_projector_that_panics_goes_on_and_everybody_can_see_it() {
    let startled = Arc::new(StartledPubSub::default());
    let pubsub = Arc::clone(&startled) as Arc<dyn PubSub>;
    let shop = Shop::over(Stores { pubsub, ..Stores::in_memory() }).await;
    shop.publish("mouse").await;
    shop.receive("mouse", 10).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    startled.panics.store(true, Ordering::Relaxed);

    shop.place(1, place(1, "mouse", 1).card("tok_ok")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!startled.panics.load(Ordering::Relaxed), "it has panicked");
    assert!(shop.health.is_out(Dependency::Task("projector")));
    shop.place(2, place(2, "mouse", 1).card("tok_ok")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;

    let all = OrderQuery { status: None, limit: 10, start: PageStart::Offset(0) };
    assert_eq!(shop.system.list_orders(&all).await.unwrap().orders.len(), 2);
    assert!(!shop.health.is_out(Dependency::Task("projector")));
    assert!(shop.system.readiness().is_ready());
}
