//! The contract of followers, kept by every adapter.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod support {
    #[cfg(feature = "postgres")]
    pub(crate) mod database;
    pub(crate) mod fixture;
}

use std::slice::from_ref;

use engine::values::Moment;
use persistence::Stores;
use persistence::followers::{Notice, NoticeId, NoticeQuery, NoticeStatus};
use persistence::journal::{Shard, StreamId};
use support::fixture::{Fixture, SHARDS};

const LAST: Shard = Shard(SHARDS - 1);

fn at(seconds: i64) -> Moment {
    Moment::from_unix_micros(seconds * 1_000_000)
}

fn notice(shard: u16, position: u64, written: i64) -> Notice {
    let id = NoticeId {
        written_at: at(written),
        shard: Shard(shard),
        position,
        template: "order_placed".to_owned(),
    };
    Notice {
        id,
        stream: StreamId::new("order", "a"),
        status: NoticeStatus::Waiting,
        tries: 0,
        due_at: Some(at(written)),
        settled_at: None,
        trouble: None,
    }
}

fn sent(notice: Notice, when: i64) -> Notice {
    let (tries, settled_at) = (notice.tries + 1, Some(at(when)));
    Notice { status: NoticeStatus::Sent, tries, due_at: None, settled_at, ..notice }
}

fn newest(status: Option<NoticeStatus>, limit: u32) -> NoticeQuery {
    NoticeQuery { status, after: None, limit }
}

async fn a_follower_stands_where_it_was_moved_to_and_others_elsewhere(stores: &Stores) {
    let followers = &stores.followers;
    assert!(followers.cursors("one").await.unwrap().is_empty());
    followers.advance("one", &[(Shard(0), 5), (LAST, 9)], &[]).await.unwrap();
    followers.advance("other", &[(Shard(0), 1)], &[]).await.unwrap();
    followers.advance("one", &[(Shard(0), 7)], &[]).await.unwrap();

    assert_eq!(followers.cursors("one").await.unwrap(), [(Shard(0), 7), (LAST, 9)]);
    assert_eq!(followers.cursors("other").await.unwrap(), [(Shard(0), 1)]);
}

async fn a_cursor_moves_back_only_when_it_is_reset(stores: &Stores) {
    let followers = &stores.followers;
    followers.advance("one", &[(Shard(0), 5)], &[]).await.unwrap();
    followers.advance("one", &[(Shard(0), 3)], &[]).await.unwrap();
    assert_eq!(followers.cursors("one").await.unwrap(), [(Shard(0), 5)]);

    followers.reset("one", &[(Shard(0), 2), (Shard(1), 4)]).await.unwrap();
    assert_eq!(followers.cursors("one").await.unwrap(), [(Shard(0), 2), (Shard(1), 4)]);
}

async fn a_follower_that_is_forgotten_has_no_place(stores: &Stores) {
    let followers = &stores.followers;
    followers.advance("one", &[(Shard(0), 5)], &[]).await.unwrap();
    followers.advance("other", &[(Shard(0), 6)], &[]).await.unwrap();
    followers.forget("one").await.unwrap();

    assert!(followers.cursors("one").await.unwrap().is_empty());
    assert_eq!(followers.cursors("other").await.unwrap(), [(Shard(0), 6)]);
}

async fn a_message_is_booked_once_and_keeps_what_became_of_it(stores: &Stores) {
    let followers = &stores.followers;
    let booked = notice(0, 3, 10);
    followers.advance("mail", &[(Shard(0), 3)], from_ref(&booked)).await.unwrap();
    assert_eq!(followers.due_notices(at(9), 10).await.unwrap(), []);
    assert_eq!(followers.due_notices(at(10), 10).await.unwrap(), from_ref(&booked));

    let done = sent(booked.clone(), 11);
    followers.settle_notice(&done).await.unwrap();
    followers.advance("mail", &[(Shard(0), 3)], &[booked]).await.unwrap();

    assert!(followers.due_notices(at(99), 10).await.unwrap().is_empty());
    assert_eq!(followers.list_notices(&newest(None, 10)).await.unwrap(), [done]);
}

async fn a_message_that_failed_says_why_and_when_it_is_tried_next(stores: &Stores) {
    let followers = &stores.followers;
    let first = notice(0, 1, 10);
    followers.advance("mail", &[(Shard(0), 1)], from_ref(&first)).await.unwrap();
    let failed = Notice {
        tries: 1,
        due_at: Some(at(70)),
        trouble: Some("größe: greylisted".to_owned()),
        ..first
    };
    followers.settle_notice(&failed).await.unwrap();

    assert!(followers.due_notices(at(69), 10).await.unwrap().is_empty());
    assert_eq!(followers.due_notices(at(70), 10).await.unwrap(), [failed]);
}

async fn the_earliest_due_come_first(stores: &Stores) {
    let notices = [notice(0, 1, 30), notice(1, 1, 10), notice(2, 1, 20)];
    stores.followers.advance("mail", &[(Shard(0), 1)], &notices).await.unwrap();
    let due = stores.followers.due_notices(at(99), 2).await.unwrap();
    let places: Vec<u16> = due.iter().map(|notice| notice.id.shard.0).collect();
    assert_eq!(places, [1, 2]);
}

async fn lists_are_newest_first_in_pages_and_by_status(stores: &Stores) {
    let followers = &stores.followers;
    let notices: Vec<Notice> = (1..=6).map(|n| notice(0, n, 10 + i64::from(n > 3))).collect();
    followers.advance("mail", &[(Shard(0), 6)], &notices).await.unwrap();
    let done = sent(notices.get(4).cloned().unwrap(), 20);
    followers.settle_notice(&done).await.unwrap();

    let places = |page: &[Notice]| page.iter().map(|n| n.id.position).collect::<Vec<_>>();
    let first = followers.list_notices(&newest(None, 4)).await.unwrap();
    assert_eq!(places(&first), [6, 5, 4, 3]);
    let after = first.last().map(|notice| notice.id.clone());
    let rest = followers.list_notices(&NoticeQuery { after, ..newest(None, 4) }).await.unwrap();
    assert_eq!(places(&rest), [2, 1]);
    let sent = newest(Some(NoticeStatus::Sent), 4);
    assert_eq!(followers.list_notices(&sent).await.unwrap(), [done]);
    let waiting = newest(Some(NoticeStatus::Waiting), 9);
    assert_eq!(places(&followers.list_notices(&waiting).await.unwrap()), [6, 4, 3, 2, 1]);
}

async fn old_messages_go_and_those_that_wait_stay(stores: &Stores) {
    let followers = &stores.followers;
    let notices: Vec<Notice> = (1..=3).map(|n| notice(0, n, 10)).collect();
    followers.advance("mail", &[(Shard(0), 3)], &notices).await.unwrap();
    for (number, when) in [(0, 100), (1, 200)] {
        let done = sent(notices.get(number).cloned().unwrap(), when);
        followers.settle_notice(&done).await.unwrap();
    }
    assert_eq!(followers.prune_notices(at(200)).await.unwrap(), 1);
    let left = followers.list_notices(&newest(None, 9)).await.unwrap();
    assert_eq!(left.iter().map(|n| n.id.position).collect::<Vec<_>>(), [3, 2]);
}

macro_rules! conformance_suite {
    ($backend:ident, $fixture:expr, [$($clause:ident),+ $(,)?]) => {
        mod $backend {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $clause() {
                    let fixture = $fixture.await;
                    super::$clause(&fixture.stores).await;
                    fixture.close().await;
                }
            )+
        }
    };
    ($backend:ident, $fixture:expr) => {
        conformance_suite!($backend, $fixture, [
            a_follower_stands_where_it_was_moved_to_and_others_elsewhere,
            a_cursor_moves_back_only_when_it_is_reset,
            a_follower_that_is_forgotten_has_no_place,
            a_message_is_booked_once_and_keeps_what_became_of_it,
            a_message_that_failed_says_why_and_when_it_is_tried_next,
            the_earliest_due_come_first,
            lists_are_newest_first_in_pages_and_by_status,
            old_messages_go_and_those_that_wait_stay,
        ]);
    };
}

conformance_suite!(memory, Fixture::memory());
#[cfg(feature = "sqlite")]
conformance_suite!(sqlite, Fixture::sqlite());
#[cfg(feature = "postgres")]
conformance_suite!(postgres, Fixture::postgres());
