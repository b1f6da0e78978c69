//! What must hold for the log of drills.

use std::collections::BTreeSet;

use super::violation::{Found, holds};
use crate::drill::{DrillEvent, FaultName};

/// The log: which faults are injected.
#[derive(Debug, Default)]
pub(super) struct DrillBook {
    injected: BTreeSet<FaultName>,
}

impl DrillBook {
    pub(super) fn enter(&mut self, event: &DrillEvent) -> Result<(), Found> {
        match event {
            DrillEvent::FaultInjected { fault, .. } => {
                self.injected.insert(fault.name());
                holds("R12", fault.is_in_range(), || {
                    format!("{} is outside of what can be injected", fault.name().as_str())
                })
            }
            DrillEvent::FaultEnded { fault, .. } => {
                holds("R12", self.injected.remove(fault), || {
                    format!("{} ended, but was not injected", fault.as_str())
                })
            }
            DrillEvent::ActorKilled { .. } => Ok(()),
        }
    }
}
