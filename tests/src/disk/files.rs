//! The files of a disk that can lose its power: what processes see, and what the platter holds.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

/// What reaches the platter whole or not at all.
const PAGE: usize = 4_096;

/// What becomes of pages that were written and not synced when the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// None of them is on the platter.
    All,
    /// Each is, or is not, as the seed draws: pages reach the platter in any order.
    Some(u64),
}

#[derive(Debug, Default)]
struct File {
    seen: Vec<u8>,
    kept: Vec<u8>,
    /// Pages that differ, as far as anybody knows.
    unsynced: BTreeSet<usize>,
}

/// All files, by number and by name.
#[derive(Debug, Default)]
pub(super) struct Files {
    by_number: BTreeMap<u64, File>,
    names: BTreeMap<OsString, u64>,
    /// The names that are on the platter: those that there were when the folder was synced.
    kept_names: BTreeMap<OsString, u64>,
    last: u64,
    off: bool,
    /// The power goes with the next write to this file.
    armed: Option<(OsString, Loss)>,
    syncs: u64,
    lost: BTreeMap<OsString, u64>,
}

impl Files {
    /// Whether anything is answered.
    pub(super) const fn is_on(&self) -> bool {
        !self.off
    }

    /// How many syncs were asked for.
    pub(super) const fn syncs(&self) -> u64 {
        self.syncs
    }

    /// How many pages of the file of that name were lost with the power so far.
    pub(super) fn lost(&self, name: &OsStr) -> u64 {
        self.lost.get(name).copied().unwrap_or_default()
    }

    pub(super) fn find(&self, name: &OsStr) -> Option<u64> {
        self.names.get(name).copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = (&OsString, u64)> {
        self.names.iter().map(|(name, number)| (name, *number))
    }

    /// Makes an empty file. `reserved` numbers are not given to any.
    pub(super) fn create(&mut self, name: &OsStr, reserved: u64) -> u64 {
        self.last = self.last.max(reserved) + 1;
        self.by_number.insert(self.last, File::default());
        self.names.insert(name.to_owned(), self.last);
        self.last
    }

    /// Takes the name away; whoever has the file open keeps it, and so does the platter until the
    /// folder is synced.
    pub(super) fn remove(&mut self, name: &OsStr) -> bool {
        self.names.remove(name).is_some()
    }

    pub(super) fn size(&self, number: u64) -> Option<usize> {
        self.by_number.get(&number).map(|file| file.seen.len())
    }

    pub(super) fn read(&self, number: u64, offset: usize, length: usize) -> Option<&[u8]> {
        let seen = &self.by_number.get(&number)?.seen;
        let end = offset.saturating_add(length).min(seen.len());
        Some(seen.get(offset..end).unwrap_or_default())
    }

    pub(super) fn write(&mut self, number: u64, offset: usize, data: &[u8]) -> Option<()> {
        let file = self.by_number.get_mut(&number)?;
        let end = offset.checked_add(data.len())?;
        if file.seen.len() < end {
            let before = file.seen.len();
            file.seen.resize(end, 0);
            file.touch(before, end);
        }
        file.seen.get_mut(offset..end)?.copy_from_slice(data);
        file.touch(offset, end);
        let names = &self.names;
        let is_it = |(name, _): &mut (OsString, Loss)| names.get(name) == Some(&number);
        if let Some((_, loss)) = self.armed.take_if(is_it) {
            self.lose_power(loss);
        }
        Some(())
    }

    /// Lets the power go with the next write to a file: before any sync can have brought it to the
    /// platter.
    pub(super) fn lose_power_at_write(&mut self, name: &OsStr, loss: Loss) {
        self.armed = Some((name.to_owned(), loss));
    }

    pub(super) fn resize(&mut self, number: u64, size: usize) -> Option<()> {
        let file = self.by_number.get_mut(&number)?;
        let before = file.seen.len();
        file.seen.resize(size, 0);
        file.touch(before.min(size), before.max(size));
        Some(())
    }

    /// Brings what is in a file to the platter. Its name is another matter.
    pub(super) fn sync(&mut self, number: u64) -> Option<()> {
        self.syncs += 1;
        self.by_number.get_mut(&number)?.sync(|| true);
        Some(())
    }

    /// Brings the names of all files to the platter, whatever is in them.
    pub(super) fn sync_names(&mut self) {
        self.syncs += 1;
        self.kept_names.clone_from(&self.names);
    }

    /// The power goes: from here on nothing is answered, and what processes saw is what was kept.
    pub(super) fn lose_power(&mut self, loss: Loss) {
        self.off = true;
        let mut state = match loss {
            Loss::All => 0,
            Loss::Some(seed) => seed | 1,
        };
        let names: BTreeMap<u64, &OsString> =
            self.names.iter().map(|(name, number)| (*number, name)).collect();
        for (number, file) in &mut self.by_number {
            let unsynced = file.unsynced.len();
            let mut stays = 0;
            if loss != Loss::All {
                file.sync(|| {
                    let stay = draw(&mut state);
                    stays += usize::from(stay);
                    stay
                });
            }
            if let Some(name) = names.get(number) {
                let gone = self.lost.entry((*name).clone()).or_default();
                *gone += u64::try_from(unsynced - stays).unwrap_or_default();
            }
            file.unsynced.clear();
            file.seen.clone_from(&file.kept);
        }
        self.names.clone_from(&self.kept_names);
    }

    /// The power is back.
    pub(super) const fn power_on(&mut self) {
        self.off = false;
    }
}

impl File {
    fn touch(&mut self, from: usize, to: usize) {
        if from < to {
            self.unsynced.extend(from / PAGE..to.div_ceil(PAGE));
        }
    }

    /// Moves those unsynced pages to the platter that `stays` chooses.
    fn sync(&mut self, mut stays: impl FnMut() -> bool) {
        let kept = &mut self.kept;
        let mut whole = true;
        for page in std::mem::take(&mut self.unsynced) {
            if !stays() {
                whole = false;
                continue;
            }
            let from = page * PAGE;
            let to = (from + PAGE).min(self.seen.len());
            let Some(bytes) = self.seen.get(from..to) else { continue };
            if kept.len() < to {
                kept.resize(to, 0);
            }
            if let Some(place) = kept.get_mut(from..to) {
                place.copy_from_slice(bytes);
            }
        }
        if whole {
            kept.resize(self.seen.len(), 0);
        }
    }
}

/// A coin, as xorshift throws it.
const fn draw(state: &mut u64) -> bool {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "journal";

    fn disk(content: &[u8]) -> (Files, u64) {
        let mut files = Files::default();
        let number = files.create(OsStr::new(NAME), 1);
        files.sync_names();
        files.write(number, 0, content).unwrap();
        (files, number)
    }

    fn content(files: &Files, number: u64) -> &[u8] {
        files.read(number, 0, usize::MAX).unwrap()
    }

    #[test]
    fn what_was_synced_survives_and_what_was_not_is_gone() {
        let (mut files, number) = disk(b"kept");
        files.sync(number).unwrap();
        files.write(number, 4, b" and lost").unwrap();
        assert_eq!(content(&files, number), b"kept and lost");
        files.lose_power(Loss::All);
        assert!(!files.is_on());
        files.power_on();
        assert_eq!(content(&files, number), b"kept");
        assert_eq!((files.syncs(), files.lost(OsStr::new(NAME))), (2, 1));
    }

    #[test]
    fn a_name_that_was_not_synced_is_gone_whatever_was_in_the_file() {
        let mut files = Files::default();
        let number = files.create(OsStr::new(NAME), 1);
        files.write(number, 0, b"gone").unwrap();
        files.sync(number).unwrap();
        files.lose_power(Loss::Some(7));
        assert_eq!(files.find(OsStr::new(NAME)), None);
        let (mut files, number) = disk(b"empty");
        files.lose_power(Loss::All);
        assert_eq!(files.find(OsStr::new(NAME)), Some(number));
        assert_eq!(content(&files, number), b"");
    }

    #[test]
    fn a_file_that_was_removed_is_back_unless_that_was_synced() {
        let (mut files, number) = disk(b"still here");
        files.sync(number).unwrap();
        assert!(files.remove(OsStr::new(NAME)));
        files.lose_power(Loss::All);
        files.power_on();
        assert_eq!(files.find(OsStr::new(NAME)), Some(number));
        assert_eq!(content(&files, number), b"still here");
        assert!(files.remove(OsStr::new(NAME)));
        files.sync_names();
        files.lose_power(Loss::All);
        assert_eq!(files.find(OsStr::new(NAME)), None);
    }

    #[test]
    fn a_write_at_which_the_power_goes_is_lost() {
        let (mut files, number) = disk(b"kept");
        files.sync(number).unwrap();
        files.lose_power_at_write(OsStr::new(NAME), Loss::All);
        let other = files.create(OsStr::new("other"), 1);
        files.write(other, 0, b"elsewhere").unwrap();
        assert!(files.is_on());
        files.write(number, 4, b" and lost").unwrap();
        assert!(!files.is_on());
        assert_eq!((content(&files, number), files.lost(OsStr::new(NAME))), (&b"kept"[..], 1));
    }

    #[test]
    fn pages_reach_the_platter_one_without_the_other() {
        let (mut files, number) = disk(&vec![1; 64 * PAGE]);
        files.sync(number).unwrap();
        files.write(number, 0, &vec![2; 64 * PAGE]).unwrap();
        files.lose_power(Loss::Some(99));
        let pages: BTreeSet<u8> =
            content(&files, number).chunks(PAGE).map(|page| page[0]).collect();
        assert_eq!(pages, BTreeSet::from([1, 2]));
        assert_eq!(content(&files, number).len(), 64 * PAGE);
    }

    #[test]
    fn a_file_that_was_cut_short_is_long_again_unless_that_was_synced() {
        let (mut files, number) = disk(b"a long story");
        files.sync(number).unwrap();
        files.resize(number, 6).unwrap();
        files.lose_power(Loss::All);
        files.power_on();
        assert_eq!(content(&files, number), b"a long story");
        files.resize(number, 6).unwrap();
        files.sync(number).unwrap();
        files.lose_power(Loss::All);
        assert_eq!(content(&files, number), b"a long");
    }
}
