//! The short version of every drill, run as anybody would: by the `millrace-sim` binary.
//!
//! A fault that the machine cannot inject fails the test of a drill that needs no special rights.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use acceptance_tests::figures;
use acceptance_tests::processes::binary;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

/// The longest short version on a busy machine.
const ENDED_WITHIN: Duration = Duration::from_mins(4);
/// Beside `PATH`, what the drills and their servers are given of the environment.
const PASSED_ON: &[&str] =
    &["PATH", "LLVM_PROFILE_FILE", "RUST_BACKTRACE", "MILLRACE_BIN", "MILLRACE_TEST_REDIS_BIN"];

/// Runs one drill and gives its row of the scorecard.
async fn row(drill: &str, flags: &[&str]) -> Result<Value> {
    let folder = TempDir::new()?;
    let (json, html) = (folder.path().join("card.json"), folder.path().join("card.html"));
    let mut command = Command::new(binary("MILLRACE_SIM_BIN", "millrace-sim")?);
    command.args(["drill", drill, "--short"]).args(flags).env_clear().current_dir(folder.path());
    command.arg("--json").arg(&json).arg("--html").arg(&html);
    command.envs(PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    let running = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = timeout(ENDED_WITHIN, running).await.context("the drill did not end")??;
    let told = String::from_utf8_lossy(&output.stdout);
    ensure!(json.is_file(), "no scorecard:\n{told}{}", String::from_utf8_lossy(&output.stderr));
    let card: Value = serde_json::from_slice(&std::fs::read(&json)?)?;
    let row = card.pointer("/rows/0").with_context(|| format!("no row in {card}"))?;
    ensure!(shows(&html, drill)?, "the page does not show {drill}");
    let passed = row.get("verdict").and_then(Value::as_str) == Some("passed");
    ensure!(passed == output.status.success(), "{} does not agree with {told}", output.status);
    Ok(row.clone())
}

fn shows(page: &Path, drill: &str) -> Result<bool> {
    let page = std::fs::read_to_string(page)?;
    Ok(page.starts_with("<!doctype html>") && page.contains(&format!("<h2 id=\"{drill}\">")))
}

/// The drill must be run and pass.
async fn passes(drill: &str, flags: &[&str]) -> Result<()> {
    let row = row(drill, flags).await?;
    let verdict = row.get("verdict").and_then(Value::as_str).unwrap_or_default();
    ensure!(verdict == "passed", "{drill}: {verdict}\n{row:#}");
    report(drill, &row)
}

/// The drill must pass, unless this machine cannot inject its fault: that is told, and no failure.
async fn passes_where_possible(drill: &str) -> Result<()> {
    let row = row(drill, &[]).await?;
    let verdict = row.get("verdict").and_then(Value::as_str).unwrap_or_default();
    ensure!(matches!(verdict, "passed" | "not_run"), "{drill}: {verdict}\n{row:#}");
    if verdict == "not_run" {
        let reason = row.get("reason").and_then(Value::as_str).unwrap_or_default();
        return figures::report(drill, &format!("not run: {reason}"));
    }
    report(drill, &row)
}

/// What was counted, on one line.
fn report(drill: &str, row: &Value) -> Result<()> {
    let figures = row.get("figures").and_then(Value::as_array).context("no figures")?;
    let text = |figure: &Value, field: &str| {
        figure.get(field).and_then(Value::as_str).unwrap_or_default().replace(' ', "_")
    };
    let told: Vec<String> = figures
        .iter()
        .map(|figure| (text(figure, "name"), text(figure, "value")))
        .filter(|(name, value)| value != "0" && !name.contains("kills_at"))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    figures::report(drill, &told.join(" "))
}

/// Tests of one module: a sentence, and the drill that must show it.
macro_rules! drills {
    ($($sentence:ident: $how:ident($($argument:expr),+);)+) => {
        $(
            #[tokio::test]
            async fn $sentence() -> Result<()> {
                $how($($argument),+).await
            }
        )+
    };
}

mod sqlite {
    use super::*;

    const HERE: &[&str] = &["--store", "sqlite"];

    drills! {
        kill_nine_at_every_crash_point_loses_nothing: passes("crash-points", HERE);
        kill_nine_in_the_middle_of_bursts_loses_nothing: passes("kills", HERE);
        a_long_journal_does_not_delay_a_start: passes("recovery", HERE);
        a_provider_that_fails_is_waited_for_and_paid_once: passes("provider", &[]);
        a_loss_of_power_takes_nothing_that_was_acknowledged: passes_where_possible("power-loss");
        a_full_disk_gives_definite_answers_and_heals_by_itself: passes_where_possible("disk-full");
        a_disk_that_gives_up_loses_nothing: passes_where_possible("disk-given-up");
        a_failing_sync_ends_the_process_and_loses_nothing: passes_where_possible("disk-sync");
        a_slow_disk_keeps_nobody_beyond_the_deadline: passes_where_possible("disk-slow");
        a_clock_that_jumps_loses_nothing: passes_where_possible("clock");
        a_poisoned_stock_harms_nobody_else: passes("poison", &[]);
        a_hot_key_refuses_nobody_else: passes("hot-key", &[]);
        connections_that_nobody_reads_are_closed: passes("slow-readers", &[]);
    }
}

mod postgres {
    use super::*;

    const HERE: &[&str] = &["--store", "postgres"];

    drills! {
        kill_nine_at_every_crash_point_loses_nothing: passes("crash-points", HERE);
        kill_nine_in_the_middle_of_bursts_loses_nothing: passes("kills", HERE);
        a_cut_around_the_commit_neither_loses_nor_doubles_an_order: passes("commit-cuts", &[]);
        a_database_that_is_down_gives_definite_answers_and_heals_by_itself: passes("database-down", &[]);
        a_database_that_is_frozen_keeps_nobody_beyond_the_deadline: passes("database-frozen", &[]);
        a_database_that_is_slow_loses_nothing: passes("database-slow", &[]);
        a_database_that_breaks_every_session_loses_nothing: passes("failovers", &[]);
        a_long_journal_does_not_delay_a_start: passes("recovery", HERE);
        a_storm_of_repeats_is_over_soon: passes("retry-storm", &[]);
    }
}

mod redis {
    use super::*;

    drills! {
        orders_do_not_notice_that_redis_is_gone: passes("redis-down", &[]);
        orders_do_not_notice_that_redis_is_frozen: passes("redis-frozen", &[]);
        orders_do_not_notice_that_redis_was_emptied: passes("redis-flushed", &[]);
        restarts_of_redis_and_the_database_cost_nobody_else_an_order: passes("soak", &[]);
    }
}
