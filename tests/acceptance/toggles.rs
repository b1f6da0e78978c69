//! Features that are switched while the shop is open: by whom, why, and how soon.

use std::time::Duration;

use acceptance_tests::server::Server;
use acceptance_tests::shop::Shop;
use acceptance_tests::{figures, wait};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::time::Instant;

crate::on_both_stores! {
    a_switch_takes_effect_in_less_than_five_seconds,
    who_switched_what_and_why_is_shown_and_survives_a_crash,
    what_is_no_switch_is_refused,
}

/// A switch must be seen everywhere within this time.
const EFFECT_WITHIN: Duration = Duration::from_secs(5);

async fn standing(shop: &Shop, name: &str) -> Result<Value> {
    let toggles = shop.get("/v1/toggles").await?.expect(200)?;
    let found = toggles.list("/items")?.iter().find(|toggle| toggle["name"] == name).cloned();
    found.with_context(|| format!("no {name} in {}", toggles.body))
}

async fn a_switch_takes_effect_in_less_than_five_seconds(server: Server) -> Result<()> {
    let shop = server.shop()?;
    shop.post("/v1/partners", &json!({"id": "acme", "name": "Acme"})).await?.expect(201)?;
    let mut slowest = Duration::ZERO;
    for on in [false, true, false, true] {
        let change = json!({"on": on, "reason": "a drill"});
        let began = Instant::now();
        shop.put("/v1/toggles/partner_ingestion", &change).await?.expect(200)?;
        wait::until("the switch is felt", EFFECT_WITHIN, || async {
            let path = "/v1/partners/acme/catalog";
            let felt = shop.post(path, &json!([])).await?;
            ensure!((felt.status == 201) == on, "{}: {}", felt.status, felt.body);
            Ok(())
        })
        .await?;
        slowest = slowest.max(began.elapsed());
    }
    ensure!(slowest < EFFECT_WITHIN, "{slowest:?}");
    figures::report("toggles", &format!("slowest_effect_ms={}", slowest.as_millis()))
}

async fn who_switched_what_and_why_is_shown_and_survives_a_crash(server: Server) -> Result<()> {
    let mut server = server;
    let shop = server.shop()?;
    let before = standing(&shop, "flash_sale").await?;
    assert_eq!((&before["on"], &before["by"]), (&json!(true), &Value::Null));
    let off = json!({"on": false, "reason": "too many complaints"});
    let switched = shop.put("/v1/toggles/flash_sale", &off).await?.expect(200)?;
    ensure!(switched.header("x-position").is_some(), "no x-position");
    let after = standing(&shop, "flash_sale").await?;
    assert_eq!(after, switched.body);
    assert_eq!((&after["by"], &after["reason"]), (&json!("demo"), &json!("too many complaints")));
    ensure!(after["at"].is_string(), "{after}");
    server.kill().await?;
    server.start().await?;
    assert_eq!(standing(&server.shop()?, "flash_sale").await?, after);
    let status = server.terminate().await?;
    ensure!(status.success(), "left with {status}");
    server.launch().verify().await
}

async fn what_is_no_switch_is_refused(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let off = json!({"on": false, "reason": "x"});
    shop.put("/v1/toggles/nonsense", &off).await?.expect_problem(404, "not_found")?;
    for change in [
        json!({"on": false}),
        json!({"on": false, "reason": " "}),
        json!({"on": "no", "reason": "x"}),
        json!({"on": false, "reason": "x".repeat(201)}),
        json!({"on": false, "reason": "x", "more": 1}),
    ] {
        let refused = shop.put("/v1/toggles/flash_sale", &change).await?;
        refused.expect_problem(422, "validation_failed")?;
    }
    assert_eq!(standing(&shop, "flash_sale").await?["on"], json!(true));
    Ok(())
}
