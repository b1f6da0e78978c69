//! Placing: looked up, held, judged, and undone when something was refused.

use super::*;
use crate::aggregate::Step;
use crate::cart::CartRefusal;
use crate::catalog::{FlashSale, Terms};
use crate::inventory::HOLD_COMMAND_VALID;
use crate::order::{Amounts, OrderState, WishedCart};
use crate::samples::cart;
use crate::values::OrderId;

fn place(place: PlaceOrder) -> OrderCommand {
    OrderCommand::Place(Box::new(place))
}

fn next_step(command: &OrderCommand) -> Step {
    Order::next_step(&OrderState::default(), command, seconds(0))
}

fn compensation(command: &OrderCommand) -> Vec<Intent> {
    Order::compensate(&OrderState::default(), command)
}

/// The stock of laptops says `answer`, that of mice grants.
fn laptops_say(answer: &Answer) -> impl Fn(&HeldUnits) -> Answer {
    move |units| match units.product.as_str() {
        "laptop" => answer.clone(),
        _ => Answer::StockDone,
    }
}

#[test]
fn listings_are_looked_up_first() {
    let needs = [product("laptop"), product("mouse")].map(|product| Intent::Lookup { product });
    let command = place(wish_for(Some(card()), &[("laptop", 2), ("mouse", 1)]));
    assert_eq!(next_step(&command), Step::Needs(needs.to_vec()));
}

#[test]
fn then_each_product_is_asked_for_a_hold_whatever_the_payment() {
    for payment in [Some(card()), Some(cash()), None] {
        let mut command = place(wish_for(payment, &[("laptop", 2)]));
        let lookup = Intent::Lookup { product: product("laptop") };
        Order::supply(&mut command, &lookup, Answer::Listing(catalogue("laptop")));
        let need = Intent::Hold {
            units: held("laptop", 2),
            customer: customer("alice"),
            // Short for everybody: a hold that a crash orphans must lapse soon.
            expires_at: seconds(0).saturating_add(HOLD_FIRST),
            valid_until: seconds(0).saturating_add(HOLD_COMMAND_VALID),
        };
        assert_eq!(next_step(&command), Step::Needs(vec![need.clone()]));
        Order::supply(&mut command, &need, Answer::StockDone);
        assert_eq!(next_step(&command), Step::Ready);
    }
}

#[test]
fn an_order_whose_holds_are_granted_is_placed_at_the_listed_price() {
    given::<Order>(&[]).when(answered(wish(), all_granted)).then(&[placed_by_card()]);
}

#[test]
fn the_total_is_the_sum_of_all_lines() {
    let lines = [("laptop", 1, 99_999), ("mouse", 3, 2_550)];
    let wish = wish_for(Some(cash()), &[("laptop", 1), ("mouse", 3)]);
    given::<Order>(&[])
        .when(answered(wish, all_granted))
        .then(&[placed(placement_of(Some(cash()), &lines))]);
    assert_eq!(placement_of(None, &lines).amounts.total, usd(107_649));
}

#[test]
fn a_trusted_caller_sets_the_price_and_the_listed_one_is_recorded() {
    let mut wish = wish();
    wish.trusted_price = true;
    wish.items[0].unit_price = Some(usd(5));
    let mut expected = placement_of(Some(card()), &[("laptop", 2, 5)]);
    expected.lines[0].listed_price = Some(usd(99_999));
    given::<Order>(&[]).when(answered(wish, all_granted)).then(&[placed(expected)]);
}

#[test]
fn an_order_is_priced_on_the_terms_of_the_moment_at_which_its_holds_were_asked_for() {
    let (starts_at, ends_at) = (seconds(0), seconds(1));
    let flash_sale = Some(FlashSale { price: usd(79_999), starts_at, ends_at });
    let terms =
        Terms { shipping_fee: Some(usd(500)), tax_bps: 1_000, flash_sale, ..Terms::default() };
    let laptop = Listing { terms: Some(Arc::new(terms)), ..listing("laptop", usd(99_999)) };
    let mut command = place(wish_for(Some(card()), &[("laptop", 2)]));
    let lookup = Intent::Lookup { product: product("laptop") };
    Order::supply(&mut command, &lookup, Answer::Listing(Some(laptop)));
    let Step::Needs(needs) = next_step(&command) else { panic!("no hold asked for") };
    Order::supply(&mut command, &needs[0], Answer::StockDone);
    let mut expected = placement_of(Some(card()), &[("laptop", 2, 79_999)]);
    expected.lines[0].listed_price = Some(usd(99_999));
    // 159,998 + 1,000, and a tenth of that.
    let (shipping, tax, total) = (usd(1_000), usd(16_100), usd(177_098));
    expected.amounts = Amounts { shipping, tax, total, ..expected.amounts };
    expected.lines[0].paid = Some(total);
    given::<Order>(&[]).at(seconds(5)).when(command).then(&[placed(expected)]);
}

#[test]
fn an_order_records_the_version_of_the_listing_it_was_priced_with() {
    let mut command = place(wish());
    let lookup = Intent::Lookup { product: product("laptop") };
    let listing = Listing { version: 7, ..listing("laptop", usd(99_999)) };
    Order::supply(&mut command, &lookup, Answer::Listing(Some(listing)));
    let Step::Needs(needs) = next_step(&command) else { panic!("no hold asked for") };
    Order::supply(&mut command, &needs[0], Answer::StockDone);
    let events = Order::decide(&OrderState::default(), &command, seconds(0)).unwrap();
    let [OrderEvent::Placed(placement)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(placement.lines[0].listing_version, 7);
}

#[test]
fn an_order_without_enough_stock_says_how_many_are_left() {
    let available = units(1);
    let answer = Answer::StockRefused(StockRefusal::NotEnough { available });
    given::<Order>(&[]).when(answered(wish(), laptops_say(&answer))).then_refused(
        OrderRefusal::InsufficientStock {
            product: product("laptop"),
            requested: units(2),
            available,
        },
    );
}

#[test]
fn an_order_over_the_limit_says_what_the_limit_is() {
    let limit = units(1);
    let answer = Answer::StockRefused(StockRefusal::OverLimit { limit });
    given::<Order>(&[])
        .when(answered(wish(), laptops_say(&answer)))
        .then_refused(OrderRefusal::OverLimit { product: product("laptop"), limit });
}

#[test]
fn a_stock_that_cannot_be_asked_refuses_the_order_for_now() {
    for answer in [
        Answer::Failed,
        Answer::StockRefused(StockRefusal::Invalid),
        Answer::StockRefused(StockRefusal::Lapsed),
    ] {
        given::<Order>(&[])
            .when(answered(wish(), laptops_say(&answer)))
            .then_refused(unavailable("laptop", Unavailable::Unreachable));
    }
}

fn unavailable(name: &str, why: Unavailable) -> OrderRefusal {
    OrderRefusal::StockUnavailable { product: product(name), why }
}

#[test]
fn a_stock_that_did_not_take_the_question_says_why_and_is_given_nothing_back() {
    for why in [Unavailable::Overloaded, Unavailable::Quarantined, Unavailable::Unreachable] {
        let both = || wish_for(Some(card()), &[("laptop", 2), ("mouse", 1)]);
        let command = answered(both(), laptops_say(&Answer::NotAccepted(why)));
        assert_eq!(compensation(&command), [Intent::Release { units: vec![held("mouse", 1)] }]);
        given::<Order>(&[]).when(command).then_refused(unavailable("laptop", why));
    }
}

#[test]
fn a_refusal_gives_back_what_was_granted_or_may_have_been() {
    let both = || wish_for(Some(card()), &[("laptop", 2), ("mouse", 1)]);
    let left_over = |answer: Answer| compensation(&answered(both(), laptops_say(&answer)));
    let refused = StockRefusal::NotEnough { available: units(0) };
    let mouse = Intent::Release { units: vec![held("mouse", 1)] };
    assert_eq!(left_over(Answer::StockRefused(refused)), [mouse]);
    let either = Intent::Release { units: vec![held("laptop", 2), held("mouse", 1)] };
    assert_eq!(left_over(Answer::Failed), [either]);
}

#[test]
fn a_refusal_before_any_hold_gives_nothing_back() {
    let unknown = answered(wish_for(Some(card()), &[("unicorn", 1)]), all_granted);
    assert_eq!(compensation(&unknown), []);
    assert_eq!(compensation(&place(wish_for(Some(card()), &[]))), []);
}

#[test]
fn a_listing_that_cannot_be_looked_up_refuses_the_order_without_asking_again() {
    let mut command = place(wish_for(Some(card()), &[("laptop", 2), ("mouse", 1)]));
    let lookup = |name| Intent::Lookup { product: product(name) };
    let busy = Answer::NotAccepted(Unavailable::Overloaded);
    Order::supply(&mut command, &lookup("laptop"), busy);
    Order::supply(&mut command, &lookup("mouse"), Answer::Listing(catalogue("mouse")));
    assert_eq!(next_step(&command), Step::Ready);
    assert_eq!(compensation(&command), []);
    given::<Order>(&[]).when(command).then_refused(unavailable("laptop", Unavailable::Overloaded));
}

#[test]
fn a_broken_rule_asks_nobody() {
    assert_eq!(next_step(&place(wish_for(Some(card()), &[]))), Step::Ready);
    let mut unknown = place(wish_for(Some(card()), &[("unicorn", 1)]));
    let lookup = Intent::Lookup { product: product("unicorn") };
    Order::supply(&mut unknown, &lookup, Answer::Listing(None));
    assert_eq!(next_step(&unknown), Step::Ready, "no hold for a product that does not exist");
}

#[test]
fn repeating_a_placement_changes_nothing_and_asks_nobody() {
    given::<Order>(&[placed_by_card()]).when(place(wish())).then(&[]);
    let given = given::<Order>(&[placed_by_card()]);
    assert_eq!(Order::next_step(given.state(), &place(wish()), seconds(0)), Step::Ready);
}

#[test]
fn the_same_key_with_another_request_is_refused_and_gives_nothing_back() {
    let mut other = wish();
    other.fingerprint = Fingerprint::from_bytes([8; 16]);
    let OrderCommand::Place(other) = answered(other, all_granted) else { panic!("no placement") };
    let given = || given::<Order>(&[placed_by_card()]);
    assert_eq!(Order::compensate(given().state(), &OrderCommand::Place(other.clone())), []);
    given().when(OrderCommand::Place(other)).then_refused(OrderRefusal::KeyReused);
}

#[test]
fn nothing_can_be_done_with_an_order_that_was_never_placed() {
    for command in [
        cancel(true),
        set_status(OrderStatus::Processing),
        says_captured(),
        trouble(),
        query_trouble(),
        OrderCommand::RecordStockCommitted,
        OrderCommand::Wake,
    ] {
        given::<Order>(&[]).when(command).then_refused(OrderRefusal::Unknown);
    }
}

#[test]
fn a_placed_order_is_pending_and_unpaid() {
    let given = given::<Order>(&[placed_by_card()]);
    let order = Order::view(given.state()).unwrap();
    assert_eq!(order.status, OrderStatus::Pending);
    assert_eq!(order.payment.status.as_str(), "unpaid");
    assert_eq!(order.stock, crate::order::OrderStock::Held(seconds(60)));
    let first = &order.history[0];
    assert_eq!((first.from, first.to, &*first.by), (None, OrderStatus::Pending, "alice"));
}

/// Two laptops from a cart, whose holds are granted; the cart says `answer`.
fn from_cart(answer: Answer) -> OrderCommand {
    let mut wish = wish();
    wish.cart = Some(WishedCart::new(cart(1), Some(3)));
    let mut command = answered_but_for_the_cart(wish);
    let claim = Intent::ClaimCart { cart: cart(1), order: ORDER, contents: Some(3) };
    assert_eq!(next_step(&command), Step::Needs(vec![claim.clone()]));
    Order::supply(&mut command, &claim, answer);
    assert_eq!(next_step(&command), Step::Ready);
    command
}

fn answered_but_for_the_cart(wish: PlaceOrder) -> OrderCommand {
    let mut command = place(wish);
    let lookup = Intent::Lookup { product: product("laptop") };
    Order::supply(&mut command, &lookup, Answer::Listing(catalogue("laptop")));
    let Step::Needs(holds) = next_step(&command) else { panic!("no hold asked for") };
    Order::supply(&mut command, &holds[0], Answer::StockDone);
    command
}

#[test]
fn a_cart_is_claimed_last_and_before_its_order_is_placed() {
    given::<Order>(&[]).when(from_cart(Answer::CartDone)).then(&[placed_by_card()]);
}

#[test]
fn a_cart_that_belongs_to_another_order_refuses_this_one_and_its_units_go_back() {
    let refusal = CartRefusal::CheckedOut(OrderId::new(uuid::Uuid::from_u128(2)));
    let command = from_cart(Answer::CartRefused(refusal.clone()));
    given::<Order>(&[]).when(command.clone()).then_refused(OrderRefusal::Cart(refusal));
    assert_eq!(compensation(&command), [Intent::Release { units: vec![held("laptop", 2)] }]);
}

#[test]
fn a_cart_that_cannot_be_asked_refuses_the_order_for_now_and_is_opened_again() {
    let command = from_cart(Answer::Failed);
    let why = Unavailable::Unreachable;
    given::<Order>(&[]).when(command.clone()).then_refused(OrderRefusal::CartUnavailable { why });
    let undo = [
        Intent::Release { units: vec![held("laptop", 2)] },
        Intent::ReopenCart { cart: cart(1), order: ORDER },
    ];
    assert_eq!(compensation(&command), undo);
}

#[test]
fn a_cart_that_did_not_take_the_question_is_not_opened_again() {
    let why = Unavailable::Quarantined;
    let command = from_cart(Answer::NotAccepted(why));
    given::<Order>(&[]).when(command.clone()).then_refused(OrderRefusal::CartUnavailable { why });
    assert_eq!(compensation(&command), [Intent::Release { units: vec![held("laptop", 2)] }]);
}

#[test]
fn an_order_without_stock_does_not_touch_its_cart() {
    let mut wish = wish();
    wish.cart = Some(WishedCart::new(cart(1), None));
    let none = Answer::StockRefused(StockRefusal::NotEnough { available: units(0) });
    let command = answered(wish, laptops_say(&none));
    assert_eq!(next_step(&command), Step::Ready);
    assert_eq!(compensation(&command), []);
}
