//! Orders come onto the list once, leave it, and find no room on a full one.

use uuid::Uuid;

use super::{
    Reviews, ReviewsCommand, ReviewsEvent, ReviewsRefusal, ReviewsState, WAITING_MAX, Waiting,
};
use crate::aggregate::Aggregate as _;
use crate::samples::{ORDER, customer, seconds};
use crate::testkit::given;
use crate::values::OrderId;

fn waiting() -> Waiting {
    Waiting { customer: customer("alice"), until: seconds(60) }
}

fn open(order: OrderId) -> ReviewsCommand {
    ReviewsCommand::Open { order, waiting: waiting() }
}

fn opened(order: OrderId) -> ReviewsEvent {
    ReviewsEvent::Opened { order, waiting: waiting() }
}

#[test]
fn an_order_waits_once_and_leaves_once() {
    let closed = || ReviewsEvent::Closed { order: ORDER };
    let close = || ReviewsCommand::Close { order: ORDER };
    given::<Reviews>(&[]).when(open(ORDER)).then(&[opened(ORDER)]);
    given::<Reviews>(&[opened(ORDER)]).when(open(ORDER)).then(&[]);
    given::<Reviews>(&[opened(ORDER)]).when(close()).then(&[closed()]);
    given::<Reviews>(&[opened(ORDER), closed()]).when(close()).then(&[]);
    given::<Reviews>(&[]).when(close()).then(&[]);
}

#[test]
fn a_full_list_has_no_room_until_one_leaves() {
    let number = |number: usize| OrderId::new(Uuid::from_u128(u128::try_from(number).unwrap()));
    let mut history: Vec<_> = (0..WAITING_MAX).map(number).map(opened).collect();
    let one_more = || open(number(WAITING_MAX));
    given::<Reviews>(&history).when(one_more()).then_refused(ReviewsRefusal::Full);
    given::<Reviews>(&history).when(open(number(0))).then(&[]);
    history.push(ReviewsEvent::Closed { order: number(0) });
    given::<Reviews>(&history).when(one_more()).then(&[opened(number(WAITING_MAX))]);
}

#[test]
fn a_snapshot_keeps_everything() {
    let state = Reviews::replay([(&opened(ORDER), seconds(3))]);
    assert_eq!(Reviews::decided_at(&state), seconds(3));
    let stored = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<ReviewsState>(&stored).unwrap(), state);
}
