//! What the switches do, rule by rule.

use super::{REASON_MAX, Switchboard, Toggle, ToggleCommand, ToggleEvent, ToggleRefusal};
use crate::samples::{keyed, seconds};
use crate::testkit::given;

fn set(on: bool, why: &str) -> ToggleCommand {
    let (by, why) = ("ops-1".to_owned(), why.to_owned());
    ToggleCommand::Set { toggle: Toggle::FlashSale, on, by, why }
}

fn switched(on: bool, why: &str) -> ToggleEvent {
    let (by, why) = ("ops-1".to_owned(), why.to_owned());
    ToggleEvent::Switched { toggle: Toggle::FlashSale, on, by, why }
}

fn once(says: u8, command: ToggleCommand) -> ToggleCommand {
    ToggleCommand::Once { request: keyed(1, says), command: Box::new(command) }
}

#[test]
fn a_switch_is_thrown_when_that_changes_it() {
    given::<Switchboard>(&[]).when(set(false, "too hot")).then(&[switched(false, "too hot")]);
    given::<Switchboard>(&[]).when(set(true, "as it was")).then(&[]);
    given::<Switchboard>(&[switched(false, "too hot")]).when(set(false, "still")).then(&[]);
    given::<Switchboard>(&[switched(false, "too hot")])
        .when(set(true, "cooled down"))
        .then(&[switched(true, "cooled down")]);
}

#[test]
fn a_switch_is_thrown_for_a_reason() {
    for why in ["", "  ", &"x".repeat(REASON_MAX + 1)] {
        given::<Switchboard>(&[])
            .when(set(false, why))
            .then_refused(ToggleRefusal::ReasonOutOfRange);
    }
    let longest = "x".repeat(REASON_MAX);
    given::<Switchboard>(&[]).when(set(false, &longest)).then(&[switched(false, &longest)]);
}

#[test]
fn a_late_repeat_under_a_key_does_not_bring_an_old_position_back() {
    let answered = || ToggleEvent::Answered { request: keyed(1, 1) };
    given::<Switchboard>(&[])
        .when(once(1, set(false, "hot")))
        .then(&[switched(false, "hot"), answered()]);
    let later = [switched(false, "hot"), answered(), switched(true, "cool")];
    given::<Switchboard>(&later).when(once(1, set(false, "hot"))).then(&[]);
    given::<Switchboard>(&later)
        .when(once(2, set(false, "hot")))
        .then_refused(ToggleRefusal::KeyReused);
}

#[test]
fn who_threw_a_switch_and_when_and_why_is_remembered() {
    let given = given::<Switchboard>(&[]).at(seconds(7)).and(&[switched(false, "too hot")]);
    let switch = given.state().thrown.get(&Toggle::FlashSale).unwrap();
    assert_eq!((switch.on, switch.by.as_str(), switch.why.as_str()), (false, "ops-1", "too hot"));
    assert_eq!(switch.at, seconds(7));
    assert!(given.state().is_on(Toggle::PartnerIngestion), "nobody touched it");
}

#[test]
fn every_feature_has_a_name_of_its_own() {
    for toggle in Toggle::ALL {
        assert_eq!(Toggle::parse(toggle.as_str()), Some(*toggle));
        assert!(toggle.meaning().ends_with('.'));
    }
    assert_eq!(Toggle::parse("nonsense"), None);
}
