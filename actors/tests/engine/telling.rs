//! What the engine tells the outside: at least once, in order, and to nobody twice after a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actors::followers::notices::{Mail, Mailer, NotSent};
use actors::followers::streams::EventQuery;
use actors::followers::webhooks::{Delivery, NotTaken, WebhookSender};
use async_trait::async_trait;
use engine::endpoint::{
    BOOK, EndpointCommand, EndpointStatus, Endpoints, PauseReason, SigningSecret,
};
use engine::order::{Personal, PlaceOrder};
use engine::values::{EndpointId, Moment};
use persistence::followers::{Followers, MemoryFollowers, Notice, NoticeQuery, NoticeStatus};
use persistence::journal::Shard;
use persistence::{StoreError, Stores};
use uuid::Uuid;

use crate::shop::{Shop, Wishing as _, asking, place};

const ENDPOINT: EndpointId = EndpointId::new(Uuid::from_u128(7));

/// A receiver that fails so often before it takes anything.
#[derive(Default)]
struct Receiver {
    failures: AtomicU32,
    taken: Mutex<Vec<(u16, u64, Uuid)>>,
}

#[async_trait]
impl WebhookSender for Receiver {
    async fn send(&self, delivery: &Delivery) -> Result<u16, NotTaken> {
        let left = self.failures.load(Ordering::Relaxed);
        if 0 < left {
            self.failures.store(left - 1, Ordering::Relaxed);
            return Err(NotTaken("answered 500".to_owned()));
        }
        let told = &delivery.told;
        let place = (told.position.shard.0, told.position.position, told.id);
        self.taken.lock().unwrap().push(place);
        Ok(204)
    }
}

#[async_trait]
impl Mailer for Receiver {
    async fn send(&self, mail: &Mail) -> Result<(), NotSent> {
        let left = self.failures.load(Ordering::Relaxed);
        if 0 < left {
            self.failures.store(left - 1, Ordering::Relaxed);
            return Err(NotSent::Later("no connection".to_owned()));
        }
        let number = self.taken.lock().unwrap().len() as u64;
        self.taken.lock().unwrap().push((0, number, Uuid::nil()));
        assert_eq!(mail.to, "alice@example.com");
        Ok(())
    }
}

impl Receiver {
    fn failing(times: u32) -> Arc<Self> {
        Arc::new(Self { failures: times.into(), ..Self::default() })
    }

    fn taken(&self) -> Vec<(u16, u64, Uuid)> {
        self.taken.lock().unwrap().clone()
    }
}

async fn endpoint(shop: &Shop) {
    let create = EndpointCommand::Create {
        endpoint: ENDPOINT,
        url: "https://shop.example/hooks".to_owned(),
        types: BTreeSet::new(),
        secret: SigningSecret::new("whsec_YQ=="),
    };
    shop.system.ask::<Endpoints>(BOOK, create, asking()).await.unwrap();
}

async fn orders(shop: &Shop, numbers: std::ops::Range<u32>) {
    for number in numbers {
        shop.place(number, place(number, "mouse", 1).card("tok_ok")).await.unwrap();
    }
}

/// The ids of everything that is public about orders and products since the endpoint was made.
async fn public_ids(shop: &Shop) -> BTreeSet<Uuid> {
    let after = shop.system.beginnings();
    let query = EventQuery { after, name: None, limit: 10_000 };
    let page = shop.system.public_events(&query).await.unwrap();
    page.events.into_iter().map(|told| told.id).collect()
}

fn assert_in_order(taken: &[(u16, u64, Uuid)]) {
    let mut latest: BTreeMap<u16, u64> = BTreeMap::new();
    for (shard, position, _) in taken {
        let before = latest.insert(*shard, *position).unwrap_or_default();
        assert!(before < *position, "{shard}:{position} after {before}");
    }
}

async fn let_pass(span: Duration) {
    tokio::time::sleep(span).await;
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_failed_hears_everything_once_and_in_order() {
    let shop = Shop::over(Stores::in_memory()).await;
    endpoint(&shop).await;
    shop.publish("mouse").await;
    shop.receive("mouse", 100).await;
    let receiver = Receiver::failing(20);
    let webhooks = shop.system.start_webhooks(Arc::clone(&receiver) as Arc<_>).await.unwrap();
    orders(&shop, 0..30).await;
    let_pass(Duration::from_secs(30)).await;
    let failing = shop.system.endpoints().await.unwrap();
    assert!(failing[&ENDPOINT].failing.is_some(), "it says that it fails");

    let_pass(Duration::from_hours(12)).await;

    let taken = receiver.taken();
    assert_in_order(&taken);
    let ids: BTreeSet<Uuid> = taken.iter().map(|(.., id)| *id).collect();
    assert_eq!(ids, public_ids(&shop).await);
    assert_eq!(ids.len(), 61, "a listing, and two events for each order");
    let well = shop.system.endpoints().await.unwrap();
    assert!(well[&ENDPOINT].failing.is_none());
    assert!(!webhooks.attempts(ENDPOINT).is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_next_process_goes_on_where_the_last_one_was() {
    let stores = Stores::in_memory();
    let first = Shop::over(stores.clone()).await;
    endpoint(&first).await;
    first.publish("mouse").await;
    first.receive("mouse", 100).await;
    let heard_first = Receiver::failing(0);
    first.system.start_webhooks(Arc::clone(&heard_first) as Arc<_>).await.unwrap();
    orders(&first, 0..10).await;
    let_pass(Duration::from_mins(1)).await;
    assert!(first.system.drain(Duration::from_mins(1)).await);
    let_pass(Duration::from_secs(5)).await;

    let second = Shop::over(stores).await;
    let heard = Receiver::failing(0);
    second.system.start_webhooks(Arc::clone(&heard) as Arc<_>).await.unwrap();
    orders(&second, 10..20).await;
    let_pass(Duration::from_mins(1)).await;

    assert_in_order(&heard.taken());
    let ids = |heard: &Receiver| heard.taken().into_iter().map(|(.., id)| id).collect();
    let (before, after): (BTreeSet<Uuid>, BTreeSet<Uuid>) = (ids(&heard_first), ids(&heard));
    assert!(before.is_disjoint(&after), "nothing is told again after a calm end");
    let all: BTreeSet<Uuid> = before.union(&after).copied().collect();
    assert_eq!(all, public_ids(&second).await);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_fails_for_a_day_is_paused_and_goes_on_when_it_is_resumed() {
    let shop = Shop::open(&[("mouse", 100)]).await;
    // What was decided in the same moment would be told, too.
    let_pass(Duration::from_secs(1)).await;
    endpoint(&shop).await;
    let receiver = Receiver::failing(u32::MAX);
    shop.system.start_webhooks(Arc::clone(&receiver) as Arc<_>).await.unwrap();
    orders(&shop, 0..3).await;
    let_pass(Duration::from_hours(26)).await;
    let paused = shop.system.endpoints().await.unwrap();
    assert_eq!(paused[&ENDPOINT].status, EndpointStatus::Paused(PauseReason::Failing));

    receiver.failures.store(0, Ordering::Relaxed);
    let_pass(Duration::from_hours(2)).await;
    assert!(receiver.taken().is_empty(), "whoever is paused hears nothing");
    let resume = EndpointCommand::Resume { endpoint: ENDPOINT };
    shop.system.ask::<Endpoints>(BOOK, resume, asking()).await.unwrap();
    let_pass(Duration::from_mins(1)).await;
    assert_eq!(receiver.taken().len(), 6);
}

fn reached(number: u32) -> PlaceOrder {
    let email = Some("alice@example.com".to_owned());
    let personal = Personal { email, ..Personal::default() };
    PlaceOrder { personal, ..place(number, "mouse", 1).card("tok_ok") }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_leave_does_later() {
    let shop = Shop::open(&[("mouse", 100)]).await;
    let post = Receiver::failing(5);
    shop.system.start_notices(Arc::clone(&post) as Arc<_>).await.unwrap();
    shop.place(1, reached(1)).await.unwrap();
    orders(&shop, 2..9).await;
    let_pass(Duration::from_hours(6)).await;

    assert_eq!(post.taken().len(), 2, "placed and paid, to the one who gave an address");
    let query = NoticeQuery { status: Some(NoticeStatus::Sent), after: None, limit: 100 };
    let sent = shop.system.list_notices(&query).await.unwrap();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent.iter().map(|notice| notice.tries).sum::<u32>(), 7);
}

#[tokio::test(start_paused = true)]
async fn who_begins_to_send_sends_nothing_of_the_past() {
    let stores = Stores::in_memory();
    let first = Shop::over(stores.clone()).await;
    first.publish("mouse").await;
    first.receive("mouse", 100).await;
    first.place(1, reached(1)).await.unwrap();
    let_pass(Duration::from_secs(5)).await;

    let post = Receiver::failing(0);
    first.system.start_notices(Arc::clone(&post) as Arc<_>).await.unwrap();
    first.place(2, reached(2)).await.unwrap();
    let_pass(Duration::from_mins(1)).await;
    assert_eq!(post.taken().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn whoever_lost_what_was_sent_sends_nothing_of_the_past() {
    let stores = Stores::in_memory();
    let first = Shop::over(stores.clone()).await;
    first.publish("mouse").await;
    first.receive("mouse", 100).await;
    let post = Receiver::failing(0);
    first.system.start_notices(Arc::clone(&post) as Arc<_>).await.unwrap();
    first.place(1, reached(1)).await.unwrap();
    let_pass(Duration::from_mins(1)).await;
    assert_eq!(post.taken().len(), 2);
    assert!(first.system.drain(Duration::from_secs(5)).await);

    let stores = Stores { followers: Arc::new(MemoryFollowers::default()), ..stores };
    let again = Shop::over(stores).await;
    let post = Receiver::failing(0);
    again.system.start_notices(Arc::clone(&post) as Arc<_>).await.unwrap();
    let_pass(Duration::from_hours(1)).await;
    assert_eq!(post.taken().len(), 0);
}

/// A store that can be read, and not written any more once messages are booked.
#[derive(Default)]
struct ReadOnly(MemoryFollowers);

#[async_trait]
impl Followers for ReadOnly {
    async fn cursors(&self, follower: &str) -> Result<Vec<(Shard, u64)>, StoreError> {
        self.0.cursors(follower).await
    }

    async fn advance(
        &self,
        follower: &str,
        places: &[(Shard, u64)],
        notices: &[Notice],
    ) -> Result<(), StoreError> {
        self.0.advance(follower, places, notices).await
    }

    async fn reset(&self, follower: &str, places: &[(Shard, u64)]) -> Result<(), StoreError> {
        self.0.reset(follower, places).await
    }

    async fn forget(&self, follower: &str) -> Result<(), StoreError> {
        self.0.forget(follower).await
    }

    async fn due_notices(&self, now: Moment, limit: u32) -> Result<Vec<Notice>, StoreError> {
        self.0.due_notices(now, limit).await
    }

    async fn settle_notice(&self, _notice: &Notice) -> Result<(), StoreError> {
        Err(StoreError::Unavailable("the disk is full".into()))
    }

    async fn list_notices(&self, query: &NoticeQuery) -> Result<Vec<Notice>, StoreError> {
        self.0.list_notices(query).await
    }

    async fn prune_notices(&self, before: Moment) -> Result<u64, StoreError> {
        self.0.prune_notices(before).await
    }
}

#[tokio::test(start_paused = true)]
async fn no_message_is_sent_whose_try_cannot_be_noted() {
    let stores = Stores { followers: Arc::new(ReadOnly::default()), ..Stores::in_memory() };
    let shop = Shop::over(stores).await;
    shop.publish("mouse").await;
    shop.receive("mouse", 100).await;
    let post = Receiver::failing(0);
    shop.system.start_notices(Arc::clone(&post) as Arc<_>).await.unwrap();
    shop.place(1, reached(1)).await.unwrap();
    let_pass(Duration::from_mins(10)).await;
    assert_eq!(post.taken().len(), 0);
    let query = NoticeQuery { status: Some(NoticeStatus::Waiting), after: None, limit: 10 };
    assert_eq!(shop.system.list_notices(&query).await.unwrap().len(), 2, "they are not lost");
}
