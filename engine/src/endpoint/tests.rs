//! One rule per test.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::*;
use crate::public::PublicName;
use crate::samples::{keyed, seconds};
use crate::testkit::{Given, given};
use crate::values::{EndpointId, Moment};

fn endpoint(number: u128) -> EndpointId {
    EndpointId::new(Uuid::from_u128(number))
}

fn secret(text: &str) -> SigningSecret {
    SigningSecret::new(text)
}

fn create(number: u128) -> EndpointCommand {
    EndpointCommand::Create {
        endpoint: endpoint(number),
        url: format!("https://shop.example/{number}"),
        types: BTreeSet::new(),
        secret: secret("whsec_a"),
    }
}

fn created(number: u128) -> EndpointEvent {
    EndpointEvent::Created {
        endpoint: endpoint(number),
        url: format!("https://shop.example/{number}"),
        types: BTreeSet::new(),
        secret: secret("whsec_a"),
    }
}

fn failing() -> EndpointEvent {
    EndpointEvent::Failing { endpoint: endpoint(1), why: "500".to_owned() }
}

fn one() -> Given<Endpoints> {
    given(&[created(1)])
}

#[test]
fn an_endpoint_is_created_once() {
    given::<Endpoints>(&[]).when(create(1)).then(&[created(1)]);
    let once = EndpointCommand::Once { request: keyed(1, 1), command: Box::new(create(1)) };
    one().and(&[EndpointEvent::Answered { request: keyed(1, 1) }]).when(once).then(&[]);
    one().when(create(1)).then_refused(EndpointRefusal::KeyReused);
}

#[test]
fn an_address_is_there_once() {
    let same = EndpointCommand::Create {
        endpoint: endpoint(2),
        url: "https://shop.example/1".to_owned(),
        types: BTreeSet::new(),
        secret: secret("whsec_b"),
    };
    one().when(same).then_refused(EndpointRefusal::AddressTaken(endpoint(1)));
}

#[test]
fn a_shop_has_a_bounded_number_of_endpoints() {
    let full: Vec<EndpointEvent> = (1..=32).map(created).collect();
    assert_eq!(full.len(), ENDPOINTS_MAX);
    given::<Endpoints>(&full).when(create(33)).then_refused(EndpointRefusal::TooMany);
}

#[test]
fn whoever_is_paused_twice_is_paused() {
    let pause = || EndpointCommand::Pause { endpoint: endpoint(1) };
    let paused = EndpointEvent::Paused { endpoint: endpoint(1), why: PauseReason::Asked };
    one().when(pause()).then(std::slice::from_ref(&paused));
    one().and(&[paused]).when(pause()).then(&[]);
}

#[test]
fn a_resumed_endpoint_has_its_failures_behind_it() {
    let paused = EndpointEvent::Paused { endpoint: endpoint(1), why: PauseReason::Failing };
    let resumed = EndpointEvent::Resumed { endpoint: endpoint(1) };
    let given = one().and(&[failing(), paused]);
    given
        .when(EndpointCommand::Resume { endpoint: endpoint(1) })
        .then(std::slice::from_ref(&resumed));
    let state = one().and(&[failing(), resumed]);
    assert_eq!(state.state().endpoints[&endpoint(1)].failing, None);
}

#[test]
fn the_old_secret_signs_beside_the_new_one_for_a_day() {
    let rotated = EndpointEvent::SecretRotated {
        endpoint: endpoint(1),
        secret: secret("whsec_b"),
        overlap_until: Moment::default().saturating_add(SECRET_OVERLAP),
    };
    let rotate = EndpointCommand::Rotate { endpoint: endpoint(1), secret: secret("whsec_b") };
    one().when(rotate).then(std::slice::from_ref(&rotated));
    let state = one().and(&[rotated]);
    let known = &state.state().endpoints[&endpoint(1)];
    let signs = |now| known.secrets(now).map(|s| s.expose().to_owned()).collect::<Vec<_>>();
    assert_eq!(signs(seconds(86_399)), ["whsec_b", "whsec_a"]);
    assert_eq!(signs(seconds(86_400)), ["whsec_b"]);
}

#[test]
fn an_endpoint_that_fails_is_noted_once_and_paused_after_a_day() {
    let fail = || EndpointCommand::NoteFailure { endpoint: endpoint(1), why: "500".to_owned() };
    one().when(fail()).then(&[failing()]);
    let failed = || one().and(&[failing()]);
    failed().at(seconds(86_399)).when(fail()).then(&[]);
    let paused = EndpointEvent::Paused { endpoint: endpoint(1), why: PauseReason::Failing };
    failed().at(seconds(86_400)).when(fail()).then(std::slice::from_ref(&paused));
    failed().and(&[paused]).at(seconds(90_000)).when(fail()).then(&[]);
}

#[test]
fn a_success_ends_a_failure() {
    let success = || EndpointCommand::NoteSuccess { endpoint: endpoint(1) };
    one().when(success()).then(&[]);
    let recovered = EndpointEvent::Recovered { endpoint: endpoint(1) };
    one().and(&[failing()]).when(success()).then(&[recovered]);
}

#[test]
fn a_replay_begins_a_new_run_and_never_in_the_future() {
    let replay = |from| EndpointCommand::Replay { endpoint: endpoint(1), from };
    let replayed = EndpointEvent::Replayed { endpoint: endpoint(1), from: seconds(5) };
    one().at(seconds(9)).when(replay(seconds(5))).then(std::slice::from_ref(&replayed));
    one().at(seconds(4)).when(replay(seconds(5))).then_refused(EndpointRefusal::FromTheFuture);
    let state = one().and(&[replayed]);
    let known = &state.state().endpoints[&endpoint(1)];
    assert_eq!((known.run, known.from), (2, seconds(5)));
}

#[test]
fn who_is_gone_is_unknown_and_nothing_is_noted_of_it() {
    let gone = || one().and(&[EndpointEvent::Deleted { endpoint: endpoint(1) }]);
    gone()
        .when(EndpointCommand::Pause { endpoint: endpoint(1) })
        .then_refused(EndpointRefusal::Unknown);
    gone()
        .when(EndpointCommand::Delete { endpoint: endpoint(1) })
        .then_refused(EndpointRefusal::Unknown);
    gone()
        .when(EndpointCommand::NoteFailure { endpoint: endpoint(1), why: String::new() })
        .then(&[]);
    gone().when(EndpointCommand::NoteSuccess { endpoint: endpoint(1) }).then(&[]);
}

#[test]
fn an_endpoint_hears_what_it_named_and_everything_when_it_named_nothing() {
    let state = one();
    let mut known = state.state().endpoints[&endpoint(1)].clone();
    assert!(known.hears(PublicName::OrderPlaced));
    known.types.insert(PublicName::OrderPaid);
    assert!(known.hears(PublicName::OrderPaid));
    assert!(!known.hears(PublicName::OrderPlaced));
}

#[test]
fn a_secret_is_not_shown_by_accident() {
    assert_eq!(format!("{:?}", secret("whsec_a")), "SigningSecret(..)");
    let made = created(1);
    assert!(!format!("{made:?}").contains("whsec_a"));
}
