//! The command `planted`: plants one bug after the other, and looks how soon the simulation finds it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use engine::planted::{Bug, plant};
use serde::Serialize;
use tokio::time::Instant;

use super::books::Violation;
use super::case::{Case, KeptCase, runs};
use super::diary::Runs;
use super::shrink::shrink;
use crate::report::file::save;
use crate::report::json;

/// How long a case may be shrunk.
const SHRINK_WITHIN: Duration = Duration::from_secs(30);

/// Flags of `planted`.
#[derive(Debug, Args)]
pub struct PlantedArgs {
    /// Give a bug up after so many seconds
    #[arg(long, default_value_t = 60)]
    seconds_each: u64,
    /// Plant this bug only; may be given more than once
    #[arg(long, value_name = "NAME", value_parser = bug)]
    only: Vec<Bug>,
    /// The first seed for each
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Bugs at once, each in one thread; as many as there are cores when absent
    #[arg(long)]
    workers: Option<usize>,
    /// Write the table here as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Shrink what was found, and keep the cases in this folder
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// Look for them with real actors on paused time instead of their logic under a scheduler
    #[arg(long)]
    shell: bool,
}

fn bug(name: &str) -> Result<Bug, String> {
    Bug::named(name).ok_or_else(|| "no bug has that name".to_owned())
}

/// How soon a bug was found, or that it was not.
struct Finding {
    bug: Bug,
    /// Seeds that were run, the one included that ended it.
    seeds: u64,
    took: Duration,
    end: End,
}

/// How the hunt for a bug ended.
enum End {
    /// No seed broke a promise in time.
    NotFound,
    /// This seed broke a promise because of it.
    Found(u64, Violation),
    /// This seed broke a promise, and breaks this one without it: somebody else is to blame.
    Innocent(u64, Violation),
}

impl Finding {
    /// The seed that found it, and the promise that it broke.
    const fn found(&self) -> Option<(u64, &Violation)> {
        match &self.end {
            End::Found(seed, violation) => Some((*seed, violation)),
            End::NotFound | End::Innocent(..) => None,
        }
    }
}

/// Looks for one bug in seed after seed. What is found must be gone together with the bug.
fn hunt(bug: Bug, runs: Runs, from: u64, within: Duration) -> Finding {
    let began = Instant::now();
    let mut seeds = 0_u64;
    let end = loop {
        if within <= began.elapsed() {
            break End::NotFound;
        }
        let seed = from.saturating_add(seeds);
        seeds = seeds.saturating_add(1);
        let case = Case::of(seed);
        plant(Some(bug));
        let violation = runs(&case, 0).violation;
        plant(None);
        if let Some(violation) = violation {
            break runs(&case, 0)
                .violation
                .map_or(End::Found(seed, violation), |without| End::Innocent(seed, without));
        }
    };
    Finding { bug, seeds, took: began.elapsed(), end }
}

/// Runs the table; whether every bug was found.
///
/// # Errors
///
/// When the result cannot be written.
pub fn run(args: &PlantedArgs) -> anyhow::Result<bool> {
    let bugs = if args.only.is_empty() { Bug::ALL } else { &args.only };
    let findings = hunt_all(bugs, args);
    tell(&mut io::stdout().lock(), &findings).context("cannot write the result")?;
    if let Some(path) = &args.json {
        let rows: Vec<Row<'_>> = findings.iter().map(Row::of).collect();
        save(path, &json::render(&rows)?)?;
    }
    if let Some(folder) = &args.save {
        for finding in &findings {
            let Some((seed, violation)) = finding.found() else { continue };
            let kept = keep(finding.bug, seed, violation, args.shell);
            let path = kept.save(folder)?;
            let acts = kept.case.plan.len();
            writeln!(io::stdout(), "{}: {acts} acts", path.display())?;
        }
    }
    Ok(findings.iter().all(|finding| finding.found().is_some()))
}

fn hunt_all(bugs: &[Bug], args: &PlantedArgs) -> Vec<Finding> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let within = Duration::from_secs(args.seconds_each);
    let next = AtomicUsize::new(0);
    let work = || {
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let mine = numbers.map_while(|number| bugs.get(number).copied());
        mine.map(|bug| hunt(bug, runs(args.shell), args.from, within)).collect::<Vec<_>>()
    };
    let mut findings = Vec::new();
    std::thread::scope(|scope| {
        let workers = args.workers.unwrap_or(cores).max(1);
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            // A world catches its own panics, so a worker has none.
            findings.extend(worker.join().unwrap_or_default());
        }
    });
    findings.sort_by_key(|finding| finding.bug);
    findings
}

fn keep(bug: Bug, seed: u64, violation: &Violation, shell: bool) -> KeptCase {
    plant(Some(bug));
    let until = Instant::now() + SHRINK_WITHIN;
    let shrunk = shrink(Case::of(seed), violation.promise, runs(shell), until);
    plant(None);
    KeptCase {
        why: bug.sentence().to_owned(),
        promise: violation.promise.to_owned(),
        planted: Some(bug.name().to_owned()),
        shell,
        case: shrunk.case,
    }
}

/// A line of the table, for machines.
#[derive(Serialize)]
struct Row<'a> {
    bug: &'static str,
    what: &'static str,
    seeds: u64,
    seconds: f64,
    /// Absent when it was not found.
    seed: Option<u64>,
    promise: Option<&'a str>,
    sentence: Option<&'a str>,
}

impl<'a> Row<'a> {
    fn of(finding: &'a Finding) -> Self {
        let (seed, violation) = finding.found().unzip();
        Self {
            bug: finding.bug.name(),
            what: finding.bug.sentence(),
            seeds: finding.seeds,
            seconds: finding.took.as_secs_f64(),
            seed,
            promise: violation.map(|violation| violation.promise),
            sentence: violation.map(|violation| violation.sentence.as_str()),
        }
    }
}

fn tell(out: &mut impl Write, findings: &[Finding]) -> io::Result<()> {
    writeln!(out, "{:<22}{:>8}{:>10}  found by", "bug", "seeds", "seconds")?;
    for finding in findings {
        let (name, seeds, seconds) =
            (finding.bug.name(), finding.seeds, finding.took.as_secs_f64());
        let by = match &finding.end {
            End::Found(_, violation) => violation.to_string(),
            End::NotFound => format!("NOT FOUND: {}", finding.bug.sentence()),
            End::Innocent(seed, violation) => {
                format!("NOT FOUND: seed {seed} breaks a promise without it: {violation}")
            }
        };
        let short: String = by.chars().take(100).collect();
        writeln!(out, "{name:<22}{seeds:>8}{seconds:>10.2}  {short}")?;
    }
    let mut seeds: Vec<u64> =
        findings.iter().filter(|one| one.found().is_some()).map(|one| one.seeds).collect();
    seeds.sort_unstable();
    let median = seeds.get(seeds.len() / 2).copied().unwrap_or_default();
    let planted = findings.len();
    writeln!(out, "\n{} of {planted} bugs found, half of them within {median} seeds", seeds.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_found(bug: Bug, runs: Runs) {
        let finding = hunt(bug, runs, 0, Duration::from_mins(1));
        assert!(finding.found().is_some(), "{} in {} seeds", bug.name(), finding.seeds);
    }

    #[test]
    fn bugs_of_every_layer_are_found_soon() {
        for bug in [
            Bug::Oversells,
            Bug::IgnoresFingerprint,
            Bug::SellsUnpaid,
            Bug::AnswersEarly,
            Bug::UnknownIsSuccess,
            Bug::TearsBatch,
        ] {
            is_found(bug, runs(false));
        }
    }

    #[test]
    fn a_bug_is_planted_in_real_actors_too() {
        is_found(Bug::AnswersEarly, runs(true));
    }

    #[test]
    fn a_bug_is_not_found_by_a_promise_that_is_broken_without_it() {
        let broken: Runs = |case, tells| {
            let mut run = runs(false)(case, tells);
            run.violation = Some(Violation::new("R1", "always".to_owned()));
            run
        };
        let finding = hunt(Bug::Oversells, broken, 3, Duration::from_mins(1));
        assert!(matches!(finding.end, End::Innocent(3, _)), "taken for the bug");
        let mut table = Vec::new();
        tell(&mut table, &[finding]).unwrap();
        let table = String::from_utf8(table).unwrap();
        assert!(table.contains("seed 3 breaks a promise without it: R1"), "{table}");
        assert!(table.contains("0 of 1 bugs found"), "{table}");
    }

    #[test]
    fn every_bug_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = Bug::ALL.iter().map(|bug| bug.name()).collect();
        assert_eq!(names.len(), Bug::ALL.len());
        for bug in Bug::ALL {
            assert_eq!(super::bug(bug.name()), Ok(*bug));
        }
    }
}
