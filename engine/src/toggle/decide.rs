//! The rules of the switches of features.

use std::sync::Arc;

use super::model::{REASON_MAX, Switchboard, Switches, ToggleCommand, ToggleEvent, ToggleRefusal};
use crate::aggregate::Aggregate;
use crate::values::{KeyUse, Moment};

impl Aggregate for Switchboard {
    const KIND: &'static str = "toggle";
    const SPEAKS_WHEN_EMPTY: bool = true;
    type State = Switches;
    type Command = ToggleCommand;
    type Event = ToggleEvent;
    type Refusal = ToggleRefusal;
    type View = Arc<Switches>;

    fn decide(
        state: &Switches,
        command: &ToggleCommand,
        _now: Moment,
    ) -> Result<Vec<ToggleEvent>, ToggleRefusal> {
        decide(state, command)
    }

    fn evolve(state: &mut Switches, event: &ToggleEvent, at: Moment) {
        super::evolve::evolve(state, event, at);
    }

    fn view(state: &Switches) -> Arc<Switches> {
        Arc::new(state.clone())
    }
}

fn decide(state: &Switches, command: &ToggleCommand) -> Result<Vec<ToggleEvent>, ToggleRefusal> {
    match command {
        ToggleCommand::Once { request, command } => match state.answered.judge(request) {
            KeyUse::Repeat => Ok(Vec::new()),
            KeyUse::Other => Err(ToggleRefusal::KeyReused),
            KeyUse::New => {
                let mut events = decide(state, command)?;
                events.push(ToggleEvent::Answered { request: *request });
                Ok(events)
            }
        },
        ToggleCommand::Set { toggle, on, by, why } => {
            if why.trim().is_empty() || REASON_MAX < why.len() {
                return Err(ToggleRefusal::ReasonOutOfRange);
            }
            if state.is_on(*toggle) == *on {
                return Ok(Vec::new());
            }
            let (toggle, on, by, why) = (*toggle, *on, by.clone(), why.clone());
            Ok(vec![ToggleEvent::Switched { toggle, on, by, why }])
        }
    }
}
