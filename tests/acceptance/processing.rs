//! Orders on their way to being made ready: by confirmation, and by the job.

use acceptance_tests::server::Server;
use acceptance_tests::shop::{Answer, Shop, card_order};
use anyhow::{Result, ensure};
use serde_json::json;

crate::on_both_stores! {
    a_confirmation_sells_the_units_of_an_order_that_nobody_paid_ord_12,
    the_job_moves_every_pending_order_that_nothing_holds_job_1,
    jobs_are_not_for_everybody,
}

async fn a_confirmation_sells_the_units_of_an_order_that_nobody_paid_ord_12(
    server: Server,
) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let order = shop.placed(&json!({"items": [{"product_id": mug, "quantity": 2}]})).await?;
    let path = format!("/v1/orders/{}/confirmation", order.text("/id")?);
    let confirmed = shop.post(&path, &json!({})).await?.expect(200)?;
    assert_eq!(confirmed.text("/status")?, "PROCESSING");
    // A repeat changes nothing.
    assert_eq!(shop.post(&path, &json!({})).await?.expect(200)?.text("/status")?, "PROCESSING");
    acceptance_tests::wait::until("units are sold", std::time::Duration::from_secs(15), || async {
        let stock = shop.stock(&mug).await?;
        ensure!((stock.on_hand, stock.held, stock.sold) == (3, 0, 2), "{stock:?}");
        Ok(())
    })
    .await?;

    let gone = shop.placed(&card_order("mouse", 1, "tok_ok")).await?;
    let gone = gone.text("/id")?;
    shop.delete(&format!("/v1/orders/{gone}")).await?.expect(200)?;
    let late = shop.post(&format!("/v1/orders/{gone}/confirmation"), &json!({})).await?;
    late.expect_problem(409, "invalid_transition")?;
    let nobody = "/v1/orders/00000000-0000-8000-8000-000000000000/confirmation";
    shop.post(nobody, &json!({})).await?.expect(404)?;
    Ok(())
}

async fn the_job_moves_every_pending_order_that_nothing_holds_job_1(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(shop.placed(&card_order("mouse", 1, "tok_ok")).await?);
    }
    let listed = async || {
        let page = shop.get("/v1/orders?status=PENDING").await?.expect(200)?;
        page.int("/total")
    };
    acceptance_tests::wait::until(
        "they are listed",
        std::time::Duration::from_secs(15),
        || async {
            let pending = listed().await?;
            ensure!(pending == 3, "{pending} are PENDING");
            Ok(())
        },
    )
    .await?;

    let ran = run(&shop).await?.expect(200)?;
    assert_eq!(ran.text("/name")?, "process-pending");
    assert_eq!((ran.int("/runs/0/advanced")?, ran.int("/runs/0/held")?), (3, 0));
    for order in &orders {
        let id = order.text("/id")?;
        assert_eq!(shop.order(id).await?.text("/status")?, "PROCESSING");
        let history = shop.get(&format!("/v1/orders/{id}/history")).await?.expect(200)?;
        assert_eq!(history.list("/items")?.len(), 2, "{}", history.body);
    }
    // Running it again changes nothing more.
    let again = run(&shop).await?.expect(200)?;
    assert_eq!((again.int("/runs/0/advanced")?, again.int("/runs/0/held")?), (0, 0));
    assert_eq!(again.list("/runs")?.len(), 2);

    acceptance_tests::wait::until(
        "the runs are listed",
        std::time::Duration::from_secs(15),
        || async {
            let jobs = shop.get("/v1/jobs").await?.expect(200)?;
            let runs = jobs.list("/items/0/runs").map_or(0, Vec::len);
            ensure!(runs == 2, "{}", jobs.body);
            Ok(())
        },
    )
    .await
}

async fn jobs_are_not_for_everybody(server: Server) -> Result<()> {
    let shop = server.shop()?.with_key(None);
    run(&shop).await?.expect(401)?;
    shop.get("/v1/jobs").await?.expect(401)?;
    Ok(())
}

async fn run(shop: &Shop) -> Result<Answer> {
    shop.post("/v1/jobs/process-pending", &json!({})).await
}
