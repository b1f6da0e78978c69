//! The ledger of the provider: lines that are only ever added, on disk before anybody is told.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// What happened to money. Amounts are minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// The money of a charge was taken.
    Captured {
        /// Key of the charge.
        key: Box<str>,
        /// The order that it is for.
        order: Box<str>,
        /// How much.
        minor: i64,
        /// ISO currency.
        currency: Box<str>,
    },
    /// A charge was declined for good.
    Declined {
        /// Key of the charge.
        key: Box<str>,
        /// The order that it is for.
        order: Box<str>,
        /// How much was asked for.
        minor: i64,
    },
    /// Money went back.
    Refunded {
        /// Key of the refund.
        key: Box<str>,
        /// Key of the charge.
        charge_key: Box<str>,
        /// How much.
        minor: i64,
    },
    /// A key came again for another order or amount: always a fault of the caller.
    Conflict {
        /// Key of the charge.
        key: Box<str>,
    },
}

/// Why a ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadLedger {
    /// The file cannot be read or written.
    #[error("cannot use the ledger")]
    Unusable(#[from] io::Error),
    /// A line is not an entry.
    #[error("line {line} of the ledger: {source}")]
    BadLine {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// Reads the entries of a ledger. A last line that was cut short was never told to anybody.
///
/// # Errors
/// [`BadLedger`], with the line.
pub fn read(path: &Path) -> Result<Vec<Entry>, BadLedger> {
    Ok(entries(&mut BufReader::new(File::open(path)?))?.0)
}

/// The entries, and the length of the whole lines.
fn entries(reader: &mut impl io::BufRead) -> Result<(Vec<Entry>, u64), BadLedger> {
    let (mut entries, mut whole, mut text) = (Vec::new(), 0_u64, String::new());
    for line in 1.. {
        text.clear();
        let read = reader.read_line(&mut text)?;
        if read == 0 || !text.ends_with('\n') {
            break;
        }
        let entry = serde_json::from_str(&text);
        entries.push(entry.map_err(|source| BadLedger::BadLine { line, source })?);
        whole = whole.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }
    Ok((entries, whole))
}

type Job = (Vec<Entry>, oneshot::Sender<()>);

/// An open ledger. A thread writes whatever is waiting, makes it durable at once, and only then
/// says so to everybody who waits.
#[derive(Debug)]
pub(super) struct Ledger {
    jobs: mpsc::Sender<Job>,
}

impl Ledger {
    /// Opens or makes a ledger; also gives what is in it, and what will tell that it broke.
    pub(super) fn open(
        path: &Path,
    ) -> Result<(Self, Vec<Entry>, oneshot::Receiver<io::Error>), BadLedger> {
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let (entries, whole) = entries(&mut BufReader::new(&file))?;
        file.set_len(whole)?;
        file.seek(SeekFrom::End(0))?;
        file.sync_all()?;
        let (jobs, waiting) = mpsc::channel();
        let (tell, broken) = oneshot::channel();
        thread::Builder::new().name("ledger".to_owned()).spawn(move || {
            if let Err(error) = write(&mut file, &waiting) {
                // Nobody listens any more when the provider is gone.
                let _ = tell.send(error);
            }
        })?;
        Ok((Self { jobs }, entries, broken))
    }

    /// Adds entries, in the order of the calls; true once they and all before are durable, false
    /// when nobody may ever be told of them. Without entries it waits for those before.
    pub(super) async fn add(&self, entries: Vec<Entry>) -> bool {
        let (done, durable) = oneshot::channel();
        self.jobs.send((entries, done)).is_ok() && durable.await.is_ok()
    }
}

fn write(file: &mut File, waiting: &mpsc::Receiver<Job>) -> io::Result<()> {
    while let Ok(first) = waiting.recv() {
        let (mut text, mut waiters) = (Vec::new(), Vec::new());
        for (entries, done) in std::iter::once(first).chain(waiting.try_iter()) {
            for entry in entries {
                serde_json::to_writer(&mut text, &entry)?;
                text.push(b'\n');
            }
            waiters.push(done);
        }
        if !text.is_empty() {
            file.write_all(&text)?;
            file.sync_data()?;
        }
        for done in waiters {
            // Whoever hung up meanwhile asks again.
            let _ = done.send(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str) -> Entry {
        Entry::Captured { key: key.into(), order: "o".into(), minor: 5, currency: "USD".into() }
    }

    #[tokio::test]
    async fn what_was_told_is_there_after_a_cut_in_the_middle_of_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let (ledger, before, _broken) = Ledger::open(&path).unwrap();
        assert_eq!(before, []);
        assert!(ledger.add(vec![entry("a"), entry("b")]).await);
        drop(ledger);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"entry\":\"capt").unwrap();
        assert_eq!(read(&path).unwrap(), [entry("a"), entry("b")]);
        let (ledger, before, _broken) = Ledger::open(&path).unwrap();
        assert_eq!(before, [entry("a"), entry("b")]);
        assert!(ledger.add(vec![entry("c")]).await);
        assert_eq!(read(&path).unwrap(), [entry("a"), entry("b"), entry("c")]);
    }

    #[test]
    fn a_line_that_is_no_entry_is_named() {
        let mut text = io::Cursor::new(b"{\"entry\":\"conflict\",\"key\":\"a\"}\nx\n");
        let bad = entries(&mut text).unwrap_err();
        assert!(bad.to_string().starts_with("line 2 of the ledger"), "{bad}");
    }
}
