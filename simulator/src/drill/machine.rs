//! What a drill asks of the machine, and says when it is not there.

use acceptance_tests::mounts::Mount;
use acceptance_tests::processes;
use anyhow::Result;
use tokio::process::Command;

use super::findings::NotHere;

/// A file system in memory.
pub(super) async fn memory(megabytes: u32) -> Result<Mount> {
    as_root()?;
    here(Mount::in_memory(megabytes).await)
}

/// A file system with a journal, in a file.
pub(super) async fn disk(megabytes: u64) -> Result<Mount> {
    as_root()?;
    here(Mount::in_a_file(megabytes).await)
}

/// The tracer that lets system calls fail or wait.
pub(super) async fn tracer() -> Result<()> {
    let trial = ["-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "true"];
    match Command::new("strace").args(trial).output().await {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(NotHere(format!("strace cannot trace: {}", said.trim())).into())
        }
        Err(error) => Err(NotHere(format!("strace cannot be started: {error}")).into()),
    }
}

/// A wrapper under which every sync of files is treated as `how` says, of `only` if given. The
/// tracer is nobody's parent, so that a kill of the server is one.
pub(super) fn traced(how: &str, only: Option<&str>) -> Vec<String> {
    let mut wrapper: Vec<String> =
        ["strace", "-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null"]
            .into_iter()
            .map(str::to_owned)
            .collect();
    wrapper.extend(["-e", "trace=fsync,fdatasync", "-e", "signal=none", "-e"].map(str::to_owned));
    wrapper.push(format!("inject=fsync,fdatasync:{how}"));
    wrapper.extend(only.into_iter().flat_map(|path| ["-P".to_owned(), path.to_owned()]));
    wrapper
}

fn as_root() -> Result<()> {
    if processes::is_root() {
        return Ok(());
    }
    Err(NotHere("only root may mount a file system".to_owned()).into())
}

fn here<T>(tried: Result<T>) -> Result<T> {
    tried.map_err(|error| NotHere(format!("{error:#}")).into())
}
