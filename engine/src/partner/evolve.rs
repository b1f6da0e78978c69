//! The bookkeeping of partners and their keys.

use std::sync::Arc;

use super::model::{KEYS_MAX, Partner, PartnerEvent, PartnerKey, Registered, Standing};
use crate::values::{Moment, PartnerId, PartnerKeyId};

pub(super) fn evolve(state: &mut Registered, event: &PartnerEvent, at: Moment) {
    match event {
        PartnerEvent::Registered { partner, name } => {
            let registered = Partner { name: name.clone(), keys: Vec::new(), registered_at: at };
            Arc::make_mut(&mut state.0).insert(partner.clone(), registered);
        }
        PartnerEvent::KeyIssued { partner, key, digest, expires_at } => {
            let Some(known) = Arc::make_mut(&mut state.0).get_mut(partner) else { return };
            known.keys.push(PartnerKey {
                id: *key,
                digest: digest.clone(),
                issued_at: at,
                expires_at: *expires_at,
                revoked_at: None,
                used_at: None,
            });
            if KEYS_MAX < known.keys.len()
                && let Some(dead) =
                    known.keys.iter().position(|key| key.standing(at) != Standing::Live)
            {
                known.keys.remove(dead);
            }
        }
        PartnerEvent::KeyRevoked { partner, key } => {
            if let Some(key) = key_of(state, partner, *key) {
                key.revoked_at = Some(at);
            }
        }
        PartnerEvent::KeyUsed { partner, key } => {
            if let Some(key) = key_of(state, partner, *key) {
                key.used_at = Some(at);
            }
        }
    }
}

fn key_of<'a>(
    state: &'a mut Registered,
    partner: &PartnerId,
    id: PartnerKeyId,
) -> Option<&'a mut PartnerKey> {
    let partner = Arc::make_mut(&mut state.0).get_mut(partner)?;
    partner.keys.iter_mut().find(|key| key.id == id)
}
