//! A sample of each event of partners, their feeds, and the switches of features.

use super::events::all;
use super::{import, keyed, partner, partner_key, seconds};
use crate::import::{FeedFormat, ImportEvent, RowError, RowFault, RowField, Tally};
use crate::partner::{KeyDigest, PartnerEvent};
use crate::toggle::{Toggle, ToggleEvent};
use crate::values::{Fingerprint, Moment};

pub(super) fn imports() -> Vec<ImportEvent> {
    let first = ImportEvent::Started {
        import: import(1),
        partner: partner("acme"),
        format: FeedFormat("csv".into()),
        digest: Fingerprint::from_bytes([7; 16]),
        bytes: 1_234,
        rows: 17,
        refused: 1,
        errors_total: 1,
    };
    all(first, |event| {
        Some(match event {
            ImportEvent::Started { .. } => {
                let error = RowError { line: 4, field: RowField::Name, code: RowFault::Formula };
                ImportEvent::RowsRefused { errors: vec![error] }
            }
            ImportEvent::RowsRefused { .. } => ImportEvent::Advanced {
                after: 0,
                upto: 17,
                tally: Tally { created: 9, updated: 4, unchanged: 2, refused: 1 },
                errors_more: 1,
            },
            ImportEvent::Advanced { .. } => ImportEvent::Finished,
            ImportEvent::Finished => return None,
        })
    })
}

fn issued(expires_at: Option<Moment>) -> PartnerEvent {
    PartnerEvent::KeyIssued {
        partner: partner("acme"),
        key: partner_key(1),
        digest: KeyDigest::parse(&"0f".repeat(32)).unwrap(),
        expires_at,
    }
}

pub(super) fn partners() -> Vec<PartnerEvent> {
    let (partner, key) = (partner("acme"), partner_key(1));
    let name = "Acme Mugs Ltd".to_owned();
    vec![
        PartnerEvent::Registered { partner: partner.clone(), name },
        issued(Some(seconds(86_400))),
        PartnerEvent::KeyRevoked { partner: partner.clone(), key },
        PartnerEvent::KeyUsed { partner, key },
    ]
}

/// Other forms of events that have optional parts.
pub(super) fn other_partners() -> Vec<(&'static str, PartnerEvent)> {
    vec![("partner.key_issued.for_good", issued(None))]
}

pub(super) fn toggles() -> Vec<ToggleEvent> {
    let (by, why) = ("ops-1".to_owned(), "too many complaints".to_owned());
    all(
        ToggleEvent::Switched { toggle: Toggle::FlashSale, on: false, by, why },
        |event| match event {
            ToggleEvent::Switched { .. } => {
                Some(ToggleEvent::Answered { request: keyed(0xca11, 7) })
            }
            ToggleEvent::Answered { .. } => None,
        },
    )
}
