//! When shoppers arrive and what they pick: fixed in advance, a function of the seed alone.

use std::time::Duration;

use clap::ValueEnum;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;

/// How a crowd spreads over its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Most come at the opening: a tenth of the crowd in the first hundredth of the window.
    Rush,
    /// Evenly at random.
    Steady,
}

/// The moments of `shoppers` arrivals within `window`, in order.
pub fn moments(seed: u64, shoppers: u32, window: Duration, shape: Shape) -> Vec<Duration> {
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut moments: Vec<Duration> = (0..shoppers)
        .map(|_| {
            let part: f64 = chance.random();
            match shape {
                Shape::Rush => window.mul_f64(part * part),
                Shape::Steady => window.mul_f64(part),
            }
        })
        .collect();
    moments.sort_unstable();
    moments
}

/// Which of `products` each of `shoppers` picks, as indices below `products`.
pub fn picks(seed: u64, shoppers: u32, products: usize) -> Vec<usize> {
    // Another stream than the arrivals, so that who comes early does not decide what is picked.
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed.rotate_left(32) ^ 0x5eed);
    (0..shoppers).map(|_| chance.random_range(0..products.max(1))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(10);

    #[test]
    fn the_same_seed_gives_the_same_crowd() {
        for shape in [Shape::Rush, Shape::Steady] {
            assert_eq!(moments(7, 500, WINDOW, shape), moments(7, 500, WINDOW, shape));
            assert_ne!(moments(7, 500, WINDOW, shape), moments(8, 500, WINDOW, shape));
        }
        assert_eq!(picks(7, 500, 20), picks(7, 500, 20));
        assert_ne!(picks(7, 500, 20), picks(8, 500, 20));
    }

    #[test]
    fn the_crowd_of_a_seed_never_changes_between_releases() {
        let first: Vec<u128> =
            moments(1, 3, WINDOW, Shape::Steady).iter().map(Duration::as_micros).collect();
        assert_eq!(first, FIRST_OF_SEED_ONE);
        assert_eq!(picks(1, 8, 4), PICKS_OF_SEED_ONE);
    }

    #[test]
    fn arrivals_are_in_order_and_inside_the_window() {
        let moments = moments(3, 2_000, WINDOW, Shape::Rush);
        assert_eq!(moments.len(), 2_000);
        assert!(moments.is_sorted());
        assert!(moments.iter().all(|moment| *moment <= WINDOW));
    }

    #[test]
    fn a_rush_brings_a_tenth_in_the_first_hundredth() {
        let early = |shape| {
            let limit = WINDOW / 100;
            moments(11, 10_000, WINDOW, shape).iter().filter(|moment| **moment < limit).count()
        };
        assert!((900..1_100).contains(&early(Shape::Rush)));
        assert!((60..140).contains(&early(Shape::Steady)));
    }

    #[test]
    fn products_are_picked_evenly() {
        for seed in 0..20 {
            let picks = picks(seed, 10_000, 100);
            for product in 0..100 {
                let picked = picks.iter().filter(|pick| **pick == product).count();
                assert!(
                    (50..150).contains(&picked),
                    "seed {seed}: {product} picked {picked} times"
                );
            }
        }
    }

    const FIRST_OF_SEED_ONE: [u128; 3] = [1_001_509, 7_471_047, 8_116_121];
    const PICKS_OF_SEED_ONE: [usize; 8] = [0, 2, 0, 0, 0, 0, 0, 2];
}
