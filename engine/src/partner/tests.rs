//! What the register of partners does, rule by rule.

use super::{
    KEY_USE_GRAIN, KEYS_MAX, KeyDigest, NAME_MAX, NewKey, PARTNERS_MAX, PartnerCommand,
    PartnerEvent, PartnerRefusal, Partners, Standing,
};
use crate::samples::{partner, partner_key, seconds};
use crate::testkit::given;
use crate::values::Moment;

fn digest(number: u32) -> KeyDigest {
    KeyDigest::parse(&format!("{number:064x}")).unwrap()
}

fn new_key(number: u32) -> NewKey {
    NewKey { id: partner_key(number.into()), digest: digest(number), expires_at: None }
}

fn register(name: &str) -> PartnerCommand {
    PartnerCommand::Register { partner: partner("acme"), name: name.to_owned(), key: new_key(1) }
}

fn registered(id: &str) -> PartnerEvent {
    PartnerEvent::Registered { partner: partner(id), name: "Acme".to_owned() }
}

fn issued(number: u32, expires_at: Option<Moment>) -> PartnerEvent {
    PartnerEvent::KeyIssued {
        partner: partner("acme"),
        key: partner_key(number.into()),
        digest: digest(number),
        expires_at,
    }
}

fn issue(number: u32) -> PartnerCommand {
    PartnerCommand::IssueKey { partner: partner("acme"), key: new_key(number) }
}

fn revoke(number: u128) -> PartnerCommand {
    PartnerCommand::RevokeKey { partner: partner("acme"), key: partner_key(number) }
}

fn revoked(number: u128) -> PartnerEvent {
    PartnerEvent::KeyRevoked { partner: partner("acme"), key: partner_key(number) }
}

fn used() -> PartnerEvent {
    PartnerEvent::KeyUsed { partner: partner("acme"), key: partner_key(1) }
}

fn note_use() -> PartnerCommand {
    PartnerCommand::NoteUse { partner: partner("acme"), key: partner_key(1) }
}

fn acme() -> Vec<PartnerEvent> {
    vec![registered("acme"), issued(1, None)]
}

#[test]
fn a_partner_is_registered_once_with_its_first_key() {
    given::<Partners>(&[]).when(register("Acme")).then(&acme());
    given::<Partners>(&acme()).when(register("Acme")).then(&[]);
    given::<Partners>(&acme())
        .when(register("Other"))
        .then_refused(PartnerRefusal::Exists(partner("acme")));
}

#[test]
fn a_partner_has_a_name_for_people() {
    for name in ["", " ", &"x".repeat(NAME_MAX + 1)] {
        given::<Partners>(&[]).when(register(name)).then_refused(PartnerRefusal::NameOutOfRange);
    }
}

#[test]
fn partners_are_bounded() {
    let full: Vec<PartnerEvent> =
        (0..PARTNERS_MAX).map(|number| registered(&format!("partner-{number}"))).collect();
    given::<Partners>(&full).when(register("Acme")).then_refused(PartnerRefusal::TooManyPartners);
}

#[test]
fn a_key_is_issued_once_under_its_name() {
    given::<Partners>(&acme()).when(issue(2)).then(&[issued(2, None)]);
    given::<Partners>(&acme()).when(issue(1)).then(&[]);
    given::<Partners>(&[]).when(issue(2)).then_refused(PartnerRefusal::Unknown);
}

#[test]
fn no_secret_opens_the_door_for_two_keys() {
    let twin = NewKey { digest: digest(1), ..new_key(2) };
    let issue = PartnerCommand::IssueKey { partner: partner("acme"), key: twin.clone() };
    given::<Partners>(&acme()).when(issue).then_refused(PartnerRefusal::KeyExists);
    let register =
        PartnerCommand::Register { partner: partner("other"), name: "O".to_owned(), key: twin };
    given::<Partners>(&acme()).when(register).then_refused(PartnerRefusal::KeyExists);
}

#[test]
fn a_key_is_revoked_once_and_for_good() {
    given::<Partners>(&acme()).when(revoke(1)).then(&[revoked(1)]);
    given::<Partners>(&acme()).when(revoke(2)).then_refused(PartnerRefusal::UnknownKey);
    let given = given::<Partners>(&acme()).and(&[revoked(1)]);
    let key = given.state().key(&partner("acme"), partner_key(1)).unwrap();
    assert_eq!(key.standing(seconds(0)), Standing::Revoked);
    given.when(revoke(1)).then(&[]);
}

#[test]
fn a_key_opens_nothing_from_its_end_on() {
    let given = given::<Partners>(&[registered("acme"), issued(1, Some(seconds(60)))]);
    let key = given.state().key(&partner("acme"), partner_key(1)).unwrap();
    assert_eq!(key.standing(seconds(59)), Standing::Live);
    assert_eq!(key.standing(seconds(60)), Standing::Expired);
}

#[test]
fn a_key_that_is_born_expired_is_not_issued() {
    let dead = NewKey { expires_at: Some(seconds(60)), ..new_key(2) };
    let issue = PartnerCommand::IssueKey { partner: partner("acme"), key: dead };
    given::<Partners>(&acme())
        .at(seconds(60))
        .when(issue)
        .then_refused(PartnerRefusal::AlreadyExpired);
}

#[test]
fn a_partner_has_so_many_live_keys_and_no_more() {
    let keys = (1..=u32::try_from(KEYS_MAX).unwrap()).map(|number| issued(number, None));
    let full: Vec<PartnerEvent> = std::iter::once(registered("acme")).chain(keys).collect();
    given::<Partners>(&full).when(issue(99)).then_refused(PartnerRefusal::TooManyKeys);
    // One that opens nothing makes room, and is let go of.
    let given = given::<Partners>(&full).and(&[revoked(3), issued(99, None)]);
    let keys = &given.state().0.get(&partner("acme")).unwrap().keys;
    assert_eq!(keys.len(), KEYS_MAX);
    assert!(keys.iter().all(|key| key.id != partner_key(3)));
}

#[test]
fn a_use_is_noted_once_in_a_while() {
    given::<Partners>(&acme()).when(note_use()).then(&[used()]);
    let later = |seconds: u64| {
        let used_at = Moment::default();
        used_at.saturating_add(std::time::Duration::from_secs(seconds))
    };
    let grain = KEY_USE_GRAIN.as_secs();
    let given = || given::<Partners>(&acme()).and(&[used()]);
    given().at(later(grain - 1)).when(note_use()).then(&[]);
    given().at(later(grain)).when(note_use()).then(&[used()]);
    given().and(&[revoked(1)]).at(later(grain)).when(note_use()).then(&[]);
}

#[test]
fn a_digest_is_sixty_four_hexadecimal_digits() {
    assert!(KeyDigest::parse(&"0f".repeat(32)).is_some());
    for bad in ["", "0f", &"0F".repeat(32), &"0g".repeat(32), &"0f".repeat(33)] {
        assert_eq!(KeyDigest::parse(bad), None, "{bad}");
    }
    assert!(!format!("{:?}", digest(1)).contains('1'), "digests stay out of logs");
}
