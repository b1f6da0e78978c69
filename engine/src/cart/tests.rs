//! What a cart does, rule by rule.

use super::model::CLAIM_YOUNG;
use super::{
    CART_LINES_MAX, CARTS_TAKEN_MAX, CLAIM_VALID, Cart, CartCommand, CartEvent, CartRefusal,
    LINE_UNITS_MAX,
};
use crate::aggregate::Aggregate;
use crate::samples::{ORDER, cart, customer, keyed, product, seconds, units};
use crate::testkit::given;
use crate::values::{OrderId, REQUESTS_REMEMBERED_MAX};

fn open_for(name: &str) -> CartCommand {
    CartCommand::Open { cart: cart(1), customer: Some(customer(name)) }
}

fn opened() -> CartEvent {
    CartEvent::Opened { cart: cart(1), customer: Some(customer("alice")) }
}

fn set(name: &str, count: u32) -> CartCommand {
    CartCommand::SetLine { product: product(name), quantity: units(count) }
}

fn line(name: &str, count: u32) -> CartEvent {
    CartEvent::LineSet { product: product(name), quantity: units(count) }
}

fn removed(name: &str) -> CartEvent {
    CartEvent::LineRemoved { product: product(name) }
}

fn check_out() -> CartCommand {
    CartCommand::CheckOut { order: ORDER, contents: None }
}

fn checked_out() -> CartEvent {
    CartEvent::CheckedOut { order: ORDER }
}

fn reopened() -> CartEvent {
    CartEvent::Reopened { order: ORDER }
}

/// Another order than the one that the cart belongs to.
const OTHER: OrderId = OrderId::new(uuid::Uuid::from_u128(2));

/// A cart with a mouse, which belongs to an order since the epoch.
fn taken() -> crate::testkit::Given<Cart> {
    given::<Cart>(&[opened(), line("mouse", 2), checked_out()])
}

fn at(span: std::time::Duration) -> crate::values::Moment {
    seconds(0).saturating_add(span)
}

#[test]
fn a_cart_is_opened_once() {
    given::<Cart>(&[]).when(open_for("alice")).then(&[opened()]);
    given::<Cart>(&[opened()]).when(open_for("alice")).then(&[]);
}

#[test]
fn a_cart_belongs_to_whoever_opened_it() {
    given::<Cart>(&[opened()]).when(open_for("bob")).then_refused(CartRefusal::Exists);
}

#[test]
fn nothing_can_be_put_into_a_cart_that_does_not_exist() {
    for command in [set("mouse", 1), CartCommand::Clear, check_out()] {
        given::<Cart>(&[]).when(command).then_refused(CartRefusal::Unknown);
    }
}

#[test]
fn a_line_has_as_many_units_as_were_said_last() {
    given::<Cart>(&[opened()]).when(set("mouse", 2)).then(&[line("mouse", 2)]);
    given::<Cart>(&[opened(), line("mouse", 2)]).when(set("mouse", 3)).then(&[line("mouse", 3)]);
    given::<Cart>(&[opened(), line("mouse", 2)]).when(set("mouse", 2)).then(&[]);
}

#[test]
fn units_are_added_to_what_the_cart_has_and_not_to_what_somebody_saw() {
    let add = |count| CartCommand::AddUnits { product: product("mouse"), quantity: units(count) };
    given::<Cart>(&[opened()]).when(add(2)).then(&[line("mouse", 2)]);
    given::<Cart>(&[opened(), line("mouse", 2)]).when(add(3)).then(&[line("mouse", 5)]);
    given::<Cart>(&[opened()]).when(add(0)).then(&[]);
    for count in [LINE_UNITS_MAX, u32::MAX] {
        given::<Cart>(&[opened(), line("mouse", 1)])
            .when(add(count))
            .then_refused(CartRefusal::TooManyUnits);
    }
    taken().when(add(1)).then_refused(CartRefusal::CheckedOut(ORDER));
}

#[test]
fn a_line_of_nothing_goes_away() {
    given::<Cart>(&[opened(), line("mouse", 2)]).when(set("mouse", 0)).then(&[removed("mouse")]);
    given::<Cart>(&[opened()]).when(set("mouse", 0)).then(&[]);
}

#[test]
fn a_line_has_a_limit() {
    given::<Cart>(&[opened()])
        .when(set("mouse", LINE_UNITS_MAX))
        .then(&[line("mouse", LINE_UNITS_MAX)]);
    given::<Cart>(&[opened()])
        .when(set("mouse", LINE_UNITS_MAX.saturating_add(1)))
        .then_refused(CartRefusal::TooManyUnits);
}

#[test]
fn a_full_cart_takes_no_new_line_but_its_lines_can_change() {
    let mut history = vec![opened()];
    history.extend((0..CART_LINES_MAX).map(|number| line(&format!("p{number}"), 1)));
    given::<Cart>(&history).when(set("mouse", 1)).then_refused(CartRefusal::TooManyLines);
    given::<Cart>(&history).when(set("p0", 2)).then(&[line("p0", 2)]);
    history.push(removed("p0"));
    given::<Cart>(&history).when(set("mouse", 1)).then(&[line("mouse", 1)]);
}

#[test]
fn a_cart_is_cleared_once() {
    given::<Cart>(&[opened(), line("mouse", 2)])
        .when(CartCommand::Clear)
        .then(&[CartEvent::Cleared]);
    given::<Cart>(&[opened(), line("mouse", 2), CartEvent::Cleared])
        .when(CartCommand::Clear)
        .then(&[]);
}

#[test]
fn a_cart_belongs_to_one_order() {
    given::<Cart>(&[opened(), line("mouse", 2)]).when(check_out()).then(&[checked_out()]);
    taken().when(check_out()).then(&[]);
}

#[test]
fn a_cart_that_belongs_to_an_order_does_not_change() {
    let other = CartCommand::CheckOut { order: OTHER, contents: None };
    for command in [set("mouse", 3), set("mouse", 0), CartCommand::Clear, other] {
        taken().at(at(CLAIM_VALID)).when(command).then_refused(CartRefusal::CheckedOut(ORDER));
    }
}

#[test]
fn an_order_takes_the_cart_only_with_the_contents_that_it_was_made_of() {
    let claim = |contents| CartCommand::CheckOut { order: ORDER, contents: Some(contents) };
    let given = || given::<Cart>(&[opened(), line("mouse", 2)]);
    given().when(claim(2)).then(&[checked_out()]);
    given().and(&[line("mouse", 3)]).when(claim(2)).then_refused(CartRefusal::Changed);
    // Having belonged to an order that came to nothing is no change of what is in it.
    given().and(&[checked_out(), reopened()]).when(claim(2)).then(&[checked_out()]);
}

#[test]
fn a_cart_whose_order_came_to_nothing_is_open_again() {
    taken().when(CartCommand::Reopen { order: ORDER }).then(&[reopened()]);
    given::<Cart>(&[opened(), line("mouse", 2), checked_out(), reopened()])
        .when(set("mouse", 3))
        .then(&[line("mouse", 3)]);
}

#[test]
fn only_the_order_that_has_the_cart_gives_it_back() {
    for command in [
        CartCommand::Reopen { order: OTHER },
        CartCommand::Abandon { order: OTHER },
        CartCommand::Empty { order: OTHER },
    ] {
        taken().at(at(CLAIM_VALID)).when(command.clone()).then(&[]);
        given::<Cart>(&[opened(), line("mouse", 2)]).when(command).then(&[]);
    }
}

#[test]
fn a_cart_that_is_to_be_filled_anew_is_empty_and_open() {
    taken().when(CartCommand::Empty { order: ORDER }).then(&[reopened(), CartEvent::Cleared]);
}

#[test]
fn a_claim_is_given_up_only_when_its_order_cannot_come_to_be_any_more() {
    let abandon = || CartCommand::Abandon { order: ORDER };
    let almost = at(CLAIM_VALID.saturating_sub(std::time::Duration::from_micros(1)));
    taken().at(almost).when(abandon()).then_refused(CartRefusal::CheckedOut(ORDER));
    taken().at(at(CLAIM_VALID)).when(abandon()).then(&[reopened()]);
    // An order that asks again comes to be now, and its claim is as good as new.
    let half = at(CLAIM_YOUNG);
    taken().at(half).when(check_out()).then(&[reopened(), checked_out()]);
    taken()
        .at(half)
        .and(&[reopened(), checked_out()])
        .at(at(CLAIM_VALID))
        .when(abandon())
        .then_refused(CartRefusal::CheckedOut(ORDER));
}

#[test]
fn a_cart_shows_its_lines_and_when_they_changed() {
    let given = given::<Cart>(&[opened()]).at(seconds(5)).and(&[
        line("mouse", 2),
        line("laptop", 1),
        removed("mouse"),
    ]);
    let cart = Cart::view(given.state()).unwrap();
    let lines: Vec<_> = cart.lines.iter().map(|(id, count)| (id.as_str(), count.units())).collect();
    assert_eq!(lines, [("laptop", 1)]);
    assert_eq!((cart.created_at, cart.updated_at), (seconds(0), seconds(5)));
    assert_eq!((cart.version, cart.contents, cart.ordered_as), (4, 4, None));
}

#[test]
fn a_change_before_the_opening_is_kept_as_nothing() {
    assert_eq!(Cart::view(given::<Cart>(&[line("mouse", 2)]).state()), None);
}

fn once(key: u128, says: u8, command: CartCommand) -> CartCommand {
    CartCommand::Once { request: keyed(key, says), command: Box::new(command) }
}

fn answered(key: u128, says: u8) -> CartEvent {
    CartEvent::Answered { request: keyed(key, says) }
}

#[test]
fn a_late_repeat_under_a_key_does_not_bring_an_old_line_back() {
    given::<Cart>(&[opened()])
        .when(once(1, 1, set("mouse", 2)))
        .then(&[line("mouse", 2), answered(1, 1)]);
    let later = [opened(), line("mouse", 2), answered(1, 1), line("mouse", 7)];
    given::<Cart>(&later).when(once(1, 1, set("mouse", 2))).then(&[]);
    given::<Cart>(&later).when(once(1, 9, set("mouse", 3))).then_refused(CartRefusal::KeyReused);
    given::<Cart>(&later)
        .when(once(2, 1, set("mouse", 2)))
        .then(&[line("mouse", 2), answered(2, 1)]);
}

#[test]
fn units_are_added_once_under_a_key() {
    let add = || CartCommand::AddUnits { product: product("mouse"), quantity: units(2) };
    let given = || given::<Cart>(&[opened(), line("mouse", 2), answered(1, 1)]);
    given().when(once(1, 1, add())).then(&[]);
    given().when(add()).then(&[line("mouse", 4)]);
}

#[test]
fn a_request_that_changed_nothing_is_remembered_and_one_that_was_refused_is_not() {
    let given = || given::<Cart>(&[opened(), line("mouse", 2)]);
    given().when(once(1, 1, set("mouse", 2))).then(&[answered(1, 1)]);
    given().when(once(1, 1, set("mouse", 101))).then_refused(CartRefusal::TooManyUnits);
}

#[test]
fn a_repeat_is_known_after_the_cart_has_become_an_order() {
    given::<Cart>(&[opened(), line("mouse", 2), answered(1, 1), checked_out()])
        .when(once(1, 1, set("mouse", 2)))
        .then(&[]);
}

#[test]
fn a_cart_remembers_only_so_many_requests() {
    let max = u128::try_from(REQUESTS_REMEMBERED_MAX).unwrap();
    let history: Vec<CartEvent> =
        std::iter::once(opened()).chain((0..=max).map(|key| answered(key, 1))).collect();
    let given = || given::<Cart>(&history);
    given().when(once(1, 1, CartCommand::Clear)).then(&[]);
    given().when(once(0, 1, CartCommand::Clear)).then(&[answered(0, 1)]);
}

fn joined() -> CartEvent {
    CartEvent::Joined { cart: cart(2) }
}

fn take(lines: &[(&str, u32)]) -> CartCommand {
    let lines = lines.iter().map(|(name, count)| (product(name), units(*count))).collect();
    CartCommand::Take { from: cart(2), lines }
}

fn took() -> CartEvent {
    CartEvent::Took { from: cart(2) }
}

#[test]
fn a_promo_code_is_set_and_taken_away() {
    let spring = Some(crate::values::PromoCode::parse("SPRING").unwrap());
    let set = CartEvent::PromoSet { code: spring.clone() };
    let ask = |code| CartCommand::SetPromo { code };
    given::<Cart>(&[opened()]).when(ask(spring.clone())).then(std::slice::from_ref(&set));
    given::<Cart>(&[opened(), set.clone()]).when(ask(spring)).then(&[]);
    given::<Cart>(&[opened(), set]).when(ask(None)).then(&[CartEvent::PromoSet { code: None }]);
}

#[test]
fn a_cart_that_has_joined_another_changes_no_more() {
    let join = CartCommand::Join { cart: cart(2) };
    given::<Cart>(&[opened()]).when(join.clone()).then(&[joined()]);
    given::<Cart>(&[opened(), joined()]).when(join).then(&[]);
    let elsewhere = CartCommand::Join { cart: cart(3) };
    for command in [set("mouse", 1), CartCommand::Clear, check_out(), elsewhere, take(&[])] {
        let refusal = CartRefusal::Joined(cart(2));
        given::<Cart>(&[opened(), joined()]).when(command).then_refused(refusal);
    }
    taken().when(CartCommand::Join { cart: cart(2) }).then_refused(CartRefusal::CheckedOut(ORDER));
    let itself = CartCommand::Join { cart: cart(1) };
    given::<Cart>(&[opened()]).when(itself).then_refused(CartRefusal::Itself);
}

#[test]
fn whether_lines_fit_can_be_asked_before_their_cart_joins() {
    let lines = [(product("mouse"), units(3))].into();
    let could = |history: &[CartEvent]| {
        let state = given::<Cart>(history);
        state.state().0.as_ref().unwrap().could_take(cart(2), &lines)
    };
    let full = line("mouse", 98);
    assert_eq!(could(&[opened()]), Ok(()));
    assert_eq!(could(&[opened(), full.clone()]), Err(CartRefusal::TooManyUnits));
    assert_eq!(could(&[opened(), full, took()]), Ok(()));
    assert_eq!(could(&[opened(), joined()]), Err(CartRefusal::Joined(cart(2))));
    assert_eq!(could(&[opened(), checked_out()]), Err(CartRefusal::CheckedOut(ORDER)));
}

#[test]
fn the_lines_of_another_cart_are_added_once() {
    let own = [opened(), line("mouse", 2)];
    let all = [line("laptop", 1), line("mouse", 5), took()];
    given::<Cart>(&own).when(take(&[("laptop", 1), ("mouse", 3)])).then(&all);
    let history = [opened(), line("mouse", 5), took()];
    given::<Cart>(&history).when(take(&[("mouse", 3)])).then(&[]);
    // Also when it has become an order meanwhile.
    let ordered = given::<Cart>(&history).and(&[checked_out()]);
    ordered.when(take(&[("mouse", 3)])).then(&[]);
}

#[test]
fn lines_that_do_not_fit_stay_where_they_are() {
    let own = [opened(), line("mouse", 98)];
    given::<Cart>(&own).when(take(&[("mouse", 3)])).then_refused(CartRefusal::TooManyUnits);
    let mut full = vec![opened()];
    full.extend((0..CART_LINES_MAX).map(|number| line(&format!("p{number}"), 1)));
    given::<Cart>(&full).when(take(&[("mouse", 1)])).then_refused(CartRefusal::TooManyLines);
    let many: Vec<CartEvent> = std::iter::once(opened())
        .chain((0..CARTS_TAKEN_MAX).map(|n| CartEvent::Took { from: cart(100 + n as u128) }))
        .collect();
    given::<Cart>(&many).when(take(&[])).then_refused(CartRefusal::TooManyTaken);
}
