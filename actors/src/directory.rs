//! From a key to its entity: starts on demand, forgets the dead, puts the idle to sleep.
//!
//! Nobody else holds an actor's address. A place in a mailbox is taken before a message is sent,
//! so a mailbox can be closed exactly when nothing is in it, and no message is ever overtaken.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use engine::Aggregate;
use metrics::{Histogram, counter, histogram};
use persistence::crash_points::{CrashPoint, crash_point};
use persistence::journal::StreamId;
use ractor::ActorId;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use crate::entity::{Address, Asked, EntityMessage, Incarnation, NextWake, ReplyTo};
use crate::mailbox::{Mailbox, Resting};
use crate::metrics::{ACTOR_RESTARTS_TOTAL, MAILBOX_REJECTED_TOTAL, MAILBOX_WAIT_SECONDS};
use crate::outcome::{Accepted, Asking, NotAccepted, NotDone, Position};
use crate::quarantine::Quarantine;
use crate::supervisor::Deaths;
use crate::system::World;

/// Entities that are sent to sleep at once. More would keep a thread busy with their order.
const SLEEPERS_MAX: usize = 8_192;

/// An aggregate that the engine hosts.
pub trait Hosted: Aggregate {
    /// Whether its histories grow so long that snapshots pay.
    const SNAPSHOTS: bool;

    /// Whether the entity surely has no history, so that none need be read.
    fn is_new(_world: &World, _key: &str) -> bool {
        false
    }

    /// Its directory.
    fn directory(world: &World) -> &Directory<Self>;
}

/// A durable view that readers see.
#[derive(Clone, Debug)]
pub struct Published<V> {
    /// What they see.
    pub view: V,
    /// Version of its last event.
    pub version: u64,
    /// Where that event lies; `None` when it is older than the snapshot.
    pub position: Option<Position>,
}

/// What a directory may hold.
pub(crate) struct Bounds {
    /// Places in a mailbox.
    pub(crate) slots: u32,
    /// Live entities.
    pub(crate) live_max: usize,
    /// When a stream is left alone.
    pub(crate) deaths: Deaths,
}

/// All entities of one kind.
pub struct Directory<A: Aggregate> {
    mailboxes: DashMap<Arc<str>, Mailbox<A>>,
    resting: Resting<A>,
    views: DashMap<Arc<str>, Published<A::View>>,
    quarantine: Quarantine,
    deaths: Mutex<Deaths>,
    slots: u32,
    /// Counted, so that nobody walks them.
    live: AtomicUsize,
    live_max: usize,
    epoch: Instant,
    /// Looked up once: each command is measured.
    waits: Histogram,
}

impl<A: Hosted> Directory<A> {
    /// An empty directory. Install the recorder before.
    pub(crate) fn new(Bounds { slots, live_max, deaths }: Bounds) -> Self {
        Self {
            mailboxes: DashMap::new(),
            resting: Resting::default(),
            views: DashMap::new(),
            quarantine: Quarantine::of(A::KIND),
            deaths: Mutex::new(deaths),
            slots,
            live: AtomicUsize::new(0),
            live_max,
            epoch: Instant::now(),
            waits: histogram!(MAILBOX_WAIT_SECONDS, "actor" => A::KIND),
        }
    }

    /// How many incarnations are live.
    pub fn live(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    /// Whether so many are live that the idle go early.
    pub(crate) fn is_crowded(&self) -> bool {
        self.live_max / 2 < self.live()
    }

    /// How many streams are quarantined.
    pub fn quarantined(&self) -> usize {
        self.quarantine.len()
    }

    /// Serves those again whose quarantine is over.
    pub(crate) fn release_quarantined(&self) {
        self.quarantine.release();
    }

    /// The durable view of a live or recently live entity.
    pub fn view(&self, key: &str) -> Option<Published<A::View>> {
        self.views.get(key).map(|published| published.clone())
    }

    /// Asks, and waits for the durable answer until the deadline.
    ///
    /// # Errors
    ///
    /// See [`NotDone`]; only `Unknown` leaves open whether anything happened.
    pub(crate) async fn ask(
        &self,
        world: &Arc<World>,
        key: &str,
        command: Option<A::Command>,
        asking: Asking,
    ) -> Result<Accepted<A>, NotDone<A::Refusal>> {
        if world.is_draining() {
            return Err(NotDone::NotAccepted(NotAccepted::Draining));
        }
        let (reply, answer) = oneshot::channel();
        let Asking { deadline, cause } = asking;
        let asked = Asked { command, cause, reply: ReplyTo::waiter(reply), from: None };
        self.send(world, key, asked, deadline);
        match timeout_at(deadline, answer).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(_)) | Err(_) => Err(NotDone::Unknown),
        }
    }

    /// Puts a command into the entity's mailbox; where it cannot, the reply says so.
    pub(crate) fn send(
        &self,
        world: &Arc<World>,
        key: &str,
        mut asked: Asked<A, ReplyTo<A>>,
        deadline: Instant,
    ) {
        let placed = self.locate(world, key, self.live_max, |mailbox| {
            mailbox.place().map(|place| (place, mailbox.address.clone()))
        });
        match placed.and_then(|placed| placed.ok_or_else(Self::overloaded)) {
            Ok((place, address)) => {
                asked.reply.keep(place);
                address.send(Self::question(asked, deadline));
                crash_point(CrashPoint::MailboxSent);
            }
            Err(reason) => asked.reply.send(Err(NotDone::NotAccepted(reason))),
        }
    }

    /// The same for work between actors that needs no place, because it is bounded elsewhere.
    pub(crate) fn send_without_place(
        &self,
        world: &Arc<World>,
        key: &str,
        asked: Asked<A, ReplyTo<A>>,
        deadline: Instant,
    ) {
        match self.address(world, key, self.live_max) {
            Ok(address) => address.send(Self::question(asked, deadline)),
            Err(reason) => asked.reply.send(Err(NotDone::NotAccepted(reason))),
        }
    }

    fn question(asked: Asked<A, ReplyTo<A>>, deadline: Instant) -> EntityMessage<A> {
        EntityMessage::Ask { asked: Box::new(asked), deadline, queued_at: Instant::now() }
    }

    fn address(
        &self,
        world: &Arc<World>,
        key: &str,
        live_max: usize,
    ) -> Result<Address<A>, NotAccepted> {
        self.locate(world, key, live_max, |mailbox| mailbox.address.clone())
    }

    fn overloaded() -> NotAccepted {
        counter!(MAILBOX_REJECTED_TOTAL, "actor" => A::KIND).increment(1);
        NotAccepted::Overloaded
    }

    /// Finds the incarnation, or starts it where fewer than `live_max` are live, and uses its mailbox
    /// while the entry is locked, so that retirement cannot come in between.
    fn locate<T>(
        &self,
        world: &Arc<World>,
        key: &str,
        live_max: usize,
        enter: impl FnOnce(&Mailbox<A>) -> T,
    ) -> Result<T, NotAccepted> {
        if let Some(mailbox) = self.mailboxes.get(key) {
            mailbox.used(self.seconds());
            return Ok(enter(&mailbox));
        }
        self.quarantine.check(key)?;
        match self.mailboxes.entry(key.into()) {
            Entry::Occupied(entry) => Ok(enter(entry.get())),
            Entry::Vacant(entry) => {
                if live_max <= self.live() {
                    world.crowded.notify_one();
                    return Err(Self::overloaded());
                }
                let mailbox = self.start(world, key).ok_or(NotAccepted::Restarting)?;
                self.live.fetch_add(1, Ordering::Relaxed);
                Ok(enter(&entry.insert(mailbox)))
            }
        }
    }

    fn start(&self, world: &Arc<World>, key: &str) -> Option<Mailbox<A>> {
        let stream = StreamId::new(A::KIND, key);
        let incarnation = || Incarnation { world: Arc::clone(world), stream: stream.clone() };
        if let Some(mailbox) = self.resting.begin(incarnation, self.seconds()) {
            return Some(mailbox);
        }
        let actor = Address::spawn(world.supervisor(stream.slot())?)?;
        Some(Mailbox::new(actor.begin(incarnation())?, self.slots, self.seconds()))
    }

    /// Notes how long a command has waited to be heard.
    pub(crate) fn waited(&self, span: Duration) {
        self.waits.record(span);
    }

    fn seconds(&self) -> u64 {
        self.epoch.elapsed().as_secs()
    }

    /// Lets readers see a durable view.
    pub(crate) fn publish(
        &self,
        key: &str,
        view: A::View,
        version: u64,
        position: Option<Position>,
    ) {
        let published = Published { view, version, position };
        if let Some(mut place) = self.views.get_mut(key) {
            *place = published;
        } else {
            self.views.insert(key.into(), published);
        }
    }

    /// Takes a view away, unless the entity is live or has moved on since `version`.
    pub(crate) fn evict(&self, key: &str, version: u64) {
        if !self.mailboxes.contains_key(key) {
            self.views.remove_if(key, |_, published| published.version <= version);
        }
    }

    /// Closes the mailbox of an incarnation that wants to sleep, if nothing is in it.
    /// Answers with what its readers see last: version and place of the last event.
    pub(crate) fn retire(&self, key: &str, actor: ActorId) -> Option<(u64, Option<Position>)> {
        let empty = |_: &Arc<str>, mailbox: &Mailbox<A>| mailbox.is_empty_and_of(actor);
        let (_, mailbox) = self.mailboxes.remove_if(key, empty)?;
        self.live.fetch_sub(1, Ordering::Relaxed);
        self.resting.rest(mailbox);
        let published = self.views.get(key);
        Some(published.map_or((0, None), |published| (published.version, published.position)))
    }

    /// Whether an incarnation is live.
    pub(crate) fn is_live(&self, key: &str) -> bool {
        self.mailboxes.contains_key(key)
    }

    /// Kills the incarnation when it is its turn; ends when that was heard. `None` where none is live.
    pub(crate) fn kill(&self, key: &str) -> Option<oneshot::Receiver<()>> {
        let address = self.mailboxes.get(key)?.address.clone();
        let (heard, told) = oneshot::channel();
        address.send(EntityMessage::Kill { heard });
        Some(told)
    }

    /// Forgets a dead incarnation; the next command starts another.
    pub(crate) fn forget(&self, key: &str, actor: ActorId) {
        let its = |_: &Arc<str>, mailbox: &Mailbox<A>| mailbox.address.actor() == actor;
        if self.mailboxes.remove_if(key, its).is_some() {
            self.live.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Forgets a dead incarnation of which nothing but its actor's id is known. Walks all.
    pub(crate) fn forget_actor(&self, actor: ActorId) {
        self.mailboxes.retain(|_, mailbox| {
            let stays = mailbox.address.actor() != actor;
            self.live.fetch_sub(usize::from(!stays), Ordering::Relaxed);
            stays
        });
    }

    /// Books the death of an incarnation by its own fault; too many of them quarantine the stream.
    pub(crate) fn died(&self, key: &str, actor: ActorId, own_fault: bool) {
        self.forget(key, actor);
        counter!(ACTOR_RESTARTS_TOTAL, "actor" => A::KIND).increment(1);
        if !own_fault {
            return;
        }
        let now = Instant::now();
        let quarantine = self.deaths.lock().ok().and_then(|mut deaths| deaths.book(key, now));
        if let Some(until) = quarantine {
            let quarantined = self.quarantine.put(key, until);
            warn!(kind = A::KIND, key, quarantined, "{}/{key} has spent its restarts", A::KIND);
        }
    }

    /// Drops every incarnation of a generation before this one.
    pub(crate) fn abandon(&self, generation: u64) {
        let live = self.mailboxes.iter();
        let live = live.map(|mailbox| (Arc::clone(mailbox.key()), mailbox.address.clone()));
        for address in in_order(live.collect()) {
            // In the mailbox's order, after everything that was let in before.
            address.send(EntityMessage::Outdated { generation });
        }
    }

    /// Sends the idle to sleep; each may refuse if something has just come in.
    pub(crate) fn put_idle_to_sleep(&self, idle_seconds: u64) {
        let before = self.seconds().saturating_sub(idle_seconds);
        let idle = self.mailboxes.iter().filter_map(|mailbox| {
            let (address, nudge) = mailbox.idle_since(before)?;
            Some((Arc::clone(mailbox.key()), (address, nudge)))
        });
        for (address, nudge) in in_order(idle.take(SLEEPERS_MAX).collect()) {
            address.send(EntityMessage::Sleep { nudge });
        }
    }

    /// Brings a due timer to an entity and learns when the next one is due.
    pub(crate) async fn wake(
        &self,
        world: &Arc<World>,
        key: &str,
    ) -> Result<NextWake, NotAccepted> {
        let (then, next) = oneshot::channel();
        // Whoever asks finds room though everybody is being woken.
        let live_max = self.live_max.saturating_sub(self.live_max / 4);
        self.address(world, key, live_max)?.send(EntityMessage::Wake { then });
        next.await.map_err(|_| NotAccepted::Restarting)
    }

    /// The whole state of an entity, for inspection.
    pub(crate) async fn inspect(
        &self,
        world: &Arc<World>,
        key: &str,
    ) -> Result<A::State, NotAccepted> {
        let (reply, state) = oneshot::channel();
        self.address(world, key, self.live_max)?.send(EntityMessage::Inspect { reply });
        state.await.map_err(|_| NotAccepted::Restarting)
    }
}

/// What goes to many goes to them in the order of their keys. That of the map is another one in every
/// process, and nothing may be built upon it.
fn in_order<T>(mut many: Vec<(Arc<str>, T)>) -> impl Iterator<Item = T> {
    many.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    many.into_iter().map(|(_, each)| each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_to_many_goes_to_them_in_the_order_of_their_keys() {
        let many = ["b", "c", "a"].map(|key| (Arc::from(key), key)).to_vec();
        assert_eq!(in_order(many).collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
