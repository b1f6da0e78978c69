//! A short overload: the result has its shape and the history is honest; and what is sold out costs
//! its stock nothing. Speed is not asserted.

use std::path::Path;

use acceptance_tests::processes::binary;
use acceptance_tests::server::{Launch, Store};
use acceptance_tests::shop::{Shop, card_order, fresh_key};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::process::Command;

#[tokio::test]
async fn an_overloaded_server_sells_what_it_acknowledges() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (json, html) = (folder.path().join("run.json"), folder.path().join("run.html"));
    let output = Command::new(binary("MILLRACE_SIM_BIN", "millrace-sim")?)
        .args(["overload", "--seconds", "1", "--connections", "64", "--levels", "5"])
        .args(["--clients", "naive", "--only", "levels,sold-out"])
        .arg("--millrace")
        .arg(binary("MILLRACE_BIN", "millrace")?)
        .arg("--json")
        .arg(&json)
        .arg("--html")
        .arg(&html)
        .output()
        .await?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{words}\n{}", String::from_utf8_lossy(&output.stdout));
    let result = read(&json)?;
    ensure!(result["schema"] == "millrace-overload/2", "{result}");
    ensure!(result["passed"] == true && result["violations"] == serde_json::json!([]), "{result}");
    ensure!(result["capacity"]["per_second"].as_f64() > Some(0.0), "{result}");
    let rows = result["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [row] = rows else { anyhow::bail!("one level was asked for: {result}") };
    ensure!(row["clients"] == "naive" && row["multiple"] == 5.0, "{row}");
    ensure!(row["done"].as_u64() > Some(0), "{row}");
    ensure!(result["sold_out"]["refused_per_s"].as_f64() > Some(0.0), "{result}");
    let page = std::fs::read_to_string(&html)?;
    ensure!(
        page.contains("<svg") && page.ends_with("</html>\n"),
        "the page has no chart or no end"
    );
    Ok(())
}

#[tokio::test]
async fn a_product_that_never_had_stock_is_refused_without_a_message_to_its_stock() -> Result<()> {
    let server = Launch::demo(Store::Sqlite).await?.start().await?;
    let shop = server.shop()?;
    let price = serde_json::json!({"minor": 1_999, "currency": "USD"});
    let product = serde_json::json!({"id": "unstocked", "name": "Unstocked", "price": price});
    shop.post("/v1/products", &product).await?.expect(201)?;
    let order = card_order("unstocked", 1, "tok_ok");
    let refused = async || {
        let answer = shop.place(&fresh_key("none"), &order).await?;
        answer.expect_problem(409, "insufficient_stock").map(drop)
    };
    // The first one wakes the stock, which then shows what it has.
    refused().await?;
    let before = messages_to_stocks(&shop).await?;
    for _ in 0..5 {
        refused().await?;
    }
    ensure!(before == messages_to_stocks(&shop).await?, "a refusal entered the mailbox");
    // It is not refused for ever.
    let more = serde_json::json!({"delta": 1, "reason": "delivery"});
    shop.post("/v1/products/unstocked/stock", &more).await?.expect(200)?;
    shop.placed(&order).await?;
    Ok(())
}

async fn messages_to_stocks(shop: &Shop) -> Result<u64> {
    const NAME: &str = "millrace_mailbox_wait_seconds_count{actor=\"inventory\"} ";
    let page = shop.get("/metrics").await?.expect(200)?;
    let figures = page.body.as_str().unwrap_or_default();
    let line = figures.lines().find_map(|line| line.strip_prefix(NAME));
    Ok(line.context("the figures count the messages to stocks")?.trim().parse()?)
}

fn read(path: &Path) -> Result<Value> {
    Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
}
