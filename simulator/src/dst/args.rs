//! The command `dst`: its flags, and what it says.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use tokio::time::Instant;

use super::books::Violation;
use super::campaign::{self, Course, Harvest};
use super::case::{Case, KeptCase, runs};
use super::diary::{Run, Runs};
use super::shrink::{Shrunk, shrink};

/// Seeds that are told in full when they fail.
const TOLD_MAX: usize = 3;

/// Flags of `dst`.
#[derive(Debug, Args)]
pub struct DstArgs {
    /// How many seeds
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first one
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Begin no seed after so many seconds
    #[arg(long)]
    seconds: Option<u64>,
    /// Seeds at once; as many as there are cores when absent
    #[arg(long)]
    workers: Option<usize>,
    /// One of so many seeds is run twice and must be the same; 0 for none
    #[arg(long, default_value_t = 100)]
    twice_every: u64,
    /// Steps that are told of a seed that fails
    #[arg(long, default_value_t = 40)]
    tell: usize,
    /// Fail when a rare state was never seen
    #[arg(long, conflicts_with = "shell")]
    must_see_all: bool,
    /// Make a seed that fails smaller for so many seconds; 0 for not at all
    #[arg(long, default_value_t = 30)]
    shrink_seconds: u64,
    /// Keep what is left of seeds that fail in this folder
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// Run a kept case instead of seeds, in the kind of world that it was kept for; may be given more
    /// than once
    #[arg(long = "case", value_name = "FILE")]
    cases: Vec<PathBuf>,
    /// Run real actors on paused time instead of their logic under a scheduler
    #[arg(long, conflicts_with = "cases")]
    shell: bool,
}

impl DstArgs {
    /// In what kind of world a case is run.
    fn runs(&self) -> Runs {
        runs(self.shell)
    }
}

/// Runs the campaign; whether every promise was kept.
///
/// # Errors
///
/// When the result cannot be written.
pub fn run(args: &DstArgs) -> anyhow::Result<bool> {
    if !args.cases.is_empty() {
        return run_cases(args);
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let harvest = campaign::run(&Course {
        from: args.from,
        seeds: args.seeds,
        within: args.seconds.map(Duration::from_secs),
        workers: args.workers.unwrap_or(cores),
        twice_every: args.twice_every,
        runs: args.runs(),
    });
    tell(&mut io::stdout().lock(), &harvest, args)?;
    let saw_all = harvest.sights.counts().all(|(_, count)| 0 < count);
    Ok(harvest.failed.is_empty() && harvest.differed.is_empty() && (saw_all || !args.must_see_all))
}

fn tell(out: &mut impl Write, harvest: &Harvest, args: &DstArgs) -> anyhow::Result<()> {
    let seconds = harvest.took.as_secs_f64().max(0.001);
    let whole = |number: f64| format!("{number:.0}");
    #[expect(clippy::cast_precision_loss, reason = "rates show magnitudes")]
    let (seeds, steps) = (harvest.seeds as f64, harvest.steps as f64);
    writeln!(out, "seeds           {:>12}  from {}", harvest.seeds, args.from)?;
    writeln!(out, "seeds a minute  {:>12}", whole(seeds / seconds * 60.0))?;
    writeln!(out, "steps a seed    {:>12}", whole(steps / seeds.max(1.0)))?;
    writeln!(out, "steps a second  {:>12}", whole(steps / seconds))?;
    writeln!(out, "virtual hours   {:>12}", harvest.span / 3_600_000_000)?;
    writeln!(out, "run twice       {:>12}  differed {}", harvest.compared, harvest.differed.len())?;
    writeln!(out, "trace       {:016x}", harvest.trace)?;
    writeln!(out, "\nseen:")?;
    // Of what only the logic alone shows, real actors say nothing.
    let shown = |(_, count): &(_, u64)| !args.shell || 0 < *count;
    for (sight, count) in harvest.sights.counts().filter(shown) {
        writeln!(out, "{count:>12}  {}", sight.words())?;
    }
    for (seed, violation) in harvest.failed.iter().take(TOLD_MAX) {
        tell_failure(out, *seed, violation, args)?;
    }
    for seed in &harvest.differed {
        writeln!(out, "\nseed {seed} ran in two ways")?;
    }
    for (seed, violation) in harvest.failed.iter().skip(TOLD_MAX) {
        writeln!(out, "seed {seed} broke a promise: {violation}")?;
    }
    let failed = harvest.failed.len();
    writeln!(out, "\n{} seeds, {failed} broke a promise", harvest.seeds)?;
    Ok(())
}

/// What is left of a seed that failed when it is made smaller, its last steps, and the commands that
/// show both again.
fn tell_failure(
    out: &mut impl Write,
    seed: u64,
    violation: &Violation,
    args: &DstArgs,
) -> anyhow::Result<()> {
    let (steps, tier) = (args.tell, if args.shell { " --shell" } else { "" });
    writeln!(out, "\nseed {seed} broke a promise: {violation}")?;
    writeln!(out, "again: millrace-sim dst{tier} --from {seed} --seeds 1 --tell {steps}")?;
    let whole = Case::of(seed);
    let acts = whole.plan.len();
    let until = Instant::now() + Duration::from_secs(args.shrink_seconds);
    let Shrunk { case, runs } = shrink(whole, violation.promise, args.runs(), until);
    let run = (args.runs())(&case, steps);
    let (left, lasted) = (case.plan.len(), run.steps);
    writeln!(out, "smaller after {runs} runs: {left} of {acts} acts, {lasted} steps")?;
    tell_steps(out, &case, &run)?;
    if let Some(folder) = &args.save {
        let promise = violation.promise.to_owned();
        let (why, shell) = (violation.sentence.clone(), args.shell);
        let kept = KeptCase { why, promise, planted: None, shell, case };
        let path = kept.save(folder)?;
        writeln!(out, "again: millrace-sim dst --case {} --tell {steps}", path.display())?;
    }
    Ok(())
}

fn tell_steps(out: &mut impl Write, case: &Case, run: &Run) -> io::Result<()> {
    writeln!(out, "{:?}", case.options)?;
    for line in &run.told {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Runs kept cases, each with its bug where this build can plant it.
fn run_cases(args: &DstArgs) -> anyhow::Result<bool> {
    let mut out = io::stdout().lock();
    let mut all_kept = true;
    for path in &args.cases {
        let kept = KeptCase::read(path)?;
        let planted = kept.plant();
        let run = kept.runs()(&kept.case, args.tell);
        tell_steps(&mut out, &kept.case, &run)?;
        let verdict = run.violation.as_ref().map_or_else(
            || "every promise was kept".to_owned(),
            |violation| format!("a promise was broken: {violation}"),
        );
        let with = planted.map_or_else(String::new, |bug| format!(" with {bug} planted"));
        writeln!(out, "{}{with}: {verdict}", path.display()).context("cannot write the result")?;
        all_kept &= run.violation.is_none();
    }
    Ok(all_kept)
}
