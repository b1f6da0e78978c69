//! The binary against a shop that keeps the contract, and against shops that break it.
#![expect(clippy::unwrap_used, reason = "a fixture that fails should end the test")]

mod fake;

use std::path::Path;
use std::process::{Command, Output};

use fake::{Fake, Habit};
use serde_json::Value;

/// Runs the binary against `fake`; the crowd comes at once, so that no test waits for it.
fn sim(fake: &Fake, command: &str, flags: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_millrace-sim"))
        .args([command, "--url", &fake.url, "--seconds", "0", "--seed", "7"])
        .args(flags)
        .env_remove("MILLRACE_API_KEY")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn result(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The names of the checks that failed, from the text.
fn failed(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| Some(line.strip_prefix("FAIL  ")?.split_whitespace().next()?.to_owned()))
        .collect()
}

#[test]
fn an_honest_sale_passes_and_leaves_a_result_and_a_page() {
    let fake = Fake::open(Habit::Honest);
    let folder = tempfile::tempdir().unwrap();
    let (json, html) = (folder.path().join("run.json"), folder.path().join("run.html"));
    let output = sim(
        &fake,
        "flash-sale",
        &["--shoppers", "300", "--stock", "40", "--connections", "8", "--json"]
            .into_iter()
            .chain([json.to_str().unwrap(), "--html", html.to_str().unwrap()])
            .collect::<Vec<_>>(),
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(fake.orders(), 40);
    let result = result(&json);
    assert_eq!(result["schema"], "millrace-sim/1");
    assert_eq!(result["passed"], true);
    assert_eq!(result["seed"], 7);
    assert_eq!(result["counts"]["units_accepted"], 40);
    assert_eq!(result["counts"]["refused_by_code"]["insufficient_stock"], 260);
    assert_eq!(result["counts"]["connections_opened"], 8);
    assert_eq!(result["latency_us"]["accepted"]["count"], 40);
    assert_eq!(result["stock_after"]["sold"], 40);
    assert_eq!(result["checks"].as_array().unwrap().len(), 12);
    let page = std::fs::read_to_string(html).unwrap();
    assert!(page.contains("</html>") && page.matches("<svg").count() == 3);
}

#[test]
fn a_spread_over_many_products_passes() {
    let fake = Fake::open(Habit::Honest);
    let output = sim(
        &fake,
        "spread",
        &["--shoppers", "400", "--products", "25", "--stock", "12", "--quantity", "2"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    // 6 orders fit on each of 25 shelves and 16 people ask on average.
    assert_eq!(fake.orders(), 150);
}

#[test]
fn an_existing_product_is_restocked_and_a_missing_one_created() {
    let fake = Fake::open(Habit::Honest);
    fake.stock("2", 1_000);
    let flags = ["--shoppers", "60", "--stock", "20", "--product-id"];
    for (product, orders) in [("2", 20), ("fresh", 40)] {
        let flags: Vec<&str> = flags.into_iter().chain([product]).collect();
        let output = sim(&fake, "flash-sale", &flags);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        assert_eq!(fake.orders(), orders);
    }
}

#[test]
fn shoppers_come_again_when_the_shop_is_busy() {
    let fake = Fake::open(Habit::BusyAtFirst);
    let output = sim(&fake, "flash-sale", &["--shoppers", "50", "--stock", "10"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(fake.orders(), 10);
}

#[test]
fn a_cut_connection_is_resolved_by_the_same_key() {
    let fake = Fake::open(Habit::CutsAtFirst);
    let output = sim(&fake, "flash-sale", &["--shoppers", "30", "--stock", "10"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(fake.orders(), 10);
    assert!(text(&output).contains("10 cut connections"));
}

#[test]
fn an_unknown_outcome_is_resolved_after_the_crowd_has_gone() {
    let fake = Fake::open(Habit::CutsAtFirst);
    let flags = ["--shoppers", "30", "--stock", "10", "--tries", "1"];
    let output = sim(&fake, "flash-sale", &flags);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(fake.orders(), 10);
}

#[test]
fn a_time_out_is_reported_and_resolved_by_the_same_key() {
    let fake = Fake::open(Habit::SilentAtFirst);
    let flags = ["--shoppers", "30", "--stock", "10", "--timeout-ms", "250"];
    let output = sim(&fake, "flash-sale", &flags);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(fake.orders(), 10);
    assert!(!text(&output).contains(" 0 time-outs"), "{}", text(&output));
}

#[test]
fn queued_orders_are_awaited() {
    let fake = Fake::open(Habit::Queues);
    let output = sim(&fake, "flash-sale", &["--shoppers", "30", "--stock", "10"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("answered 202 first"));
}

#[test]
fn an_oversold_sale_fails() {
    let fake = Fake::open(Habit::Oversells);
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("run.json");
    let flags = ["--shoppers", "100", "--stock", "10", "--json", json.to_str().unwrap()];
    let output = sim(&fake, "flash-sale", &flags);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert_eq!(failed(&output), ["nothing_oversold", "stock_adds_up", "demand_is_served"]);
    assert_eq!(result(&json)["passed"], false);
}

#[test]
fn a_forgotten_order_fails() {
    let fake = Fake::open(Habit::Forgets);
    let output = sim(&fake, "flash-sale", &["--shoppers", "30", "--stock", "10"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert_eq!(failed(&output), ["acknowledged_orders_kept"]);
}

#[test]
fn a_key_that_buys_twice_fails() {
    let fake = Fake::open(Habit::IgnoresKeys);
    let output = sim(&fake, "flash-sale", &["--shoppers", "5", "--stock", "100"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(failed(&output).contains(&"one_order_per_key".to_owned()));
    assert!(failed(&output).contains(&"nothing_oversold".to_owned()));
}

#[test]
fn a_wrong_key_or_no_server_is_not_a_verdict() {
    let fake = Fake::open(Habit::Honest);
    let output = sim(&fake, "flash-sale", &["--api-key", "wrong", "--shoppers", "5"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("401"));
    let closed = Command::new(env!("CARGO_BIN_EXE_millrace-sim"))
        .args(["flash-sale", "--url", "http://127.0.0.1:1", "--tries", "1"])
        .output()
        .unwrap();
    assert_eq!(closed.status.code(), Some(2), "{}", text(&closed));
    let usage =
        Command::new(env!("CARGO_BIN_EXE_millrace-sim")).args(["flash-sale", "--nope"]).output();
    assert_eq!(usage.unwrap().status.code(), Some(2));
}
