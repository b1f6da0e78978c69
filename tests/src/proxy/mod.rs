//! A TCP proxy in front of PostgreSQL that cuts the connection around a commit to the journal, or
//! holds up what is sent.

pub mod frames;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use self::frames::{Frames, Meaning, Watch};
use crate::wait;

/// Room for one read; frames may be larger and are put together again.
const CHUNK: usize = 16 * 1024;
/// The message with which the server says that the commit is behind it.
const READY_FOR_QUERY: u8 = b'Z';

/// Where the connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The server never sees the statement: nothing is written.
    Before,
    /// The server gets the statement and nobody waits for what becomes of it.
    During,
    /// The server has committed, and the client never hears of it.
    After,
}

#[derive(Debug, Default)]
struct Plan {
    next: Option<Cut>,
    cuts: u64,
    appends: u64,
    lag: Duration,
}

/// A running proxy; it ends with this value.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    plan: Arc<Mutex<Plan>>,
    accepting: AbortHandle,
}

impl Proxy {
    /// Listens on a free port of this machine and passes connections on to `server` (`host:port`).
    pub async fn start(server: String) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("binding the proxy")?;
        let address = listener.local_addr()?;
        let plan = Arc::new(Mutex::new(Plan::default()));
        let accepting = tokio::runtime::Handle::current()
            .spawn(accept(listener, server, Arc::clone(&plan)))
            .abort_handle();
        Ok(Self { address, plan, accepting })
    }

    /// Where it listens, as `host:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Cuts the next connection that appends to the journal, once.
    pub fn cut_next(&self, cut: Cut) {
        locked(&self.plan).next = Some(cut);
    }

    /// Holds up whatever the client sends from now on by this span.
    pub fn hold_up(&self, span: Duration) {
        locked(&self.plan).lag = span;
    }

    /// How many connections were cut.
    pub fn cuts(&self) -> u64 {
        locked(&self.plan).cuts
    }

    /// How many appends went through or were cut.
    pub fn appends(&self) -> u64 {
        locked(&self.plan).appends
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn locked(plan: &Mutex<Plan>) -> std::sync::MutexGuard<'_, Plan> {
    plan.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, server: String, plan: Arc<Mutex<Plan>>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        while connections.try_join_next().is_some() {}
        connections.spawn(pass(client, server.clone(), Arc::clone(&plan)));
    }
}

/// Passes one connection until either side ends it or it is cut. Dropping both sockets is the cut.
async fn pass(client: TcpStream, server: String, plan: Arc<Mutex<Plan>>) -> io::Result<()> {
    let server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let (mut request, mut answer) = (vec![0; CHUNK], vec![0; CHUNK]);
    let mut requests = Requests::default();
    loop {
        tokio::select! {
            read = from_client.read(&mut request) => {
                let read = read?;
                if read == 0 { return Ok(()); }
                let span = locked(&plan).lag;
                wait::lag(span).await;
                requests.frames.push(request.get(..read).unwrap_or_default());
                if requests.forward(&mut to_server, &mut from_server, &plan).await? {
                    return Ok(());
                }
            }
            read = from_server.read(&mut answer) => {
                let read = read?;
                if read == 0 { return Ok(()); }
                to_client.write_all(answer.get(..read).unwrap_or_default()).await?;
            }
        }
    }
}

/// The client's half of one connection.
#[derive(Debug, Default)]
struct Requests {
    frames: Frames,
    watch: Watch,
    cut: Option<Cut>,
}

impl Requests {
    /// Passes on every whole frame; true when the connection must break here.
    async fn forward(
        &mut self,
        to_server: &mut OwnedWriteHalf,
        from_server: &mut OwnedReadHalf,
        plan: &Mutex<Plan>,
    ) -> io::Result<bool> {
        while let Some(frame) = self.frames.next_frame() {
            let meaning = self.watch.see(&frame);
            if meaning == Meaning::Append {
                self.cut = locked(plan).take();
            }
            if self.cut == Some(Cut::Before) {
                return Ok(true);
            }
            to_server.write_all(&frame.bytes).await?;
            // A simple query carries its own end.
            let ends = meaning == Meaning::Sync || frame.kind == Some(b'Q');
            if ends && self.cut == Some(Cut::During) {
                return Ok(true);
            }
            if ends && self.cut == Some(Cut::After) {
                swallow_until_ready(from_server).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Plan {
    /// Counts an append, and takes the cut that was ordered for it.
    fn take(&mut self) -> Option<Cut> {
        self.appends += 1;
        let cut = self.next.take();
        self.cuts += u64::from(cut.is_some());
        cut
    }
}

/// Reads until the server says that the statement is finished, and tells nobody.
async fn swallow_until_ready(from_server: &mut OwnedReadHalf) -> io::Result<()> {
    let (mut chunk, mut tail) = (vec![0; CHUNK], Vec::new());
    loop {
        let read = from_server.read(&mut chunk).await?;
        if read == 0 {
            return Ok(());
        }
        tail.extend_from_slice(chunk.get(..read).unwrap_or_default());
        tail.drain(..tail.len().saturating_sub(6));
        if matches!(tail.as_slice(), [READY_FOR_QUERY, 0, 0, 0, 5, _]) {
            return Ok(());
        }
    }
}
