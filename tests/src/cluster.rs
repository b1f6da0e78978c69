//! A PostgreSQL server of its own, for a drill that stops it, freezes it or fills its disk.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;
use tokio::process::Child;

use crate::processes::{children_of, give, signal, unprivileged};
use crate::{ports, wait};

/// Recovery included.
const UP_WITHIN: Duration = Duration::from_mins(1);

/// A server with `fsync` on: what it has acknowledged is on the disk.
#[derive(Debug)]
pub struct Cluster {
    port: u16,
    programs: PathBuf,
    folder: TempDir,
    process: Option<Child>,
}

impl Cluster {
    /// Makes an empty cluster and starts its server on a free port.
    pub async fn start() -> Result<Self> {
        let programs = programs()?;
        let folder = TempDir::new()?;
        give(folder.path())?;
        let mut cluster = Self { port: ports::free()?, programs, folder, process: None };
        let made = unprivileged(cluster.programs.join("initdb"))?
            .arg(format!("--pgdata={}", cluster.data().display()))
            .args(["--username=millrace", "--auth=trust", "--encoding=UTF8", "--locale=C"])
            .arg("--no-sync")
            .current_dir(cluster.folder.path())
            .output()
            .await
            .context("running initdb")?;
        ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        cluster.resume().await?;
        Ok(cluster)
    }

    /// What an administrator connects to.
    pub fn url(&self) -> String {
        format!("postgres://millrace@127.0.0.1:{}/postgres", self.port)
    }

    /// Where it listens, as `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Stops at once, as after a loss of power but for the disk: connections break, recovery follows.
    pub async fn stop(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            signal(process.id().context("the database has ended")?, "QUIT").await?;
            process.wait().await?;
        }
        Ok(())
    }

    /// Starts the server again on the same port, and waits until it answers.
    pub async fn resume(&mut self) -> Result<()> {
        let (data, log) = (self.data(), File::create(self.folder.path().join("log"))?);
        let process = unprivileged(self.programs.join("postgres"))?
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=127.0.0.1", "-c", &format!("port={}", self.port)])
            .args(["-c", &format!("unix_socket_directories={}", self.folder.path().display())])
            .args(["-c", "max_connections=100", "-c", "fsync=on"])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::from(log.try_clone()?))
            .stderr(Stdio::from(log))
            .kill_on_drop(true)
            .spawn()
            .context("starting PostgreSQL")?;
        self.process = Some(process);
        let answers = wait::until("PostgreSQL answers", UP_WITHIN, || async {
            PgConnection::connect(&self.url()).await?.close().await?;
            Ok(())
        });
        answers.await.with_context(|| self.last_words())
    }

    /// Stops the clock of all its processes: connections stand, nothing answers.
    pub async fn freeze(&self) -> Result<()> {
        self.signal_all("STOP").await
    }

    /// Lets all its processes go on.
    pub async fn thaw(&self) -> Result<()> {
        self.signal_all("CONT").await
    }

    /// Breaks every session as a failover does, and says how many there were.
    pub async fn break_sessions(&self) -> Result<u64> {
        let mut admin = PgConnection::connect(&self.url()).await?;
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                      WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
        let broken = admin.fetch_all(others).await?.len();
        admin.close().await?;
        Ok(u64::try_from(broken)?)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    async fn signal_all(&self, name: &str) -> Result<()> {
        let server = self.process.as_ref().and_then(Child::id);
        let server = server.context("the database does not run")?;
        // The parent first, so that it starts no child that nobody stops.
        signal(server, name).await?;
        for child in children_of(server)? {
            // A session may end between the look and the signal.
            drop(signal(child, name).await);
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(10)..).unwrap_or_default().join("\n")
    }
}

/// The folder with `initdb` and `postgres`, the newest where several are installed.
fn programs() -> Result<PathBuf> {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let packaged = installed.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(packaged);
    let complete =
        |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    match folders.into_iter().filter(complete).max() {
        Some(folder) => Ok(folder),
        None => bail!("PostgreSQL's initdb is not installed"),
    }
}

#[cfg(test)]
mod tests {
    mod postgres {
        use super::super::*;

        #[tokio::test]
        async fn what_was_committed_is_there_after_a_stop_and_a_freeze_ends() -> Result<()> {
            let mut cluster = Cluster::start().await?;
            let mut session = PgConnection::connect(&cluster.url()).await?;
            session.execute("CREATE TABLE kept (id INT)").await?;
            cluster.stop().await?;
            ensure!(session.execute("SELECT 1").await.is_err(), "a stopped server answers");
            cluster.resume().await?;
            let mut session = PgConnection::connect(&cluster.url()).await?;
            cluster.freeze().await?;
            let asking = session.execute("INSERT INTO kept VALUES (1)");
            let frozen = tokio::time::timeout(Duration::from_millis(200), asking).await;
            ensure!(frozen.is_err(), "a frozen server answers");
            cluster.thaw().await?;
            let mut session = PgConnection::connect(&cluster.url()).await?;
            session.execute("SELECT id FROM kept").await?;
            ensure!(cluster.break_sessions().await? >= 1, "no session was broken");
            Ok(())
        }
    }
}
