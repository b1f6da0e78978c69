//! The rules of a promo code.

use std::sync::Arc;

use super::model::{
    NewPromo, OpenPromo, Promo, PromoCommand, PromoEvent, PromoRefusal, PromoState, USES_UNLIMITED,
};
use crate::aggregate::{Aggregate, Entry};
use crate::values::{Moment, Money};

type Decision = Result<Vec<PromoEvent>, PromoRefusal>;

impl Aggregate for Promo {
    const KIND: &'static str = "promo";
    const IS_LISTED: bool = true;
    type State = PromoState;
    type Command = PromoCommand;
    type Event = PromoEvent;
    type Refusal = PromoRefusal;
    type View = Option<Arc<OpenPromo>>;

    fn decide(state: &PromoState, command: &PromoCommand, _now: Moment) -> Decision {
        match (state.0.as_deref(), command) {
            (None, PromoCommand::Create(new)) => {
                new.judge()?;
                Ok(vec![PromoEvent::Created(new.clone())])
            }
            (Some(known), PromoCommand::Create(new)) if known.made == **new => Ok(Vec::new()),
            (Some(_), PromoCommand::Create(_)) => Err(PromoRefusal::Exists),
            (None, PromoCommand::End) => Err(PromoRefusal::Unknown),
            (Some(known), PromoCommand::End) if known.is_active => Ok(vec![PromoEvent::Ended]),
            (Some(_), PromoCommand::End) => Ok(Vec::new()),
        }
    }

    fn evolve(state: &mut PromoState, event: &PromoEvent, at: Moment) {
        super::evolve::evolve(state, event, at);
    }

    fn view(state: &PromoState) -> Option<Arc<OpenPromo>> {
        state.0.clone()
    }

    fn entry(state: &PromoState) -> Option<Entry> {
        let known = state.0.as_deref()?;
        Some(Entry { status: known.status(), owner: None, at: known.created_at })
    }
}

impl OpenPromo {
    /// The words for [`status`](Self::status).
    pub const STATUSES: [&'static str; 2] = ["active", "ended"];

    /// Whether somebody has ended it, as a word.
    pub const fn status(&self) -> &'static str {
        let [active, ended] = Self::STATUSES;
        if self.is_active { active } else { ended }
    }
}

impl NewPromo {
    /// Whether a sale can be made with it.
    fn judge(&self) -> Result<(), PromoRefusal> {
        let is_amount = |money: Money| 0 <= money.minor();
        let is_count = |count: u32| (1..=USES_UNLIMITED).contains(&count);
        let begins_first = || self.starts_at.zip(self.ends_at).is_none_or(|(from, to)| from < to);
        let parts = [
            (self.rebate.is_sound(), "rebate"),
            (self.minimum.is_none_or(is_amount), "minimum"),
            (begins_first(), "ends_at"),
            (self.uses_max.is_none_or(is_count), "uses_max"),
            (self.uses_per_customer.is_none_or(is_count), "uses_per_customer"),
        ];
        match parts.into_iter().find(|(is_sound, _)| !is_sound) {
            Some((_, field)) => Err(PromoRefusal::Unsound(field)),
            None => Ok(()),
        }
    }
}
