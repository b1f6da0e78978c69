//! The files of a stopped shop: kept as they were, put back, and changed in one byte.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, Row as _};

const JOURNAL: &str = "millrace.db";
const VIEWS: &str = "millrace.views.db";

/// Everything that the views file holds beside the snapshots is rebuilt from the journal.
const ONLY_SNAPSHOTS: &str = "DELETE FROM read_cursors; DELETE FROM read_histories; \
    DELETE FROM read_orders; DELETE FROM read_order_counts; DELETE FROM read_products; \
    DELETE FROM read_wakeups; VACUUM";

/// Both files as they were when the shop stopped.
pub(crate) struct Pristine {
    journal: Vec<u8>,
    /// As the shop left it.
    views: Vec<u8>,
    /// With nothing in it but snapshots.
    snapshots: Vec<u8>,
    count: i64,
}

/// One changed byte.
pub(crate) struct Flip {
    file: &'static str,
    offset: usize,
    before: u8,
    after: u8,
}

impl Pristine {
    /// Reads the files; what is in their logs is in them afterwards.
    pub(crate) async fn of(data: &Path) -> Result<Self> {
        let (journal, views) = (data.join(JOURNAL), data.join(VIEWS));
        settle(&journal, None).await?.close().await?;
        let mut connection = settle(&views, None).await?;
        let count = sqlx::query("SELECT count(*) FROM snapshots").fetch_one(&mut connection);
        let count = count.await?.try_get(0)?;
        connection.close().await?;
        let kept = fs::read(&views)?;
        settle(&views, Some(ONLY_SNAPSHOTS)).await?.close().await?;
        Ok(Self { journal: fs::read(&journal)?, views: kept, snapshots: fs::read(&views)?, count })
    }

    /// How many snapshots there are.
    pub(crate) const fn snapshots(&self) -> i64 {
        self.count
    }

    /// The change with this number: any byte of either file, by their sizes.
    pub(crate) fn flip(&self, seed: u64, number: u64) -> Flip {
        let (place, change) = (draw(seed, number, 0), draw(seed, number, 1));
        let both = self.journal.len() + self.snapshots.len();
        let place = usize::try_from(place % both as u64).unwrap_or_default();
        let (file, offset) = match place.checked_sub(self.journal.len()) {
            None => (JOURNAL, place),
            Some(offset) => (VIEWS, offset),
        };
        let bytes = if file == JOURNAL { &self.journal } else { &self.snapshots };
        let before = bytes.get(offset).copied().unwrap_or_default();
        // Never the byte that is there.
        let [low, ..] = (change % 255 + 1).to_le_bytes();
        Flip { file, offset, before, after: before ^ low }
    }

    /// Puts both files back, but for the changed byte.
    pub(crate) fn put(&self, data: &Path, flip: Option<&Flip>) -> Result<()> {
        let views =
            if flip.is_some_and(Flip::is_in_snapshots) { &self.snapshots } else { &self.views };
        for (name, bytes) in [(JOURNAL, &self.journal), (VIEWS, views)] {
            let path = data.join(name);
            for log in ["-wal", "-shm"] {
                let mut beside = path.clone().into_os_string();
                beside.push(log);
                let beside = PathBuf::from(beside);
                if beside.exists() {
                    fs::remove_file(beside)?;
                }
            }
            let mut bytes = bytes.clone();
            if let Some(flip) = flip.filter(|flip| flip.file == name) {
                let byte = bytes.get_mut(flip.offset).context("behind the end of the file")?;
                *byte = flip.after;
            }
            fs::write(path, bytes)?;
        }
        Ok(())
    }
}

impl Flip {
    pub(crate) fn is_in_snapshots(&self) -> bool {
        self.file == VIEWS
    }
}

impl fmt::Display for Flip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, offset, before, after } = self;
        write!(f, "{file} byte {offset} from {before:#04x} to {after:#04x}")
    }
}

/// Does something to a file, if anything, and brings its log into it.
async fn settle(file: &Path, first: Option<&'static str>) -> Result<SqliteConnection> {
    let mut connection = SqliteConnectOptions::new().filename(file).connect().await?;
    if let Some(first) = first {
        connection.execute(first).await?;
    }
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
    Ok(connection)
}

/// A number that depends on nothing but these (`splitmix64`).
fn draw(seed: u64, number: u64, which: u64) -> u64 {
    let mut mixed =
        seed ^ number.wrapping_mul(2).wrapping_add(which).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
