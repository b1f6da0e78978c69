//! The rules of partners and their keys.

use super::model::{
    KEY_USE_GRAIN, KEYS_MAX, NAME_MAX, NewKey, PARTNERS_MAX, Partner, PartnerCommand, PartnerEvent,
    PartnerRefusal, Partners, Registered, Standing,
};
use crate::aggregate::Aggregate;
use crate::values::{Moment, PartnerId, PartnerKeyId};

type Decision = Result<Vec<PartnerEvent>, PartnerRefusal>;

impl Aggregate for Partners {
    const KIND: &'static str = "partner";
    const SPEAKS_WHEN_EMPTY: bool = true;
    type State = Registered;
    type Command = PartnerCommand;
    type Event = PartnerEvent;
    type Refusal = PartnerRefusal;
    type View = Registered;

    fn decide(state: &Registered, command: &PartnerCommand, now: Moment) -> Decision {
        match command {
            PartnerCommand::Register { partner, name, key } => {
                register(state, partner, name, key, now)
            }
            PartnerCommand::IssueKey { partner, key } => {
                let known = state.0.get(partner).ok_or(PartnerRefusal::Unknown)?;
                // Repeating the call is free. The secret of its first time is not known any more.
                if known.keys.iter().any(|issued| issued.id == key.id) {
                    return Ok(Vec::new());
                }
                let live = |keys: &Partner| {
                    keys.keys.iter().filter(|key| key.standing(now) == Standing::Live).count()
                };
                if KEYS_MAX <= live(known) {
                    return Err(PartnerRefusal::TooManyKeys);
                }
                Ok(vec![issue(state, partner, key, now)?])
            }
            PartnerCommand::RevokeKey { partner, key } => {
                let known = state.0.get(partner).ok_or(PartnerRefusal::Unknown)?;
                let issued = known.keys.iter().find(|issued| issued.id == *key);
                let issued = issued.ok_or(PartnerRefusal::UnknownKey)?;
                if issued.revoked_at.is_some() {
                    return Ok(Vec::new());
                }
                Ok(vec![PartnerEvent::KeyRevoked { partner: partner.clone(), key: *key }])
            }
            PartnerCommand::NoteUse { partner, key } => note_use(state, partner, *key, now),
        }
    }

    fn evolve(state: &mut Registered, event: &PartnerEvent, at: Moment) {
        super::evolve::evolve(state, event, at);
    }

    fn view(state: &Registered) -> Registered {
        state.clone()
    }
}

fn register(
    state: &Registered,
    partner: &PartnerId,
    name: &str,
    key: &NewKey,
    now: Moment,
) -> Decision {
    if name.trim().is_empty() || NAME_MAX < name.len() {
        return Err(PartnerRefusal::NameOutOfRange);
    }
    match state.0.get(partner) {
        // Repeating the call is free.
        Some(known) if known.name == name => Ok(Vec::new()),
        Some(_) => Err(PartnerRefusal::Exists(partner.clone())),
        None if PARTNERS_MAX <= state.0.len() => Err(PartnerRefusal::TooManyPartners),
        None => {
            let registered =
                PartnerEvent::Registered { partner: partner.clone(), name: name.to_owned() };
            Ok(vec![registered, issue(state, partner, key, now)?])
        }
    }
}

fn issue(
    state: &Registered,
    partner: &PartnerId,
    key: &NewKey,
    now: Moment,
) -> Result<PartnerEvent, PartnerRefusal> {
    if key.expires_at.is_some_and(|end| end <= now) {
        return Err(PartnerRefusal::AlreadyExpired);
    }
    let mut keys = state.0.values().flat_map(|known| &known.keys);
    if keys.any(|known| known.digest == key.digest || known.id == key.id) {
        return Err(PartnerRefusal::KeyExists);
    }
    Ok(PartnerEvent::KeyIssued {
        partner: partner.clone(),
        key: key.id,
        digest: key.digest.clone(),
        expires_at: key.expires_at,
    })
}

fn note_use(state: &Registered, partner: &PartnerId, key: PartnerKeyId, now: Moment) -> Decision {
    let known = state.key(partner, key).ok_or(PartnerRefusal::UnknownKey)?;
    let is_fresh = known.used_at.is_some_and(|used| now < used.saturating_add(KEY_USE_GRAIN));
    if is_fresh || known.standing(now) != Standing::Live {
        return Ok(Vec::new());
    }
    Ok(vec![PartnerEvent::KeyUsed { partner: partner.clone(), key }])
}
