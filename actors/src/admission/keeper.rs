//! Keeps one actor alive: a supervisor that starts the same actor again when it dies.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use ractor::{Actor, ActorProcessingErr, ActorRef, Message, SpawnErr, SupervisionEvent};
use tokio::time::Instant;
use tracing::warn;

use crate::metrics::ACTOR_RESTARTS_TOTAL;

const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// An incarnation that lived this long was well; its death is counted as the first.
const WELL_AFTER: Duration = Duration::from_mins(1);

/// The address of a kept actor; survives restarts.
#[derive(Debug)]
pub(crate) struct Address<M>(Arc<ArcSwapOption<ActorRef<M>>>);

impl<M> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Message> Address<M> {
    /// Sends, unless the actor is being started again; whether it was sent.
    pub(crate) fn send(&self, message: M) -> bool {
        self.0.load().as_ref().is_some_and(|actor| actor.send_message(message).is_ok())
    }
}

/// A kept actor. Dropping this stops it for good.
#[derive(Debug)]
pub(crate) struct Kept<M> {
    keeper: ActorRef<Restart>,
    address: Address<M>,
}

impl<M: Message> Kept<M> {
    #[cfg(test)]
    pub(crate) fn kill(&self) {
        if let Some(actor) = self.address.0.load().as_ref() {
            actor.kill();
        }
    }

    /// Where to send.
    pub(crate) const fn address(&self) -> &Address<M> {
        &self.address
    }
}

impl<M> Drop for Kept<M> {
    fn drop(&mut self) {
        self.keeper.stop(None);
    }
}

/// Starts `child` under a keeper of its own. What must outlive an incarnation lies in `child`.
///
/// # Errors
///
/// When the first incarnation does not start; later ones are tried until they do.
pub(crate) async fn keep<A>(name: &'static str, child: A) -> Result<Kept<A::Msg>, SpawnErr>
where
    A: Actor<Arguments = ()> + Clone,
{
    let address = Address(Arc::new(ArcSwapOption::empty()));
    let keeper = Keeper { name, child, address: address.clone() };
    let (keeper, _joined) = Actor::spawn(None, keeper, ()).await?;
    Ok(Kept { keeper, address })
}

struct Keeper<A: Actor> {
    name: &'static str,
    child: A,
    address: Address<A::Msg>,
}

struct Restart;

struct Deaths {
    in_a_row: u32,
    started: Instant,
}

impl<A: Actor<Arguments = ()> + Clone> Keeper<A> {
    async fn start_child(&self, myself: &ActorRef<Restart>) -> Result<(), SpawnErr> {
        let child = self.child.clone();
        let (child, _joined) = Actor::spawn_linked(None, child, (), myself.get_cell()).await?;
        self.address.0.store(Some(Arc::new(child)));
        Ok(())
    }

    /// Schedules the next incarnation. It never gives up: without this actor the hot path would
    /// live on its last word for ever.
    fn book_death(&self, myself: &ActorRef<Restart>, deaths: &mut Deaths, cause: &str) {
        self.address.0.store(None);
        if WELL_AFTER <= deaths.started.elapsed() {
            deaths.in_a_row = 0;
        }
        let pause = PAUSE_MIN.saturating_mul(2_u32.saturating_pow(deaths.in_a_row)).min(PAUSE_MAX);
        deaths.in_a_row = deaths.in_a_row.saturating_add(1);
        warn!(actor = self.name, cause, ?pause, "actor failed, starting it again");
        metrics::counter!(ACTOR_RESTARTS_TOTAL, "actor" => self.name).increment(1);
        myself.send_after(pause, || Restart);
    }
}

impl<A: Actor<Arguments = ()> + Clone> Actor for Keeper<A> {
    type Msg = Restart;
    type State = Deaths;
    type Arguments = ();

    async fn pre_start(
        &self,
        myself: ActorRef<Restart>,
        (): (),
    ) -> Result<Deaths, ActorProcessingErr> {
        self.start_child(&myself).await?;
        Ok(Deaths { in_a_row: 0, started: Instant::now() })
    }

    async fn handle(
        &self,
        myself: ActorRef<Restart>,
        Restart: Restart,
        deaths: &mut Deaths,
    ) -> Result<(), ActorProcessingErr> {
        match self.start_child(&myself).await {
            Ok(()) => deaths.started = Instant::now(),
            Err(failure) => self.book_death(&myself, deaths, &failure.to_string()),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Restart>,
        event: SupervisionEvent,
        deaths: &mut Deaths,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(_, cause) => {
                self.book_death(&myself, deaths, &cause.to_string());
            }
            SupervisionEvent::ActorTerminated(..) => {
                self.book_death(&myself, deaths, "stopped");
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Dies of every message; its first three successors do not even start.
    #[derive(Clone)]
    struct Frail {
        starts: Arc<AtomicU32>,
    }

    impl Actor for Frail {
        type Msg = ();
        type State = ();
        type Arguments = ();

        async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
            match self.starts.fetch_add(1, Ordering::Relaxed) {
                1..=3 => Err("not yet".into()),
                _ => Ok(()),
            }
        }

        async fn handle(
            &self,
            _: ActorRef<()>,
            (): (),
            (): &mut (),
        ) -> Result<(), ActorProcessingErr> {
            panic!("this message is deadly")
        }
    }

    #[tokio::test(start_paused = true)]
    async fn panicking_actor_is_started_again_until_it_starts() {
        let starts = Arc::new(AtomicU32::new(0));
        let kept = keep("frail", Frail { starts: Arc::clone(&starts) }).await.unwrap();
        assert!(kept.address().send(()));
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(!kept.address().send(()), "nobody is there");
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(starts.load(Ordering::Relaxed), 5);
        assert!(kept.address().send(()));
    }

    #[tokio::test(start_paused = true)]
    async fn dropping_the_keeper_stops_the_actor_for_good() {
        let starts = Arc::new(AtomicU32::new(10));
        let kept = keep("frail", Frail { starts: Arc::clone(&starts) }).await.unwrap();
        let address = kept.address().clone();
        drop(kept);
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert!(!address.send(()));
        assert_eq!(starts.load(Ordering::Relaxed), 11);
    }
}
