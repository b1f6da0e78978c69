//! The flags of `drill`.

use std::path::PathBuf;

use acceptance_tests::server::Store;
use clap::{Args, ValueEnum};

use super::catalogue::Drill;

/// `drill`: faults against the real binary and real servers, each with a verdict.
///
/// Servers are started for each drill and thrown away; PostgreSQL and Redis must be installed. A
/// fault that this machine cannot inject is reported as not run.
#[derive(Debug, Args)]
pub struct DrillArgs {
    /// Names of drills, or `all`.
    #[arg(required = true, value_name = "NAME", value_parser = parse)]
    pub(super) drills: Vec<Chosen>,
    /// Run the short version of each.
    #[arg(long)]
    pub(super) short: bool,
    /// How often a fault is injected, or for how many seconds it lasts [default: each drill has
    /// its own; `--short` has a smaller one].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(super) count: Option<u64>,
    /// Run only on this store, where a drill has both.
    #[arg(long)]
    pub(super) store: Option<On>,
    /// The millrace binary [default: beside this program].
    #[arg(long, value_name = "FILE", env = "MILLRACE_BIN")]
    pub(super) millrace: Option<PathBuf>,
    /// Keep what clients asked and heard in this folder, a file for each shop; `check` judges them
    /// again.
    #[arg(long, value_name = "FOLDER")]
    pub(super) histories: Option<PathBuf>,
    /// Write the scorecard here as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Write the scorecard here as a page.
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
}

/// A store by its name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum On {
    Sqlite,
    Postgres,
}

impl From<On> for Store {
    fn from(on: On) -> Self {
        match on {
            On::Sqlite => Self::Sqlite,
            On::Postgres => Self::Postgres,
        }
    }
}

/// One drill, or every one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Chosen {
    All,
    One(Drill),
}

fn parse(text: &str) -> Result<Chosen, String> {
    if text == "all" {
        return Ok(Chosen::All);
    }
    let is_meant = |drill: &&Drill| drill.sheet().name == text;
    Drill::ALL.iter().find(is_meant).copied().map(Chosen::One).ok_or_else(|| {
        let names: Vec<&str> = Drill::ALL.iter().map(|drill| drill.sheet().name).collect();
        format!("there are: all, {}", names.join(", "))
    })
}

impl DrillArgs {
    /// The drills to run, each once, in the order of the catalogue.
    pub(super) fn chosen(&self) -> Vec<Drill> {
        let wanted = |drill: &Drill| {
            self.drills.iter().any(|chosen| match chosen {
                Chosen::All => true,
                Chosen::One(one) => one == drill,
            })
        };
        Drill::ALL.iter().copied().filter(wanted).collect()
    }
}
