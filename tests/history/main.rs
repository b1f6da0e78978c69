//! A sale whose server is killed while a provider in a process of its own keeps the ledger: the
//! history finds nothing, and finds what is forged in it afterwards.

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use acceptance_tests::processes::binary;
use acceptance_tests::server::{Launch, Server, Store};
use acceptance_tests::wait;
use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

const SHOPPERS: u64 = 500;
const STOCK: u64 = 200;
/// Captures after which the server is killed, so that it dies at work on any machine.
const KILLED_AT: [usize; 3] = [20, 80, 140];
/// Short, so that holds orphaned by a kill run out while the sale is watched.
const HOLD_SECONDS: &str = "5";
const SOLD_WITHIN: Duration = Duration::from_mins(3);

mod sqlite {
    #[tokio::test]
    async fn kills_in_a_sale_leave_a_history_that_is_valid_until_it_is_forged() -> anyhow::Result<()>
    {
        super::sell(acceptance_tests::server::Store::Sqlite).await
    }
}

mod postgres {
    #[tokio::test]
    async fn kills_in_a_sale_leave_a_history_that_is_valid_until_it_is_forged() -> anyhow::Result<()>
    {
        super::sell(acceptance_tests::server::Store::Postgres).await
    }
}

async fn sell(store: Store) -> Result<()> {
    let folder = TempDir::new()?;
    let (history, ledger) = (folder.path().join("history"), folder.path().join("ledger"));
    let (_provider, url) = provider(&ledger).await?;
    let mut server = Launch::demo(store)
        .await?
        .variable("MILLRACE_HOLD_SECONDS", HOLD_SECONDS)
        .variable("MILLRACE_PROVIDER_URL", &url)
        .start()
        .await?;
    let sale = sim()?
        .args(["flash-sale", "--shape", "steady", "--seconds", "3", "--tries", "20"])
        .args(["--shoppers", &SHOPPERS.to_string(), "--stock", &STOCK.to_string()])
        .args(["--settle-seconds", "60", "--url", &server.base()])
        .args([Path::new("--history"), &history, Path::new("--ledger"), &ledger])
        .spawn()?;
    for captures in KILLED_AT {
        kill_after(&mut server, &ledger, captures).await?;
    }
    let sold = timeout(SOLD_WITHIN, sale.wait_with_output()).await.context("the sale hangs")??;
    ensure!(sold.status.success(), "the sale: {}", text(&sold));
    ensure!(lines(&ledger)?.len() >= usize::try_from(STOCK)?, "a sale without captures");
    server.terminate().await?;
    server.launch().verify().await?;
    let judged = judge(&history, &ledger).await?;
    ensure!(judged.status.success(), "the same history, judged again: {}", text(&judged));
    forge(&history, &ledger).await
}

/// Starts a provider and gives its address; it ends with the process.
async fn provider(ledger: &Path) -> Result<(Child, String)> {
    let mut provider = sim()?
        .args(["provider", "--listen", "127.0.0.1:0"])
        .args([Path::new("--ledger"), ledger])
        .spawn()?;
    let output = provider.stdout.take().context("no output")?;
    let said = BufReader::new(output).lines().next_line().await?.context("it says nothing")?;
    let url = said.strip_prefix("listening on ").context("no address")?.to_owned();
    Ok((provider, url))
}

async fn kill_after(server: &mut Server, ledger: &Path, captures: usize) -> Result<()> {
    wait::until("the provider has taken money", SOLD_WITHIN, || async {
        let taken = lines(ledger)?.len();
        ensure!(captures <= taken, "{taken} of {captures} captures");
        Ok(())
    })
    .await?;
    server.kill().await?;
    server.start().await
}

/// Breaks one promise after the other in what was written down; each must be missed.
async fn forge(history: &Path, ledger: &Path) -> Result<()> {
    let (asked, taken) = (lines(history)?, lines(ledger)?);
    let is_last_read = |line: &&String| line.contains(r#""t":"ok""#) && line.contains("\"read\"");
    let read = asked.iter().rfind(is_last_read).context("nothing was read")?;
    let gone = read.split(r#","v":"#).next().context("nothing was shown")?;
    let gone = gone.replace(r#""t":"ok""#, r#""t":"rejected""#) + r#","v":{"http":404}}"#;
    let dearer = read.replace(r#""total":"#, r#""total":1"#);
    let (forged_history, forged_ledger) =
        (history.with_extension("forged"), ledger.with_extension("forged"));
    for (forgery, promise) in [(gone, "acknowledged_orders_kept"), (dearer, "answers_agree")] {
        let forged = asked.iter().map(|line| if line == read { &forgery } else { line });
        write(&forged_history, forged)?;
        missed(&judge(&forged_history, ledger).await?, promise)?;
    }
    write(&forged_ledger, taken.iter().skip(1))?;
    missed(&judge(history, &forged_ledger).await?, "ledger_agrees")?;
    let twice = taken.first().context("no capture")?.replace(r#"-1","order"#, r#"-2","order"#);
    write(&forged_ledger, taken.iter().chain([&twice]))?;
    missed(&judge(history, &forged_ledger).await?, "ledger_agrees")
}

fn missed(output: &Output, promise: &str) -> Result<()> {
    let text = text(output);
    let failed: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("FAIL  ")).collect();
    let named = failed.iter().any(|line| line.starts_with(promise));
    ensure!(output.status.code() == Some(1) && named, "{promise} was not missed: {text}");
    Ok(())
}

async fn judge(history: &Path, ledger: &Path) -> Result<Output> {
    let mut check = sim()?;
    check.arg("check").arg(history).arg("--ledger").arg(ledger);
    Ok(check.output().await?)
}

fn sim() -> Result<Command> {
    let mut command = Command::new(binary("MILLRACE_SIM_BIN", "millrace-sim")?);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    Ok(command)
}

fn lines(path: &Path) -> Result<Vec<String>> {
    Ok(fs::read_to_string(path)?.lines().map(str::to_owned).collect())
}

fn write<'a>(path: &Path, lines: impl Iterator<Item = &'a String>) -> Result<()> {
    let lines: Vec<&str> = lines.map(String::as_str).collect();
    Ok(fs::write(path, lines.join("\n") + "\n")?)
}

fn text(output: &Output) -> String {
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}{err}")
}
