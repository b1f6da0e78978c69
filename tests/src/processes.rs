//! Processes of the rig: their programs, signals to them, their children, and servers that must not
//! run as root.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

/// Who runs a server that refuses to run as root, or should not.
const SERVANTS: &[&str] = &["postgres", "nobody"];

/// The program that `variable` names, or the one that was built beside this test.
pub fn binary(variable: &str, name: &str) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(path.into());
    }
    // A binary lies beside the others, a test one folder below them.
    let myself = std::env::current_exe()?;
    let mut folders = myself.ancestors().skip(1).take(2).map(|folder| folder.join(name));
    let built =
        folders.find(|built| built.is_file()).unwrap_or_else(|| myself.with_file_name(name));
    File::open(&built)
        .with_context(|| format!("{variable} is not set and {} is not built", built.display()))?;
    Ok(built)
}

/// Sends a signal by its name, as `kill -NAME` does.
pub async fn signal(pid: u32, name: &str) -> Result<()> {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).output().await?;
    ensure!(sent.status.success(), "kill -{name} {pid}: {}", String::from_utf8_lossy(&sent.stderr));
    Ok(())
}

/// The processes that a process has started and that still run.
pub fn children_of(parent: u32) -> Result<Vec<u32>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // One that has ended meanwhile is nobody's child.
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        if parent_in(&stat) == Some(parent) {
            children.push(pid);
        }
    }
    Ok(children)
}

/// Whether every thread of a process has been stopped: none is in a call to the kernel.
pub fn stands_still(pid: u32) -> Result<bool> {
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
        let stat = fs::read_to_string(entry?.path().join("stat"))?;
        if state_in(&stat) != Some("T") {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Resident memory of a process, in bytes.
pub fn resident_bytes(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()).context("no VmRSS")?;
    Ok(kilobytes.parse::<u64>()? * 1_024)
}

/// `pid (name) state parent …`; a name may hold anything, brackets too.
fn after_name(stat: &str) -> Option<impl Iterator<Item = &str>> {
    Some(stat.rsplit_once(')')?.1.split_whitespace())
}

fn state_in(stat: &str) -> Option<&str> {
    after_name(stat)?.next()
}

fn parent_in(stat: &str) -> Option<u32> {
    after_name(stat)?.nth(1)?.parse().ok()
}

/// A command that runs as somebody without rights, when we are root.
pub fn unprivileged(program: impl AsRef<OsStr>) -> Result<Command> {
    let Some((user, group)) = servant()? else { return Ok(Command::new(program)) };
    let mut command = Command::new("setpriv");
    command
        .arg(format!("--reuid={user}"))
        .arg(format!("--regid={group}"))
        .arg("--clear-groups")
        .arg(program);
    Ok(command)
}

/// Gives a folder to whoever [`unprivileged`] runs as.
pub fn give(folder: &Path) -> Result<()> {
    let Some((user, group)) = servant()? else { return Ok(()) };
    chown(folder, Some(user), Some(group)).with_context(|| format!("giving {}", folder.display()))
}

/// Whether this process may do what only root may.
pub fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let user = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    user.and_then(|ids| ids.split_whitespace().nth(1)) == Some("0")
}

/// User and group of the servant; none when we are no root ourselves.
fn servant() -> Result<Option<(u32, u32)>> {
    if !is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").context("reading /etc/passwd")?;
    let found = SERVANTS.iter().find_map(|name| ids_of(&users, name));
    Ok(Some(found.with_context(|| format!("none of the users {SERVANTS:?} exists"))?))
}

fn ids_of(users: &str, name: &str) -> Option<(u32, u32)> {
    let user = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let user = user.into_iter().find(|fields| fields.first() == Some(&name))?;
    Some((user.get(2)?.parse().ok()?, user.get(3)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_found_behind_any_name() {
        assert_eq!(parent_in("17 (a) b (c) S 5 17 17 0"), Some(5));
        assert_eq!(parent_in("17"), None);
    }

    #[test]
    fn a_user_is_found_by_name() {
        let users = "root:x:0:0::/:/bin/sh\nnobody:x:65534:65533::/:/usr/sbin/nologin\n";
        assert_eq!(ids_of(users, "nobody"), Some((65_534, 65_533)));
        assert_eq!(ids_of(users, "somebody"), None);
    }

    #[tokio::test]
    async fn a_child_is_found_and_ends_by_its_signal() -> Result<()> {
        let mut child = Command::new("sleep").arg("60").kill_on_drop(true).spawn()?;
        let pid = child.id().context("it runs")?;
        ensure!(children_of(std::process::id())?.contains(&pid), "{pid} is no child");
        signal(pid, "TERM").await?;
        ensure!(!child.wait().await?.success(), "it ended by itself");
        Ok(())
    }
}
