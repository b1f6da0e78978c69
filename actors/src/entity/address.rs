//! Where an incarnation is reached: an actor lives several lives, and a message is for one of them.

use std::sync::Arc;
use std::time::Duration;

use engine::Aggregate;
use persistence::journal::StreamId;
use ractor::{ActorCell, ActorId, ActorRef, ActorRuntime};

use super::message::EntityMessage;
use super::shell::EntityShell;
use crate::directory::Hosted;
use crate::system::World;

/// What an incarnation starts from.
pub struct Incarnation {
    /// Everything around it.
    pub world: Arc<World>,
    /// Whose history.
    pub stream: StreamId,
}

/// What an entity's actor receives.
pub enum Letter<A: Aggregate> {
    /// A life begins.
    Begin {
        /// Which of the actor's lives.
        life: u64,
        /// Whose.
        incarnation: Incarnation,
    },
    /// Something for one life. When it has ended, this is dropped unheard, and a reply in it says
    /// that nothing happened.
    For {
        /// Which life.
        life: u64,
        /// What it is to hear.
        message: EntityMessage<A>,
    },
}

/// The address of one incarnation.
pub struct Address<A: Aggregate> {
    actor: ActorRef<Letter<A>>,
    life: u64,
}

impl<A: Aggregate> Clone for Address<A> {
    fn clone(&self) -> Self {
        Self { actor: self.actor.clone(), life: self.life }
    }
}

impl<A: Hosted> Address<A> {
    /// Starts an actor that has not lived yet; `None` where none can be started.
    pub(crate) fn spawn(supervisor: ActorCell) -> Option<Self> {
        let shell = EntityShell::<A>::default();
        let spawned = ActorRuntime::spawn_linked_instant(None, shell, (), supervisor);
        spawned.ok().map(|(actor, _)| Self { actor, life: 0 })
    }
}

impl<A: Aggregate> Address<A> {
    /// The address of a life, as its own actor knows it.
    pub(super) const fn of(actor: ActorRef<Letter<A>>, life: u64) -> Self {
        Self { actor, life }
    }

    /// Which of the actor's lives.
    pub(super) const fn life(&self) -> u64 {
        self.life
    }

    /// Begins the actor's next life; `None` when the actor has died.
    pub(crate) fn begin(self, incarnation: Incarnation) -> Option<Self> {
        let next = Self { life: self.life.wrapping_add(1), ..self };
        let letter = Letter::Begin { life: next.life, incarnation };
        next.actor.send_message(letter).ok().map(|()| next)
    }

    /// Sends. One that comes too late is dropped, and a reply in it says that nothing happened.
    pub(crate) fn send(&self, message: EntityMessage<A>) {
        let _ = self.actor.send_message(Letter::For { life: self.life, message });
    }

    /// Takes up paused work after that span.
    pub(super) fn pursue_in(&self, pause: Duration) {
        let life = self.life;
        self.actor.send_after(pause, move || Letter::For { life, message: EntityMessage::Pursue });
    }

    /// The actor, as its supervisor knows it.
    pub(crate) fn actor(&self) -> ActorId {
        self.actor.get_id()
    }

    /// Ends the actor itself.
    pub(crate) fn stop(&self) {
        self.actor.stop(None);
    }
}

#[cfg(test)]
mod tests {
    use engine::cart::Cart;
    use ractor::Actor;
    use tokio::sync::oneshot;
    use tokio::time::Instant;

    use super::*;
    use crate::entity::{Asked, ReplyTo};
    use crate::outcome::{Cause, NotAccepted, NotDone};

    #[tokio::test]
    async fn what_is_meant_for_an_ended_life_says_that_nothing_happened() {
        let (actor, _) = Actor::spawn(None, EntityShell::<Cart>::default(), ()).await.unwrap();
        let (reply, answer) = oneshot::channel();
        let reply = ReplyTo::waiter(reply);
        let asked = Asked { command: None, cause: Cause::default(), reply, from: None };
        let queued_at = Instant::now();
        let deadline = queued_at + Duration::from_secs(1);

        let asked = Box::new(asked);
        Address::of(actor, 1).send(EntityMessage::Ask { asked, deadline, queued_at });

        let verdict = answer.await.unwrap();
        assert!(matches!(verdict, Err(NotDone::NotAccepted(NotAccepted::Restarting))));
    }
}
