//! given / when / then: tests of aggregates that read like the business.

use crate::aggregate::Aggregate;
use crate::values::Moment;

/// A history to judge against.
#[derive(Debug)]
pub struct Given<A: Aggregate> {
    state: A::State,
    now: Moment,
}

/// A judged command.
#[derive(Debug)]
pub struct When<A: Aggregate> {
    decision: Result<Vec<A::Event>, A::Refusal>,
}

/// Starts from `history`, whose events all happened at the epoch.
pub fn given<A: Aggregate>(history: &[A::Event]) -> Given<A> {
    let at = Moment::default();
    Given { state: A::replay(history.iter().map(|event| (event, at))), now: at }
}

impl<A: Aggregate> Given<A> {
    /// Lets time pass until `now`.
    #[must_use]
    pub fn at(self, now: Moment) -> Self {
        Self { now, ..self }
    }

    /// Books more events, at the present moment.
    #[must_use]
    pub fn and(mut self, events: &[A::Event]) -> Self {
        for event in events {
            A::evolve(&mut self.state, event, self.now);
        }
        self
    }

    /// Judges `command`.
    #[expect(clippy::needless_pass_by_value, reason = "tests read better without ampersands")]
    pub fn when(self, command: A::Command) -> When<A> {
        When { decision: A::decide(&self.state, &command, self.now) }
    }

    /// The state itself, for questions that are not commands.
    pub const fn state(&self) -> &A::State {
        &self.state
    }
}

impl<A: Aggregate> When<A>
where
    A::Refusal: PartialEq,
{
    /// Expects exactly these events.
    ///
    /// # Panics
    ///
    /// When something else was decided.
    pub fn then(self, events: &[A::Event]) {
        assert_eq!(self.decision.as_deref(), Ok(events));
    }

    /// Expects this refusal.
    ///
    /// # Panics
    ///
    /// When something else was decided.
    pub fn then_refused(self, refusal: A::Refusal) {
        assert_eq!(self.decision, Err(refusal));
    }
}
