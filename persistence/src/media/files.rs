//! Pictures as files in a folder: `<area>/<owner in hex>/<sha256>.<ending>`.
//!
//! A picture is written beside its place, synced, and moved there, so that a name never shows half a
//! picture. Names hold hexadecimal digits only, so none leads out of the folder.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use engine::values::{MediaArea, MediaFormat, MediaName, MediaOwner, Moment};
use futures::{StreamExt as _, stream};
use tokio::io::AsyncReadExt as _;

use super::{MediaContent, MediaStore, StoredMedia, name_of};
use crate::StoreError;

/// Where pictures are written before they are moved to their place.
const INCOMING: &str = "incoming";
/// Bytes that are read at once.
const PIECE: usize = 64 * 1_024;

/// Pictures in a folder of one process.
#[derive(Clone, Debug)]
pub struct MediaFiles(Arc<Folder>);

#[derive(Debug)]
struct Folder {
    root: PathBuf,
    /// Names files that are not at their place yet.
    next: AtomicU64,
    /// Held while a picture is moved to its place or looked at to be removed, so that one that is
    /// put again is never removed for its age.
    moving: Mutex<()>,
}

impl MediaFiles {
    /// Opens the folder and removes what was never finished. A missing folder is made with the first
    /// picture, so that a shop without pictures needs no disk of its own.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it is there and cannot be read and written.
    pub async fn open(root: &Path) -> Result<Self, StoreError> {
        let files = Self::at(root);
        files.at_work(Folder::prepare).await?;
        Ok(files)
    }

    /// The folder as it is, for whoever only reads: somebody else may be writing into it.
    pub fn at(root: &Path) -> Self {
        let (root, next, moving) = (root.to_owned(), AtomicU64::new(0), Mutex::new(()));
        Self(Arc::new(Folder { root, next, moving }))
    }

    /// Copies every picture into a folder, which is made, and says how many there were. One that is
    /// removed meanwhile is left out.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when a copy cannot be written.
    pub async fn copy_to(&self, to: &Path) -> Result<u64, StoreError> {
        let to = to.to_owned();
        self.at_work(move |folder| folder.copy_to(&to)).await
    }

    /// Runs what blocks on a thread that may, to its end.
    async fn at_work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let folder = Arc::clone(&self.0);
        match tokio::task::spawn_blocking(move || work(&folder)).await {
            Ok(done) => done.map_err(unavailable),
            Err(stopped) => Err(StoreError::Unavailable(stopped.into())),
        }
    }
}

fn unavailable(error: io::Error) -> StoreError {
    StoreError::Unavailable(error.into())
}

#[async_trait]
impl MediaStore for MediaFiles {
    async fn put(
        &self,
        owner: &MediaOwner,
        format: MediaFormat,
        bytes: Bytes,
        now: Moment,
    ) -> Result<MediaName, StoreError> {
        let owner = owner.clone();
        self.at_work(move |folder| {
            let name = name_of(&owner, format, &bytes);
            folder.put(&name, &bytes, now)?;
            Ok(name)
        })
        .await
    }

    async fn read(&self, name: &MediaName) -> Result<Option<MediaContent>, StoreError> {
        let file = match tokio::fs::File::open(self.0.place(name)).await {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unavailable(error)),
        };
        let bytes = file.metadata().await.map_err(unavailable)?.len();
        let pieces = stream::try_unfold(file, async |mut file| {
            let mut piece = BytesMut::with_capacity(PIECE);
            let read = file.read_buf(&mut piece).await.map_err(unavailable)?;
            Ok((0 < read).then(|| (piece.freeze(), file)))
        });
        Ok(Some(MediaContent { bytes, pieces: pieces.boxed() }))
    }

    async fn remove(&self, name: &MediaName, put_before: Moment) -> Result<bool, StoreError> {
        let name = name.clone();
        self.at_work(move |folder| folder.remove(&name, put_before)).await
    }

    async fn list(&self, owner: &MediaOwner, limit: usize) -> Result<Vec<StoredMedia>, StoreError> {
        let owner = owner.clone();
        self.at_work(move |folder| folder.list(&owner, limit)).await
    }

    async fn owners(
        &self,
        after: Option<&MediaOwner>,
        limit: usize,
    ) -> Result<Vec<MediaOwner>, StoreError> {
        let after = after.cloned();
        self.at_work(move |folder| folder.owners(after.as_ref(), limit)).await
    }
}

impl Folder {
    fn prepare(&self) -> io::Result<()> {
        for left in there(fs::read_dir(self.root.join(INCOMING)))?.into_iter().flatten() {
            there(fs::remove_file(left?.path()))?;
        }
        Ok(())
    }

    fn area(&self, area: MediaArea) -> PathBuf {
        self.root.join(area.as_str())
    }

    fn of(&self, owner: &MediaOwner) -> PathBuf {
        self.area(owner.area()).join(owner.folder())
    }

    fn place(&self, name: &MediaName) -> PathBuf {
        self.of(name.owner()).join(name.file())
    }

    fn put(&self, name: &MediaName, bytes: &[u8], now: Moment) -> io::Result<()> {
        let folder = self.of(name.owner());
        make(&self.root.join(INCOMING))?;
        make(&folder)?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let incoming = self.root.join(INCOMING).join(format!("{number}-{}", name.file()));
        let written = write(&incoming, bytes, now).and_then(|()| {
            let _moving = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
            fs::rename(&incoming, self.place(name))
        });
        if written.is_err() {
            // What failed is why the picture is refused; the rest is removed at the next start.
            let _ = fs::remove_file(&incoming);
        }
        written?;
        sync(&folder)
    }

    fn remove(&self, name: &MediaName, put_before: Moment) -> io::Result<bool> {
        let place = self.place(name);
        let _moving = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(found) = there(fs::metadata(&place))? else { return Ok(false) };
        if put_before <= moment_of(found.modified()?) {
            return Ok(false);
        }
        Ok(there(fs::remove_file(place))?.is_some())
    }

    fn list(&self, owner: &MediaOwner, limit: usize) -> io::Result<Vec<StoredMedia>> {
        let names = first(&self.of(owner), limit, |file| MediaName::of_file(owner.clone(), file))?;
        let mut stored = Vec::with_capacity(names.len());
        for name in names {
            // It may have been removed in between.
            if let Some(found) = there(fs::metadata(self.place(&name)))? {
                let stored_at = moment_of(found.modified()?);
                stored.push(StoredMedia { name, bytes: found.len(), stored_at });
            }
        }
        Ok(stored)
    }

    fn copy_to(&self, to: &Path) -> io::Result<u64> {
        let copy = Self { root: to.to_owned(), next: AtomicU64::new(0), moving: Mutex::new(()) };
        let mut copied = 0_u64;
        for owner in self.owners(None, usize::MAX)? {
            for media in self.list(&owner, usize::MAX)? {
                if let Some(bytes) = there(fs::read(self.place(&media.name)))? {
                    copy.put(&media.name, &bytes, media.stored_at)?;
                    copied = copied.saturating_add(1);
                }
            }
        }
        Ok(copied)
    }

    fn owners(&self, after: Option<&MediaOwner>, limit: usize) -> io::Result<Vec<MediaOwner>> {
        let mut owners = Vec::new();
        for area in MediaArea::ALL {
            let left = limit.saturating_sub(owners.len());
            owners.extend(first(&self.area(area), left, |folder| {
                let owner = MediaOwner::of_folder(area, folder)?;
                after.is_none_or(|after| *after < owner).then_some(owner)
            })?);
        }
        Ok(owners)
    }
}

/// The smallest of what the entries of a folder are read as; nothing when it is not there.
fn first<T: Ord>(
    folder: &Path,
    limit: usize,
    read: impl Fn(&str) -> Option<T>,
) -> io::Result<BTreeSet<T>> {
    let mut found = BTreeSet::new();
    for entry in there(fs::read_dir(folder))?.into_iter().flatten() {
        // What has another name was not put here by us.
        found.extend(entry?.file_name().to_str().and_then(&read));
        if limit < found.len() {
            found.pop_last();
        }
    }
    Ok(found)
}

/// `None` for what is not there.
fn there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes a folder for this user alone, with its parents, and makes that durable.
fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    for parent in folder.ancestors().skip(1).take(2) {
        sync(parent)?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8], now: Moment) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.set_modified(time_of(now))?;
    file.sync_all()
}

/// Makes names in a folder durable.
fn sync(folder: &Path) -> io::Result<()> {
    // A path without a folder lies in the present one.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

fn time_of(moment: Moment) -> SystemTime {
    let micros = u64::try_from(moment.as_unix_micros()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}

fn moment_of(time: SystemTime) -> Moment {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Moment::from_unix_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
