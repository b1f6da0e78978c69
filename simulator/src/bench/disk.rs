//! Bytes on the disk, and whether it is a disk at all.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

/// Writes that are timed to know the disk.
const PROBES: usize = 101;

/// The median time of a 4 KiB write that is forced to the disk.
pub(super) fn forced_write(folder: &Path) -> std::io::Result<Duration> {
    let mut file: File = tempfile::tempfile_in(folder)?;
    let mut times = Vec::with_capacity(PROBES);
    for _ in 0..PROBES {
        let begun = Instant::now();
        file.write_all(&[7; 4_096])?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(PROBES / 2).copied().unwrap_or_default())
}

/// Size of all files below a folder.
pub(super) fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
        .map(|(path, meta)| if meta.is_dir() { folder_bytes(&path) } else { meta.len() })
        .fold(0, u64::saturating_add)
}

/// Bytes that a process has handed to the disk so far.
pub(super) fn written_bytes(process: u32) -> Option<u64> {
    written(&fs::read_to_string(format!("/proc/{process}/io")).ok()?)
}

fn written(io: &str) -> Option<u64> {
    io.lines().find_map(|line| line.strip_prefix("write_bytes:"))?.trim().parse().ok()
}

/// The kind of file system that a folder lies on.
pub(super) fn kind(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    kind_in(&fs::read_to_string("/proc/self/mounts").ok()?, &folder)
}

fn kind_in(mounts: &str, folder: &Path) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((Path::new(words.next()?), words.next()?))
    });
    // A later mount on the same point covers the earlier one.
    mounts
        .filter(|(point, _)| folder.starts_with(point))
        .max_by_key(|(point, _)| point.components().count())
        .map(|(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_below_a_folder_are_added_up() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("deep")).unwrap();
        fs::write(folder.path().join("a"), [0; 10]).unwrap();
        fs::write(folder.path().join("deep/b"), [0; 7]).unwrap();
        assert_eq!(folder_bytes(folder.path()), 17);
        assert_eq!(folder_bytes(&folder.path().join("absent")), 0);
    }

    #[test]
    fn bytes_for_the_disk_are_not_those_for_sockets() {
        let io = "rchar: 1\nwchar: 99\nread_bytes: 2\nwrite_bytes: 4096\ncancelled_write_bytes: 0";
        assert_eq!(written(io), Some(4_096));
        assert_eq!(written("rchar: 1"), None);
    }

    #[test]
    fn the_nearest_mount_counts() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/b /tmpdata xfs rw 0 0\n";
        let kind = |path: &str| kind_in(mounts, Path::new(path)).unwrap();
        assert_eq!(kind("/tmp/x"), "tmpfs");
        assert_eq!(kind("/tmpdata/x"), "xfs");
        assert_eq!(kind("/srv"), "ext4");
    }
}
