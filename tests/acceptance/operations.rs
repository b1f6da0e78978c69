//! What operators look at: health, metrics, the description of the interface, a graceful end.

use acceptance_tests::crowd::{Audit, Burst, Shelf};
use acceptance_tests::server::Server;
use acceptance_tests::shop::card_order;
use anyhow::{Result, ensure};
use serde_json::Value;

crate::on_both_stores! {
    metrics_tell_of_orders,
    the_interface_describes_itself,
    the_log_is_made_of_json_lines,
    a_server_that_is_asked_to_leave_finishes_what_it_began,
}

async fn metrics_tell_of_orders(server: Server) -> Result<()> {
    let shop = server.shop()?;
    shop.placed(&card_order("mouse", 1, "tok_ok")).await?;
    let metrics = shop.get("/metrics").await?.expect(200)?;
    let text = metrics.body.as_str().unwrap_or_default();
    let ours = text.lines().filter(|line| line.starts_with("millrace_")).count();
    ensure!(ours >= 10, "{ours} samples of ours in:\n{text}");
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let value = line.rsplit(' ').next().unwrap_or_default();
        ensure!(value.parse::<f64>().is_ok(), "no sample: {line}");
    }
    Ok(())
}

async fn the_interface_describes_itself(server: Server) -> Result<()> {
    let shop = server.shop()?.with_key(None);
    let description = shop.get("/openapi.json").await?.expect(200)?;
    ensure!(description.text("/openapi")?.starts_with("3.1"), "{}", description.text("/openapi")?);
    let paths = description.at("/paths")?.as_object().map(|paths| paths.keys().cloned());
    let paths: Vec<String> = paths.into_iter().flatten().collect();
    for path in ["/v1/orders", "/v1/orders/{id}", "/v1/products", "/v1/carts"] {
        ensure!(paths.iter().any(|known| known == path), "{path} is not described: {paths:?}");
    }
    let page = shop.get("/docs/").await?.expect(200)?;
    let page = page.body.as_str().unwrap_or_default().to_owned();
    ensure!(page.contains("swagger"), "/docs shows no Swagger UI");
    ensure!(!page.contains("https://"), "/docs fetches from elsewhere");
    Ok(())
}

async fn the_log_is_made_of_json_lines(server: Server) -> Result<()> {
    server.shop()?.placed(&card_order("mouse", 1, "tok_ok")).await?;
    let log = server.log()?;
    ensure!(!log.is_empty(), "no log");
    for line in log.lines() {
        let line: Value =
            serde_json::from_str(line).map_err(|why| anyhow::anyhow!("{why}: {line}"))?;
        ensure!(line.get("level").is_some(), "no level in {line}");
    }
    ensure!(!log.contains("secret-key-123"), "the key is in the log");
    Ok(())
}

async fn a_server_that_is_asked_to_leave_finishes_what_it_began(mut server: Server) -> Result<()> {
    let shop = server.shop()?;
    let shelf = Shelf { product: shop.stocked("mug", 1250, 100_000).await?, units: 100_000 };
    let mut burst = Burst::start(&shop, "leaving", 16, &[&shelf.product]);
    burst.answered(50).await?;
    let status = server.terminate().await?;
    ensure!(status.success(), "left with {status}");
    let tries = burst.stop().await?;
    server.start().await?;
    Audit::take(&shop, &tries, &[shelf]).await?.clean()
}
