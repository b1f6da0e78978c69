//! Writes a history while it happens: a line for each question, a line for each end.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::time::Instant;

use super::event::{Ask, End};

/// What is collected before it goes to the file.
const BUFFER: usize = 256 * 1_024;

/// A history in the making. Nothing stays in memory but a buffer; times are nanoseconds of a
/// monotonic clock since the beginning. May be shared between threads.
#[derive(Debug)]
pub struct Recorder {
    began: Instant,
    page: Mutex<Page>,
}

#[derive(Debug)]
struct Page {
    file: BufWriter<File>,
    processes: u64,
    lines: u64,
    /// The first failure of the file. A gap would make honest shops look guilty, so nothing is
    /// written behind it.
    failed: Option<io::Error>,
}

/// Somebody who asks one question at a time, under a name that is given up once an answer stayed
/// away: what it asked may still happen while it asks the next thing.
#[derive(Debug)]
pub struct Client {
    process: u64,
}

/// A question that has not ended.
#[derive(Debug)]
#[must_use = "a question that does not end is read as unknown"]
pub struct Open {
    process: u64,
    word: &'static str,
    key: Option<Box<str>>,
}

#[derive(Serialize)]
struct Written<'a, V> {
    p: u64,
    i: u64,
    t: &'static str,
    ns: u64,
    f: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<V>,
}

/// The value of a question, as [`super::load`] reads it.
#[derive(Serialize)]
#[serde(untagged)]
enum Value<'a> {
    Lines { lines: &'a [super::Wanted] },
    Order { order: &'a str },
    Moved { order: &'a str, status: super::Status },
    Product { product: &'a str },
    Delta { product: &'a str, delta: i64 },
}

impl<'a> From<&'a Ask> for Value<'a> {
    fn from(ask: &'a Ask) -> Self {
        match ask {
            Ask::Place(lines) => Self::Lines { lines },
            Ask::Cancel(order) | Ask::Read(order) => Self::Order { order },
            Ask::Move(order, status) => Self::Moved { order, status: *status },
            Ask::Look(product) => Self::Product { product },
            Ask::Restock(product, delta) => Self::Delta { product, delta: *delta },
        }
    }
}

impl Recorder {
    /// Begins a history in a new file.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = BufWriter::with_capacity(BUFFER, File::create(path)?);
        let page = Mutex::new(Page { file, processes: 0, lines: 0, failed: None });
        Ok(Self { began: Instant::now(), page })
    }

    /// Somebody new.
    pub fn client(&self) -> Client {
        Client { process: self.page().new_process() }
    }

    /// Notes a question; call it before anything is sent.
    pub fn invoke(&self, client: &Client, key: Option<&str>, ask: &Ask) -> Open {
        let open = Open { process: client.process, word: ask.word(), key: key.map(Box::from) };
        self.note(&open, "invoke", Some(Value::from(ask)));
        open
    }

    /// Notes how a question ended; call it once the answer is complete.
    pub fn complete(&self, client: &mut Client, open: &Open, end: &End) {
        match end {
            End::Ok(seen) => self.note(open, "ok", Some(seen)),
            End::Rejected(no) => self.note(open, "rejected", Some(no)),
            End::Unknown => {
                self.note::<()>(open, "unknown", None);
                client.process = self.page().new_process();
            }
        }
    }

    /// Makes everything durable.
    ///
    /// # Errors
    /// The first failure of the file since the beginning.
    pub fn finish(&self) -> io::Result<()> {
        let mut page = self.page();
        if let Some(failed) = page.failed.take() {
            return Err(failed);
        }
        page.file.flush()?;
        page.file.get_ref().sync_all()
    }

    fn note<V: Serialize>(&self, open: &Open, t: &'static str, v: Option<V>) {
        let mut page = self.page();
        let i = page.lines;
        page.lines = i.saturating_add(1);
        // Read under the lock, so that times never run back in the file.
        let ns = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let Open { process, word, key } = open;
        page.write(&Written { p: *process, i, t, ns, f: word, key: key.as_deref(), v });
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Page {
    fn new_process(&mut self) -> u64 {
        self.processes = self.processes.saturating_add(1);
        self.processes
    }

    fn write(&mut self, line: &impl Serialize) {
        if self.failed.is_some() {
            return;
        }
        let written = serde_json::to_writer(&mut self.file, line)
            .map_err(io::Error::from)
            .and_then(|()| self.file.write_all(b"\n"));
        self.failed = written.err();
    }
}
