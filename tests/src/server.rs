//! The server under test: started on a free port, waited for by its readiness, killed or asked to go.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::postgres::Database;
use crate::processes::{binary, resident_bytes, signal, stands_still};
use crate::shop::Shop;
use crate::{ports, wait};

/// Ready on a busy machine, recovery included; the goal on a free one is 2 s.
const READY_WITHIN: Duration = Duration::from_mins(1);
const GONE_WITHIN: Duration = Duration::from_mins(1);
/// A server that is not ready for so long has refused its store.
const REFUSED_WITHIN: Duration = Duration::from_secs(10);

/// Where a server keeps its journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// One file in a directory of its own.
    Sqlite,
    /// A database of its own on the server of the suite.
    Postgres,
}

impl Store {
    /// Its name in figure lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// A server that is not started yet.
#[derive(Debug)]
pub struct Launch {
    directory: TempDir,
    database: Option<Database>,
    arguments: Vec<OsString>,
    variables: Vec<(String, String)>,
    program: Option<PathBuf>,
    wrapper: Vec<OsString>,
    data: Option<PathBuf>,
    tells: bool,
}

/// A server that has been ready at least once.
#[derive(Debug)]
pub struct Server {
    launch: Launch,
    port: u16,
    process: Option<Child>,
}

impl Launch {
    /// `millrace demo` on an empty store.
    pub async fn demo(store: Store) -> Result<Self> {
        Self::of("demo", store).await
    }

    /// `millrace serve` on an empty store; it has no key unless a variable gives it one.
    pub async fn serve(store: Store) -> Result<Self> {
        Self::of("serve", store).await
    }

    /// `millrace migrate` on an empty store.
    pub async fn migrate(store: Store) -> Result<Self> {
        Self::of("migrate", store).await
    }

    async fn of(command: &str, store: Store) -> Result<Self> {
        Self::on(
            command,
            match store {
                Store::Sqlite => None,
                Store::Postgres => Some(Database::create().await?),
            },
        )
    }

    /// A command on an empty database, or without one on an empty file.
    pub fn on(command: &str, database: Option<Database>) -> Result<Self> {
        let launch = Self {
            directory: TempDir::new()?,
            database,
            arguments: vec![command.into()],
            variables: vec![("MILLRACE_NO_DEMO_RETURN".into(), "true".into())],
            program: None,
            wrapper: Vec::new(),
            data: None,
            tells: true,
        };
        Ok(match launch.database.as_ref().map(Database::url) {
            Some(url) => launch.variable("DATABASE_URL", &url),
            None => launch,
        })
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Sets a variable of the environment, which is otherwise empty.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts this program, not the one that the environment names.
    #[must_use]
    pub fn program(mut self, program: &Path) -> Self {
        self.program = Some(program.to_owned());
        self
    }

    /// Keeps the embedded store in this folder, which must outlive the server.
    #[must_use]
    pub fn data_in(mut self, folder: &Path) -> Self {
        self.data = Some(folder.to_owned());
        self
    }

    /// Shows no log when the server is dropped: whoever drills asks for it.
    #[must_use]
    pub const fn silent(mut self) -> Self {
        self.tells = false;
        self
    }

    /// The database, if the store is one.
    pub fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(|| self.directory.path().join("data"))
    }

    /// Starts the server and waits until it is ready.
    pub async fn start(self) -> Result<Server> {
        let mut server = Server { launch: self, port: ports::free()?, process: None };
        server.start().await?;
        Ok(server)
    }

    /// Runs the command to its end, for commands that end by themselves.
    pub async fn run_to_end(&self) -> Result<Output> {
        let output = self.command(&[])?.args(&self.arguments).output();
        Ok(timeout(GONE_WITHIN, output).await.context("the command did not end")??)
    }

    /// Runs `millrace verify` on this store, whatever it finds.
    pub async fn audit(&self) -> Result<Output> {
        let output = self.command(&[])?.arg("verify").output();
        Ok(timeout(GONE_WITHIN, output).await.context("verify did not end")??)
    }

    /// Runs `millrace verify` on this store; it must find nothing.
    pub async fn verify(&self) -> Result<()> {
        let output = self.audit().await?;
        ensure!(
            output.status.success(),
            "millrace verify: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    fn command(&self, wrapper: &[OsString]) -> Result<Command> {
        let program = match &self.program {
            Some(program) => program.clone(),
            None => binary("MILLRACE_BIN", "millrace")?,
        };
        let mut command = match wrapper {
            [] => Command::new(program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        command
            .current_dir(self.directory.path())
            .env_clear()
            .env("MILLRACE_DATA_DIR", self.data())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        // Coverage of the server is written where the suite says, and the throwaway PostgreSQL of
        // the suite may forget what a power cut would take.
        for passed in
            ["PATH", "LLVM_PROFILE_FILE", "RUST_BACKTRACE", "MILLRACE_TEST_ALLOW_FSYNC_OFF"]
        {
            if let Some(value) = std::env::var_os(passed) {
                command.env(passed, value);
            }
        }
        Ok(command)
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("stderr.jsonl")
    }
}

impl Server {
    /// Starts the process again on the same store and port, and waits until it is ready.
    pub async fn start(&mut self) -> Result<()> {
        self.start_without_waiting()?;
        let base = self.base();
        let client = Shop::new(&base)?.with_key(None);
        let started = wait::until("the server is ready", READY_WITHIN, || {
            let ended = self.ended();
            let client = &client;
            async move {
                if let Some(status) = ended {
                    // Nothing will answer any more: say so at once instead of asking on.
                    return Ok(Err(status));
                }
                client.get("/health/ready").await?.expect(200)?;
                Ok(Ok(()))
            }
        });
        match started.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(status)) => bail!("the server ended with {status}\n{}", self.log_tail()),
            Err(reason) => Err(reason.context(self.log_tail())),
        }
    }

    /// Starts the process on a store that may be damaged: `false` when it ends by itself, or does not
    /// call itself ready while it says why.
    pub async fn start_or_refuse(&mut self) -> Result<bool> {
        self.start_without_waiting()?;
        let client = Shop::new(&self.base())?.with_key(None);
        let ready = wait::until("the server is ready or gone", REFUSED_WITHIN, || {
            let ended = self.ended();
            let client = &client;
            async move {
                if ended.is_some() {
                    return Ok(false);
                }
                client.get("/health/ready").await?.expect(200)?;
                Ok(true)
            }
        });
        if let Ok(ready) = ready.await {
            return Ok(ready);
        }
        self.kill().await?;
        Ok(false)
    }

    /// Starts the process and leaves the waiting to the caller.
    pub fn start_without_waiting(&mut self) -> Result<()> {
        let log = OpenOptions::new().create(true).append(true).open(self.launch.log())?;
        let process = self
            .launch
            .command(&self.launch.wrapper)?
            .args(&self.launch.arguments)
            .args(["--listen", &format!("127.0.0.1:{}", self.port)])
            .stdout(Stdio::from(log.try_clone()?))
            .stderr(Stdio::from(log))
            .spawn()
            .context("starting millrace")?;
        self.process = Some(process);
        Ok(())
    }

    /// Sets a variable for the next start, or takes it away.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        self.launch.variables.retain(|(known, _)| known != name);
        let set = value.map(|value| (name.to_owned(), value.to_owned()));
        self.launch.variables.extend(set);
    }

    /// Starts the process by another program from now on, which must become it and not stay its
    /// parent; or by none.
    pub fn wrap(&mut self, wrapper: &[String]) {
        self.launch.wrapper = wrapper.iter().map(Into::into).collect();
    }

    /// Sends a signal to the process by its name, `STOP` for one.
    pub async fn signal(&self, name: &str) -> Result<()> {
        signal(self.pid()?, name).await
    }

    fn pid(&self) -> Result<u32> {
        self.process.as_ref().and_then(Child::id).context("the server is not running")
    }

    /// Stops its clock, and waits until no thread of it is in a call to the kernel any more.
    pub async fn freeze(&self) -> Result<()> {
        self.signal("STOP").await?;
        let pid = self.pid()?;
        wait::until("the server stands still", GONE_WITHIN, || async {
            ensure!(stands_still(pid)?, "a thread goes on");
            Ok(())
        })
        .await
    }

    /// Lets it go on.
    pub async fn thaw(&self) -> Result<()> {
        self.signal("CONT").await
    }

    /// Waits until the process has ended by itself.
    pub async fn end(&mut self) -> Result<ExitStatus> {
        let mut process = self.process.take().context("the server is not running")?;
        Ok(timeout(GONE_WITHIN, process.wait()).await.context("the server did not end")??)
    }

    /// `kill -9`, and wait until the process is gone.
    pub async fn kill(&mut self) -> Result<()> {
        let mut process = self.process.take().context("the server is not running")?;
        Ok(process.kill().await?)
    }

    /// SIGTERM, and wait until the process has left by itself.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        self.signal("TERM").await?;
        self.end().await.context("after SIGTERM")
    }

    /// Whether a process was started that nobody has seen end.
    pub fn is_running(&mut self) -> bool {
        self.process.is_some() && self.ended().is_none()
    }

    /// `http://host:port`.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where it listens.
    pub fn address(&self) -> (&'static str, u16) {
        ("127.0.0.1", self.port)
    }

    /// A client with the demo key.
    pub fn shop(&self) -> Result<Shop> {
        Shop::new(&self.base())
    }

    /// How it was started, with its store.
    pub fn launch(&self) -> &Launch {
        &self.launch
    }

    /// Everything it has logged, over all its lives.
    pub fn log(&self) -> Result<String> {
        Ok(fs::read_to_string(self.launch.log())?)
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> Result<u64> {
        resident_bytes(self.pid()?)
    }

    /// The status with which the process ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.as_mut().and_then(|process| process.try_wait().ok().flatten())
    }

    /// The end of what it has logged.
    pub fn log_tail(&self) -> String {
        let log = self.log().unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(30)..).unwrap_or_default().join("\n")
    }
}

impl Drop for Server {
    #[expect(clippy::print_stderr, reason = "the runner shows it beside the test that failed")]
    fn drop(&mut self) {
        if !self.launch.tells {
            return;
        }
        eprintln!("--- end of the log of {} ---\n{}", self.base(), self.log_tail());
    }
}
