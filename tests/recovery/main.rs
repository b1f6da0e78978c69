//! Recovery: from snapshots and from the journal alone, with the same answers; what was under way
//! goes on without anybody asking.

use std::collections::BTreeMap;
use std::time::Duration;

use acceptance_tests::provider::{Mood, Provider};
use acceptance_tests::server::{Launch, Server, Store};
use acceptance_tests::shop::{card_order, fresh_key};
use acceptance_tests::{figures, store, wait};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tokio::time::Instant;

mod sqlite {
    use super::*;

    #[tokio::test]
    async fn answers_are_the_same_from_snapshots_and_from_the_journal_alone() -> Result<()> {
        same_answers(Store::Sqlite).await
    }

    #[tokio::test]
    async fn an_order_in_flight_is_resumed_without_anybody_asking() -> Result<()> {
        resumed(Store::Sqlite).await
    }
}

mod postgres {
    use super::*;

    #[tokio::test]
    async fn answers_are_the_same_from_snapshots_and_from_the_journal_alone() -> Result<()> {
        same_answers(Store::Postgres).await
    }

    #[tokio::test]
    async fn an_order_in_flight_is_resumed_without_anybody_asking() -> Result<()> {
        resumed(Store::Postgres).await
    }
}

/// Enough changes of one product that several snapshots of it exist.
const ORDERS: usize = 120;

async fn same_answers(kind: Store) -> Result<()> {
    let launch = Launch::demo(kind).await?.variable("MILLRACE_SNAPSHOT_EVERY", "16");
    let began = Instant::now();
    let mut server = launch.start().await?;
    let cold = began.elapsed();
    let idle = server.resident_bytes()? / (1024 * 1024);
    let paths = history_of_a_day(&server).await?;
    let before = answers(&server, &paths).await?;

    server.kill().await?;
    let began = Instant::now();
    server.start().await?;
    let with_snapshots = began.elapsed();
    compare(&before, &answers(&server, &paths).await?, "after kill -9")?;

    let status = server.terminate().await?;
    ensure!(status.success(), "left with {status}");
    let deleted = store::delete_snapshots(server.launch()).await?;
    ensure!(deleted > 0, "no snapshot was ever taken");
    let began = Instant::now();
    server.start().await?;
    let without = began.elapsed();
    compare(&before, &answers(&server, &paths).await?, "without snapshots")?;
    figures::report(
        "recovery",
        &format!(
            "store={} answers={} snapshots_deleted={deleted} cold_start_ms={} restart_ms={} \
             restart_without_snapshots_ms={} idle_resident_mb={idle}",
            kind.name(),
            before.len(),
            cold.as_millis(),
            with_snapshots.as_millis(),
            without.as_millis(),
        ),
    )
}

/// Every kind of order in every kind of state, some carts, some deliveries; gives all that can be
/// read about them.
async fn history_of_a_day(server: &Server) -> Result<Vec<String>> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 500).await?;
    let mut paths = vec![
        "/v1/products/mug".to_owned(),
        "/v1/products/mouse".to_owned(),
        "/v1/products?limit=50".to_owned(),
        "/v1/orders?limit=100".to_owned(),
        "/v1/orders?limit=100&status=CANCELLED".to_owned(),
    ];
    let mut ids = Vec::new();
    for number in 0..ORDERS {
        let token = if number % 10 == 9 { "tok_declined" } else { "tok_ok" };
        let placed = shop.place(&fresh_key("day"), &card_order(&mug, 1, token)).await?;
        let id = if placed.status == 402 { "/order_id" } else { "/id" };
        ids.push(placed.text(id)?.to_owned());
    }
    for (number, id) in ids.iter().enumerate() {
        let path = format!("/v1/orders/{id}");
        match number % 10 {
            1 => drop(shop.delete(&path).await?.expect(200)?),
            2 | 3 => {
                let status = json!({"status": "PROCESSING"});
                shop.put(&format!("{path}/status"), &status).await?.expect(200)?;
            }
            _ => {}
        }
        paths.push(format!("{path}/history"));
        paths.push(path);
    }
    for quantity in 1..5 {
        let cart = shop.post("/v1/carts", &json!({})).await?.expect(201)?.text("/id")?.to_owned();
        let line = json!({"quantity": quantity});
        shop.put(&format!("/v1/carts/{cart}/items/mug"), &line).await?.expect(200)?;
        paths.push(format!("/v1/carts/{cart}"));
    }
    settled(server, &ids).await?;
    Ok(paths)
}

/// Cancelled orders are refunded and lists have caught up before answers are compared.
async fn settled(server: &Server, ids: &[String]) -> Result<()> {
    let shop = server.shop()?;
    wait::until("everything settles", Duration::from_secs(30), || async {
        // Lists follow the journal: they are as new as the orders and the shelves themselves.
        let list = shop.get("/v1/orders?limit=1000").await?.expect(200)?;
        let listed: BTreeMap<&str, &Value> =
            list.list("/items")?.iter().filter_map(|o| Some((o.get("id")?.as_str()?, o))).collect();
        for id in ids {
            let order = shop.order(id).await?.expect(200)?;
            ensure!(listed.get(id.as_str()) == Some(&&order.body), "{id} is listed as it was");
            let (status, paid) = (order.text("/status")?, order.text("/payment_status")?);
            ensure!(status != "CANCELLED" || paid != "paid", "{id} is not refunded yet");
            ensure!(paid != "queued", "{id} is queued");
        }
        let mug = shop.stock("mug").await?;
        ensure!(mug.held == 0, "units are held");
        let products = shop.get("/v1/products?limit=50").await?.expect(200)?;
        let version = |p: &Value| p.pointer("/stock/version").and_then(Value::as_i64);
        let seen = products.list("/items")?.iter().any(|p| version(p) == Some(mug.version));
        ensure!(seen, "the list of products is behind: {}", products.body);
        let cancelled = shop.get("/v1/orders?limit=1&status=CANCELLED").await?.expect(200)?;
        let expected = i64::try_from(ids.len() / 10 * 2)?;
        ensure!(cancelled.int("/total")? == expected, "{}", cancelled.body);
        Ok(())
    })
    .await
}

type Answers = BTreeMap<String, Value>;

async fn answers(server: &Server, paths: &[String]) -> Result<Answers> {
    let shop = server.shop()?;
    let mut answers = Answers::new();
    for path in paths {
        answers.insert(path.clone(), shop.get(path).await?.expect(200)?.body);
    }
    Ok(answers)
}

fn compare(before: &Answers, after: &Answers, when: &str) -> Result<()> {
    for (path, answer) in before {
        let now = after.get(path);
        ensure!(now == Some(answer), "{when}, {path} answers\n{now:?}\ninstead of\n{answer}");
    }
    Ok(())
}

async fn resumed(kind: Store) -> Result<()> {
    let provider = Provider::start().await?;
    provider.set(Mood::TimeOut);
    let launch = Launch::demo(kind).await?.argument("--provider-url").argument(&provider.url());
    let mut server = launch.start().await?;
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 10).await?;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let queued = shop.place(&fresh_key("flight"), &card_order(&mug, 2, "tok_ok")).await?;
        ids.push(queued.expect(202)?.text("/id")?.to_owned());
    }
    server.kill().await?;
    provider.set(Mood::Ok);
    server.start().await?;
    let began = Instant::now();
    // The provider's ledger is asked, not the shop: no request may wake the orders up.
    wait::until("every order is charged", Duration::from_mins(1), || async {
        let charged = ids.iter().filter(|id| provider.captures_of(id).len() == 1).count();
        ensure!(charged == ids.len(), "{charged} of {} are charged", ids.len());
        Ok(())
    })
    .await?;
    let took = began.elapsed().as_millis();
    figures::report(
        "resumed",
        &format!("store={} orders={} charged_after_ms={took}", kind.name(), ids.len()),
    )?;
    wait::until("every order is paid and its units sold", Duration::from_secs(15), || async {
        for id in &ids {
            let order = shop.order(id).await?.expect(200)?;
            ensure!(order.text("/payment_status")? == "paid", "{}", order.body);
        }
        let stock = shop.stock(&mug).await?;
        ensure!((stock.on_hand, stock.held, stock.sold) == (4, 0, 6), "{stock:?}");
        Ok(())
    })
    .await?;
    ensure!(provider.conflicts().is_empty(), "{:?}", provider.conflicts());
    Ok(())
}
