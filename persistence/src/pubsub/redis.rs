//! Announcements over Redis: to every process that listens, and to this one without a detour.
//!
//! Redis may be absent, slow or restarted at any time. Nobody waits for it: of each shard only the
//! last position waits to be sent, because it says all that the earlier ones did. When Redis is
//! back it is told at once, and who missed something reads the journal.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use redis::{Client, RedisResult};
use tokio::sync::{Notify, broadcast};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{Announcement, MemoryPubSub, PubSub};
use crate::StoreError;
use crate::journal::Shard;

/// Where announcements go, as `shard:position`.
const CHANNEL: &str = "millrace:journal";

/// How long Redis may take to answer before the connection is given up.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// The pause before Redis is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// Positions to send, by shard.
type Positions = BTreeMap<Shard, u64>;

/// The last position that this process announced itself, by shard.
#[derive(Default)]
struct Announced {
    last: Mutex<Positions>,
    /// Told of every change; one change may stand for many.
    changed: Notify,
}

impl Announced {
    fn last(&self) -> MutexGuard<'_, Positions> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn advance(&self, announcements: &[Announcement]) {
        let mut positions = self.last();
        for Announcement { shard, position } in announcements {
            let last = positions.entry(*shard).or_default();
            *last = (*last).max(*position);
        }
        drop(positions);
        self.changed.notify_one();
    }

    /// What comes back from Redis and is no later was heard already.
    fn is_news(&self, heard: &Announcement) -> bool {
        self.last().get(&heard.shard).is_none_or(|last| *last < heard.position)
    }

    /// What is later than `sent`; waits until there is some.
    async fn later_than(&self, sent: &Positions) -> Positions {
        loop {
            let mut later = self.last().clone();
            later.retain(|shard, position| sent.get(shard).is_none_or(|sent| sent < position));
            if !later.is_empty() {
                return later;
            }
            self.changed.notified().await;
        }
    }
}

/// Announcements over a Redis server.
pub(crate) struct RedisPubSub {
    local: Arc<MemoryPubSub>,
    announced: Arc<Announced>,
    /// Aborted when this is dropped.
    _tasks: JoinSet<()>,
}

impl RedisPubSub {
    /// Starts to talk to a server, which need not be there yet.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsafe`] when the address is malformed; it is not repeated, because it may
    /// hold a password.
    pub(crate) fn open(url: &str) -> Result<Self, StoreError> {
        let client = Client::open(url)
            .map_err(|_| StoreError::Unsafe("the Redis address is malformed".into()))?;
        let local = Arc::new(MemoryPubSub::default());
        let announced = Arc::<Announced>::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(publish_forever(client.clone(), Arc::clone(&announced)));
        tasks.spawn(listen_forever(client, Arc::clone(&local), Arc::clone(&announced)));
        Ok(Self { local, announced, _tasks: tasks })
    }
}

#[async_trait]
impl PubSub for RedisPubSub {
    async fn announce(&self, announcements: &[Announcement]) {
        self.announced.advance(announcements);
        self.local.announce(announcements).await;
    }

    async fn listen(&self) -> broadcast::Receiver<Announcement> {
        self.local.listen().await
    }
}

/// Tells of trouble once when it begins and once when it ends.
struct Link {
    side: &'static str,
    broken: bool,
}

impl Link {
    const fn new(side: &'static str) -> Self {
        Self { side, broken: false }
    }

    fn works(&mut self) {
        if self.broken {
            tracing::info!(side = self.side, "redis is back for the {}", self.side);
        }
        self.broken = false;
    }

    fn fails(&mut self, error: &redis::RedisError) {
        if !self.broken {
            let cause = error as &dyn std::error::Error;
            tracing::warn!(cause, side = self.side, "redis does not answer the {}", self.side);
        }
        self.broken = true;
    }
}

async fn publish_forever(client: Client, announced: Arc<Announced>) {
    let mut link = Link::new("publisher");
    let mut sent = Positions::new();
    loop {
        let Err(error) = publish(&client, &announced, &mut sent, &mut link).await;
        link.fails(&error);
        sleep(PAUSE).await;
    }
}

async fn publish(
    client: &Client,
    announced: &Announced,
    sent: &mut Positions,
    link: &mut Link,
) -> RedisResult<std::convert::Infallible> {
    let connecting = timeout(ANSWER_MAX, client.get_multiplexed_async_connection());
    let mut connection = connecting.await.map_err(|_| late())??;
    link.works();
    loop {
        let later = announced.later_than(sent).await;
        let mut pipe = redis::pipe();
        for (shard, position) in &later {
            pipe.publish(CHANNEL, format!("{shard}:{position}")).ignore();
        }
        timeout(ANSWER_MAX, pipe.exec_async(&mut connection)).await.map_err(|_| late())??;
        sent.extend(later);
    }
}

async fn listen_forever(client: Client, local: Arc<MemoryPubSub>, announced: Arc<Announced>) {
    let mut link = Link::new("listener");
    loop {
        let Err(error) = listen(&client, &local, &announced, &mut link).await;
        link.fails(&error);
        sleep(PAUSE).await;
    }
}

async fn listen(
    client: &Client,
    local: &MemoryPubSub,
    announced: &Announced,
    link: &mut Link,
) -> RedisResult<std::convert::Infallible> {
    let mut inbound =
        timeout(ANSWER_MAX, client.get_async_pubsub()).await.map_err(|_| late())??;
    timeout(ANSWER_MAX, inbound.subscribe(CHANNEL)).await.map_err(|_| late())??;
    link.works();
    let mut messages = inbound.into_on_message();
    while let Some(message) = messages.next().await {
        // What we cannot read is from something newer or foreign; hints may be lost.
        let Some(announcement) = read(message.get_payload_bytes()) else { continue };
        if announced.is_news(&announcement) {
            local.announce(&[announcement]).await;
        }
    }
    Err(redis::RedisError::from((redis::ErrorKind::Io, "the connection was closed")))
}

fn read(payload: &[u8]) -> Option<Announcement> {
    let (shard, position) = std::str::from_utf8(payload).ok()?.split_once(':')?;
    Some(Announcement { shard: Shard(shard.parse().ok()?), position: position.parse().ok()? })
}

fn late() -> redis::RedisError {
    redis::RedisError::from((redis::ErrorKind::Io, "no answer in time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_shard_and_position() {
        let announcement = Announcement { shard: Shard(7), position: 42 };
        assert_eq!(read(b"7:42"), Some(announcement));
    }

    #[test]
    fn a_foreign_message_is_passed_over() {
        for payload in [&b""[..], b"7", b"7:", b":42", b"70000:1", b"7:-1", b"\xff:1"] {
            assert_eq!(read(payload), None);
        }
    }
}
