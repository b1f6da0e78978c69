//! A payment provider that fails in every way it can, compared with its own ledger afterwards.

mod callbacks;

use std::time::Duration;

use acceptance_tests::provider::{Mood, Provider};
use acceptance_tests::server::{Launch, Server, Store};
use acceptance_tests::shop::{Answer, Shop, card_order, fresh_key};
use acceptance_tests::{figures, wait};
use anyhow::{Context as _, Result, ensure};

/// Enough failed calls that the breaker (20 calls, half of them failed, in 10 s) must open.
const STORM: usize = 40;

/// For what takes seconds at most, on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_mins(1);

struct Scene {
    provider: Provider,
    server: Server,
    shop: Shop,
    mug: String,
}

impl Scene {
    async fn set(mood: Mood) -> Result<Self> {
        let provider = Provider::start().await?;
        provider.set(mood);
        let launch = Launch::demo(Store::Sqlite).await?;
        let launch = launch.variable("MILLRACE_WEBHOOK_SECRET", callbacks::SECRET);
        let launch = launch.argument("--provider-url").argument(&provider.url());
        let server = launch.start().await?;
        let shop = server.shop()?;
        let mug = shop.stocked("mug", 1250, 1000).await?;
        Ok(Self { provider, server, shop, mug })
    }

    /// Buys one as a client does: what is unknown is asked again with the same key.
    async fn buy(&self) -> Result<Answer> {
        self.place(&fresh_key("buy")).await
    }

    async fn place(&self, key: &str) -> Result<Answer> {
        let order = card_order(&self.mug, 1, "tok_ok");
        wait::until("it is known what came of it", PATIENCE, || async {
            let answer = self.shop.place(key, &order).await?;
            ensure!(answer.status != 504, "unknown: {}", answer.body);
            Ok(answer)
        })
        .await
    }

    /// The id of an order whose payment is queued, at once or as soon as the provider gave no
    /// answer: 202 says either.
    async fn queued(&self, answer: Answer) -> Result<String> {
        let id = answer.expect(202)?.text("/id")?.to_owned();
        wait::until("the payment is queued", PATIENCE, || async {
            let order = self.shop.order(&id).await?.expect(200)?;
            ensure!(order.text("/payment_status")? == "queued", "{}", order.body);
            Ok(())
        })
        .await?;
        Ok(id)
    }

    async fn storm(&self) -> Result<Vec<Answer>> {
        futures::future::try_join_all((0..STORM).map(|_| self.buy())).await
    }

    async fn paid(&self, id: &str) -> Result<()> {
        let order = self.shop.order(id).await?.expect(200)?;
        ensure!(order.text("/payment_status")? == "paid", "{}", order.body);
        Ok(())
    }

    /// Every order is captured exactly once, for what it costs.
    fn ledger_agrees(&self, ids: &[String]) -> Result<()> {
        for id in ids {
            let captures = self.provider.captures_of(id);
            ensure!(captures.len() == 1, "{id} is captured {} times", captures.len());
            let right = captures.iter().all(|charge| charge.minor == 1250 && charge.refunded == 0);
            ensure!(right, "{captures:?}");
        }
        ensure!(self.provider.conflicts().is_empty(), "{:?}", self.provider.conflicts());
        Ok(())
    }

    /// The samples of the metrics whose name speaks of the breaker.
    async fn breaker(&self) -> Result<String> {
        let metrics = self.shop.get("/metrics").await?.expect(200)?;
        let text = metrics.body.as_str().unwrap_or_default();
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with('#') && line.contains("breaker"))
            .collect();
        Ok(lines.join("\n"))
    }
}

#[tokio::test]
async fn a_healthy_provider_is_charged_once_for_each_order() -> Result<()> {
    let scene = Scene::set(Mood::Ok).await?;
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(scene.buy().await?.expect(201)?.text("/id")?.to_owned());
    }
    scene.ledger_agrees(&ids)?;
    assert_eq!(scene.provider.calls(), 10);
    Ok(())
}

#[tokio::test]
async fn a_decline_sells_nothing_and_does_not_count_against_the_provider() -> Result<()> {
    let scene = Scene::set(Mood::Decline).await?;
    for answer in scene.storm().await? {
        answer.expect_problem(402, "payment_declined")?;
    }
    let stock = scene.shop.stock(&scene.mug).await?;
    assert_eq!((stock.on_hand, stock.held, stock.sold), (1000, 0, 0));
    // A breaker that counted declines would be open now and answer 202.
    scene.provider.set(Mood::Ok);
    scene.buy().await?.expect(201)?;
    Ok(())
}

#[tokio::test]
async fn a_provider_that_is_down_queues_orders_and_pays_them_when_it_is_back() -> Result<()> {
    down_and_back(Mood::ServerError).await
}

#[tokio::test]
async fn a_provider_that_hangs_queues_orders_and_pays_them_when_it_is_back() -> Result<()> {
    down_and_back(Mood::TimeOut).await
}

#[tokio::test]
async fn money_taken_without_a_word_is_found_and_not_taken_twice() -> Result<()> {
    down_and_back(Mood::Late { ms: 0 }).await
}

#[tokio::test]
async fn money_taken_behind_an_error_is_found_and_not_taken_twice() -> Result<()> {
    down_and_back(Mood::CapturedServerError).await
}

async fn down_and_back(mood: Mood) -> Result<()> {
    let scene = Scene::set(mood).await?;
    let mut ids = Vec::new();
    for answer in scene.storm().await? {
        ids.push(scene.queued(answer).await?);
    }
    let stock = scene.shop.stock(&scene.mug).await?;
    let held = i64::try_from(STORM)?;
    assert_eq!((stock.on_hand, stock.held, stock.sold), (1000, held, 0), "{mood:?}");
    let down = scene.provider.calls();

    scene.provider.set(Mood::Ok);
    wait::until("every queued order is paid and its unit sold", Duration::from_mins(2), || async {
        for id in &ids {
            scene.paid(id).await?;
        }
        let stock = scene.shop.stock(&scene.mug).await?;
        ensure!((stock.held, stock.sold) == (0, held), "{stock:?}");
        Ok(())
    })
    .await?;
    scene.ledger_agrees(&ids)?;
    scene.buy().await?.expect(201)?;
    figures::report(
        "provider",
        &format!("mood={mood:?} queued={STORM} paid={STORM} calls_while_down={down} double=0"),
    )
}

#[tokio::test]
async fn an_open_breaker_spares_the_provider() -> Result<()> {
    let mut scene = Scene::set(Mood::ServerError).await?;
    for answer in scene.storm().await? {
        scene.queued(answer).await?;
    }
    let before = scene.provider.calls();
    for answer in scene.storm().await? {
        scene.queued(answer).await?;
    }
    let asked = scene.provider.calls() - before;
    // Probes and nothing else: 40 new orders must not mean 40 new calls.
    ensure!(asked < STORM / 2, "{asked} calls through an open breaker");
    let breaker = scene.breaker().await?;
    ensure!(!breaker.is_empty(), "no metric tells of the breaker");
    ensure!(scene.server.ended().is_none(), "the server ended");
    figures::report("breaker", &format!("orders={STORM} calls={asked}"))
}

#[tokio::test]
async fn repeats_while_the_provider_is_down_do_not_charge_again() -> Result<()> {
    let scene = Scene::set(Mood::Late { ms: 0 }).await?;
    let key = fresh_key("again");
    let id = scene.queued(scene.place(&key).await?).await?;
    for _ in 0..3 {
        assert_eq!(scene.place(&key).await?.expect(202)?.text("/id")?, id);
    }
    scene.provider.set(Mood::Ok);
    wait::until("the order is paid", PATIENCE, || scene.paid(&id)).await?;
    let again = scene.place(&key).await?;
    // A queued order replays 202 until it is final, and then what it became.
    ensure!(matches!(again.status, 201 | 202), "{}", again.status);
    assert_eq!(again.text("/payment_status")?, "paid");
    scene.ledger_agrees(&[id])
}

#[tokio::test]
async fn a_cancelled_queued_order_is_not_charged_or_gets_its_money_back() -> Result<()> {
    let scene = Scene::set(Mood::Late { ms: 0 }).await?;
    let id = scene.queued(scene.buy().await?).await?;
    let cancelled = scene.shop.delete(&format!("/v1/orders/{id}")).await?;
    ensure!(cancelled.status == 200, "{}: {}", cancelled.status, cancelled.body);
    scene.provider.set(Mood::Ok);
    wait::until("money and units are back", PATIENCE, || async {
        let captures = scene.provider.captures_of(&id);
        let kept: i64 = captures.iter().map(|charge| charge.minor - charge.refunded).sum();
        ensure!(kept == 0, "{kept} kept");
        let stock = scene.shop.stock(&scene.mug).await?;
        ensure!((stock.held, stock.sold) == (0, 0), "{stock:?}");
        Ok(())
    })
    .await
    .context("a late success is refunded automatically")
}

#[tokio::test]
async fn money_that_is_taken_after_the_provider_denied_it_goes_back_when_the_order_is_cancelled()
-> Result<()> {
    let scene = Scene::set(Mood::Late { ms: 8_000 }).await?;
    let id = scene.queued(scene.buy().await?).await?;
    scene.shop.delete(&format!("/v1/orders/{id}")).await?.expect(200)?;
    wait::until("the provider was asked", Duration::from_secs(20), || async {
        ensure!(0 < scene.provider.questions(), "not asked yet");
        Ok(())
    })
    .await?;
    wait::until("the late money is back", PATIENCE, || async {
        let captures = scene.provider.captures_of(&id);
        ensure!(captures.len() == 1, "not taken yet");
        let kept: i64 = captures.iter().map(|charge| charge.minor - charge.refunded).sum();
        ensure!(kept == 0, "{kept} kept");
        Ok(())
    })
    .await
}
