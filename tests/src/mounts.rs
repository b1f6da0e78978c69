//! File systems of a drill's own: small ones that can be filled, and one that gives itself up.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use tokio::process::Command;

/// What fills a file system is written in pieces of this size.
const PIECE: usize = 64 * 1_024;

/// A mounted file system; it goes with this value.
#[derive(Debug)]
pub struct Mount {
    /// Holds the image, where there is one, and the mount point.
    folder: TempDir,
}

impl Mount {
    /// A file system in memory. Only root may mount.
    pub async fn in_memory(megabytes: u32) -> Result<Self> {
        let mount = Self::new()?;
        let size = format!("size={megabytes}m");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(mount.folder()))
            .await?;
        Ok(mount)
    }

    /// A file system with a journal, in a file behind a loop device.
    pub async fn in_a_file(megabytes: u64) -> Result<Self> {
        let mount = Self::new()?;
        File::create(mount.image())?.set_len(megabytes * 1_024 * 1_024)?;
        run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(mount.image())).await?;
        mount.mount_image().await?;
        Ok(mount)
    }

    /// Where it is mounted.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join("mount")
    }

    /// Writes a file until nothing fits any more, and then gives so many bytes back.
    pub fn fill_but(&self, free: u64) -> Result<()> {
        let mut ballast = File::create(self.ballast())?;
        let piece = vec![7; PIECE];
        // The last write fails, which is what it is for.
        while ballast.write_all(&piece).is_ok() {}
        let length = ballast.metadata()?.len();
        ballast.set_len(length.saturating_sub(free))?;
        Ok(())
    }

    /// Gives all the room back that [`Self::fill_but`] took.
    pub fn empty(&self) -> Result<()> {
        fs::remove_file(self.ballast()).context("removing the ballast")
    }

    /// Makes the file system notice damage: it is read-only from here on, open files included.
    pub async fn give_up(&self) -> Result<()> {
        // What it says is that it has aborted, which is what was asked for.
        drop(run(Command::new("mount").args(["-o", "remount,abort"]).arg(self.folder())).await);
        let probe = File::create(self.folder().join("probe"));
        ensure!(probe.is_err(), "the file system still takes files");
        Ok(())
    }

    /// Repairs a file system that gave itself up, and mounts it again. Nobody may use it.
    pub async fn repair(&self) -> Result<()> {
        run(Command::new("umount").arg(self.folder())).await?;
        // 1 means that errors were found and corrected.
        let checked = Command::new("e2fsck").arg("-p").arg(self.image()).output().await?;
        let corrected = checked.status.code().is_some_and(|code| code <= 1);
        ensure!(corrected, "e2fsck: {}", String::from_utf8_lossy(&checked.stdout));
        self.mount_image().await
    }

    fn new() -> Result<Self> {
        let mount = Self { folder: TempDir::new()? };
        fs::create_dir(mount.folder())?;
        Ok(mount)
    }

    async fn mount_image(&self) -> Result<()> {
        run(Command::new("mount").args(["-o", "loop"]).arg(self.image()).arg(self.folder())).await
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    fn ballast(&self) -> PathBuf {
        self.folder().join("ballast")
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily, so that a file that is still open does not keep the folder for ever.
        let point = self.folder();
        let ended = std::process::Command::new("umount").arg("-l").arg(point).output();
        drop(ended);
    }
}

async fn run(command: &mut Command) -> Result<()> {
    let output = command.output().await.with_context(|| format!("running {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}", said.trim());
    Ok(())
}
