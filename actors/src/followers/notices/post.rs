//! The task that sends messages: tries again later and later, and gives up visibly.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::notification::{Letter, compose};
use engine::order::Order;
use engine::values::Moment;
use futures::stream::{self, StreamExt as _};
use metrics::counter;
use persistence::followers::{Notice, NoticeStatus};
use persistence::journal::StreamId;
use persistence::read_models::HistoryTail;
use persistence::{StoreError, codec};
use tokio::time::{Instant, sleep};
use tracing::{error, warn};

use super::book::placement_of;
use super::{Mail, Mailer, NotSent};
use crate::histories::Histories;
use crate::metrics::NOTICES_TOTAL;
use crate::payments::{Draw, chance};
use crate::system::{OrderSystem, World};

/// Messages of one look.
const ROUND_MAX: u32 = 64;

/// Orders whose messages are sent at once.
const AT_ONCE: usize = 8;

/// How often it is looked for messages that are due.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Tries before a message is given up: with these pauses, about two days.
const TRIES_MAX: u32 = 14;

/// The pause after the first failure; it doubles with each further one.
const PAUSE_FIRST: Duration = Duration::from_secs(20);

/// No pause is longer.
const PAUSE_LONGEST: Duration = Duration::from_hours(12);

/// Older news is none: a message that could not leave for so long is not sent any more.
const NEWS_LONGEST: Duration = Duration::from_hours(7 * 24);

/// How long it is remembered what became of a message.
const KEPT: Duration = Duration::from_hours(90 * 24);

/// How often what is older is forgotten.
const PRUNE_EVERY: Duration = Duration::from_hours(1);

/// Sends messages.
pub(super) struct Post {
    world: Arc<World>,
    histories: Histories,
    mailer: Arc<dyn Mailer>,
    draw: Draw,
}

impl Post {
    pub(super) fn new(system: &OrderSystem, mailer: Arc<dyn Mailer>) -> Self {
        let (world, histories) = (Arc::clone(&system.world), system.histories.clone());
        Self { world, histories, mailer, draw: chance() }
    }

    /// Sends until the engine goes down.
    pub(super) async fn run(self: Arc<Self>) {
        let mut prune = Instant::now();
        while !self.world.is_draining() && !self.world.writer().is_stopped() {
            match self.round().await {
                // There may be more.
                Ok(Round { looked_at: ROUND_MAX, is_noted: true }) => continue,
                Ok(_) => {}
                Err(error) => warn!(%error, "due messages cannot be read"),
            }
            if prune <= Instant::now() {
                prune = Instant::now() + PRUNE_EVERY;
                self.prune().await;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn prune(&self) {
        let kept = i64::try_from(KEPT.as_micros()).unwrap_or(i64::MAX);
        let before = self.world.clock.now().as_unix_micros().saturating_sub(kept);
        let pruned =
            self.world.stores.followers.prune_notices(Moment::from_unix_micros(before)).await;
        if let Err(error) = pruned {
            warn!(%error, "old messages are kept for longer");
        }
    }

    /// Sends what is due.
    async fn round(&self) -> Result<Round, StoreError> {
        let due =
            self.world.stores.followers.due_notices(self.world.clock.now(), ROUND_MAX).await?;
        let looked_at = u32::try_from(due.len()).unwrap_or(u32::MAX);
        let mut by_stream: BTreeMap<StreamId, Vec<Notice>> = BTreeMap::new();
        for notice in due {
            by_stream.entry(notice.stream.clone()).or_default().push(notice);
        }
        let orders = stream::iter(by_stream).map(|(stream, notices)| self.order(stream, notices));
        let noted: Vec<bool> = orders.buffer_unordered(AT_ONCE).collect().await;
        Ok(Round { looked_at, is_noted: noted.into_iter().all(|is_noted| is_noted) })
    }

    /// Sends the messages of one order one after the other, until one has to wait; whether the store
    /// took what was to be noted.
    ///
    /// A try is noted before it is made: a store that can be read and not written would else let the
    /// same message be sent for ever.
    async fn order(&self, stream: StreamId, mut notices: Vec<Notice>) -> bool {
        notices.sort_by(|one, other| one.id.cmp(&other.id));
        for notice in notices {
            let now = self.world.clock.now();
            if !self.note(&taken_up(&notice, now, (self.draw)())).await {
                return false;
            }
            let end = self.send(&stream, &notice, now).await;
            let settled = settle(notice, end, self.world.clock.now(), (self.draw)());
            tell(&settled);
            if !self.note(&settled).await {
                // It is sent again, later: what cannot be noted has not happened.
                return false;
            }
            if settled.status == NoticeStatus::Waiting {
                break;
            }
        }
        true
    }

    async fn note(&self, notice: &Notice) -> bool {
        let noted = self.world.stores.followers.settle_notice(notice).await;
        if let Err(error) = &noted {
            warn!(%error, "what becomes of a message cannot be noted");
        }
        noted.is_ok()
    }

    async fn send(&self, stream: &StreamId, notice: &Notice, now: Moment) -> End {
        if NEWS_LONGEST <= now.saturating_since(notice.id.written_at) {
            return End::Skipped("it is too old to be news");
        }
        match self.mail(stream, notice).await {
            Ok(Some(mail)) => match self.mailer.send(&mail).await {
                Ok(()) => End::Sent,
                Err(NotSent::Later(why)) => End::Later(why),
                Err(NotSent::Never(why)) => End::Never(why),
            },
            Ok(None) => End::Skipped("there is nobody to send it to"),
            Err(error) => End::Later(error.to_string()),
        }
    }

    /// The message in words, made of the journal.
    async fn mail(&self, stream: &StreamId, notice: &Notice) -> Result<Option<Mail>, StoreError> {
        let tail = HistoryTail { stream: stream.clone(), after: 0 };
        let mut histories = self.histories.read(std::slice::from_ref(&tail)).await?;
        let history = histories.remove(stream).unwrap_or_default();
        let placement = placement_of(&history)?;
        let record = history.iter().find(|record| record.position == notice.id.position);
        let Some(record) = record else { return Ok(None) };
        let letter = compose(&placement, &codec::decode::<Order>(record)?);
        let to = placement.personal.email.clone();
        let (Some(Letter { subject, text }), Some(to)) = (letter, to) else { return Ok(None) };
        let id = format!("{}.{}", record.event_id, notice.id.template);
        Ok(Some(Mail { id, to, subject, text }))
    }
}

/// A look at what is due.
struct Round {
    looked_at: u32,
    /// Whether the store took everything.
    is_noted: bool,
}

/// A message that is about to be sent: tried again later if nobody says what came of it.
fn taken_up(notice: &Notice, now: Moment, draw: u64) -> Notice {
    let tries = notice.tries.saturating_add(1);
    let due_at = Some(now.saturating_add(pause(tries, draw)));
    Notice { tries, due_at, trouble: Some("it was being sent".to_owned()), ..notice.clone() }
}

/// What came of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Sent,
    Later(String),
    Never(String),
    Skipped(&'static str),
}

/// A message after a try.
fn settle(notice: Notice, end: End, now: Moment, draw: u64) -> Notice {
    let tries = notice.tries.saturating_add(1);
    let done = |status, trouble| Notice {
        status,
        tries,
        due_at: None,
        settled_at: Some(now),
        trouble,
        ..notice.clone()
    };
    match end {
        End::Sent => done(NoticeStatus::Sent, None),
        End::Skipped(why) => done(NoticeStatus::Skipped, Some(why.to_owned())),
        End::Never(why) => done(NoticeStatus::Failed, Some(why)),
        End::Later(why) if TRIES_MAX <= tries => done(NoticeStatus::Failed, Some(why)),
        End::Later(why) => {
            let due_at = Some(now.saturating_add(pause(tries, draw)));
            Notice { tries, due_at, trouble: Some(why), ..notice }
        }
    }
}

fn tell(notice: &Notice) {
    let outcome = match notice.status {
        NoticeStatus::Sent => "sent",
        NoticeStatus::Skipped => "skipped",
        NoticeStatus::Waiting => "put_off",
        NoticeStatus::Failed => {
            let (stream, template) = (notice.stream.as_str(), &notice.id.template);
            let why = notice.trouble.as_deref().unwrap_or_default();
            error!(event = "notice_failed", stream, %template, why, "a message is given up");
            "failed"
        }
    };
    counter!(NOTICES_TOTAL, "outcome" => outcome).increment(1);
}

/// Half of the ceiling for sure, and a share of the other half.
fn pause(tries: u32, draw: u64) -> Duration {
    let doubled = 2_u32.saturating_pow(tries.saturating_sub(1));
    let half = PAUSE_FIRST.saturating_mul(doubled).min(PAUSE_LONGEST) / 2;
    let share = half.as_nanos().saturating_mul(u128::from(draw)) >> 64;
    half.saturating_add(u64::try_from(share).map_or(half, Duration::from_nanos))
}

#[cfg(test)]
mod tests {
    use persistence::followers::NoticeId;
    use persistence::journal::Shard;

    use super::*;

    fn waiting(tries: u32) -> Notice {
        let id = NoticeId {
            written_at: Moment::default(),
            shard: Shard(0),
            position: 1,
            template: "order_paid".to_owned(),
        };
        Notice {
            id,
            stream: StreamId::new("order", "a"),
            status: NoticeStatus::Waiting,
            tries,
            due_at: Some(Moment::default()),
            settled_at: None,
            trouble: None,
        }
    }

    fn later() -> End {
        End::Later("no connection".to_owned())
    }

    #[test]
    fn what_was_handed_over_is_done() {
        let sent = settle(waiting(2), End::Sent, Moment::default(), 0);
        assert_eq!((sent.status, sent.tries, sent.due_at), (NoticeStatus::Sent, 3, None));
        assert_eq!(sent.settled_at, Some(Moment::default()));
    }

    #[test]
    fn what_may_be_sent_later_is_tried_later_and_later_and_then_given_up() {
        let (mut notice, mut last) = (waiting(0), Duration::ZERO);
        for tries in 1..TRIES_MAX {
            notice = settle(notice, later(), Moment::default(), 0);
            assert_eq!((notice.status, notice.tries), (NoticeStatus::Waiting, tries));
            let pause = notice.due_at.unwrap().saturating_since(Moment::default());
            assert!(last <= pause && pause <= PAUSE_LONGEST, "{tries}: {pause:?}");
            last = pause;
        }
        let failed = settle(notice, later(), Moment::default(), 0);
        assert_eq!((failed.status, failed.due_at), (NoticeStatus::Failed, None));
        assert_eq!(failed.trouble.as_deref(), Some("no connection"));
    }

    #[test]
    fn what_can_never_be_sent_is_given_up_at_once() {
        let failed = settle(waiting(0), End::Never("no such box".to_owned()), Moment::default(), 0);
        assert_eq!((failed.status, failed.tries), (NoticeStatus::Failed, 1));
    }
}
