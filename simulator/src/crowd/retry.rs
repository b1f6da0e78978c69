//! A good client's patience: it honours `Retry-After`, jitters fully and has a budget.

use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::Xoshiro256PlusPlus;

use crate::record::Outcome;

/// How often a client tries, and how long it waits in between.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Tries in all, the first included.
    pub tries: u32,
    /// Back-off before the second try; doubles with each further one.
    pub base: Duration,
    /// Longest back-off, and the longest `Retry-After` that is waited for.
    pub cap: Duration,
}

impl Patience {
    /// A client that tries at most `tries` times, from 200 ms up to 30 s.
    pub fn new(tries: u32) -> Self {
        Self { tries, base: Duration::from_millis(200), cap: Duration::from_secs(30) }
    }

    /// The wait before the next try, or `None` when this outcome is final or the budget
    /// is used up. `made` counts the tries made so far.
    ///
    /// A definite answer about the order is final. "Too busy" is repeated after what the
    /// server asked for plus jitter; everything else, unknown outcomes above all, after
    /// jitter alone. The key stays the same, so a repeat can never buy twice.
    pub fn next(
        &self,
        made: u32,
        outcome: &Outcome,
        chance: &mut Xoshiro256PlusPlus,
    ) -> Option<Duration> {
        let asked = match outcome {
            Outcome::Answered(answer) if answer.is_turned_away() => {
                answer.retry_after.unwrap_or_default()
            }
            Outcome::Answered(answer) if !answer.is_unknown() => return None,
            Outcome::Answered(_) | Outcome::NotSent | Outcome::Cut | Outcome::TimedOut => {
                Duration::ZERO
            }
        };
        if made >= self.tries || asked > self.cap {
            return None;
        }
        let doublings = made.saturating_sub(1).min(16);
        let ceiling = self.base.saturating_mul(1 << doublings).min(self.cap);
        let jitter = ceiling.mul_f64(chance.random::<f64>());
        Some(asked.saturating_add(jitter))
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;
    use crate::record::Answer;

    fn answer(status: u16, retry_after: Option<u64>) -> Outcome {
        Outcome::Answered(Answer {
            status,
            code: None,
            order: None,
            retry_after: retry_after.map(Duration::from_secs),
            replayed: false,
        })
    }

    fn chance() -> Xoshiro256PlusPlus {
        Xoshiro256PlusPlus::seed_from_u64(1)
    }

    #[test]
    fn a_definite_answer_is_final() {
        for status in [201, 202, 402, 409, 422, 401, 404] {
            assert_eq!(Patience::new(5).next(1, &answer(status, None), &mut chance()), None);
        }
    }

    #[test]
    fn retry_after_is_never_undercut() {
        let mut chance = chance();
        for status in [429, 503] {
            for _ in 0..200 {
                let wait = Patience::new(5).next(1, &answer(status, Some(2)), &mut chance).unwrap();
                assert!(wait >= Duration::from_secs(2) && wait <= Duration::from_millis(2_200));
            }
        }
    }

    #[test]
    fn unknown_outcomes_are_repeated_with_full_jitter() {
        let mut chance = chance();
        for outcome in [answer(504, None), answer(500, None), Outcome::Cut, Outcome::TimedOut] {
            let waits: Vec<Duration> = (0..200)
                .map(|_| Patience::new(5).next(3, &outcome, &mut chance).unwrap())
                .collect();
            assert!(waits.iter().all(|wait| *wait <= Duration::from_millis(800)));
            assert!(waits.iter().any(|wait| *wait < Duration::from_millis(200)));
            assert!(waits.iter().any(|wait| *wait > Duration::from_millis(600)));
        }
    }

    #[test]
    fn the_budget_ends_the_tries() {
        let patience = Patience::new(5);
        assert!(patience.next(4, &Outcome::Cut, &mut chance()).is_some());
        assert_eq!(patience.next(5, &Outcome::Cut, &mut chance()), None);
        assert_eq!(patience.next(5, &answer(503, Some(1)), &mut chance()), None);
    }

    #[test]
    fn nobody_waits_for_an_hour() {
        assert_eq!(Patience::new(5).next(1, &answer(503, Some(3_600)), &mut chance()), None);
    }

    #[test]
    fn the_back_off_is_capped() {
        let mut chance = chance();
        for _ in 0..200 {
            let wait = Patience::new(99).next(60, &Outcome::Cut, &mut chance).unwrap();
            assert!(wait <= Duration::from_secs(30));
        }
    }
}
