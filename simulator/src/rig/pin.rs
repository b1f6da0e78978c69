//! Cores of their own for a server and for its load, so that neither measures the other.

use std::path::Path;
use std::process::{Command, Stdio};

/// The cores of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cores {
    /// The one that the server has.
    pub(crate) server: usize,
    /// The one that this process has.
    pub(crate) generator: usize,
}

impl Cores {
    /// The first two that this process may use; `None` when there are not two.
    pub(crate) fn apart() -> Option<Self> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
        Self::of(line.trim())
    }

    fn of(list: &str) -> Option<Self> {
        let ranges = list.split(',').filter_map(|part| {
            let (first, end) = part.split_once('-').unwrap_or((part, part));
            Some(first.parse::<usize>().ok()?..=end.parse::<usize>().ok()?)
        });
        let mut cores = ranges.flatten();
        Some(Self { server: cores.next()?, generator: cores.next()? })
    }
}

/// A program that runs on one core from its first instruction on.
pub(crate) fn on_core(core: usize, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &core.to_string()]).arg(program);
    command
}

/// Moves this process and the threads that it will have to one core; whether that worked.
pub(crate) fn keep_to(core: usize) -> bool {
    let myself = std::process::id().to_string();
    let mut command = Command::new("taskset");
    command.args(["--all-tasks", "--cpu-list", "--pid", &core.to_string(), &myself]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_two_cores_are_found_in_any_list() {
        let two = |list| Cores::of(list).map(|cores| (cores.server, cores.generator));
        assert_eq!(two("0-1"), Some((0, 1)));
        assert_eq!(two("3,7-9"), Some((3, 7)));
        assert_eq!(two("2"), None);
        assert_eq!(two(""), None);
    }
}
