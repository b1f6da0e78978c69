//! Feeds of partners: rows are taken once, and whoever wants to hear of them follows the journal.

use std::sync::Arc;

use actors::intake::{Batch, NamedRow};
use actors::{Accepted, Cause};
use engine::EventName as _;
use engine::catalog::{Product, ProductEvent};
use engine::import::{
    FeedFormat, Import, ImportCommand, ImportStatus, NewFeed, PartnerRow, Supply, Tally,
};
use engine::values::{
    AdjustmentId, Currency, Fingerprint, ImportId, KeyedRequest, Money, PartnerId, Quantity, Sku,
};
use persistence::Stores;
use persistence::codec;
use persistence::journal::{Journal, Shard};
use uuid::Uuid;

use crate::shop::{Shop, asking};

const IMPORT: ImportId = ImportId::new(Uuid::from_u128(0xfeed));

fn acme() -> PartnerId {
    PartnerId::parse("acme").unwrap()
}

fn row(number: u32) -> NamedRow {
    let name = Uuid::from_u64_pair(7, number.into());
    NamedRow {
        row: PartnerRow {
            line: number.into(),
            sku: Sku::parse(&format!("p-{number}")).unwrap(),
            name: format!("Product {number}"),
            price: Money::new(100, Currency::USD),
            status: None,
            supply: Some(Supply::Received(Quantity::new(3))),
        },
        request: KeyedRequest { key: name, fingerprint: Fingerprint::from_bytes([7; 16]) },
        adjustment: AdjustmentId::new(name),
    }
}

fn batch(after: u32, upto: u32) -> Batch {
    let rows = (after + 1..=upto).map(row).collect();
    Batch { import: IMPORT, partner: acme(), after, upto, rows }
}

async fn begin(shop: &Shop, rows: u32) -> Accepted<Import> {
    let new = NewFeed {
        id: IMPORT,
        partner: acme(),
        format: FeedFormat("csv".into()),
        digest: Fingerprint::from_bytes([7; 16]),
        bytes: 9,
        rows,
        refused: 0,
        errors: Vec::new(),
        errors_total: 0,
    };
    let start = ImportCommand::Start(Box::new(new));
    shop.system.ask::<Import>(&IMPORT.to_string(), start, asking()).await.unwrap()
}

async fn take(shop: &Shop, batch: &Batch) -> (Tally, ImportStatus) {
    let taken = shop.system.take_rows(batch, &Cause::default()).await.unwrap();
    let feed = taken.view.unwrap();
    (feed.tally, feed.status)
}

#[tokio::test(start_paused = true)]
async fn rows_that_were_taken_before_a_crash_are_not_taken_again() {
    let stores = Stores::in_memory();
    let shop = Shop::over(stores.clone()).await;
    begin(&shop, 40).await;
    let (tally, _) = take(&shop, &batch(0, 10)).await;
    assert_eq!(tally, Tally { created: 10, ..Tally::default() });
    // These rows are taken, but the process dies before the feed has noted it.
    let unnoted = Batch { import: ImportId::new(Uuid::from_u128(1)), ..batch(10, 20) };
    let lost = shop.system.take_rows(&unnoted, &Cause::default()).await;
    assert!(lost.is_err(), "no such feed was begun");

    let shop = Shop::over(stores).await;
    assert_eq!(begin(&shop, 40).await.view.unwrap().done, 10);
    let (tally, _) = take(&shop, &batch(10, 20)).await;
    assert_eq!(tally, Tally { created: 10, unchanged: 10, ..Tally::default() });
    let (tally, status) = take(&shop, &batch(20, 40)).await;
    assert_eq!((tally.created, status), (30, ImportStatus::Finished));
    for number in 1..=40 {
        assert_eq!(shop.stock(&format!("acme:p-{number}")).await.on_hand.units(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_product_of_the_shop_is_not_a_partners_whatever_it_is_called() {
    let shop = Shop::open(&[("acme:p-1", 5)]).await;
    begin(&shop, 2).await;
    let (tally, _) = take(&shop, &batch(0, 2)).await;
    assert_eq!(tally, Tally { created: 1, refused: 1, ..Tally::default() });
    assert_eq!(shop.stock("acme:p-1").await.on_hand.units(), 5);
}

/// Counts what a partner supplies; it knows the journal and the events of the catalogue only.
#[derive(Default)]
struct Consumer {
    supplied: Vec<String>,
}

impl Consumer {
    async fn follow(&mut self, journal: &Arc<dyn Journal>) {
        for shard in (0..journal.shards()).map(Shard) {
            for record in journal.read_shard(shard, 0, 10_000).await.unwrap() {
                if record.stream.kind() != "product" {
                    continue;
                }
                let event = codec::decode::<Product>(&record).unwrap();
                assert_eq!(event.name(), &*record.name);
                if matches!(&event, ProductEvent::Supplied { by } if *by == acme()) {
                    self.supplied.push(record.stream.key().to_owned());
                }
            }
        }
        self.supplied.sort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_consumer_of_feeds_needs_nothing_from_the_ingest() {
    let stores = Stores::in_memory();
    let shop = Shop::over(stores.clone()).await;
    shop.publish("mug").await;
    begin(&shop, 3).await;
    take(&shop, &batch(0, 3)).await;
    let mut consumer = Consumer::default();
    consumer.follow(&stores.journal).await;
    assert_eq!(consumer.supplied, ["acme:p-1", "acme:p-2", "acme:p-3"]);
}
