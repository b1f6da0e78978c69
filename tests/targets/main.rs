//! A short run of the performance targets: each is measured and told. Whether it is met is not
//! asserted: that belongs to a machine, not to the code.

use std::collections::BTreeSet;

use acceptance_tests::processes::binary;
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::process::Command;

#[tokio::test]
async fn every_performance_target_is_measured_and_judged() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (json, html) = (folder.path().join("run.json"), folder.path().join("run.html"));
    let output = Command::new(binary("MILLRACE_SIM_BIN", "millrace-sim")?)
        .args(["perf", "--seconds", "1", "--normal", "20", "--rush", "50", "--clients", "50"])
        .args(["--charge-ms", "0"])
        .env_remove("DATABASE_URL")
        .arg("--millrace")
        .arg(binary("MILLRACE_BIN", "millrace")?)
        .arg("--json")
        .arg(&json)
        .arg("--html")
        .arg(&html)
        .output()
        .await?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(matches!(output.status.code(), Some(0 | 1)), "{}: {words}", output.status);
    let result: Value = serde_json::from_str(&std::fs::read_to_string(&json)?)?;
    ensure!(result["schema"] == "millrace-perf/1", "{result}");
    let sheet = &result["sheets"][0];
    ensure!(sheet["store"] == "SQLite" && sheet["failures"] == json!([]), "{sheet}");
    let rows = sheet["rows"].as_array().context("a sheet has rows")?;
    let ids: BTreeSet<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
    let all: Vec<String> = (1..=13).map(|number| format!("PERF-{number}")).collect();
    ensure!(ids == all.iter().map(String::as_str).collect(), "{ids:?}");
    for row in rows {
        ensure!(row["met"].is_boolean() && row["samples"].as_u64() > Some(0), "{row}");
    }
    let met = result["passed"] == true;
    ensure!(met == output.status.success(), "the status does not say what the result says");
    let page = std::fs::read_to_string(&html)?;
    ensure!(page.contains("PERF-13") && page.ends_with("</html>\n"), "the page has no end");
    Ok(())
}
