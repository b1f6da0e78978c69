//! Carries out what an entity wants done, as the shell does in production.

use std::collections::VecDeque;

use actors::directory::Published;
use actors::entity::Effect;
use persistence::codec;
use persistence::journal::NewEvent;
use persistence::snapshots::Snapshot;

use super::cast::{Cast, micros};
use super::names::Who;
use super::outside::{Event, Outside};
use super::process::Process;
use super::reply::{Asker, Reply};

impl Process {
    pub(super) fn carry_out<A: Cast>(
        &mut self,
        index: usize,
        effects: Vec<Effect<A, Reply>>,
        outside: &mut Outside,
    ) {
        let who = Who::new(A::SORT, index);
        let process = self.id;
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            let Some(life) = A::hosts(self).life(index) else { return };
            let number = life.number;
            match effect {
                Effect::Append { events, first_version, at, cause, view } => {
                    let Some(stream) = outside.names.stream(who).cloned() else { return };
                    let mut meta = (!cause.id.is_nil())
                        .then(|| serde_json::to_string(&cause).unwrap_or_default());
                    let mut records = Vec::with_capacity(events.len());
                    for (version, event) in (first_version..).zip(&events) {
                        let Ok((name, payload)) = codec::encode::<A>(event) else { return };
                        records.push(NewEvent {
                            stream: stream.clone(),
                            version,
                            name,
                            schema: codec::SCHEMA,
                            at,
                            meta: meta.take().unwrap_or_default(),
                            payload,
                        });
                    }
                    self.submit::<A>(index, records, view, outside);
                }
                Effect::Perform { ticket, intent, ahead } => {
                    let asker = Asker { who, life: number, ticket };
                    if let Some(answer) = self.perform(asker, intent, ahead, outside) {
                        let wall = self.wall(outside);
                        let entity = A::hosts(self).life(index).and_then(|l| l.entity.as_mut());
                        if let Some(entity) = entity {
                            effects.extend(entity.answered(ticket, answer, wall));
                        }
                    }
                }
                Effect::Publish { view, version, position } => {
                    A::hosts(self).publish(index, Published { view, version, position });
                }
                Effect::Reply { to, answer } => self.deliver::<A>(to, answer, outside),
                Effect::PursueIn(pause) => {
                    let event = Event::Pursue { process, who, life: number };
                    outside.agenda.after(micros(pause), event);
                }
                Effect::Snapshot { version, position, state } => {
                    let place = (position.shard, position.position);
                    let (Some(stream), Ok(mut body)) =
                        (outside.names.stream(who).cloned(), codec::encode_state::<A>(&state))
                    else {
                        return;
                    };
                    if outside.strikes(|faults| faults.snapshots_rotten) {
                        body.truncate(body.len() / 2);
                    }
                    if !outside.strikes(|faults| faults.snapshots_lost) {
                        let snapshot = Snapshot { stream, version, place, body };
                        let longest = outside.options.commit.saturating_mul(4);
                        outside.agenda.within(longest, Event::Keep(snapshot));
                    }
                }
                Effect::Rest => {
                    if self.rest::<A>(index, outside) {
                        return;
                    }
                }
            }
        }
    }
}
