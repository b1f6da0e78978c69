//! Keys of partners: looked up in memory, in a table that follows the register.

use std::collections::BTreeMap;
use std::sync::Arc;

use actors::clock::Clock;
use actors::system::OrderSystem;
use arc_swap::ArcSwap;
use engine::partner::{PartnerKey, Registered, Standing as KeyStanding};
use engine::values::PartnerId;

use super::{KeyHash, Principal};

/// What a presented key is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It opens the door.
    Live,
    /// It was revoked.
    Revoked,
    /// Its time has run out.
    Expired,
    /// Nobody has it.
    Unknown,
}

/// A key with the account behind it.
struct Known {
    key: PartnerKey,
    principal: Arc<Principal>,
}

type Table = BTreeMap<String, Known>;

/// The table. A digest of a secret of 256 bits tells nothing by the time it takes to find it.
pub(crate) struct PartnerKeys {
    system: Arc<OrderSystem>,
    clock: Arc<dyn Clock>,
    /// The version of the register that it was made of.
    table: ArcSwap<(u64, Table)>,
}

impl std::fmt::Debug for PartnerKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartnerKeys").finish_non_exhaustive()
    }
}

impl PartnerKeys {
    /// A table that follows the register of a started system.
    pub(crate) fn new(system: Arc<OrderSystem>, clock: Arc<dyn Clock>) -> Self {
        Self { system, clock, table: ArcSwap::from_pointee((0, Table::new())) }
    }

    /// The account behind a live key.
    pub(crate) fn find(&self, presented: &KeyHash) -> Option<Arc<Principal>> {
        let table = self.table();
        let known = table.1.get(&hex::encode(presented))?;
        let is_live = known.key.standing(self.clock.now()) == KeyStanding::Live;
        is_live.then(|| Arc::clone(&known.principal))
    }

    /// What a key is worth, for the record of refusals.
    pub(crate) fn judge(&self, presented: &KeyHash) -> Standing {
        match self.table().1.get(&hex::encode(presented)) {
            None => Standing::Unknown,
            Some(known) => match known.key.standing(self.clock.now()) {
                KeyStanding::Live => Standing::Live,
                KeyStanding::Revoked => Standing::Revoked,
                KeyStanding::Expired => Standing::Expired,
            },
        }
    }

    fn table(&self) -> Arc<(u64, Table)> {
        let register = self.system.partners().current();
        let table = self.table.load_full();
        if table.0 == register.0 {
            return table;
        }
        // Two that meet a change at once make the same table twice.
        let fresh = Arc::new((register.0, table_of(&register.1)));
        self.table.store(Arc::clone(&fresh));
        fresh
    }
}

fn table_of(registered: &Registered) -> Table {
    let mut table = Table::new();
    for (partner, known) in registered.0.iter() {
        for key in &known.keys {
            if let Some(principal) = principal(partner, key) {
                let known = Known { key: key.clone(), principal: Arc::new(principal) };
                table.insert(key.digest.as_str().to_owned(), known);
            }
        }
    }
    table
}

fn principal(partner: &PartnerId, key: &PartnerKey) -> Option<Principal> {
    let principal = Principal::new(&format!("partner:{partner}"), &[]).ok()?;
    Some(Principal { partner: Some((partner.clone(), key.id)), ..principal })
}

#[cfg(test)]
mod tests {
    use engine::Aggregate as _;
    use engine::partner::{KeyDigest, PartnerEvent, Partners};
    use engine::values::{Moment, PartnerKeyId};
    use uuid::Uuid;

    use super::*;
    use crate::access::{Scope, hash};

    #[test]
    fn a_partner_is_known_by_the_digest_of_its_key_and_may_nothing_else() {
        let acme = PartnerId::parse("acme").unwrap();
        let id = PartnerKeyId::new(Uuid::from_u128(1));
        let digest = hex::encode(hash(b"a secret"));
        let history = [
            PartnerEvent::Registered { partner: acme.clone(), name: "Acme".to_owned() },
            PartnerEvent::KeyIssued {
                partner: acme.clone(),
                key: id,
                digest: KeyDigest::parse(&digest).unwrap(),
                expires_at: None,
            },
        ];
        let registered = Partners::replay(history.iter().map(|event| (event, Moment::default())));
        let table = table_of(&registered);
        let principal = &table.get(&digest).unwrap().principal;
        assert_eq!(&*principal.account, "partner:acme");
        assert_eq!(principal.partner, Some((acme, id)));
        assert!(!Scope::ALL.into_iter().any(|scope| principal.may(scope)));
    }
}
