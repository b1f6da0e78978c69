//! The bookkeeping of the log of drills.

use super::model::{DrillEvent, DrillState, Injection};
use crate::values::Moment;

pub(super) fn evolve(state: &mut DrillState, event: &DrillEvent, at: Moment) {
    match event {
        DrillEvent::FaultInjected { fault, until, asker } => {
            let (fault, until, asker) = (*fault, *until, asker.clone());
            state.0.insert(fault.name(), Injection { fault, since: at, until, asker });
        }
        DrillEvent::FaultEnded { fault, .. } => {
            state.0.remove(fault);
        }
        // It is over as soon as it happens.
        DrillEvent::ActorKilled { .. } => {}
    }
}
