//! A disk in memory that can lose its power: what was not synced is gone, or there in parts.
//!
//! Mounted by FUSE, and flat, as a data folder is. It holds no locks of its own: the kernel does.

mod files;

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use fuser::{
    BackgroundSession, BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem,
    FopenFlags, Generation, INodeNo, LockOwner, OpenFlags, ReplyAttr, ReplyCreate, ReplyData,
    ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyWrite, Request, TimeOrNow, WriteFlags,
};
use tempfile::TempDir;

use self::files::Files;
pub use self::files::Loss;

/// The kernel is to remember nothing about a file.
const TTL: Duration = Duration::ZERO;
/// Files never change their number.
const GENERATION: Generation = Generation(0);

/// A mounted disk; it goes with this value.
#[derive(Debug)]
pub struct Disk {
    files: Shared,
    mounted: Option<BackgroundSession>,
    folder: TempDir,
}

type Shared = Arc<Mutex<Files>>;

impl Disk {
    /// Mounts an empty disk. Needs `/dev/fuse`, and the right to mount.
    pub fn mount() -> Result<Self> {
        let mut disk = Self { files: Shared::default(), mounted: None, folder: TempDir::new()? };
        disk.power_on()?;
        Ok(disk)
    }

    /// Where it is mounted.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The power goes: nothing is answered any more, and what was not synced is lost.
    pub fn power_off(&self, loss: Loss) {
        locked(&self.files).lose_power(loss);
    }

    /// The power goes with the next write to that file, before it is synced.
    pub fn power_off_at_write(&self, file: &str, loss: Loss) {
        locked(&self.files).lose_power_at_write(OsStr::new(file), loss);
    }

    /// Whether there is power.
    pub fn is_on(&self) -> bool {
        locked(&self.files).is_on()
    }

    /// The power is back. Nobody may have a file open; the kernel forgets what it has cached.
    pub fn power_on(&mut self) -> Result<()> {
        if let Some(mounted) = self.mounted.take() {
            mounted.umount_and_join().context("unmounting the disk")?;
        }
        locked(&self.files).power_on();
        let meta = self.folder.path().metadata()?;
        let platter =
            Platter { files: Arc::clone(&self.files), user: meta.uid(), group: meta.gid() };
        let session = fuser::spawn_mount(platter, self.folder.path(), &Config::default());
        self.mounted = Some(session.context("mounting a disk by FUSE")?);
        Ok(())
    }

    /// How many syncs were asked for, and how many pages of a file went with the power so far.
    pub fn syncs_and_losses(&self, file: &str) -> (u64, u64) {
        let files = locked(&self.files);
        (files.syncs(), files.lost(OsStr::new(file)))
    }
}

fn locked(files: &Mutex<Files>) -> MutexGuard<'_, Files> {
    files.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The side of the disk that the kernel talks to.
#[derive(Debug)]
struct Platter {
    files: Shared,
    user: u32,
    group: u32,
}

impl Platter {
    /// The files, while there is power.
    fn files(&self) -> Result<MutexGuard<'_, Files>, Errno> {
        let files = locked(&self.files);
        if files.is_on() { Ok(files) } else { Err(Errno::EIO) }
    }

    fn attributes(&self, files: &Files, number: u64) -> Result<FileAttr, Errno> {
        let is_root = INodeNo(number) == INodeNo::ROOT;
        let size = if is_root { Some(0) } else { files.size(number) };
        let size = u64::try_from(size.ok_or(Errno::ENOENT)?).map_err(|_| Errno::EIO)?;
        let (kind, perm) =
            if is_root { (FileType::Directory, 0o755) } else { (FileType::RegularFile, 0o644) };
        Ok(FileAttr {
            ino: INodeNo(number),
            size,
            blocks: size.div_ceil(512),
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind,
            perm,
            nlink: 1,
            uid: self.user,
            gid: self.group,
            rdev: 0,
            blksize: 4_096,
            flags: 0,
        })
    }

    fn found(&self, name: &OsStr) -> Result<FileAttr, Errno> {
        let files = self.files()?;
        let number = files.find(name).ok_or(Errno::ENOENT)?;
        self.attributes(&files, number)
    }

    fn made(&self, name: &OsStr) -> Result<FileAttr, Errno> {
        let mut files = self.files()?;
        let number = files.create(name, INodeNo::ROOT.0);
        self.attributes(&files, number)
    }

    fn resized(&self, number: u64, size: Option<u64>) -> Result<FileAttr, Errno> {
        let mut files = self.files()?;
        if let Some(size) = size {
            let size = usize::try_from(size).map_err(|_| Errno::EFBIG)?;
            files.resize(number, size).ok_or(Errno::ENOENT)?;
        }
        self.attributes(&files, number)
    }

    fn written(&self, number: u64, offset: u64, data: &[u8]) -> Result<u32, Errno> {
        let offset = usize::try_from(offset).map_err(|_| Errno::EFBIG)?;
        self.files()?.write(number, offset, data).ok_or(Errno::EFBIG)?;
        u32::try_from(data.len()).map_err(|_| Errno::EFBIG)
    }
}

fn told(done: Result<(), Errno>, reply: ReplyEmpty) {
    match done {
        Ok(()) => reply.ok(),
        Err(why) => reply.error(why),
    }
}

impl Filesystem for Platter {
    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        match self.found(name) {
            Ok(attributes) => reply.entry(&TTL, &attributes, GENERATION),
            Err(why) => reply.error(why),
        }
    }

    fn getattr(&self, _: &Request, number: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.resized(number.0, None) {
            Ok(attributes) => reply.attr(&TTL, &attributes),
            Err(why) => reply.error(why),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        number: INodeNo,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        match self.resized(number.0, size) {
            Ok(attributes) => reply.attr(&TTL, &attributes),
            Err(why) => reply.error(why),
        }
    }

    fn create(
        &self,
        _: &Request,
        _: INodeNo,
        name: &OsStr,
        _: u32,
        _: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        match self.made(name) {
            Ok(attributes) => {
                let (handle, flags) = (FileHandle(0), FopenFlags::empty());
                reply.created(&TTL, &attributes, GENERATION, handle, flags);
            }
            Err(why) => reply.error(why),
        }
    }

    fn unlink(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let removed = self.files().map(|mut files| files.remove(name));
        let done = removed.and_then(|was_there| was_there.then_some(()).ok_or(Errno::ENOENT));
        told(done, reply);
    }

    fn read(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let files = match self.files() {
            Ok(files) => files,
            Err(why) => return reply.error(why),
        };
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        match files.read(number.0, offset, size) {
            Some(bytes) => reply.data(bytes),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn write(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.written(number.0, offset, data) {
            Ok(length) => reply.written(length),
            Err(why) => reply.error(why),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        // Closing a file promises nothing.
        reply.ok();
    }

    fn fsync(&self, _: &Request, number: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let synced = self.files().map(|mut files| files.sync(number.0));
        told(synced.and_then(|known| known.ok_or(Errno::ENOENT)), reply);
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        told(self.files().map(|mut files| files.sync_names()), reply);
    }

    fn readdir(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let files = match self.files() {
            Ok(files) => files,
            Err(why) => return reply.error(why),
        };
        let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
        for ((name, number), place) in files.names().zip(1_u64..).skip(skipped) {
            if reply.add(INodeNo(number), place, FileType::RegularFile, name) {
                break;
            }
        }
        reply.ok();
    }
}
