//! A lean HTTP/1 client on one thread: as fast as the answers come, or at a given pace.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::report::latency;
use crate::rig::request::Template;
use crate::rig::response;

/// How long answers that are under way may take after the end.
const LAST_ANSWERS: Duration = Duration::from_secs(30);
/// A pause before a broken connection is opened again.
const BEFORE_RECONNECT: Duration = Duration::from_millis(10);
/// A connection that was idle for longer is replaced before it is used: servers close such
/// connections, and a close that crosses a request looks like an error.
const IDLE_MAX: Duration = Duration::from_secs(2);
/// Largest answer that is read, head included.
const ANSWER_MAX: usize = 64 * 1024;
/// Kinds of errors that are told apart by their code.
const KINDS_MAX: usize = 32;

/// What to send, and how.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    /// Where the server listens.
    pub(crate) address: SocketAddr,
    /// The request.
    pub(crate) template: Template,
    /// Connections that are kept open.
    pub(crate) connections: u16,
    /// Time between two intended sends over all connections; `None`: each connection sends
    /// as soon as it has its answer.
    pub(crate) interval: Option<Duration>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Orders that were acknowledged with 201 while it was measured.
    pub(crate) measured: u64,
    /// Their latencies in microseconds, at a given pace from the intended moment.
    pub(crate) latencies: Histogram<u64>,
    /// Orders acknowledged from the first request to the last answer.
    pub(crate) acknowledged: u64,
    /// Everything else, by status or by what went wrong.
    pub(crate) errors: BTreeMap<String, u64>,
}

impl Default for Tally {
    fn default() -> Self {
        let (latencies, errors) = (latency::histogram(), BTreeMap::new());
        Self { measured: 0, latencies, acknowledged: 0, errors }
    }
}

const WARMING: u8 = 0;
const MEASURING: u8 = 1;
const ENDING: u8 = 2;

#[derive(Debug, Default)]
struct Course {
    phase: AtomicU8,
    next: AtomicU64,
}

/// A load that runs on a thread of its own until it is told to end, or is dropped.
#[derive(Debug)]
pub(crate) struct Generator {
    course: Arc<Course>,
    result: oneshot::Receiver<std::io::Result<Tally>>,
}

impl Generator {
    /// Starts to send at once, without measuring.
    pub(crate) fn start(load: Load) -> std::io::Result<Self> {
        let course = Arc::new(Course::default());
        let (sender, result) = oneshot::channel();
        let theirs = Arc::clone(&course);
        std::thread::Builder::new().name("generator".to_owned()).spawn(move || {
            // Nobody listens any more when the bench was interrupted.
            drop(sender.send(run(&load, &theirs)));
        })?;
        Ok(Self { course, result })
    }

    /// From here on answers count.
    pub(crate) fn measure(&self) {
        self.course.phase.store(MEASURING, Ordering::Relaxed);
    }

    /// From here on answers do not count; the load goes on for the moment.
    pub(crate) fn unmeasure(&self) {
        self.course.phase.store(WARMING, Ordering::Relaxed);
    }

    /// Requests that were begun so far.
    #[cfg(test)]
    pub(crate) fn begun(&self) -> u64 {
        self.course.next.load(Ordering::Relaxed)
    }

    /// Sends nothing more and waits for what is under way.
    pub(crate) async fn end(mut self) -> anyhow::Result<Tally> {
        self.course.phase.store(ENDING, Ordering::Relaxed);
        let tally = timeout(LAST_ANSWERS, &mut self.result).await;
        let tally = tally.context("the server still owes answers after 30 s")?;
        tally.context("the generator ended early")?.context("the generator could not start")
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        self.course.phase.store(ENDING, Ordering::Relaxed);
    }
}

fn run(load: &Load, course: &Arc<Course>) -> std::io::Result<Tally> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tally = Rc::new(RefCell::new(Tally::default()));
    let connections = tokio::task::LocalSet::new();
    connections.block_on(&runtime, async {
        let opening = Instant::now();
        let mut all = JoinSet::new();
        for _ in 0..load.connections {
            let connection = Connection {
                load: load.clone(),
                course: Arc::clone(course),
                tally: Rc::clone(&tally),
                opening,
                stream: None,
                buffer: Vec::with_capacity(4 * 1024),
            };
            all.spawn_local(connection.run());
        }
        all.join_all().await;
    });
    Ok(tally.take())
}

struct Connection {
    load: Load,
    course: Arc<Course>,
    tally: Rc<RefCell<Tally>>,
    opening: Instant,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    async fn run(mut self) {
        let mut now = Instant::now();
        loop {
            if self.course.phase.load(Ordering::Relaxed) == ENDING {
                return;
            }
            let number = self.course.next.fetch_add(1, Ordering::Relaxed);
            let intended = match self.load.interval {
                None => now,
                Some(interval) => self.moment(interval, number).await,
            };
            if self.load.interval.is_some() && now.elapsed() > IDLE_MAX {
                self.stream = None;
            }
            let outcome = self.exchange(number).await;
            now = Instant::now();
            self.note(&outcome, now.saturating_duration_since(intended));
            if outcome.is_err() {
                self.stream = None;
                sleep(BEFORE_RECONNECT).await;
            }
        }
    }

    /// Waits for the moment at which a request is meant to leave; that moment may have passed
    /// while all connections were busy, and then counts all the same.
    async fn moment(&self, interval: Duration, number: u64) -> Instant {
        let nanos = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX).saturating_mul(number);
        let intended = self.opening + Duration::from_nanos(nanos);
        if intended > Instant::now() {
            sleep_until(intended).await;
        }
        intended
    }

    fn note(&self, outcome: &Result<u16, &'static str>, took: Duration) {
        let mut tally = self.tally.borrow_mut();
        match outcome {
            Ok(201) => {
                tally.acknowledged += 1;
                if self.course.phase.load(Ordering::Relaxed) == MEASURING {
                    tally.measured += 1;
                    latency::note(&mut tally.latencies, took);
                }
            }
            Ok(status) => {
                let what = match response::code(&self.buffer) {
                    Some(code) => format!("{status} {code}"),
                    None => status.to_string(),
                };
                // A server that makes up codes must not fill the memory.
                let known = tally.errors.len() < KINDS_MAX || tally.errors.contains_key(&what);
                let what = if known { what } else { status.to_string() };
                *tally.errors.entry(what).or_default() += 1;
            }
            Err(what) => *tally.errors.entry((*what).to_owned()).or_default() += 1,
        }
    }

    async fn exchange(&mut self, number: u64) -> Result<u16, &'static str> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            closed @ None => closed.insert(connect(self.load.address).await?),
        };
        let request = self.load.template.stamp(number);
        stream.write_all(request).await.map_err(|_| "cut while sending")?;
        self.buffer.clear();
        loop {
            let read = stream.read_buf(&mut self.buffer).await.map_err(|_| "cut while reading")?;
            if read == 0 {
                return Err("closed before the answer");
            }
            match response::read(&self.buffer) {
                Ok(Some(answer)) if answer.length == self.buffer.len() => {
                    if answer.closes {
                        self.stream = None;
                    }
                    return Ok(answer.status);
                }
                Ok(None) if self.buffer.len() < ANSWER_MAX => {}
                Ok(_) | Err(response::Unreadable) => return Err("unreadable answer"),
            }
        }
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream, &'static str> {
    let stream = TcpStream::connect(address).await.map_err(|_| "no connection")?;
    stream.set_nodelay(true).map_err(|_| "no connection")?;
    Ok(stream)
}
