//! Seeded chance: whatever a run leaves open is drawn from here, and nothing else is random.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng as _, SeedableRng as _};

/// What the draws of one generator are for. Each has its own sequence, so that a plan stays the same
/// when something else draws more or less.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Options = 1,
    Plan = 2,
    Schedule = 3,
    Faults = 4,
}

/// A sequence of draws.
pub(super) struct Chance(Xoshiro256PlusPlus);

impl Chance {
    /// The sequence that belongs to a seed and a purpose.
    pub(super) fn of(seed: u64, purpose: Purpose) -> Self {
        let mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(purpose as u64);
        Self(Xoshiro256PlusPlus::seed_from_u64(mixed))
    }

    /// Evenly from 0 up to, but not including, `end`; 0 when there is nothing to choose from.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        // The high half of the product: even enough, and no division.
        let product = u128::from(self.0.next_u64()).wrapping_mul(u128::from(end));
        u64::try_from(product >> u64::BITS).unwrap_or_default()
    }

    /// Evenly between two numbers, both included.
    pub(super) fn between(&mut self, first: u64, last: u64) -> u64 {
        first.saturating_add(self.below(last.saturating_sub(first).saturating_add(1)))
    }

    /// Whether something happens that does so in that many of a thousand cases.
    pub(super) fn permille(&mut self, share: u64) -> bool {
        0 < share && self.below(1_000) < share
    }

    /// One of these; the first where there are none left to choose from.
    pub(super) fn one_of<T: Copy>(&mut self, first: T, others: &[T]) -> T {
        let index = usize::try_from(self.below(others.len() as u64 + 1)).unwrap_or_default();
        index.checked_sub(1).and_then(|index| others.get(index)).copied().unwrap_or(first)
    }

    /// An index into a list of that length.
    pub(super) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_each_purpose_its_own() {
        let draws = |seed, purpose| {
            let mut chance = Chance::of(seed, purpose);
            [0; 8].map(|_: u8| chance.below(1_000_000))
        };
        assert_eq!(draws(7, Purpose::Plan), draws(7, Purpose::Plan));
        assert_ne!(draws(7, Purpose::Plan), draws(8, Purpose::Plan));
        assert_ne!(draws(7, Purpose::Plan), draws(7, Purpose::Faults));
    }

    #[test]
    fn draws_stay_within_their_bounds() {
        let mut chance = Chance::of(1, Purpose::Schedule);
        assert!((0..1_000).all(|_| chance.below(3) < 3));
        assert!((0..1_000).all(|_| (5..=7).contains(&chance.between(5, 7))));
        assert_eq!(chance.below(0), 0);
        assert!(!chance.permille(0));
        assert!(chance.permille(1_000));
    }
}
