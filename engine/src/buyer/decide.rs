//! The rules of trust: saying it again changes nothing.

use std::sync::Arc;

use super::model::{Buyer, BuyerCommand, BuyerEvent, BuyerRefusal, BuyerState};
use crate::aggregate::Aggregate;
use crate::values::Moment;

impl Aggregate for Buyer {
    const KIND: &'static str = "buyer";
    type State = BuyerState;
    type Command = BuyerCommand;
    type Event = BuyerEvent;
    type Refusal = BuyerRefusal;
    type View = BuyerState;

    fn decide(
        state: &BuyerState,
        command: &BuyerCommand,
        _now: Moment,
    ) -> Result<Vec<BuyerEvent>, BuyerRefusal> {
        let is_trusted = state.trust.as_ref().map(|trust| trust.is_trusted);
        match (command, is_trusted) {
            (BuyerCommand::Trust(_), Some(true)) | (BuyerCommand::Distrust { .. }, Some(false)) => {
                Ok(Vec::new())
            }
            (BuyerCommand::Trust(trusted), Some(false) | None) => {
                Ok(vec![BuyerEvent::Trusted(trusted.clone())])
            }
            (BuyerCommand::Distrust { by, reason }, Some(true)) => {
                let (by, reason) = (Arc::clone(by), reason.clone());
                Ok(vec![BuyerEvent::Distrusted { by, reason }])
            }
            (BuyerCommand::Note { order }, _) => {
                let is_known = state.recent.iter().any(|(known, _)| known == order);
                let ordered = (!is_known).then_some(BuyerEvent::Ordered { order: *order });
                Ok(ordered.into_iter().collect())
            }
            (BuyerCommand::Distrust { .. }, None) => Err(BuyerRefusal::Unknown),
        }
    }

    fn evolve(state: &mut BuyerState, event: &BuyerEvent, at: Moment) {
        super::evolve::evolve(state, event, at);
    }

    fn view(state: &BuyerState) -> BuyerState {
        state.clone()
    }

    fn decided_at(state: &BuyerState) -> Moment {
        state.changed_at
    }
}
