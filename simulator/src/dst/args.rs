//! The command `dst`: its flags, and what it says.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use super::campaign::{self, Course, Harvest};
use super::diary::Run;
use super::options::Options;
use super::shell;

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
    /// Run real actors on paused time instead of their logic under a scheduler
    #[arg(long)]
    shell: bool,
}

impl DstArgs {
    /// How a seed is run.
    fn world(&self) -> fn(u64, usize) -> Run {
        if self.shell { shell::seed } else { campaign::seed }
    }
}

/// Runs the campaign; whether every promise was kept.
///
/// # Errors
///
/// When the result cannot be written.
pub fn run(args: &DstArgs) -> anyhow::Result<bool> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let harvest = campaign::run(&Course {
        from: args.from,
        seeds: args.seeds,
        within: args.seconds.map(Duration::from_secs),
        workers: args.workers.unwrap_or(cores),
        twice_every: args.twice_every,
        world: args.world(),
    });
    tell(&mut io::stdout().lock(), &harvest, args).context("cannot write the result")?;
    let saw_all = harvest.sights.counts().all(|(_, count)| 0 < count);
    Ok(harvest.failed.is_empty() && harvest.differed.is_empty() && (saw_all || !args.must_see_all))
}

fn tell(out: &mut impl Write, harvest: &Harvest, args: &DstArgs) -> io::Result<()> {
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
    for (seed, sentence) in harvest.failed.iter().take(TOLD_MAX) {
        writeln!(out, "\nseed {seed} broke a promise: {sentence}")?;
        tell_steps(out, *seed, args)?;
    }
    for seed in &harvest.differed {
        writeln!(out, "\nseed {seed} ran in two ways")?;
    }
    for (seed, sentence) in harvest.failed.iter().skip(TOLD_MAX) {
        writeln!(out, "seed {seed} broke a promise: {sentence}")?;
    }
    let failed = harvest.failed.len();
    writeln!(out, "\n{} seeds, {failed} broke a promise", harvest.seeds)
}

/// The world of a seed and the last steps before its promise was broken, with the command that shows
/// them again.
fn tell_steps(out: &mut impl Write, seed: u64, args: &DstArgs) -> io::Result<()> {
    let (steps, tier) = (args.tell, if args.shell { " --shell" } else { "" });
    writeln!(out, "{:?}", Options::of(seed))?;
    let run = std::panic::catch_unwind(|| args.world()(seed, steps));
    for line in run.map(|run| run.told).unwrap_or_default() {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "again: millrace-sim dst{tier} --from {seed} --seeds 1 --tell {steps}")
}
