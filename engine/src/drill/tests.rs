//! What the log of drills does, rule by rule.

use super::{
    ActorKind, Asker, Drill, DrillCommand, DrillEvent, DrillRefusal, DrillState, Ending,
    FailedPayment, Fault, FaultName,
};
use crate::aggregate::Aggregate as _;
use crate::samples::seconds;
use crate::testkit::given;
use crate::values::Moment;

const SLOW: Fault = Fault::PaymentLatency { millis: 300 };

fn asker(request: &str) -> Asker {
    Asker { by: "ops".to_owned(), request: request.to_owned() }
}

fn inject(fault: Fault, until: Option<Moment>) -> DrillCommand {
    DrillCommand::Inject { fault, until, asker: asker("r-2") }
}

fn injected(fault: Fault, until: Option<Moment>, request: &str) -> DrillEvent {
    DrillEvent::FaultInjected { fault, until, asker: asker(request) }
}

fn end(fault: FaultName, since: Option<Moment>) -> DrillCommand {
    DrillCommand::End { fault, since, how: Ending::Expired }
}

fn ended(fault: FaultName) -> DrillEvent {
    DrillEvent::FaultEnded { fault, how: Ending::Expired }
}

#[test]
fn a_fault_is_injected_with_who_asked_for_it() {
    given::<Drill>(&[]).when(inject(SLOW, None)).then(&[injected(SLOW, None, "r-2")]);
    let given = given::<Drill>(&[]).at(seconds(7)).and(&[injected(SLOW, None, "r-1")]);
    let present = &Drill::view(given.state())[&FaultName::PaymentLatency];
    assert_eq!((present.since, &present.asker), (seconds(7), &asker("r-1")));
}

#[test]
fn injecting_what_is_injected_changes_nothing() {
    let history = [injected(SLOW, Some(seconds(60)), "r-1")];
    given::<Drill>(&history).when(inject(SLOW, Some(seconds(60)))).then(&[]);
}

#[test]
fn a_fault_takes_the_place_of_one_with_the_same_name() {
    let slower = Fault::PaymentLatency { millis: 900 };
    let history = [injected(SLOW, None, "r-1")];
    given::<Drill>(&history).when(inject(slower, None)).then(&[injected(slower, None, "r-2")]);
    let longer = || inject(SLOW, Some(seconds(9)));
    given::<Drill>(&history).when(longer()).then(&[injected(SLOW, Some(seconds(9)), "r-2")]);
    let state = given::<Drill>(&history).and(&[injected(slower, None, "r-2")]);
    assert_eq!(Drill::view(state.state()).len(), 1);
}

#[test]
fn numbers_that_cannot_be_injected_are_refused() {
    for fault in [
        Fault::PaymentFailure { kind: FailedPayment::Error, per_million: 1_000_001 },
        Fault::PaymentLatency { millis: 0 },
        Fault::PaymentLatency { millis: 60_001 },
        Fault::JournalStall { millis: Some(0) },
    ] {
        let refused = DrillRefusal::OutOfRange;
        given::<Drill>(&[]).when(inject(fault, None)).then_refused(refused);
    }
}

#[test]
fn a_fault_ends_once_and_only_while_it_is_injected() {
    let name = FaultName::PaymentLatency;
    given::<Drill>(&[]).when(end(name, None)).then(&[]);
    let history = [injected(SLOW, None, "r-1")];
    given::<Drill>(&history).when(end(name, None)).then(&[ended(name)]);
    given::<Drill>(&history).when(end(FaultName::RedisCut, None)).then(&[]);
    let over = [injected(SLOW, None, "r-1"), ended(name)];
    given::<Drill>(&over).when(end(name, None)).then(&[]);
    assert_eq!(*given::<Drill>(&over).state(), DrillState::default());
}

#[test]
fn the_end_of_a_fault_does_not_end_its_successor() {
    let name = FaultName::PaymentLatency;
    let given = || given::<Drill>(&[]).at(seconds(5)).and(&[injected(SLOW, None, "r-1")]);
    given().when(end(name, Some(seconds(4)))).then(&[]);
    given().when(end(name, Some(seconds(5)))).then(&[ended(name)]);
}

#[test]
fn every_killing_is_noted() {
    let (kind, key) = (ActorKind::Order, "7399f99f".to_owned());
    let kill = DrillCommand::KillActor { kind, key: key.clone(), asker: asker("r-2") };
    let killed = DrillEvent::ActorKilled { kind, key, asker: asker("r-2") };
    given::<Drill>(std::slice::from_ref(&killed)).when(kill).then(&[killed]);
}

#[test]
fn a_fault_is_found_by_its_name() {
    for name in FaultName::ALL {
        assert_eq!(FaultName::parse(name.as_str()), Some(name));
    }
    assert_eq!(FaultName::parse("actor_kill"), None);
}
