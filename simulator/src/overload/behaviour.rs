//! What clients do when they are turned away: nothing, too much, or what they should.

use std::time::Duration;

use clap::ValueEnum;
use rand::RngExt as _;
use rand::rngs::Xoshiro256PlusPlus;
use serde::Serialize;

/// Retries of a naive client.
const NAIVE_RETRIES: u8 = 3;
/// Its pause.
const NAIVE_PAUSE: Duration = Duration::from_millis(50);
/// Retries of a good client.
const GOOD_RETRIES: u8 = 3;
/// The range of its jitter before the first retry; doubles with each further one.
const GOOD_BASE: Duration = Duration::from_millis(200);
/// What a retry costs, in parts of what a success earns: 10 % of retries at most in the long run.
const RETRY_COSTS: u32 = 10;
/// Most successes that are remembered.
const SAVED_MAX: u32 = 1_000;

/// A kind of client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// Goes away.
    #[value(name = "none")]
    NoRetry,
    /// Tries three times more, 50 ms apart, whatever it is told.
    Naive,
    /// Waits as long as it is told and a random time more, with a budget of 10 %.
    Good,
}

impl Behaviour {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::NoRetry, Self::Naive, Self::Good];

    /// What it is called in the tables.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::NoRetry => "no retries",
            Self::Naive => "naive retries",
            Self::Good => "good clients",
        }
    }
}

/// The clients of one stream and what they have left to spend.
#[derive(Debug)]
pub(super) struct Patience {
    behaviour: Behaviour,
    saved: u32,
}

impl Patience {
    pub(super) fn new(behaviour: Behaviour) -> Self {
        Self { behaviour, saved: SAVED_MAX / 2 }
    }

    /// A try brought an order.
    pub(super) fn earn(&mut self) {
        self.saved = self.saved.saturating_add(1).min(SAVED_MAX);
    }

    /// The pause before the next try under the same key, after so many retries; `None` when
    /// there is none.
    pub(super) fn again(
        &mut self,
        retries: u8,
        asked: Duration,
        chance: &mut Xoshiro256PlusPlus,
    ) -> Option<Duration> {
        match self.behaviour {
            Behaviour::NoRetry => None,
            Behaviour::Naive => (retries < NAIVE_RETRIES).then_some(NAIVE_PAUSE),
            Behaviour::Good => {
                if GOOD_RETRIES <= retries {
                    return None;
                }
                self.saved = self.saved.checked_sub(RETRY_COSTS)?;
                let range = GOOD_BASE.saturating_mul(1 << retries.min(8));
                Some(asked.saturating_add(range.mul_f64(chance.random::<f64>())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    fn chance() -> Xoshiro256PlusPlus {
        Xoshiro256PlusPlus::seed_from_u64(1)
    }

    const ASKED: Duration = Duration::from_secs(2);

    #[test]
    fn whoever_does_not_retry_never_does() {
        assert_eq!(Patience::new(Behaviour::NoRetry).again(0, ASKED, &mut chance()), None);
    }

    #[test]
    fn a_naive_client_comes_back_three_times_whatever_it_is_told() {
        let mut patience = Patience::new(Behaviour::Naive);
        let pauses: Vec<_> =
            (0..5).map(|retries| patience.again(retries, ASKED, &mut chance())).collect();
        let pause = Some(Duration::from_millis(50));
        assert_eq!(pauses, [pause, pause, pause, None, None]);
    }

    #[test]
    fn a_good_client_never_comes_before_it_was_told_and_spreads_out() {
        let (mut patience, mut chance) = (Patience::new(Behaviour::Good), chance());
        let pauses: Vec<_> =
            (0..20).map(|_| patience.again(0, ASKED, &mut chance).unwrap()).collect();
        assert!(pauses.iter().all(|pause| *pause >= ASKED && *pause < ASKED + GOOD_BASE));
        assert!(pauses.iter().any(|pause| *pause < ASKED + GOOD_BASE / 3));
        assert!(pauses.iter().any(|pause| *pause > ASKED + GOOD_BASE / 2));
        assert_eq!(patience.again(GOOD_RETRIES, ASKED, &mut chance), None);
    }

    #[test]
    fn a_budget_that_is_spent_comes_back_with_success_alone() {
        let (mut patience, mut chance) = (Patience::new(Behaviour::Good), chance());
        while patience.again(0, ASKED, &mut chance).is_some() {}
        for _ in 0..9 {
            patience.earn();
        }
        assert_eq!(patience.again(0, ASKED, &mut chance), None);
        patience.earn();
        assert!(patience.again(0, ASKED, &mut chance).is_some());
    }
}
