//! The thin ractor actor around an entity's logic: it carries out effects and decides nothing.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use engine::Aggregate;
use engine::process::Answer;
use engine::values::Moment;
use metrics::counter;
use persistence::crash_points::{CrashPoint, crash_point};
use persistence::journal::{NewEvent, StreamId};
use persistence::snapshots::Snapshot;
use persistence::{StoreError, codec};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tracing::warn;

use super::address::{Address, Incarnation, Letter};
use super::effect::{Effect, Loaded, Neighbour};
use super::fold::fold;
use super::hearing::hear;
use super::logic::Entity;
use super::message::{Death, EntityMessage, ReplyTo};
use crate::directory::Hosted;
use crate::loader::{History, Unreadable};
use crate::metrics::HISTORIES_READ_TOTAL;
use crate::outcome::{NotAccepted, NotDone, Position};
use crate::system::World;
use crate::writer::{Notify, Submission};

/// The actor type that hosts every aggregate.
pub struct EntityShell<A>(PhantomData<A>);

impl<A> Default for EntityShell<A> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// One live incarnation.
pub struct Life<A: Hosted> {
    world: Arc<World>,
    stream: StreamId,
    address: Address<A>,
    generation: u64,
    entity: Option<Entity<A, ReplyTo<A>>>,
    notify: Arc<dyn Notify>,
}

struct Notifier<A: Aggregate>(Address<A>);

impl<A: Aggregate> Notify for Notifier<A> {
    fn written(&self, version: u64, position: Position) {
        // An entity that has ended needs no news.
        self.0.send(EntityMessage::Written { version, position });
    }

    fn failed(&self, unknown: bool) {
        self.0.send(EntityMessage::Failed { unknown });
    }
}

/// Whether a life goes on after what it has heard.
enum Then {
    Live,
    Rest,
}

impl<A: Hosted> Actor for EntityShell<A> {
    type Msg = Letter<A>;
    // Nothing between two lives: who rests keeps nothing alive.
    type State = Option<Life<A>>;
    type Arguments = ();

    async fn pre_start(
        &self,
        _myself: ActorRef<Letter<A>>,
        (): (),
    ) -> Result<Option<Life<A>>, ActorProcessingErr> {
        Ok(None)
    }

    async fn handle(
        &self,
        myself: ActorRef<Letter<A>>,
        letter: Letter<A>,
        state: &mut Option<Life<A>>,
    ) -> Result<(), ActorProcessingErr> {
        let then = match letter {
            Letter::Begin { life, incarnation } => {
                let address = Address::of(myself, life);
                let present = state.insert(Life::new(incarnation, address));
                let begun = present.begin().await;
                present.end_of(begun).await?
            }
            Letter::For { life, message } => match state {
                Some(present) if present.address.life() == life => {
                    let lived = present.live(message).await;
                    present.end_of(lived).await?
                }
                _ => return Ok(()),
            },
        };
        if let Then::Rest = then {
            *state = None;
        }
        Ok(())
    }
}

type Effects<A> = Vec<Effect<A, ReplyTo<A>>>;

impl<A: Hosted> Life<A> {
    fn new(incarnation: Incarnation, address: Address<A>) -> Self {
        let Incarnation { world, stream } = incarnation;
        let notify = Arc::new(Notifier(address.clone()));
        Self { world, stream, address, generation: 0, entity: None, notify }
    }

    async fn begin(&mut self) -> Result<Then, ActorProcessingErr> {
        let loaded = self.load().await?;
        let mut entity = Entity::new(loaded, self.world.config.snapshot_every, self.generation);
        let now = self.world.clock.now();
        let started = catch_unwind(AssertUnwindSafe(|| entity.start(now)));
        let effects = started.map_err(|panic| self.death(panic_text(&*panic), true))?;
        self.entity = Some(entity);
        self.carry_out(effects).await
    }

    fn death(&self, cause: String, own_fault: bool) -> ActorProcessingErr {
        Box::new(Death { stream: self.stream.clone(), cause, own_fault })
    }

    async fn load(&mut self) -> Result<Loaded<A>, ActorProcessingErr> {
        let Some(generation) = self.world.writer().generation() else {
            return Err(self.death("the journal is not ours".to_owned(), false));
        };
        self.generation = generation;
        if A::is_new(&self.world, self.stream.key()) {
            return Ok(Loaded::default());
        }
        counter!(HISTORIES_READ_TOTAL, "actor" => A::KIND).increment(1);
        let (world, stream) = (Arc::clone(&self.world), self.stream.clone());
        let mut history = read(&world, &stream, A::SNAPSHOTS).await?;
        crash_point(CrashPoint::EntityLoaded);
        let mut loaded = Loaded::default();
        if let Some(snapshot) = &history.snapshot {
            match codec::decode_state::<A>(&snapshot.body) {
                Ok(state) => {
                    loaded.state = state;
                    loaded.version = snapshot.version;
                    loaded.snapshot = snapshot.version;
                }
                // One of another build is no snapshot; the journal has everything.
                Err(error) => {
                    warn!(stream = self.stream.as_str(), error = %error, "snapshot ignored");
                    history = read(&world, &stream, false).await?;
                }
            }
        }
        // A poison event must end this incarnation, not the process.
        let folded = catch_unwind(AssertUnwindSafe(|| fold(loaded, &history.records)))
            .unwrap_or_else(|panic| Err(StoreError::Corrupt(panic_text(&*panic))));
        folded.map_err(|error| self.death(error.to_string(), true))
    }

    async fn live(&mut self, message: EntityMessage<A>) -> Result<Then, ActorProcessingErr> {
        let effects = self.hear(message)?;
        self.carry_out(effects).await
    }

    /// Before the death is known and somebody may begin anew: what this life has submitted must be in
    /// the journal by then, or never, else both would continue the same history.
    async fn end_of(
        &mut self,
        lived: Result<Then, ActorProcessingErr>,
    ) -> Result<Then, ActorProcessingErr> {
        let is_ahead = self.entity.as_ref().is_some_and(|entity| !entity.is_durable());
        if lived.is_err() && is_ahead {
            self.world.writer().settle(self.generation).await;
        }
        lived
    }

    fn hear(&mut self, message: EntityMessage<A>) -> Result<Effects<A>, ActorProcessingErr> {
        let now = self.world.clock.now();
        if let EntityMessage::Failed { unknown } = message {
            return self.fail(unknown);
        }
        if let EntityMessage::Outdated { generation } = message {
            return if self.generation < generation { self.fail(false) } else { Ok(Vec::new()) };
        }
        if let EntityMessage::Kill { heard } = message {
            let _ = heard.send(());
            return Err(self.death("it was killed on purpose".to_owned(), false));
        }
        let Some(entity) = &mut self.entity else { return Ok(Vec::new()) };
        let directory = A::directory(&self.world);
        let judged = catch_unwind(AssertUnwindSafe(|| hear(directory, entity, message, now)));
        judged.map_err(|panic| self.death(panic_text(&*panic), true))
    }

    /// The state is ahead of the journal, and the journal wins: say so and end.
    fn fail(&mut self, unknown: bool) -> Result<Effects<A>, ActorProcessingErr> {
        let failure =
            if unknown { NotDone::Unknown } else { NotDone::NotAccepted(NotAccepted::NotWritten) };
        let answers = self.entity.take().map(|mut entity| entity.fail(&failure));
        for effect in answers.unwrap_or_default() {
            if let Effect::Reply { to, answer } = effect {
                to.send(answer);
            }
        }
        A::directory(&self.world).forget(self.stream.key(), self.address.actor());
        Err(self.death("its events did not become durable".to_owned(), false))
    }

    async fn carry_out(&mut self, effects: Effects<A>) -> Result<Then, ActorProcessingErr> {
        let mut effects = std::collections::VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Append { events, first_version, at, cause, view } => {
                    crash_point(CrashPoint::EntityDecided);
                    let meta = meta(&cause);
                    self.append(events, first_version, at, meta, view).await?;
                }
                Effect::Perform { ticket, intent, ahead } => {
                    let neighbour = Neighbour { generation: self.generation, ahead };
                    let answerer = answerer(&self.address, ticket);
                    let performed = catch_unwind(AssertUnwindSafe(|| {
                        self.world.perform(intent, neighbour, answerer)
                    }));
                    let done = performed.map_err(|p| self.death(panic_text(&*p), true))?;
                    if let (Some(answer), Some(entity)) = (done, &mut self.entity) {
                        let now = self.world.clock.now();
                        let next =
                            catch_unwind(AssertUnwindSafe(|| entity.answered(ticket, answer, now)));
                        effects.extend(next.map_err(|p| self.death(panic_text(&*p), true))?);
                    }
                }
                Effect::Publish { view, version, position } => {
                    let directory = A::directory(&self.world);
                    directory.publish(self.stream.key(), view, version, position);
                }
                Effect::Reply { to, answer } => {
                    crash_point(CrashPoint::AnswerLeaving);
                    to.send(answer);
                }
                Effect::PursueIn(pause) => self.address.pursue_in(pause),
                Effect::Snapshot { version, position, state } => {
                    self.snapshot(version, position, state);
                }
                Effect::Rest => {
                    if let Then::Rest = self.rest() {
                        return Ok(Then::Rest);
                    }
                }
            }
        }
        Ok(Then::Live)
    }

    async fn append(
        &mut self,
        events: Vec<A::Event>,
        first_version: u64,
        at: Moment,
        meta: String,
        view: A::View,
    ) -> Result<(), ActorProcessingErr> {
        let mut records = Vec::with_capacity(events.len());
        let mut meta = Some(meta);
        for (version, event) in (first_version..).zip(&events) {
            let (name, payload) =
                codec::encode::<A>(event).map_err(|error| self.death(error.to_string(), true))?;
            records.push(NewEvent {
                stream: self.stream.clone(),
                version,
                name,
                schema: codec::SCHEMA,
                at,
                // The first event of a decision tells where it came from.
                meta: meta.take().unwrap_or_default(),
                payload,
            });
        }
        let (world, stream) = (Arc::clone(&self.world), self.stream.clone());
        let notify = Arc::clone(&self.notify);
        let publish = Box::new(move |version, position| {
            A::directory(&world).publish(stream.key(), view, version, Some(position));
        });
        let submission =
            Submission { generation: self.generation, events: records, publish, notify };
        let sent = self.world.writer().submit(submission).await;
        crash_point(CrashPoint::WriterSubmitted);
        sent.map_err(|stopped| self.death(stopped.to_string(), false))
    }

    fn snapshot(&self, version: u64, position: Position, state: Box<A::State>) {
        let stream = self.stream.clone();
        // A large state takes long to put into words, so somebody else does it.
        self.world.keep_snapshot(Box::new(move || {
            let body = codec::encode_state::<A>(&state)?;
            let place = (position.shard, position.position);
            Ok(Snapshot { stream, version, place, body })
        }));
    }

    fn rest(&self) -> Then {
        let pauses_too = self.world.is_draining() || A::directory(&self.world).is_crowded();
        let may_sleep = self.entity.as_ref().is_some_and(|entity| entity.may_sleep(pauses_too));
        if may_sleep
            && let Some(published) =
                A::directory(&self.world).retire(self.stream.key(), self.address.actor())
        {
            // The mailbox was closed while it was empty, so nothing is overtaken.
            self.world.evict_later(&self.stream, published);
            return Then::Rest;
        }
        Then::Live
    }
}

async fn read(
    world: &World,
    stream: &StreamId,
    with_snapshot: bool,
) -> Result<History, ActorProcessingErr> {
    let history = world.loader().load(stream.clone(), with_snapshot).await;
    history.map_err(|reason| {
        let cause = "the history cannot be read".to_owned();
        let own_fault = reason == Unreadable::Corrupt;
        let death = Death { stream: stream.clone(), cause, own_fault };
        Box::new(death) as ActorProcessingErr
    })
}

/// How an intent's answer comes back to the entity that wanted it.
fn answerer<A: Hosted>(address: &Address<A>, ticket: u64) -> impl FnOnce(Answer) + Send + 'static {
    let address = address.clone();
    // An entity that has ended will find its work outstanding when it is rebuilt.
    move |answer| address.send(EntityMessage::Answered { ticket, answer })
}

fn meta(cause: &crate::outcome::Cause) -> String {
    if cause.id.is_nil() {
        return String::new();
    }
    serde_json::to_string(cause).unwrap_or_default()
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panicked: {}", text.unwrap_or("without a text"))
}
