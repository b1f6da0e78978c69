//! A server under measurement: started on a free port, waited for, killed when dropped.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::time::{Instant, sleep};

use super::{cpu, pin};
use crate::client::{Call, Pool};

const READY_WITHIN: Duration = Duration::from_mins(1);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// How to start a server.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    /// The program.
    pub(crate) program: &'a Path,
    /// Its arguments, without the address.
    pub(crate) arguments: Vec<String>,
    /// The key that it accepts.
    pub(crate) api_key: &'a str,
    /// A folder of its own, for its output and its data.
    pub(crate) folder: &'a Path,
    /// Slow each of its fsyncs by this many microseconds.
    pub(crate) delay_us: Option<u64>,
    /// The one core that it may use; all when absent, and when its fsyncs are slowed.
    pub(crate) core: Option<usize>,
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// The server itself, which is not `child` when fsyncs are slowed.
    pub(crate) process: u32,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    output: PathBuf,
    trace: Option<PathBuf>,
}

impl Start<'_> {
    /// Starts it; it may not listen yet.
    pub(crate) async fn run(self) -> anyhow::Result<Server> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let (output, trace) = (self.folder.join("output.txt"), self.folder.join("trace.txt"));
        let log = File::create(&output)?;
        let mut command = match (self.delay_us, self.core) {
            (Some(micros), _) => slowed(micros, &trace, self.program),
            (None, Some(core)) => pin::on_core(core, self.program),
            (None, None) => Command::new(self.program),
        };
        command
            .args(&self.arguments)
            .args(["--listen", &address.to_string()])
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("API_KEY", self.api_key)
            .current_dir(self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let child =
            command.spawn().with_context(|| format!("cannot start {}", self.program.display()))?;
        let trace = self.delay_us.map(|_| trace);
        let mut server = Server { process: child.id(), child, address, output, trace };
        if server.trace.is_some() {
            server.process = server.traced(self.program).await?;
        }
        Ok(server)
    }
}

/// A filter in the kernel lets every other call pass at full speed.
fn slowed(micros: u64, trace: &Path, program: &Path) -> Command {
    let mut command = Command::new("strace");
    command
        .args(["-f", "--seccomp-bpf", "-qq", "-e", "trace=fsync,fdatasync", "-e", "signal=none"])
        .arg("-e")
        .arg(format!("inject=fsync,fdatasync:delay_exit={micros}"))
        .arg("-o")
        .args([trace, program]);
    command
}

/// Why fsyncs of a process cannot be slowed on this machine, if so.
pub(crate) fn cannot_slow() -> Option<String> {
    let tried = Command::new("strace")
        .args(["-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "true"])
        .stdin(Stdio::null())
        .output();
    match tried {
        Err(error) => Some(format!("strace cannot be started: {error}")),
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            Some(format!("strace cannot trace: {}", String::from_utf8_lossy(&output.stderr).trim()))
        }
    }
}

impl Server {
    /// Waits until `GET path` answers 200, or anything at all when `any` is set.
    pub(crate) async fn ready(&mut self, pool: &Pool, path: &str, any: bool) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}:\n{}", self.last_words());
            }
            let call = Call::get(path);
            let answer = pool.exchange(&call).await;
            if answer.is_ok_and(|reply| any || reply.status == 200) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("the server was not ready after a minute:\n{}", self.last_words());
            }
            sleep(BETWEEN_LOOKS).await;
        }
    }

    /// How many fsyncs were slowed so far; `None` when none should be.
    pub(crate) fn slowed(&self) -> Option<usize> {
        let trace = fs::read_to_string(self.trace.as_ref()?).unwrap_or_default();
        Some(trace.matches("(DELAYED)").count())
    }

    /// The end of what it wrote.
    pub(crate) fn last_words(&self) -> String {
        let text = fs::read(&self.output).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(15)..).unwrap_or_default().join("\n")
    }

    async fn traced(&mut self, program: &Path) -> anyhow::Result<u32> {
        let name = program.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if let Some(process) = cpu::child_named(self.child.id(), name) {
                return Ok(process);
            }
            if self.child.try_wait()?.is_some() || Instant::now() > deadline {
                bail!("strace did not start the server:\n{}", self.last_words());
            }
            sleep(BETWEEN_LOOKS).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its tracer would only let go of it, so it goes first. What fails here has ended.
        if self.process != self.child.id() {
            let process = self.process.to_string();
            drop(Command::new("kill").args(["-KILL", &process]).output());
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
