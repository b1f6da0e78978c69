//! The whole comparison: how it was made, its rows, what was not run, and the goals.

use serde::Serialize;

use super::goals::Goal;
use super::plan::Scenario;
use super::row::Row;

/// What everything was measured with.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Setup {
    /// Version of this tool.
    pub(super) version: &'static str,
    /// Cores that this process may use.
    pub(super) cores: usize,
    /// File system under the data of the rows on `SQLite`.
    pub(super) file_system: Option<String>,
    /// Median time of a forced 4 KiB write there before the run, in microseconds.
    pub(super) forced_write_us: u64,
    /// Version of Postgres.
    pub(super) postgres: Option<String>,
    /// Connections of the generator.
    pub(super) connections: u16,
    /// Length of each measurement.
    pub(super) seconds: u64,
    /// Built with optimisation.
    pub(super) optimised: bool,
}

/// Something that is missing from the table, and why.
#[derive(Clone, Debug, Serialize)]
pub(super) struct NotRun {
    /// What.
    pub(super) what: String,
    /// Why.
    pub(super) reason: String,
}

/// The comparison.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    /// Changes when a field changes its meaning.
    pub(super) schema: &'static str,
    /// How it was made.
    pub(super) setup: Setup,
    /// One for each side in each scenario.
    pub(super) rows: Vec<Row>,
    /// What is missing.
    pub(super) not_run: Vec<NotRun>,
    /// What the figures should be.
    pub(super) goals: Vec<Goal>,
    /// Whether every row counts. Goals that are missed do not change it.
    pub(super) passed: bool,
}

impl Report {
    /// The scenarios in the order in which they were run, each once.
    pub(super) fn scenarios(&self) -> Vec<Scenario> {
        let mut seen: Vec<Scenario> = Vec::new();
        for row in &self.rows {
            if !seen.contains(&row.scenario) {
                seen.push(row.scenario);
            }
        }
        seen
    }

    /// What a reader must know to read the figures, one sentence each.
    pub(super) fn remarks(&self) -> Vec<String> {
        let setup = &self.setup;
        let mut remarks = vec![
            "CPU in µs per checkout, counted by the kernel: server, Postgres with all its \
             processes, load generator; all share the same cores."
                .to_owned(),
            "B stored: growth of the database or of the data folder. B written: write-ahead log \
             of Postgres, or what the server handed to the disk; both begin after a checkpoint."
                .to_owned(),
            "At half of the maximum rate latency counts from the intended moment; the \
             generator's timer adds up to 1 ms."
                .to_owned(),
        ];
        if self.rows.iter().any(|row| row.scenario.charge_ms > 0) {
            remarks.push(format!(
                "{} connections cannot carry more than {} orders/s when a charge takes 20 ms.",
                setup.connections,
                u32::from(setup.connections) * 50
            ));
        }
        if self.rows.iter().any(|row| row.scenario.slow_disk) {
            remarks.push(
                "Slowed disk: on SQLite strace delays each fsync of the server by 5 ms; Postgres \
                 waits 5 ms (commit_delay) under the lock of its log before each flush, which \
                 lets commits that arrive meanwhile join and so favours the peer."
                    .to_owned(),
            );
        }
        if setup.file_system.as_deref() == Some("tmpfs") {
            remarks.push(
                "The data lies in memory (tmpfs): durable writes cost nothing here.".to_owned(),
            );
        }
        if !setup.optimised {
            remarks.push("This generator was built without optimisation.".to_owned());
        }
        remarks
    }
}
