//! What must hold for feeds, for the register of partners, and for the switches of features.

use std::collections::BTreeMap;

use super::recent::Requests;
use super::violation::{Found, broken, holds};
use crate::import::{ERRORS_KEPT_MAX, ImportEvent};
use crate::partner::{PARTNERS_MAX, PartnerEvent};
use crate::toggle::{Toggle, ToggleEvent};
use crate::values::{PartnerId, PartnerKeyId};

/// A feed: begun once, its rows taken in their order, each accounted for at the end.
#[derive(Debug, Default)]
pub(super) struct ImportBook {
    rows: u32,
    done: u32,
    counted: u64,
    reasons: usize,
    is_finished: bool,
}

impl ImportBook {
    pub(super) fn enter(&mut self, version: u64, event: &ImportEvent) -> Result<(), Found> {
        let starts = matches!(event, ImportEvent::Started { .. });
        holds("R12", starts == (version == 1), || {
            "a feed is begun once, before all else".to_owned()
        })?;
        holds("R12", !self.is_finished, || "the feed went on after its end".to_owned())?;
        match event {
            ImportEvent::Started { rows, refused, .. } => {
                (self.rows, self.counted) = (*rows, u64::from(*refused));
                Ok(())
            }
            ImportEvent::RowsRefused { errors } => {
                self.reasons = self.reasons.saturating_add(errors.len());
                holds("R12", self.reasons <= ERRORS_KEPT_MAX, || {
                    format!("{} reasons are kept", self.reasons)
                })
            }
            ImportEvent::Advanced { after, upto, tally, .. } => {
                holds("R3", *after == self.done && after < upto && *upto <= self.rows, || {
                    format!("rows {after} to {upto} were taken after row {}", self.done)
                })?;
                let Some(counted) = tally.total() else {
                    return broken("R12", "rows cannot be counted".to_owned());
                };
                self.done = *upto;
                self.counted = self.counted.saturating_add(u64::from(counted));
                Ok(())
            }
            ImportEvent::Finished => {
                let Self { rows, done, counted, .. } = *self;
                holds("R12", done == rows && counted == u64::from(rows), || {
                    format!("{done} of {rows} rows were looked at, {counted} are accounted for")
                })?;
                self.is_finished = true;
                Ok(())
            }
        }
    }
}

/// The register: partners, and the keys that they have, each with whether it was revoked.
#[derive(Debug, Default)]
pub(super) struct PartnerBook {
    partners: BTreeMap<PartnerId, BTreeMap<PartnerKeyId, bool>>,
    digests: BTreeMap<String, PartnerKeyId>,
}

impl PartnerBook {
    pub(super) fn enter(&mut self, event: &PartnerEvent) -> Result<(), Found> {
        match event {
            PartnerEvent::Registered { partner, .. } => {
                let before = self.partners.insert(partner.clone(), BTreeMap::new());
                holds("R3", before.is_none(), || format!("{partner} was registered again"))?;
                holds("R12", self.partners.len() <= PARTNERS_MAX, || {
                    format!("{} partners are registered", self.partners.len())
                })
            }
            PartnerEvent::KeyIssued { partner, key, digest, .. } => {
                let known = self.digests.insert(digest.as_str().to_owned(), *key);
                holds("R3", known.is_none(), || {
                    format!("the secret of key {key} was issued before")
                })?;
                let keys = self.partners.get_mut(partner);
                let Some(keys) = keys else {
                    return broken("R12", format!("key {key} was issued to a stranger, {partner}"));
                };
                let before = keys.insert(*key, false);
                holds("R3", before.is_none(), || format!("key {key} was issued again"))
            }
            PartnerEvent::KeyRevoked { partner, key } => {
                let Some(revoked) = self.key(partner, *key) else {
                    return broken("R12", format!("key {key} was revoked, but never issued"));
                };
                let before = std::mem::replace(revoked, true);
                holds("R12", !before, || format!("key {key} was revoked twice"))
            }
            PartnerEvent::KeyUsed { partner, key } => match self.key(partner, *key) {
                Some(false) => Ok(()),
                Some(true) => broken("R12", format!("key {key} was used after it was revoked")),
                None => broken("R12", format!("key {key} was used, but never issued")),
            },
        }
    }

    fn key(&mut self, partner: &PartnerId, key: PartnerKeyId) -> Option<&mut bool> {
        self.partners.get_mut(partner)?.get_mut(&key)
    }
}

/// The switches: how each stands.
#[derive(Debug, Default)]
pub(super) struct ToggleBook {
    switches: BTreeMap<Toggle, bool>,
    requests: Requests,
}

impl ToggleBook {
    pub(super) fn enter(&mut self, event: &ToggleEvent) -> Result<(), Found> {
        match event {
            ToggleEvent::Switched { toggle, on, by, why } => {
                let before = self.switches.insert(*toggle, *on);
                // How a feature stands before anybody touches it may change between builds.
                holds("R12", before != Some(*on), || {
                    format!("{} was switched to what it was", toggle.as_str())
                })?;
                holds("R12", !by.is_empty() && !why.trim().is_empty(), || {
                    format!("{} was switched by nobody or for no reason", toggle.as_str())
                })
            }
            ToggleEvent::Answered { request } => self.requests.answer(*request),
        }
    }
}
