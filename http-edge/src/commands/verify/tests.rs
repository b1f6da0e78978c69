//! A sound journal passes; each way of breaking one is found, and told with its place.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use engine::Aggregate;
use engine::cart::{Cart, CartEvent};
use engine::inventory::{Inventory, InventoryEvent, StockLevel};
use engine::values::{AdjustmentId, CartId, Moment};
use persistence::codec::{encode, encode_state};
use persistence::journal::{
    Batch, GENESIS, Journal as _, MemoryJournal, Record, Shard, ShardMove, StreamId, event_id, seal,
};
use persistence::read_models::Changes;
use persistence::snapshots::Snapshot;
use uuid::Uuid;

use super::*;

fn opened() -> (&'static str, String) {
    let cart = CartId::new(Uuid::from_u128(1));
    encode::<Cart>(&CartEvent::Opened { cart, customer: None }).unwrap()
}

fn cleared() -> (&'static str, String) {
    encode::<Cart>(&CartEvent::Cleared).unwrap()
}

fn received(number: u128) -> InventoryEvent {
    let adjustment = AdjustmentId::new(Uuid::from_u128(number));
    InventoryEvent::Adjusted { adjustment, delta: 5, reason: String::new() }
}

/// Events of one stream, and a chance to spoil them before they are sealed or after.
async fn written(
    stream: &StreamId,
    events: Vec<(&'static str, String)>,
    spoil: impl Fn(&mut Record),
    forge: impl Fn(&mut Record),
) -> Stores {
    let journal = MemoryJournal::new(1);
    let epoch = journal.acquire("test").await.unwrap().epoch;
    let mut before = GENESIS;
    let mut records = Vec::new();
    for (version, (name, payload)) in (1_u64..).zip(events) {
        let mut record = Record {
            shard: Shard(0),
            position: version,
            epoch,
            slot: stream.slot(),
            stream: stream.clone(),
            version,
            event_id: event_id(epoch, Shard(0), version),
            name: Cow::Borrowed(name),
            schema: 1,
            at: Moment::from_unix_micros(0),
            meta: String::new(),
            payload,
            checksum: 0,
            hash: GENESIS,
        };
        spoil(&mut record);
        seal(&before, &mut record);
        before = record.hash;
        forge(&mut record);
        records.push(record);
    }
    let next = records.len() as u64 + 1;
    let moves = vec![ShardMove { shard: Shard(0), expected: 1, next }];
    journal.append(&Batch { epoch, moves, records }).await.unwrap();
    Stores { journal: Arc::new(journal), ..Stores::in_memory() }
}

/// A cart with two events.
async fn cart(spoil: impl Fn(&mut Record), forge: impl Fn(&mut Record)) -> Findings {
    let stream = StreamId::new("cart", &Uuid::from_u128(1).to_string());
    let stores = written(&stream, vec![opened(), cleared()], spoil, forge).await;
    audit(&stores, 2).await.unwrap()
}

/// A stock with three events.
async fn stock() -> Stores {
    let events = (1..=3).map(|number| encode::<Inventory>(&received(number)).unwrap());
    written(&StreamId::new("inventory", "laptop"), events.collect(), |_| {}, |_| {}).await
}

/// One violation, with these words.
fn tells(findings: &Findings, words: &str) {
    let told: Vec<&str> = findings.told.words().collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(words), "{told:?} lacks {words:?}");
    assert!(!findings.is_sound());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_journal_is_found_sound() {
    let findings = cart(|_| {}, |_| {}).await;
    assert!(findings.is_sound(), "{findings}");
    assert_eq!(findings.closing.events, 2);
    let told = Findings { took: Duration::from_millis(1), ..findings }.to_string();
    assert!(told.contains("\nread in 1 ms, 2000 events/s\n"), "{told}");
    assert!(told.ends_with("\nno violations\n"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_is_found() {
    let change = |record: &mut Record| record.payload = record.payload.replace('d', "D");
    let findings = cart(|_| {}, change).await;
    let told: Vec<&str> = findings.told.words().collect();
    assert!(
        told[0].starts_with("R16 broken at 0:1: stored data is corrupt: checksum differs"),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_replaced_is_found_by_the_chain() {
    let reseal = |record: &mut Record| {
        if record.version == 1 {
            record.meta = r#""forged""#.to_owned();
            seal(&GENESIS, record);
        }
    };
    tells(&cart(|_| {}, reseal).await, "R16 broken at 0:2: stored data is corrupt: hash chain");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_another_slot_is_found() {
    let findings = cart(|record| record.slot.0 ^= 1, |_| {}).await;
    let told: Vec<&str> = findings.told.words().collect();
    assert!(told.iter().all(|words| words.starts_with("R16 broken")), "{told:?}");
    assert!(findings.to_string().ends_with("\n2 violations\n"), "{findings}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_no_owner_of_the_place_can_have_given_is_found() {
    let ids = [event_id(1, Shard(0), 9), event_id(2, Shard(0), 2), event_id(1, Shard(1), 2)];
    for id in ids.into_iter().chain([Uuid::nil(), event_id(0, Shard(0), 2)]) {
        let forged = |record: &mut Record| {
            if record.version == 2 {
                record.event_id = id;
            }
        };
        tells(&cart(forged, |_| {}).await, "R9 broken at 0:2: no owner up to epoch 1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_an_older_writer_is_told_as_a_broken_fence() {
    let older = |record: &mut Record| {
        if record.version == 2 {
            record.epoch = 0;
        }
    };
    let findings = cart(older, |_| {}).await;
    let told: Vec<&str> = findings.told.words().collect();
    assert_eq!(told[0], "R9 broken at 0:2: epoch 0 follows epoch 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_an_epoch_that_nobody_has_taken_is_told_as_a_broken_fence() {
    let newer = |record: &mut Record| {
        if record.version == 2 {
            record.epoch = 9;
        }
    };
    tells(&cart(newer, |_| {}).await, "R9 broken at 0:2: epoch 9 is beyond that of the fence, 1");
}

#[test]
fn an_epoch_has_one_owner() {
    let fence = |shard, epoch, owner: &str| Fence {
        shard: Shard(shard),
        epoch,
        next_position: 5,
        owner: owner.to_owned(),
    };
    let mut told = Told::default();
    one_owner_per_epoch(&[fence(0, 7, "a"), fence(1, 7, "a"), fence(2, 6, "b")], &mut told);
    assert_eq!(told.count(), 0);
    one_owner_per_epoch(&[fence(0, 7, "a"), fence(1, 7, "b")], &mut told);
    let words: Vec<&str> = told.words().collect();
    assert_eq!(words, ["R9 broken at 1:5: epoch 7 has another owner in shard 0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_is_missing_is_known_by_what_the_read_models_have_seen() {
    let stores = stock().await;
    let seen = |position| Changes { cursors: vec![(Shard(0), position)], ..Changes::default() };
    stores.read_models.apply(&seen(3)).await.unwrap();
    assert!(audit(&stores, 1).await.unwrap().is_sound());
    stores.read_models.apply(&seen(4)).await.unwrap();
    tells(&audit(&stores, 1).await.unwrap(), "R16 broken at 0:4: it was seen, and the shard ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_skipped_is_found_and_nothing_behind_it_is_believed() {
    let skip = |record: &mut Record| {
        if record.version == 2 {
            record.position = 3;
        }
    };
    let findings = cart(skip, |_| {}).await;
    tells(&findings, "R16 broken at 0:1: 2 events are missing at the end of the shard");
    assert_eq!(findings.closing.events, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_breaks_a_promise_is_found() {
    let opened_again = |record: &mut Record| (_, record.payload) = opened();
    let renamed = |record: &mut Record| record.name = Cow::Borrowed("cart.opened");
    let both = |record: &mut Record| {
        opened_again(record);
        renamed(record);
    };
    tells(&cart(both, |_| {}).await, "R12 broken at 0:2 by cart/");
    tells(&cart(renamed, |_| {}).await, "R17 broken at 0:2: cart/");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_read_is_found() {
    let unknown = |record: &mut Record| "\"melted\"".clone_into(&mut record.payload);
    let findings = cart(unknown, |_| {}).await;
    let told: Vec<&str> = findings.told.words().collect();
    assert!(told.iter().all(|words| words.starts_with("R17 broken at 0:")), "{told:?}");
    assert_eq!((told.len(), findings.closing.events), (2, 2));
    let first = |record: &mut Record| {
        if record.version == 1 {
            unknown(record);
        }
    };
    tells(&cart(first, |_| {}).await, "R17 broken at 0:1: cart/");
    let newer = |record: &mut Record| record.schema = if record.version == 2 { 2 } else { 1 };
    tells(&cart(newer, |_| {}).await, "unknown schema 2");
    let stream = StreamId::new("wish", "1");
    let stores = written(&stream, vec![opened()], |_| {}, |_| {}).await;
    tells(&audit(&stores, 1).await.unwrap(), "R17 broken at 0:1: wish/1: it is of a kind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_no_listing_has_is_found() {
    let order = Uuid::from_u128(7).to_string();
    let placed = include_str!("../../../../engine/golden/order.placed.cash.v1.json").trim();
    let placed = placed.replace("00000000-0000-0000-0000-0000000a11ce", &order);
    let events = vec![("order.placed", placed)];
    let stores = written(&StreamId::new("order", &order), events, |_| {}, |_| {}).await;
    tells(&audit(&stores, 1).await.unwrap(), "R14 broken at 0:1 by order/");
}

/// A snapshot of the stock at a version, with as many units as `events` come to.
fn snapshot(version: u64, events: u128, position: u64) -> Snapshot {
    let mut state = StockLevel::default();
    for number in 1..=events {
        Inventory::evolve(&mut state, &received(number), Moment::from_unix_micros(0));
    }
    let body = encode_state::<Inventory>(&state).unwrap();
    let stream = StreamId::new("inventory", "laptop");
    Snapshot { stream, version, place: (Shard(0), position), body }
}

async fn with_snapshot(snapshot: Snapshot) -> Findings {
    let stores = stock().await;
    stores.snapshots.save(&snapshot).await.unwrap();
    audit(&stores, 1).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_compared_with_its_history() {
    for version in 1..=3 {
        let findings = with_snapshot(snapshot(version, u128::from(version), version)).await;
        assert!(findings.is_sound(), "{findings}");
        assert_eq!(findings.snapshots, 1);
    }
    tells(&with_snapshot(snapshot(2, 3, 2)).await, "R15 broken at 0:2: the snapshot of inventory/");
    tells(&with_snapshot(snapshot(4, 3, 3)).await, "its history ends at version 3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_another_build_is_no_snapshot() {
    let other = Snapshot { body: "{}".to_owned(), ..snapshot(2, 2, 2) };
    let findings = with_snapshot(other).await;
    assert!(findings.is_sound(), "{findings}");
    assert_eq!(findings.snapshots, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_what_has_none_is_found() {
    let other = Snapshot { stream: StreamId::new("cart", "1"), ..snapshot(0, 0, 1) };
    tells(
        &with_snapshot(other).await,
        "R15 broken at 0:0: the snapshot of cart/1 belongs to nothing",
    );
}

#[test]
fn the_lowest_places_are_told_and_the_rest_is_counted() {
    let (mut all, mut told) = (Told::default(), Told::default());
    for position in (1..=30).rev() {
        told.broken("R1", Place { shard: 1, position }, "");
    }
    all.broken("R1", Place { shard: 0, position: 99 }, "");
    all.absorb(told);
    assert_eq!(all.count(), 31);
    let words: Vec<&str> = all.words().collect();
    assert_eq!(words.len(), 20);
    assert_eq!((words[0], words[19]), ("R1 broken at 0:99: ", "R1 broken at 1:19: "));
}
