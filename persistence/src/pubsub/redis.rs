//! Announcements over Redis: to every process that listens, and to this one without a detour.
//!
//! Redis may be absent, slow or restarted at any time. Nobody waits for it: what cannot be sent is
//! dropped and counted, and who misses it reads the journal.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use redis::{Client, RedisResult};
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{Announcement, MemoryPubSub, PubSub};
use crate::StoreError;
use crate::journal::Shard;

/// Where announcements go, as `shard:position`.
const CHANNEL: &str = "millrace:journal";

/// How many announcements may wait for Redis. One more is dropped.
const QUEUE_MAX: usize = 1_024;

/// How many announcements go out in one round trip.
const BURST_MAX: usize = 256;

/// How long Redis may take to answer before the connection is given up.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// The pause before Redis is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// Announcements that were not sent because Redis was slow or away.
const DROPPED: &str = "millrace_pubsub_dropped_total";

/// The last position that this process announced itself, by shard. What comes back from Redis and
/// is no later was heard already.
type Announced = Arc<Mutex<BTreeMap<Shard, u64>>>;

/// Announcements over a Redis server.
pub(crate) struct RedisPubSub {
    local: Arc<MemoryPubSub>,
    outbound: mpsc::Sender<Announcement>,
    announced: Announced,
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
        let announced = Announced::default();
        let (outbound, queue) = mpsc::channel(QUEUE_MAX);
        let mut tasks = JoinSet::new();
        tasks.spawn(publish_forever(client.clone(), queue));
        tasks.spawn(listen_forever(client, Arc::clone(&local), Arc::clone(&announced)));
        Ok(Self { local, outbound, announced, _tasks: tasks })
    }
}

#[async_trait]
impl PubSub for RedisPubSub {
    async fn announce(&self, announcements: &[Announcement]) {
        for Announcement { shard, position } in announcements {
            let mut announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
            let last = announced.entry(*shard).or_default();
            *last = (*last).max(*position);
        }
        self.local.announce(announcements).await;
        for announcement in announcements {
            if self.outbound.try_send(announcement.clone()).is_err() {
                metrics::counter!(DROPPED).increment(1);
            }
        }
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

async fn publish_forever(client: Client, mut queue: mpsc::Receiver<Announcement>) {
    let mut link = Link::new("publisher");
    loop {
        match publish(&client, &mut queue, &mut link).await {
            // Nobody can announce any more.
            Ok(()) => return,
            Err(error) => link.fails(&error),
        }
        sleep(PAUSE).await;
    }
}

async fn publish(
    client: &Client,
    queue: &mut mpsc::Receiver<Announcement>,
    link: &mut Link,
) -> RedisResult<()> {
    let connecting = timeout(ANSWER_MAX, client.get_multiplexed_async_connection());
    let mut connection = connecting.await.map_err(|_| late())??;
    link.works();
    let mut burst = Vec::with_capacity(BURST_MAX);
    while 0 < queue.recv_many(&mut burst, BURST_MAX).await {
        let mut pipe = redis::pipe();
        // A later position says all that an earlier one does.
        let last: BTreeMap<Shard, u64> = burst.drain(..).map(|a| (a.shard, a.position)).collect();
        for (shard, position) in &last {
            pipe.publish(CHANNEL, format!("{shard}:{position}")).ignore();
        }
        let sent = timeout(ANSWER_MAX, pipe.exec_async(&mut connection)).await;
        if let Err(error) = sent.map_err(|_| late()).flatten() {
            metrics::counter!(DROPPED).increment(last.len() as u64);
            return Err(error);
        }
    }
    Ok(())
}

async fn listen_forever(client: Client, local: Arc<MemoryPubSub>, announced: Announced) {
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
        if is_news(announced, &announcement) {
            local.announce(&[announcement]).await;
        }
    }
    Err(redis::RedisError::from((redis::ErrorKind::Io, "the connection was closed")))
}

fn is_news(announced: &Announced, heard: &Announcement) -> bool {
    let announced = announced.lock().unwrap_or_else(PoisonError::into_inner);
    announced.get(&heard.shard).is_none_or(|last| *last < heard.position)
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
