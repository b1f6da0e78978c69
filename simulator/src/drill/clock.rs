//! The wall clock set back and forth by an hour while orders are placed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use acceptance_tests::crowd::Outcome;
use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::findings::{Findings, NotHere};
use super::ground::Ground;
use super::scene::Scene;

const SHOPPERS: u64 = 16;
const BACK_WITHIN: Duration = Duration::from_mins(1);
/// By how many seconds the clock of the server may differ from what was set.
const CLOCK_EXACT: u64 = 30;
/// From the true time.
const JUMPS: [&str; 6] = [AHEAD, "-3600", AHEAD, "+0", "-86400", "+0"];
const AHEAD: &str = "+3600";

/// Runs the server with a clock that the drill sets.
pub(super) async fn run(ground: &Ground, findings: &mut Findings) -> Result<()> {
    let library = library()?;
    let folder = TempDir::new()?;
    let setting = folder.path().join("clock");
    std::fs::write(&setting, "+0\n")?;
    let launch = ground
        .on_file()?
        .variable("LD_PRELOAD", text(&library)?)
        .variable("FAKETIME_TIMESTAMP_FILE", text(&setting)?)
        .variable("FAKETIME_NO_CACHE", "1")
        .variable("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let mut scene = Scene::open(ground, launch).await?;
    let rounds = ground.count(1, 5);
    let mut moved = 0;
    for _ in 0..rounds {
        for jump in JUMPS {
            ground.say(&format!("the clock says {jump} s"));
            let mut burst = scene.burst(SHOPPERS);
            burst.answered(60).await?;
            std::fs::write(&setting, format!("{jump}\n"))?;
            // An answer's date is not set back before that moment has come again, so it shows leaps
            // ahead only.
            if jump == AHEAD {
                moved += u64::from(reads(&scene, jump).await?);
            }
            let before = burst.so_far();
            burst.answered(before + 60).await?;
            scene.tries.extend(burst.stop().await?);
            scene.until_acknowledged(BACK_WITHIN).await?;
        }
    }
    std::fs::write(&setting, "+0\n")?;
    findings.note("jumps", rounds * JUMPS.len() as u64);
    findings.at_least("leaps ahead that the date of an answer shows", moved, rounds);
    let unknown = scene.tries.iter().filter(|attempt| matches!(attempt.outcome, Outcome::Unknown));
    findings.zero("outcomes unknown", i128::try_from(unknown.count())?);
    scene.reckon(ground, findings).await?;
    Ok(())
}

/// Whether the server's clock is that far from the true one.
async fn reads(scene: &Scene, jump: &str) -> Result<bool> {
    let answer = scene.shop.get("/health/live").await?;
    let date = answer.header("date").context("an answer without a date")?;
    let date = jiff::fmt::rfc2822::parse(date)?.timestamp().as_second();
    let truth = jiff::Timestamp::now().as_second();
    Ok(date.abs_diff(truth + jump.parse::<i64>()?) <= CLOCK_EXACT)
}

/// The library that answers for the clock.
fn library() -> Result<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let candidates = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    let found = candidates.into_iter().find(|path| path.is_file());
    found.ok_or_else(|| NotHere("libfaketime is not installed".to_owned()).into())
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no text")
}
