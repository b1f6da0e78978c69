//! The rules of the log of drills.

use std::collections::BTreeMap;

use super::model::{
    Drill, DrillCommand, DrillEvent, DrillRefusal, DrillState, FaultName, Injection,
};
use crate::aggregate::Aggregate;
use crate::values::Moment;

impl Aggregate for Drill {
    const KIND: &'static str = "drill";
    type State = DrillState;
    type Command = DrillCommand;
    type Event = DrillEvent;
    type Refusal = DrillRefusal;
    type View = BTreeMap<FaultName, Injection>;

    fn decide(
        state: &DrillState,
        command: &DrillCommand,
        _now: Moment,
    ) -> Result<Vec<DrillEvent>, DrillRefusal> {
        match command {
            DrillCommand::Inject { fault, until, asker } => {
                if !fault.is_in_range() {
                    return Err(DrillRefusal::OutOfRange);
                }
                let present = state.0.get(&fault.name());
                // Repeating the call is free.
                if present.is_some_and(|now| now.fault == *fault && now.until == *until) {
                    return Ok(Vec::new());
                }
                let (fault, until, asker) = (*fault, *until, asker.clone());
                Ok(vec![DrillEvent::FaultInjected { fault, until, asker }])
            }
            DrillCommand::End { fault, since, how } => {
                let Some(present) = state.0.get(fault) else { return Ok(Vec::new()) };
                // Another one has taken the place of the one that is meant.
                if since.is_some_and(|since| since != present.since) {
                    return Ok(Vec::new());
                }
                Ok(vec![DrillEvent::FaultEnded { fault: *fault, how: how.clone() }])
            }
            DrillCommand::KillActor { kind, key, asker } => Ok(vec![DrillEvent::ActorKilled {
                kind: *kind,
                key: key.clone(),
                asker: asker.clone(),
            }]),
        }
    }

    fn evolve(state: &mut DrillState, event: &DrillEvent, at: Moment) {
        super::evolve::evolve(state, event, at);
    }

    fn view(state: &DrillState) -> BTreeMap<FaultName, Injection> {
        state.0.clone()
    }
}
