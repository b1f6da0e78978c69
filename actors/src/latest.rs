//! What is known of the things that came up last, in bounded memory.

use std::collections::BTreeMap;

/// At most so many things by their keys; of more, those go that were kept longest ago.
pub(crate) struct Latest<K, V> {
    by_key: BTreeMap<K, (u64, V)>,
    /// The same keys in the order in which they were kept.
    by_age: BTreeMap<u64, K>,
    kept: u64,
    max: usize,
}

impl<K: Ord + Clone, V> Latest<K, V> {
    pub(crate) const fn new(max: usize) -> Self {
        Self { by_key: BTreeMap::new(), by_age: BTreeMap::new(), kept: 0, max }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.by_key.get(key).map(|(_, value)| value)
    }

    pub(crate) fn take(&mut self, key: &K) -> Option<V> {
        let (kept, value) = self.by_key.remove(key)?;
        self.by_age.remove(&kept);
        Some(value)
    }

    pub(crate) fn keep(&mut self, key: K, value: V) {
        self.take(&key);
        if self.max <= self.by_key.len()
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.by_key.remove(&oldest);
        }
        self.kept = self.kept.saturating_add(1);
        self.by_age.insert(self.kept, key.clone());
        self.by_key.insert(key, (self.kept, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_last_has_a_place_however_many_lie_still() {
        const MAX: usize = 16_384;
        let mut latest = Latest::new(MAX);
        for number in 1..=MAX {
            latest.keep(number, number);
        }
        // The first moves on once more, so it is no longer the one that lay still for longest.
        let first = latest.take(&1).unwrap();
        latest.keep(1, first);
        latest.keep(0, 7);

        assert_eq!(latest.by_key.len(), MAX);
        assert_eq!(latest.by_age.len(), MAX);
        assert_eq!(latest.get(&0), Some(&7));
        assert_eq!(latest.take(&1), Some(1));
        assert_eq!(latest.take(&2), None);
        assert!(latest.take(&3).is_some());
    }

    #[test]
    fn what_is_kept_again_is_there_once() {
        let mut latest = Latest::new(2);
        latest.keep("a", 1);
        latest.keep("b", 2);
        latest.keep("a", 3);
        latest.keep("c", 4);
        let known = ["a", "b", "c"].map(|key| latest.get(&key).copied());
        assert_eq!(known, [Some(3), None, Some(4)]);
    }

    #[test]
    fn what_was_taken_is_gone() {
        let mut latest = Latest::new(2);
        latest.keep("a", 1);
        assert_eq!(latest.take(&"a"), Some(1));
        assert_eq!(latest.get(&"a"), None);
        assert_eq!(latest.take(&"a"), None);
    }
}
