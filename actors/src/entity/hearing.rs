//! What each message of a mailbox asks of the logic.

use engine::values::Moment;
use persistence::crash_points::{CrashPoint, crash_point};
use tokio::time::Instant;

use super::effect::{Asked, Effect};
use super::logic::{Effects, Entity};
use super::message::{EntityMessage, NextWake, ReplyTo};
use crate::directory::{Directory, Hosted};
use crate::outcome::{NotAccepted, NotDone};

/// Lets the entity hear a message; what follows from it is in the effects.
pub(super) fn hear<A: Hosted>(
    directory: &Directory<A>,
    entity: &mut Entity<A, ReplyTo<A>>,
    message: EntityMessage<A>,
    now: Moment,
) -> Effects<A, ReplyTo<A>> {
    match message {
        EntityMessage::Ask { asked, deadline, queued_at } => {
            let mut asked = asked;
            asked.reply.heard();
            crash_point(CrashPoint::MailboxHeard);
            let began = Instant::now();
            directory.waited(began.saturating_duration_since(queued_at));
            if deadline < began {
                let Asked { reply, .. } = *asked;
                let answer = Err(NotDone::NotAccepted(NotAccepted::DeadlinePassed));
                return vec![Effect::Reply { to: reply, answer }];
            }
            let until = now.saturating_add(deadline.saturating_duration_since(began));
            entity.ask(*asked, until, now)
        }
        EntityMessage::Answered { ticket, answer } => entity.answered(ticket, answer, now),
        EntityMessage::Written { version, position } => {
            crash_point(CrashPoint::EntityWritten);
            entity.written(version, position, now)
        }
        EntityMessage::Wake { then } => {
            let effects = entity.wake(now);
            // What is not durable yet must not move the row that brings this entity back after a
            // crash. Unanswered, it stays and comes up again.
            if entity.is_durable() {
                let (due, version) = (A::wake_at(entity.state()), entity.version());
                let _ = then.send(NextWake { due, version });
            }
            effects
        }
        EntityMessage::Pursue => entity.pursue(now),
        EntityMessage::Sleep { .. } => vec![Effect::Rest],
        EntityMessage::Inspect { reply } => {
            let _ = reply.send(entity.state().clone());
            Vec::new()
        }
        // Handled before, because they end the incarnation.
        EntityMessage::Failed { .. }
        | EntityMessage::Outdated { .. }
        | EntityMessage::Kill { .. } => Vec::new(),
    }
}
