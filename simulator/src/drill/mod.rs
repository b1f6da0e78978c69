//! `drill`: one fault after the other against the real binary, each with a verdict.

mod args;
mod catalogue;
mod chronicle;
mod clock;
mod commit_cuts;
mod crash_points;
mod crowds;
mod disks;
mod failovers;
mod findings;
mod ground;
mod html;
mod kills;
mod machine;
mod outages;
mod poison;
mod power;
mod probe;
mod provider;
mod recovery;
mod redis;
mod scene;
mod scorecard;
mod sheets;
mod slow_database;
mod soak;
mod text;
mod windows;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use tokio::process::Command;
use tokio::time::Instant;

pub use self::args::DrillArgs;
use self::catalogue::Drill;
use self::findings::{Figure, Findings, NotHere};
use self::ground::Ground;
use self::scorecard::{Row, Scorecard, Verdict};
use crate::report::file::save;
use crate::report::{TOOL, json};

/// Runs the chosen drills; the answer is whether something was seen to hold and nothing to break.
///
/// # Errors
/// A missing binary, or a result that cannot be written.
pub async fn run(args: &DrillArgs) -> anyhow::Result<bool> {
    let millrace = program(args.millrace.as_deref())?;
    let server = version(&millrace).await?;
    let ground = Ground::of(args, millrace)?;
    let mut rows = Vec::new();
    for drill in args.chosen() {
        let row = Box::pin(judge(drill, &ground)).await;
        write!(std::io::stdout(), "{}", text::row(&row)).context("cannot write the verdict")?;
        rows.push(row);
    }
    let card = Scorecard::of(TOOL, server, args.short, rows);
    write!(std::io::stdout(), "{}", text::total(&card)).context("cannot write the total")?;
    if let Some(path) = &args.json {
        save(path, &json::render(&card)?)?;
    }
    if let Some(path) = &args.html {
        save(path, &html::render(&card))?;
    }
    Ok(card.is_good())
}

async fn judge(drill: Drill, ground: &Ground) -> Row {
    let (sheet, began) = (drill.sheet(), Instant::now());
    ground.begin(sheet.name);
    let mut findings = Findings::default();
    let ended = Box::pin(drill.run(ground, &mut findings)).await;
    ground.clear();
    let (figures, reason) = (findings.into_figures(), ended.err());
    let verdict = verdict(&figures, reason.as_ref());
    let reason = reason.map(|error| format!("{error:#}"));
    let log = if verdict == Verdict::Failed { ground.take_log() } else { String::new() };
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Row { sheet, verdict, reason, figures, log, took_ms }
}

/// A broken promise stays one, whatever could not be injected afterwards.
fn verdict(figures: &[Figure], ended: Option<&anyhow::Error>) -> Verdict {
    let is_missing = ended.is_some_and(anyhow::Error::is::<NotHere>);
    let is_broken = figures.iter().any(|figure| !figure.met);
    match ended {
        _ if is_broken => Verdict::Failed,
        Some(_) if is_missing => Verdict::NotRun,
        Some(_) => Verdict::Failed,
        None => Verdict::Passed,
    }
}

/// The binary under test: the one that was named, or the one beside this program.
fn program(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let path = match given {
        Some(given) => std::path::absolute(given)?,
        None => std::env::current_exe().context("finding this program")?.with_file_name("millrace"),
    };
    let hint = "build it with `cargo build --workspace --all-features --bins`";
    ensure!(path.is_file(), "{} does not exist: {hint}", path.display());
    Ok(path)
}

async fn version(millrace: &Path) -> anyhow::Result<String> {
    let told = Command::new(millrace).arg("--version").output().await?;
    Ok(String::from_utf8_lossy(&told.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_promise_that_was_broken_stays_broken_when_the_rest_cannot_be_injected() {
        let judged = |lost: i128, ended: Option<anyhow::Error>| {
            let mut findings = Findings::default();
            findings.zero("lost", lost);
            verdict(&findings.into_figures(), ended.as_ref())
        };
        let missing = || Some(NotHere("no PostgreSQL".to_owned()).into());
        assert_eq!(judged(0, None), Verdict::Passed);
        assert_eq!(judged(0, missing()), Verdict::NotRun);
        assert_eq!(judged(1, missing()), Verdict::Failed);
        assert_eq!(judged(1, None), Verdict::Failed);
        assert_eq!(judged(0, Some(anyhow!("it never came back"))), Verdict::Failed);
    }
}
