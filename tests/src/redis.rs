//! A Redis server of its own for a test that stops it, and a subscriber that speaks its protocol.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::Child;

use crate::processes::{give, signal, unprivileged};
use crate::{ports, wait};

/// A Redis process that keeps nothing on disk.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    directory: TempDir,
    process: Option<Child>,
}

impl Redis {
    /// Starts the program that `MILLRACE_TEST_REDIS_BIN` names, or `redis-server`, on a free port.
    pub async fn start() -> Result<Self> {
        let mut redis = Self { port: ports::free()?, directory: TempDir::new()?, process: None };
        redis.resume().await?;
        Ok(redis)
    }

    /// Its URL, the same before and after a stop.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills the process: connections break, whatever it held is gone.
    pub async fn stop(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill().await?;
        }
        Ok(())
    }

    /// Starts the process again, empty, on the same port.
    pub async fn resume(&mut self) -> Result<()> {
        let program =
            std::env::var_os("MILLRACE_TEST_REDIS_BIN").unwrap_or_else(|| "redis-server".into());
        let port = self.port.to_string();
        give(self.directory.path())?;
        let process = unprivileged(program)?
            .args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("starting redis-server")?;
        self.process = Some(process);
        wait::until("Redis answers", Duration::from_secs(20), || self.ping()).await
    }

    /// Stops its clock: connections stand, nothing answers.
    pub async fn freeze(&self) -> Result<()> {
        signal(self.pid()?, "STOP").await
    }

    /// Lets it go on.
    pub async fn thaw(&self) -> Result<()> {
        signal(self.pid()?, "CONT").await
    }

    /// Makes it forget everything that it holds.
    pub async fn flush(&self) -> Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.write_all(b"FLUSHALL\r\n").await?;
        let mut answer = [0_u8; 5];
        stream.read_exact(&mut answer).await?;
        ensure!(&answer == b"+OK\r\n", "Redis answered {answer:?}");
        Ok(())
    }

    fn pid(&self) -> Result<u32> {
        self.process.as_ref().and_then(Child::id).context("Redis does not run")
    }

    /// Listens to every channel.
    pub async fn subscribe_to_everything(&self) -> Result<Subscriber> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.write_all(b"*2\r\n$10\r\nPSUBSCRIBE\r\n$1\r\n*\r\n").await?;
        let mut subscriber = Subscriber { stream: BufReader::new(stream) };
        let confirmation = subscriber.array().await?;
        ensure!(
            confirmation.first().is_some_and(|kind| kind == "psubscribe"),
            "Redis answered {confirmation:?}"
        );
        Ok(subscriber)
    }

    async fn ping(&self) -> Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.write_all(b"PING\r\n").await?;
        let mut answer = [0_u8; 7];
        stream.read_exact(&mut answer).await?;
        ensure!(&answer == b"+PONG\r\n", "Redis answered {answer:?}");
        Ok(())
    }
}

/// One connection that hears what is published.
#[derive(Debug)]
pub struct Subscriber {
    stream: BufReader<TcpStream>,
}

impl Subscriber {
    /// The next message as (channel, payload). Fails when the connection ends.
    pub async fn next(&mut self) -> Result<(String, String)> {
        let message = self.array().await?;
        match message.as_slice() {
            [kind, _, channel, payload] if kind == "pmessage" => {
                Ok((channel.clone(), payload.clone()))
            }
            other => anyhow::bail!("not a message: {other:?}"),
        }
    }

    async fn array(&mut self) -> Result<Vec<String>> {
        let count: usize = self.header('*').await?;
        let mut parts = Vec::new();
        for _ in 0..count {
            parts.push(self.part().await?);
        }
        Ok(parts)
    }

    /// A bulk string, or an integer as its digits.
    async fn part(&mut self) -> Result<String> {
        let line = self.line().await?;
        if let Some(number) = line.strip_prefix(':') {
            return Ok(number.to_owned());
        }
        let length: usize = line
            .strip_prefix('$')
            .context("expected a bulk string")?
            .parse()
            .context(line.clone())?;
        let mut bytes = vec![0_u8; length + 2];
        self.stream.read_exact(&mut bytes).await?;
        bytes.truncate(length);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn header(&mut self, kind: char) -> Result<usize> {
        let line = self.line().await?;
        let count = line.strip_prefix(kind).with_context(|| format!("expected {kind}: {line}"))?;
        Ok(count.parse()?)
    }

    async fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        ensure!(self.stream.read_line(&mut line).await? > 0, "Redis closed the connection");
        Ok(line.trim_end().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_subscriber_hears_what_is_published_before_and_after_a_restart() -> Result<()> {
        let mut redis = Redis::start().await?;
        for _ in 0..2 {
            let mut subscriber = redis.subscribe_to_everything().await?;
            let mut publisher = TcpStream::connect(("127.0.0.1", redis.port)).await?;
            publisher.write_all(b"PUBLISH news hello\r\n").await?;
            assert_eq!(subscriber.next().await?, ("news".to_owned(), "hello".to_owned()));
            redis.stop().await?;
            ensure!(subscriber.next().await.is_err(), "a stopped Redis still speaks");
            redis.resume().await?;
        }
        Ok(())
    }
}
