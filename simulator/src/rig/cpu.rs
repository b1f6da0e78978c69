//! Processor time and memory of processes, as the kernel counts them under `/proc`.

use std::collections::BTreeMap;
use std::fs;

/// The kernel shows times in hundredths of a second on every Linux that we run on.
const MICROS_PER_TICK: u64 = 10_000;

/// What one line of `/proc/<pid>/stat` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// Name of the program, at most 15 bytes.
    pub(crate) name: String,
    /// The process that started it.
    pub(crate) parent: u32,
    /// User and system time of all its threads, in ticks.
    own: u64,
    /// The same of its children that have ended and were waited for.
    ended: u64,
}

/// Reads a line; `None` when it is not one.
pub(crate) fn parse(line: &str) -> Option<Stat> {
    // The name may hold blanks and brackets: it ends at the last bracket.
    let (head, rest) = line.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let mut fields = rest.split_ascii_whitespace().skip(1);
    let parent = fields.next()?.parse().ok()?;
    let mut times = fields.skip(9).map(str::parse::<u64>);
    let mut time = || times.next()?.ok();
    let own = time()?.checked_add(time()?)?;
    let ended = time()?.checked_add(time()?)?;
    Some(Stat { name, parent, own, ended })
}

/// The line of one process.
pub(crate) fn stat(process: u32) -> Option<Stat> {
    parse(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

/// Microseconds that one process has used, without its children; `None` when it is gone.
pub(crate) fn micros(process: u32) -> Option<u64> {
    stat(process).map(|stat| stat.own.saturating_mul(MICROS_PER_TICK))
}

/// Bytes of memory that a process has in use; `None` when it is gone.
pub(crate) fn memory(process: u32) -> Option<u64> {
    resident(&fs::read_to_string(format!("/proc/{process}/status")).ok()?)
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1_024)
}

/// Microseconds that a process and everything below it have used, ended children included.
pub(crate) fn tree_micros(root: u32) -> u64 {
    sum(root, &all()).saturating_mul(MICROS_PER_TICK)
}

/// The child of `parent` that runs `name`.
pub(crate) fn child_named(parent: u32, name: &str) -> Option<u32> {
    let shown = name.get(..15).unwrap_or(name);
    all()
        .into_iter()
        .find(|(_, stat)| stat.parent == parent && stat.name == shown)
        .map(|(process, _)| process)
}

fn all() -> BTreeMap<u32, Stat> {
    let Ok(folder) = fs::read_dir("/proc") else { return BTreeMap::new() };
    folder
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|process| Some((process, stat(process)?)))
        .collect()
}

fn sum(root: u32, all: &BTreeMap<u32, Stat>) -> u64 {
    let mut ticks = 0_u64;
    let mut open = vec![root];
    while let Some(process) = open.pop() {
        if let Some(stat) = all.get(&process) {
            ticks = ticks.saturating_add(stat.own).saturating_add(stat.ended);
        }
        let children = all.iter().filter(|(_, stat)| stat.parent == process);
        open.extend(children.map(|(child, _)| *child).filter(|child| *child != process));
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whatever_the_name_of_the_program() {
        let line = "42 (a (b) c) S 7 42 42 0 -1 4194304 100 200 0 0 311 22 1000 500 20 0 3 0 99";
        let stat = parse(line).unwrap();
        assert_eq!((stat.name.as_str(), stat.parent), ("a (b) c", 7));
        assert_eq!((stat.own, stat.ended), (333, 1_500));
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for line in ["", "42", "42 (name)", "42 (name) S x", "42 (name) S 7 1 1 0 -1 0 0 0"] {
            assert_eq!(parse(line), None, "{line:?}");
        }
    }

    #[test]
    fn resident_memory_is_read_in_bytes() {
        assert_eq!(resident("VmPeak: 9 kB\nVmRSS:\t   1024 kB\n"), Some(1_048_576));
        assert_eq!(resident("VmRSS: many kB"), None);
        assert!(memory(std::process::id()).unwrap() > 0);
    }

    #[test]
    fn a_tree_counts_children_and_those_that_have_ended() {
        let stat = |parent, own, ended| Stat { name: "p".to_owned(), parent, own, ended };
        let all = BTreeMap::from([
            (1, stat(0, 1_000, 0)),
            (10, stat(1, 5, 3)),
            (11, stat(10, 7, 0)),
            (12, stat(11, 2, 1)),
            (20, stat(1, 100, 0)),
        ]);
        assert_eq!(sum(10, &all), 18);
        assert_eq!(sum(99, &all), 0);
    }

    #[test]
    fn this_process_is_found_and_never_runs_backwards() {
        let me = std::process::id();
        let before = micros(me).unwrap();
        assert!(micros(me).unwrap() >= before);
        assert!(tree_micros(me) >= before);
        assert!(stat(me).unwrap().parent > 0);
    }
}
