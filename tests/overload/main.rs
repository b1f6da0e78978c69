//! A short overload: the result has its shape and the history is honest. Speed is not asserted.

use std::path::Path;

use acceptance_tests::server::binary;
use anyhow::{Result, ensure};
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
    ensure!(result["schema"] == "millrace-overload/1", "{result}");
    ensure!(result["passed"] == true && result["violations"] == serde_json::json!([]), "{result}");
    ensure!(result["capacity"]["per_second"].as_f64() > Some(0.0), "{result}");
    let rows = result["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [row] = rows else { anyhow::bail!("one level was asked for: {result}") };
    ensure!(row["clients"] == "naive" && row["multiple"] == 5.0, "{row}");
    ensure!(row["offered_per_s"].as_f64() > Some(0.0), "{row}");
    ensure!(result["sold_out"]["refused_per_s"].as_f64() > Some(0.0), "{result}");
    let page = std::fs::read_to_string(&html)?;
    ensure!(
        page.contains("<svg") && page.ends_with("</html>\n"),
        "the page has no chart or no end"
    );
    Ok(())
}

fn read(path: &Path) -> Result<Value> {
    Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
}
