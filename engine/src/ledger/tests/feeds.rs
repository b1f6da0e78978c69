//! Feeds, partners and switches: a sound history passes, and each broken promise is found.

use super::Journal;
use super::breaks;
use crate::import::{FeedFormat, ImportEvent, RowError, RowFault, RowField, Tally};
use crate::partner::{KeyDigest, PartnerEvent};
use crate::samples::{import, keyed, partner, partner_key};
use crate::toggle::{Toggle, ToggleEvent};
use crate::values::Fingerprint;

fn started(rows: u32, refused: u32) -> ImportEvent {
    ImportEvent::Started {
        import: import(1),
        partner: partner("acme"),
        format: FeedFormat("csv".into()),
        digest: Fingerprint::from_bytes([7; 16]),
        bytes: 9,
        rows,
        refused,
        errors_total: refused.into(),
    }
}

fn advanced(after: u32, upto: u32, created: u32) -> ImportEvent {
    let tally = Tally { created, ..Tally::default() };
    ImportEvent::Advanced { after, upto, tally, errors_more: 0 }
}

fn refused(count: usize) -> ImportEvent {
    let error = RowError { line: 1, field: RowField::Name, code: RowFault::Markup };
    ImportEvent::RowsRefused { errors: vec![error; count] }
}

#[test]
fn a_feed_takes_each_row_once_and_accounts_for_all() {
    let mut journal = Journal::default();
    let sound =
        [started(4, 1), refused(1), advanced(0, 2, 1), advanced(2, 4, 2), ImportEvent::Finished];
    journal.sound(sound);
    breaks(&[started(4, 0), started(4, 0)], "R12", "begun once");
    breaks(&[advanced(0, 2, 2)], "R12", "begun once");
    breaks(&[started(4, 0), advanced(0, 2, 2), advanced(0, 2, 2)], "R3", "after row 2");
    breaks(&[started(4, 0), advanced(1, 2, 1)], "R3", "after row 0");
    breaks(&[started(4, 0), advanced(0, 5, 5)], "R3", "rows 0 to 5");
    breaks(&[started(4, 0), advanced(0, 2, 2), ImportEvent::Finished], "R12", "2 of 4 rows");
    breaks(&[started(4, 1), advanced(0, 4, 4), ImportEvent::Finished], "R12", "5 are accounted");
    breaks(&[started(0, 0), ImportEvent::Finished, refused(1)], "R12", "after its end");
    breaks(&[started(4, 0), refused(1_000), refused(1)], "R12", "1001 reasons");
}

fn registered() -> PartnerEvent {
    PartnerEvent::Registered { partner: partner("acme"), name: "Acme".to_owned() }
}

fn issued(key: u128, digest: &str) -> PartnerEvent {
    PartnerEvent::KeyIssued {
        partner: partner("acme"),
        key: partner_key(key),
        digest: KeyDigest::parse(&digest.repeat(32)).unwrap(),
        expires_at: None,
    }
}

fn revoked() -> PartnerEvent {
    PartnerEvent::KeyRevoked { partner: partner("acme"), key: partner_key(1) }
}

fn used() -> PartnerEvent {
    PartnerEvent::KeyUsed { partner: partner("acme"), key: partner_key(1) }
}

#[test]
fn a_key_belongs_to_one_partner_and_ends_once() {
    let mut journal = Journal::default();
    journal.sound([registered(), issued(1, "0a"), used(), issued(2, "0b"), revoked()]);
    breaks(&[registered(), registered()], "R3", "registered again");
    breaks(&[issued(1, "0a")], "R12", "stranger");
    breaks(&[registered(), issued(1, "0a"), issued(1, "0b")], "R3", "issued again");
    breaks(&[registered(), issued(1, "0a"), issued(2, "0a")], "R3", "issued before");
    breaks(&[registered(), revoked()], "R12", "never issued");
    breaks(&[registered(), used()], "R12", "never issued");
    breaks(&[registered(), issued(1, "0a"), revoked(), revoked()], "R12", "revoked twice");
    breaks(&[registered(), issued(1, "0a"), revoked(), used()], "R12", "after it was revoked");
}

fn switched(on: bool, why: &str) -> ToggleEvent {
    let (by, why) = ("ops-1".to_owned(), why.to_owned());
    ToggleEvent::Switched { toggle: Toggle::FlashSale, on, by, why }
}

#[test]
fn a_switch_changes_something_and_somebody_says_why() {
    let answered = ToggleEvent::Answered { request: keyed(1, 1) };
    let mut journal = Journal::default();
    journal.sound([switched(false, "hot"), answered.clone(), switched(true, "cool")]);
    breaks(&[switched(false, "hot"), switched(false, "hot")], "R12", "what it was");
    breaks(&[switched(false, " ")], "R12", "for no reason");
    breaks(&[answered.clone(), answered], "R3", "answered twice");
}

#[test]
fn a_partner_takes_over_nothing_that_was_offered_before() {
    use crate::catalog::ProductEvent;
    use crate::samples::{product, usd};
    let supplied = || ProductEvent::Supplied { by: partner("acme") };
    let published = ProductEvent::Published {
        product: product("laptop"),
        name: "Laptop".to_owned(),
        price: usd(1),
    };
    let renamed = ProductEvent::Renamed { name: "Other".to_owned() };
    let mut journal = Journal::default();
    journal.sound([published.clone(), supplied()]);
    breaks(&[published.clone(), renamed, supplied()], "R12", "offered before");
    breaks(&[published, supplied(), supplied()], "R12", "offered before");
    breaks(&[supplied()], "R12", "offered before");
}
