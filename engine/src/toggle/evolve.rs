//! The bookkeeping of the switches of features.

use super::model::{Switch, Switches, ToggleEvent};
use crate::values::Moment;

pub(super) fn evolve(state: &mut Switches, event: &ToggleEvent, at: Moment) {
    match event {
        ToggleEvent::Switched { toggle, on, by, why } => {
            let switch = Switch { on: *on, by: by.clone(), why: why.clone(), at };
            state.thrown.insert(*toggle, switch);
        }
        ToggleEvent::Answered { request } => state.answered.remember(*request),
    }
}
