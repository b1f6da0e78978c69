//! Commands that need others first: what they need is asked for, then they are judged, and what was
//! taken in vain goes back before anybody is told.

use std::time::Duration;

use engine::planted::{Bug, planted};
use engine::process::{Answer, Intent};
use engine::values::Moment;
use engine::{Aggregate, Step};

use super::effect::{Asked, Effect};
use super::logic::{Effects, Entity, Ticket};
use super::waiting::Outcome;
use crate::outcome::{NotAccepted, NotDone};

/// How often it is tried to give back what was taken in vain.
const UNDO_TRIES: u32 = 6;

/// The first pause between two tries; each further one is longer by as much. All of them together
/// are shorter than a client waits.
const UNDO_PAUSE: Duration = Duration::from_millis(200);

/// A command whose needs are being met, or which is being undone.
pub(super) struct Gathering<A: Aggregate, R> {
    asked: Asked<A, R>,
    open: usize,
    /// Whether something was taken for it, or may have been.
    took: bool,
    /// Then what was taken is on its way back.
    refused: Option<A::Refusal>,
    /// What could not go back.
    left: Vec<Intent>,
    /// How often it was tried to give everything back.
    tries: u32,
}

impl<A: Aggregate, R> Gathering<A, R> {
    const fn of(asked: Asked<A, R>, open: usize, took: bool) -> Self {
        Self { asked, open, took, refused: None, left: Vec::new(), tries: 0 }
    }
}

impl<A: Aggregate, R> Entity<A, R> {
    pub(super) fn begin(&mut self, asked: Asked<A, R>, now: Moment, effects: &mut Effects<A, R>) {
        self.go_on(asked, false, now, effects);
    }

    fn go_on(&mut self, asked: Asked<A, R>, took: bool, now: Moment, effects: &mut Effects<A, R>) {
        let Some(command) = &asked.command else {
            self.wait(asked.reply, Outcome::Accepted { changed: false, took }, false);
            return;
        };
        match A::next_step(&self.state, command, now) {
            Step::Ready => self.judge(asked, took, now, effects),
            Step::Needs(intents) => {
                self.gathering = Some(Gathering::of(asked, intents.len(), took));
                for intent in intents {
                    self.perform(intent.clone(), Ticket::Need(intent), effects);
                }
            }
        }
    }

    fn judge(&mut self, asked: Asked<A, R>, took: bool, now: Moment, effects: &mut Effects<A, R>) {
        let Some(command) = &asked.command else { return };
        match self.decide(command, &asked.cause, now, effects) {
            Ok(changed) => {
                // What is not settled now is answered only when it is.
                let settle = !A::is_settled(&self.state) && !planted(Bug::AnswersUnsettled);
                let is_ahead =
                    asked.from.is_some_and(|asker| asker.ahead) || planted(Bug::AnswersEarly);
                if is_ahead && !settle {
                    self.answer(asked.reply, Outcome::Accepted { changed, took }, effects);
                } else {
                    self.wait(asked.reply, Outcome::Accepted { changed, took }, settle);
                }
            }
            Err(refusal) => {
                let undo = A::compensate(&self.state, command);
                if undo.is_empty() {
                    self.wait(asked.reply, Outcome::Refused(refusal), false);
                    return;
                }
                // The key may be asked again at once, so what was taken goes back first.
                let open = undo.len();
                let gathering = Gathering::of(asked, open, true);
                self.gathering = Some(Gathering { refused: Some(refusal), ..gathering });
                for intent in undo {
                    self.perform(intent.clone(), Ticket::Undo(intent), effects);
                }
            }
        }
    }

    pub(super) fn supply(
        &mut self,
        need: &Intent,
        answer: Answer,
        now: Moment,
        effects: &mut Effects<A, R>,
    ) {
        let Some(mut gathering) = self.gathering.take() else { return };
        gathering.took |= need.takes() && answer.may_be_done() && !planted(Bug::ForgetsTaken);
        if let Some(command) = &mut gathering.asked.command {
            A::supply(command, need, answer);
        }
        gathering.open = gathering.open.saturating_sub(1);
        if gathering.open == 0 {
            self.go_on(gathering.asked, gathering.took, now, effects);
            self.unstash(now, effects);
        } else {
            self.gathering = Some(gathering);
        }
    }

    pub(super) fn undone(
        &mut self,
        undo: Intent,
        answer: &Answer,
        now: Moment,
        effects: &mut Effects<A, R>,
    ) {
        let Some(mut gathering) = self.gathering.take() else { return };
        if matches!(answer, Answer::Failed | Answer::NotAccepted(_)) {
            gathering.left.push(undo);
        }
        gathering.open = gathering.open.saturating_sub(1);
        if 0 < gathering.open {
            self.gathering = Some(gathering);
            return;
        }
        if !gathering.left.is_empty() && !planted(Bug::UndoesOnce) {
            gathering.tries = gathering.tries.saturating_add(1);
            if gathering.tries < UNDO_TRIES {
                effects.push(Effect::PursueIn(UNDO_PAUSE.saturating_mul(gathering.tries)));
                self.gathering = Some(gathering);
                return;
            }
            // It lapses by itself, but has not yet: nobody may be told that nothing happened.
            let (to, answer) = (gathering.asked.reply, Err(NotDone::Unknown));
            effects.push(Effect::Reply { to, answer });
        } else if let Some(refusal) = gathering.refused {
            self.wait(gathering.asked.reply, Outcome::Refused(refusal), false);
        }
        self.unstash(now, effects);
    }

    /// Gives back once more what could not go back before.
    pub(super) fn undo_again(&mut self, effects: &mut Effects<A, R>) {
        let Some(gathering) = self.gathering.as_mut().filter(|gathering| gathering.open == 0)
        else {
            return;
        };
        let left = std::mem::take(&mut gathering.left);
        gathering.open = left.len();
        for intent in left {
            self.perform(intent.clone(), Ticket::Undo(intent), effects);
        }
    }

    /// Ends without an outcome. What was taken may stand, and what is on its way back may not
    /// arrive.
    pub(super) fn drop_gathering(&mut self, effects: &mut Effects<A, R>) {
        let Some(Gathering { asked, took, .. }) = self.gathering.take() else { return };
        let takes = |(_, ticket): &(u64, Ticket)| match ticket {
            Ticket::Need(need) => need.takes(),
            Ticket::Owed | Ticket::Undo(_) => false,
        };
        let untouched = !took && !self.tickets.iter().any(takes);
        let unwritten = NotDone::NotAccepted(NotAccepted::NotWritten);
        let answer = Err(if untouched { unwritten } else { NotDone::Unknown });
        effects.push(Effect::Reply { to: asked.reply, answer });
    }

    fn unstash(&mut self, now: Moment, effects: &mut Effects<A, R>) {
        while self.gathering.is_none() && !planted(Bug::LosesWaiting) {
            let Some((until, asked)) = self.stash.pop_front() else { return };
            if until < now {
                let late = Err(NotDone::NotAccepted(NotAccepted::DeadlinePassed));
                effects.push(Effect::Reply { to: asked.reply, answer: late });
            } else {
                self.begin(asked, now, effects);
            }
        }
    }
}
