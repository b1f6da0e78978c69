//! Faults on purpose in a running server: orders survive them, and the log knows who asked.

use std::time::Duration;

use acceptance_tests::crowd::{Audit, Burst, Outcome, Shelf, Try};
use acceptance_tests::server::{Launch, Server, Store};
use acceptance_tests::shop::{Answer, Shop, card_order, fresh_key};
use acceptance_tests::{figures, wait};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::sound;

const FAULTS: &str = "/v1/ops/faults";
const KILL: &str = "/v1/ops/faults/actor_kill";
const LOG: &str = "/v1/ops/faults/log";
/// How many shoppers buy while something goes wrong.
const SHOPPERS: u64 = 8;
const UNITS: i64 = 100_000;

crate::on_both_stores! {
    orders_queue_while_payments_fail_and_are_paid_when_they_work_again,
    a_payment_whose_answer_gets_lost_is_taken_once,
    actors_that_are_killed_in_a_burst_lose_nothing,
    a_stalled_journal_gives_definite_answers_and_heals,
    a_slow_journal_and_a_slow_provider_make_nobody_lose_an_order,
    a_fault_ends_with_its_time_and_with_its_process_and_stays_in_the_log,
}

async fn inject(shop: &Shop, name: &str, fault: Value) -> Result<Answer> {
    shop.put(&format!("{FAULTS}/{name}"), &fault).await?.expect(200)
}

async fn lift_all(shop: &Shop) -> Result<()> {
    let left = shop.delete(FAULTS).await?.expect(200)?;
    ensure!(left.list("/faults")?.is_empty(), "{}", left.body);
    Ok(())
}

/// What the log says, latest first.
async fn logged(shop: &Shop) -> Result<Vec<String>> {
    let log = shop.get(LOG).await?.expect(200)?;
    let what = log.list("/items")?.iter().filter_map(|item| item["what"].as_str());
    Ok(what.map(str::to_owned).collect())
}

async fn paid(shop: &Shop, id: &str) -> Result<()> {
    wait::until("the order is paid", Duration::from_mins(1), || async {
        let order = shop.order(id).await?.expect(200)?;
        ensure!(order.text("/payment_status")? == "paid", "{}", order.body);
        Ok(())
    })
    .await
}

/// A captured payment is told a moment before its units are sold.
async fn stands_at(shop: &Shop, product: &str, units: (i64, i64, i64)) -> Result<()> {
    wait::until("the units are sold", Duration::from_secs(30), || async {
        let stock = shop.stock(product).await?;
        ensure!((stock.on_hand, stock.held, stock.sold) == units, "{stock:?}");
        Ok(())
    })
    .await
}

async fn orders_queue_while_payments_fail_and_are_paid_when_they_work_again(
    server: Server,
) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    inject(&shop, "payment_failure", json!({"probability": 1, "kind": "error"})).await?;
    let health = shop.get("/health").await?.expect(200)?;
    assert_eq!(health.at("/faults")?, &json!(["payment_failure"]));
    let mut queued = Vec::new();
    for _ in 0..3 {
        let placed = shop.place(&fresh_key("queued"), &card_order(&mug, 1, "tok_ok")).await?;
        let placed = placed.expect(202)?;
        assert_eq!(placed.text("/payment_status")?, "queued");
        queued.push(placed.text("/id")?.to_owned());
    }
    assert_eq!(shop.stock(&mug).await?.held, 3);
    lift_all(&shop).await?;
    for id in &queued {
        paid(&shop, id).await?;
    }
    stands_at(&shop, &mug, (2, 0, 3)).await?;
    sound(server).await
}

async fn a_payment_whose_answer_gets_lost_is_taken_once(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    inject(&shop, "payment_failure", json!({"probability": 1, "kind": "timeout"})).await?;
    let placed = shop.place(&fresh_key("lost"), &card_order(&mug, 1, "tok_ok")).await?;
    let placed = placed.expect(202)?;
    lift_all(&shop).await?;
    paid(&shop, placed.text("/id")?).await?;
    stands_at(&shop, &mug, (4, 0, 1)).await?;
    // That money was captured once is what the journal is asked for.
    sound(server).await
}

async fn actors_that_are_killed_in_a_burst_lose_nothing(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let shelf = Shelf { product: shop.stocked("mug", 1250, UNITS).await?, units: UNITS };
    let mut burst = Burst::start(&shop, "killed", SHOPPERS, &[&shelf.product]);
    let mut kills = 0_u64;
    for round in 1..=20 {
        burst.answered(round * 10).await?;
        let victim = json!({"kind": "inventory", "key": shelf.product});
        let killed = shop.post(KILL, &victim).await?;
        // Between two lives there is nothing to kill.
        ensure!(matches!(killed.status, 200 | 404), "{}", killed.body);
        kills += u64::from(killed.status == 200);
    }
    let tries = burst.stop().await?;
    for attempt in &tries {
        // Who came while the actor was being rebuilt was told so.
        if let Outcome::Refused(answer) = &attempt.outcome {
            answer.clone().expect_problem(503, "unavailable")?;
        }
    }
    let audit = Audit::take(&shop, &tries, &[shelf]).await?;
    figures::report("faults", &format!("drill=actor_kill kills={kills} {audit}"))?;
    audit.clean()?;
    ensure!(0 < kills, "nobody was killed");
    assert_eq!(u64::try_from(logged(&shop).await?.len())?, kills);
    sound(server).await
}

async fn a_stalled_journal_gives_definite_answers_and_heals(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let shelf = Shelf { product: shop.stocked("mug", 1250, UNITS).await?, units: UNITS };
    let mut burst = Burst::start(&shop, "stalled", SHOPPERS, &[&shelf.product]);
    burst.answered(50).await?;
    inject(&shop, "journal_stall", json!({})).await?;
    let (key, order) = (fresh_key("late"), card_order(&shelf.product, 1, "tok_ok"));
    let late = shop.place(&key, &order).await?;
    // Either it was not let in, or nobody can say; nothing else is true while nothing is written.
    ensure!(matches!(late.status, 503 | 504), "{}: {}", late.status, late.body);
    let certainty = if late.status == 503 { "nothing_happened" } else { "unknown" };
    assert_eq!(late.text("/outcome")?, certainty);
    shop.get("/v1/products/mug").await?.expect(200)?;
    lift_all(&shop).await?;
    let at_end = burst.so_far();
    burst.answered(at_end + 50).await.context("after the stall")?;
    let mut tries = burst.stop().await?;
    // The one that was asked beside the burst is a try like any other.
    tries.push(Try { key, order, outcome: Outcome::of(Ok(late)) });
    let audit = Audit::take(&shop, &tries, &[shelf]).await?;
    figures::report("faults", &format!("drill=journal_stall {audit}"))?;
    audit.clean()?;
    sound(server).await
}

async fn a_slow_journal_and_a_slow_provider_make_nobody_lose_an_order(
    server: Server,
) -> Result<()> {
    let shop = server.shop()?;
    let shelf = Shelf { product: shop.stocked("mug", 1250, UNITS).await?, units: UNITS };
    inject(&shop, "journal_stall", json!({"ms": 20})).await?;
    inject(&shop, "payment_latency", json!({"ms": 50})).await?;
    let mut burst = Burst::start(&shop, "slow", SHOPPERS, &[&shelf.product]);
    burst.answered(50).await?;
    lift_all(&shop).await?;
    let tries = burst.stop().await?;
    Audit::take(&shop, &tries, &[shelf]).await?.clean()?;
    sound(server).await
}

async fn a_fault_ends_with_its_time_and_with_its_process_and_stays_in_the_log(
    mut server: Server,
) -> Result<()> {
    let shop = server.shop()?;
    let brief = inject(&shop, "payment_latency", json!({"ms": 1, "ttl_seconds": 1})).await?;
    assert_eq!(brief.text("/by")?, "demo");
    assert_eq!(brief.header("x-request-id"), Some(brief.text("/request_id")?));
    wait::until("the fault has had its time", Duration::from_secs(30), || async {
        ensure!(logged(&shop).await? == ["expired", "injected"], "{:?}", logged(&shop).await?);
        Ok(())
    })
    .await?;
    inject(&shop, "journal_stall", json!({"ms": 1})).await?;
    server.kill().await?;
    server.start().await?;
    let now = shop.get(FAULTS).await?.expect(200)?;
    ensure!(now.list("/faults")?.is_empty(), "{}", now.body);
    wait::until("the end of the fault is written down", Duration::from_secs(30), || async {
        let log = logged(&shop).await?;
        ensure!(log == ["restarted", "injected", "expired", "injected"], "{log:?}");
        Ok(())
    })
    .await?;
    sound(server).await
}

#[tokio::test]
async fn serve_has_no_faults_unless_two_places_say_so() -> Result<()> {
    let (own, drills) = ("a-key-that-nobody-knows-7f3a", "a-key-for-drills-91c2");
    for (flag, variable) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut launch = Launch::serve(Store::Sqlite).await?.variable("API_KEY", own);
        if flag {
            launch = launch.argument("--faults");
        }
        if variable {
            launch = launch.variable("MILLRACE_FAULTS_KEY", drills);
        }
        let server = launch.start().await?;
        let owner = server.shop()?.with_key(Some(own));
        let driller = owner.with_key(Some(drills));
        if flag && variable {
            owner.get(FAULTS).await?.expect_problem(403, "forbidden")?;
            driller.get(FAULTS).await?.expect(200)?;
            driller.get("/v1/orders").await?.expect_problem(403, "forbidden")?;
        } else {
            owner.get(FAULTS).await?.expect_problem(404, "not_found")?;
            driller.get(FAULTS).await?.expect_problem(401, "unauthorised")?;
        }
    }
    Ok(())
}
