//! Commands that need others first: what they need is asked for, then they are judged, and what was
//! taken in vain goes back before anybody is told.

use engine::process::{Answer, Intent};
use engine::values::Moment;
use engine::{Aggregate, Step};

use super::effect::Asked;
use super::logic::{Effects, Entity, Ticket};
use super::waiting::Outcome;

/// A command whose needs are being met, or which is being undone.
pub(super) struct Gathering<A: Aggregate, R> {
    pub(super) asked: Asked<A, R>,
    open: usize,
    refused: Option<A::Refusal>,
}

impl<A: Aggregate, R> Entity<A, R> {
    pub(super) fn begin(&mut self, asked: Asked<A, R>, now: Moment, effects: &mut Effects<A, R>) {
        let Some(command) = &asked.command else {
            self.wait(asked.reply, Outcome::Accepted { changed: false }, false);
            return;
        };
        match A::next_step(&self.state, command, now) {
            Step::Ready => self.judge(asked, now, effects),
            Step::Needs(intents) => {
                self.gathering = Some(Gathering { asked, open: intents.len(), refused: None });
                for intent in intents {
                    self.perform(intent.clone(), Ticket::Need(intent), effects);
                }
            }
        }
    }

    fn judge(&mut self, asked: Asked<A, R>, now: Moment, effects: &mut Effects<A, R>) {
        let Some(command) = &asked.command else { return };
        match self.decide(command, &asked.cause, now, effects) {
            Ok(changed) => {
                // What is not settled now is answered only when it is.
                let settle = !A::is_settled(&self.state);
                if asked.ahead && !settle {
                    self.answer(asked.reply, Outcome::Accepted { changed }, effects);
                } else {
                    self.wait(asked.reply, Outcome::Accepted { changed }, settle);
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
                self.gathering = Some(Gathering { asked, open, refused: Some(refusal) });
                for intent in undo {
                    self.perform(intent, Ticket::Undo, effects);
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
        if let Some(command) = &mut gathering.asked.command {
            A::supply(command, need, answer);
        }
        gathering.open = gathering.open.saturating_sub(1);
        if gathering.open == 0 {
            self.begin(gathering.asked, now, effects);
            self.unstash(now, effects);
        } else {
            self.gathering = Some(gathering);
        }
    }

    pub(super) fn undone(&mut self, now: Moment, effects: &mut Effects<A, R>) {
        let Some(mut gathering) = self.gathering.take() else { return };
        gathering.open = gathering.open.saturating_sub(1);
        if 0 < gathering.open {
            self.gathering = Some(gathering);
            return;
        }
        if let Some(refusal) = gathering.refused {
            self.wait(gathering.asked.reply, Outcome::Refused(refusal), false);
        }
        self.unstash(now, effects);
    }

    fn unstash(&mut self, now: Moment, effects: &mut Effects<A, R>) {
        while self.gathering.is_none() {
            let Some(asked) = self.stash.pop_front() else { return };
            self.begin(asked, now, effects);
        }
    }
}
