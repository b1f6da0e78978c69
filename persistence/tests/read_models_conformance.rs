//! The contract of the read models, kept by every adapter.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed step is a failed test")]

mod support {
    #[cfg(feature = "postgres")]
    pub(crate) mod database;
    pub(crate) mod entries;
    pub(crate) mod fixture;
}

use engine::catalog::{Listing, ProductStatus};
use engine::order::OrderStatus;
use engine::values::{Moment, Money, OrderId, ProductId};
use persistence::journal::{Shard, StreamId};
use persistence::read_models::{
    Changes, HistoryRow, HistoryTail, OrderPage, OrderQuery, OrderRow, PageStart, ProductRow,
    ReadModels, StockRow, Wakeup,
};
use support::entries::{
    an_entry_moves_within_its_list_and_leaves_it, entries_are_listed_by_kind_status_and_owner,
    entry, of_kind,
};
use support::fixture::{Fixture, SHARDS};
use uuid::Uuid;

fn order(number: u128, status: OrderStatus) -> OrderRow {
    OrderRow {
        order: OrderId::new(Uuid::from_u128(number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c))),
        status,
        // Several orders share a moment, so that the id has to decide.
        created_at: Moment::from_unix_micros(i64::try_from(number / 3).unwrap()),
    }
}

fn orders(rows: Vec<OrderRow>) -> Changes {
    Changes { orders: rows, ..Changes::default() }
}

fn product(id: &str, listed: bool) -> ProductRow {
    let product = ProductId::parse(id).unwrap();
    let listing = listed.then(|| Listing {
        product: product.clone(),
        name: format!("The \"{id}\""),
        price: Money::new(1_999, engine::values::Currency::USD),
        status: ProductStatus::Active,
        terms: None,
        version: 3,
        pictures: [].into(),
    });
    ProductRow { product, listing, stock: StockRow { on_hand: 7, held: 2, sold: 5, version: 9 } }
}

fn wakeup(key: &str, due: Option<i64>, version: u64) -> Wakeup {
    let due = due.map(Moment::from_unix_micros);
    Wakeup { stream: StreamId::new("order", key), due, version }
}

async fn page(
    models: &dyn ReadModels,
    status: Option<OrderStatus>,
    limit: u32,
    start: PageStart,
) -> OrderPage {
    models.list_orders(&OrderQuery { status, limit, start }).await.unwrap()
}

async fn totals(models: &dyn ReadModels) -> Vec<u64> {
    let mut totals = Vec::new();
    for status in OrderStatus::ALL {
        totals.push(page(models, Some(status), 1, PageStart::Offset(0)).await.total);
    }
    totals
}

async fn cursors_start_at_zero_and_move_with_the_changes(models: &dyn ReadModels) {
    assert_eq!(models.cursors(SHARDS).await.unwrap(), [0; SHARDS as usize]);
    let cursors = vec![(Shard(1), 7), (Shard(3), 9)];
    models.apply(&Changes { cursors, ..Changes::default() }).await.unwrap();
    models.apply(&Changes { cursors: vec![(Shard(1), 8)], ..Changes::default() }).await.unwrap();

    assert_eq!(models.cursors(SHARDS).await.unwrap(), [0, 8, 0, 9]);
}

async fn a_cursor_never_moves_back_and_nothing_else_changes(models: &dyn ReadModels) {
    let cursors = vec![(Shard(0), 5), (Shard(1), 5)];
    models.apply(&Changes { cursors, ..Changes::default() }).await.unwrap();

    let late = Changes {
        histories: vec![history("a", 1, &[1])],
        orders: vec![order(1, OrderStatus::Pending)],
        products: vec![product("mug", true)],
        entries: vec![entry("return", 1, "open", None)],
        gone_entries: Vec::new(),
        wakeups: vec![wakeup("a", Some(1), 1)],
        earlier_wakeups: vec![wakeup("b", Some(1), 1)],
        cursors: vec![(Shard(0), 6), (Shard(1), 4)],
    };
    models.apply(&late).await.unwrap_err();

    assert_eq!(models.cursors(SHARDS).await.unwrap(), [5, 5, 0, 0]);
    assert!(models.histories(&[tail("a", 0)]).await.unwrap().is_empty());
    assert_eq!(page(models, None, 10, PageStart::Offset(0)).await.total, 0);
    assert!(models.list_products(None, 10).await.unwrap().is_empty());
    assert!(models.due_wakeups(Moment::from_unix_micros(9), 10).await.unwrap().is_empty());
    assert_eq!(models.list_entries(&of_kind("return")).await.unwrap().total, 0);
}

async fn the_same_changes_twice_are_harmless(models: &dyn ReadModels) {
    let changes = Changes {
        orders: vec![order(1, OrderStatus::Pending)],
        cursors: vec![(Shard(0), 1)],
        ..Changes::default()
    };
    models.apply(&changes).await.unwrap();
    models.apply(&changes).await.unwrap();

    assert_eq!(totals(models).await, [1, 0, 0, 0, 0]);
}

fn history(key: &str, last_version: u64, positions: &[u64]) -> HistoryRow {
    let stream = StreamId::new("order", key);
    HistoryRow { stream, last_version, positions: positions.to_vec() }
}

fn tail(key: &str, after: u64) -> HistoryTail {
    HistoryTail { stream: StreamId::new("order", key), after }
}

async fn histories_are_found_from_a_version_on(models: &dyn ReadModels) {
    let histories = vec![history("a", 2, &[7, 9]), history("b", 1, &[8])];
    models.apply(&Changes { histories, ..Changes::default() }).await.unwrap();
    let histories = vec![history("a", 4, &[300, u64::from(u32::MAX) + 7])];
    models.apply(&Changes { histories, ..Changes::default() }).await.unwrap();
    let found = async |tails: &[HistoryTail]| {
        let mut rows = models.histories(tails).await.unwrap();
        rows.sort_by(|a, b| a.stream.cmp(&b.stream));
        rows
    };

    let later = history("a", 4, &[300, u64::from(u32::MAX) + 7]);
    let all = [history("a", 2, &[7, 9]), later.clone(), history("b", 1, &[8])];
    assert_eq!(found(&[tail("b", 0), tail("a", 0), tail("c", 0)]).await, all);
    assert_eq!(found(&[tail("a", 1)]).await, all[..2], "the row of a wanted version comes whole");
    assert_eq!(found(&[tail("a", 2), tail("b", 1)]).await, [later]);
    assert!(found(&[]).await.is_empty());
}

async fn many_histories_are_kept_at_once(models: &dyn ReadModels) {
    // More than one statement of any adapter takes.
    let rows: Vec<HistoryRow> = (1..=1_300).map(|n| history(&n.to_string(), 1, &[n])).collect();
    models.apply(&Changes { histories: rows.clone(), ..Changes::default() }).await.unwrap();

    let tails: Vec<HistoryTail> = rows.iter().map(|row| tail(row.stream.key(), 0)).collect();
    let mut found = models.histories(&tails).await.unwrap();
    found.sort_by_key(|row| row.positions.clone());
    assert_eq!(found, rows);
}

#[test]
fn a_row_tells_version_and_position_of_each_event() {
    let places: Vec<(u64, u64)> = history("a", 5, &[10, 20]).places().collect();
    assert_eq!(places, [(4, 10), (5, 20)]);
}

async fn counts_follow_orders_between_statuses(models: &dyn ReadModels) {
    let rows = (0..6).map(|n| order(n, OrderStatus::Pending)).collect();
    models.apply(&orders(rows)).await.unwrap();
    assert_eq!(totals(models).await, [6, 0, 0, 0, 0]);

    let moved = vec![
        order(0, OrderStatus::Processing),
        order(1, OrderStatus::Cancelled),
        order(2, OrderStatus::Pending),
        order(9, OrderStatus::Shipped),
    ];
    models.apply(&orders(moved)).await.unwrap();
    assert_eq!(totals(models).await, [4, 1, 1, 0, 1]);

    // One run may move the same order twice, and make one that nobody saw before.
    let twice = vec![
        order(0, OrderStatus::Shipped),
        order(0, OrderStatus::Delivered),
        order(7, OrderStatus::Pending),
        order(7, OrderStatus::Cancelled),
    ];
    models.apply(&orders(twice)).await.unwrap();
    assert_eq!(totals(models).await, [4, 0, 1, 1, 2]);
    assert_eq!(page(models, None, 1, PageStart::Offset(0)).await.total, 8);
}

async fn pages_by_offset_and_by_cursor_agree(models: &dyn ReadModels) {
    let status = |n: u128| OrderStatus::ALL[usize::try_from(n % 2).unwrap()];
    models.apply(&orders((0..50).map(|n| order(n, status(n))).collect())).await.unwrap();
    for status in [None, Some(OrderStatus::Pending), Some(OrderStatus::Delivered)] {
        let all = page(models, status, 100, PageStart::Offset(0)).await;
        assert!(!all.more);
        assert_eq!(all.rows.len() as u64, all.total);
        let place = |row: &OrderRow| (row.created_at, row.order);
        assert!(all.rows.windows(2).all(|pair| place(&pair[1]) < place(&pair[0])));
        assert!(all.rows.iter().all(|row| status.is_none_or(|status| row.status == status)));
        let mut start = PageStart::Offset(0);
        let mut seen = Vec::new();
        loop {
            let by_cursor = page(models, status, 7, start).await;
            let skip = PageStart::Offset(seen.len() as u64);
            assert_eq!(by_cursor, page(models, status, 7, skip).await);
            assert_eq!(by_cursor.total, all.total);
            seen.extend(by_cursor.rows.iter().copied());
            let Some(last) = by_cursor.rows.last().filter(|_| by_cursor.more) else { break };
            start = PageStart::After(last.created_at, last.order);
        }
        assert_eq!(seen, all.rows);
    }
}

async fn products_are_listed_by_id_once_they_are_published(models: &dyn ReadModels) {
    let rows = vec![product("mug", true), product("Cup", true), product("ärmel", true)];
    let unpublished = product("hat", false);
    models.apply(&Changes { products: rows, ..Changes::default() }).await.unwrap();
    let products = vec![unpublished.clone()];
    models.apply(&Changes { products, ..Changes::default() }).await.unwrap();

    let ids = |rows: Vec<ProductRow>| -> Vec<String> {
        rows.into_iter().map(|row| row.product.to_string()).collect()
    };
    assert_eq!(ids(models.list_products(None, 10).await.unwrap()), ["Cup", "mug", "ärmel"]);
    assert_eq!(ids(models.list_products(None, 1).await.unwrap()), ["Cup"]);
    let after = ProductId::parse("Cup").unwrap();
    assert_eq!(ids(models.list_products(Some(&after), 1).await.unwrap()), ["mug"]);
    let found = models.products(std::slice::from_ref(&unpublished.product)).await.unwrap();
    assert_eq!(found, [unpublished]);
}

async fn a_product_takes_its_new_form(models: &dyn ReadModels) {
    let products = vec![product("mug", false)];
    models.apply(&Changes { products, ..Changes::default() }).await.unwrap();
    let mut new = product("mug", true);
    new.stock.held = 0;
    let products = vec![product("mug", true), new.clone()];
    models.apply(&Changes { products, ..Changes::default() }).await.unwrap();

    assert_eq!(models.list_products(None, 10).await.unwrap(), [new]);
}

async fn wake_ups_come_due_in_order(models: &dyn ReadModels) {
    let wakeups =
        vec![wakeup("c", Some(20), 1), wakeup("b", Some(10), 1), wakeup("a", Some(20), 2)];
    models.apply(&Changes { wakeups, ..Changes::default() }).await.unwrap();
    let due =
        async |now, limit| models.due_wakeups(Moment::from_unix_micros(now), limit).await.unwrap();

    assert!(due(9, 10).await.is_empty());
    assert_eq!(due(10, 10).await, [wakeup("b", Some(10), 1)]);
    let all = [wakeup("b", Some(10), 1), wakeup("a", Some(20), 2), wakeup("c", Some(20), 1)];
    assert_eq!(due(20, 10).await, all);
    assert_eq!(due(20, 2).await, all[..2]);

    let wakeups = vec![wakeup("b", None, 2), wakeup("c", Some(30), 2), wakeup("never", None, 1)];
    models.apply(&Changes { wakeups, ..Changes::default() }).await.unwrap();
    assert_eq!(due(30, 10).await, [wakeup("a", Some(20), 2), wakeup("c", Some(30), 2)]);
}

async fn a_wake_up_that_may_only_become_earlier_does(models: &dyn ReadModels) {
    let wakeups = vec![wakeup("a", Some(20), 5), wakeup("b", Some(20), 5)];
    models.apply(&Changes { wakeups, ..Changes::default() }).await.unwrap();
    let earlier_wakeups = vec![
        wakeup("a", Some(30), 6),
        wakeup("b", Some(10), 4),
        wakeup("c", Some(15), 1),
        wakeup("c", Some(12), 1),
        wakeup("a", None, 9),
    ];
    models.apply(&Changes { earlier_wakeups, ..Changes::default() }).await.unwrap();

    let due = models.due_wakeups(Moment::from_unix_micros(99), 10).await.unwrap();
    let wanted = [wakeup("b", Some(10), 5), wakeup("c", Some(12), 1), wakeup("a", Some(20), 6)];
    assert_eq!(due, wanted);
}

async fn who_knows_less_cannot_move_a_wake_up(models: &dyn ReadModels) {
    let wakeups = vec![wakeup("a", Some(1), 5), wakeup("b", Some(2), 5), wakeup("c", Some(3), 5)];
    models.apply(&Changes { wakeups, ..Changes::default() }).await.unwrap();
    let told = [
        wakeup("a", None, 4),
        wakeup("b", Some(9), 4),
        wakeup("c", None, 5),
        wakeup("d", Some(4), 1),
    ];
    models.set_wakeups(&told).await.unwrap();
    models.set_wakeups(&[wakeup("b", Some(7), 6)]).await.unwrap();
    models.set_wakeups(&[]).await.unwrap();

    let due = models.due_wakeups(Moment::from_unix_micros(99), 10).await.unwrap();
    assert_eq!(due, [wakeup("a", Some(1), 5), wakeup("d", Some(4), 1), wakeup("b", Some(7), 6)]);
}

async fn all_can_be_forgotten_and_folded_again(models: &dyn ReadModels) {
    let changes = Changes {
        histories: vec![history("a", 1, &[1])],
        orders: vec![order(1, OrderStatus::Pending)],
        products: vec![product("mug", true)],
        entries: vec![entry("return", 1, "open", None)],
        gone_entries: Vec::new(),
        wakeups: vec![wakeup("a", Some(1), 1)],
        earlier_wakeups: Vec::new(),
        cursors: vec![(Shard(2), 3)],
    };
    models.apply(&changes).await.unwrap();
    models.clear().await.unwrap();

    assert_eq!(models.cursors(SHARDS).await.unwrap(), [0; SHARDS as usize]);
    assert_eq!(totals(models).await, [0; 5]);
    assert!(models.histories(&[tail("a", 0)]).await.unwrap().is_empty());
    assert!(models.list_products(None, 10).await.unwrap().is_empty());
    assert!(models.due_wakeups(Moment::from_unix_micros(9), 10).await.unwrap().is_empty());
    assert_eq!(models.list_entries(&of_kind("return")).await.unwrap().total, 0);

    models.apply(&changes).await.unwrap();
    assert_eq!(models.list_entries(&of_kind("return")).await.unwrap().rows, changes.entries);
    assert_eq!(models.cursors(SHARDS).await.unwrap(), [0, 0, 3, 0]);
    assert_eq!(totals(models).await, [1, 0, 0, 0, 0]);
}

macro_rules! conformance_suite {
    ($backend:ident, $fixture:expr, [$($clause:ident),+ $(,)?]) => {
        mod $backend {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $clause() {
                    let fixture = $fixture.await;
                    super::$clause(&*fixture.stores.read_models).await;
                    fixture.close().await;
                }
            )+
        }
    };
    ($backend:ident, $fixture:expr) => {
        conformance_suite!($backend, $fixture, [
            cursors_start_at_zero_and_move_with_the_changes,
            a_cursor_never_moves_back_and_nothing_else_changes,
            the_same_changes_twice_are_harmless,
            histories_are_found_from_a_version_on,
            many_histories_are_kept_at_once,
            counts_follow_orders_between_statuses,
            pages_by_offset_and_by_cursor_agree,
            products_are_listed_by_id_once_they_are_published,
            a_product_takes_its_new_form,
            entries_are_listed_by_kind_status_and_owner,
            an_entry_moves_within_its_list_and_leaves_it,
            wake_ups_come_due_in_order,
            a_wake_up_that_may_only_become_earlier_does,
            who_knows_less_cannot_move_a_wake_up,
            all_can_be_forgotten_and_folded_again,
        ]);
    };
}

conformance_suite!(memory, Fixture::memory());
#[cfg(feature = "sqlite")]
conformance_suite!(sqlite, Fixture::sqlite());
#[cfg(feature = "postgres")]
conformance_suite!(postgres, Fixture::postgres());
