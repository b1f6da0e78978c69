//! One byte of a stopped shop's file is changed, again and again: that is found, refused, or without
//! effect, and never a wrong answer.
//!
//! `MILLRACE_TEST_FLIPS` says how many bytes, `MILLRACE_TEST_SEED` which ones.

mod files;
mod questions;

use std::fmt;

use acceptance_tests::figures;
use acceptance_tests::server::{Launch, Server, Store};
use anyhow::{Context as _, Result, ensure};

use files::{Flip, Pristine};
use questions::{Answers, Heard};

/// Few enough for every run of the suite.
const FLIPS: u64 = 20;
/// Each stock of the drill has several snapshots, and a tail behind the last.
const SNAPSHOT_EVERY: &str = "16";

#[tokio::test]
async fn a_changed_byte_of_the_journal_or_a_snapshot_never_changes_an_answer() -> Result<()> {
    let seed = number("MILLRACE_TEST_SEED")?.unwrap_or_else(|| u64::from(std::process::id()));
    let flips = number("MILLRACE_TEST_FLIPS")?.unwrap_or(FLIPS);
    let launch = Launch::demo(Store::Sqlite).await?;
    let launch = launch.variable("MILLRACE_SNAPSHOT_EVERY", SNAPSHOT_EVERY);
    let mut server = launch.start().await?;
    let asked = questions::day(&server.shop()?).await?;
    let expected = Answers::of(&server.shop()?, &asked).await?.whole()?;
    let status = server.terminate().await?;
    ensure!(status.success(), "left with {status}");
    let pristine = Pristine::of(&server.launch().data()).await?;
    ensure!(pristine.snapshots() > 0, "no snapshot was ever taken");

    let mut count = Count::default();
    let mut wrong = Vec::new();
    for number in 0..flips {
        let flip = pristine.flip(seed, number);
        pristine.put(&server.launch().data(), Some(&flip))?;
        let found = found_by_verify(&server).await.with_context(|| format!("{flip}"))?;
        pristine.put(&server.launch().data(), Some(&flip))?;
        let heard = ask(&mut server, &asked, &expected).await.with_context(|| format!("{flip}"))?;
        count.add(&flip, found, &heard);
        if let Heard::Wrong(words) = heard {
            wrong.push(format!("{flip}: {words}"));
        }
    }
    figures::report("flips", &format!("store=sqlite seed={seed} flips={flips} {count}"))?;
    ensure!(wrong.is_empty(), "wrong answers with seed {seed}:\n{}", wrong.join("\n"));
    Ok(())
}

/// What came of the flips.
#[derive(Default)]
struct Count {
    in_snapshots: u64,
    found: u64,
    refused: u64,
    harmless: u64,
    wrong: u64,
}

impl Count {
    fn add(&mut self, flip: &Flip, found: bool, heard: &Heard) {
        self.in_snapshots += u64::from(flip.is_in_snapshots());
        match heard {
            Heard::Wrong(_) => self.wrong += 1,
            Heard::Same if !found => self.harmless += 1,
            _ if found => self.found += 1,
            _ => self.refused += 1,
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { in_snapshots, found, refused, harmless, wrong } = self;
        write!(
            f,
            "in_snapshots={in_snapshots} found_by_verify={found} refused_by_server={refused} \
             harmless={harmless} wrong={wrong}"
        )
    }
}

/// Whether `millrace verify` says that something is wrong. It must not break itself.
async fn found_by_verify(server: &Server) -> Result<bool> {
    let output = server.launch().audit().await?;
    match output.status.code() {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => {
            anyhow::bail!("verify: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr))
        }
    }
}

/// Starts the server on the changed file and asks everything again.
async fn ask(server: &mut Server, asked: &questions::Asked, expected: &Answers) -> Result<Heard> {
    if !server.start_or_refuse().await? {
        return Ok(Heard::Refused);
    }
    let heard = expected.heard_again(&server.shop()?, asked).await;
    if server.ended().is_none() {
        server.kill().await?;
    }
    heard
}

fn number(variable: &str) -> Result<Option<u64>> {
    let text = std::env::var(variable).ok();
    text.map(|text| text.parse().with_context(|| format!("{variable}={text}"))).transpose()
}
