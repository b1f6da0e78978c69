//! The contract of the announcements, and what Redis must not be able to do to it.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use persistence::Stores;
use persistence::journal::Shard;
use persistence::pubsub::{Announcement, PubSub};
use persistence::stores::{Database, StorageConfig};

fn announcement(shard: u16, position: u64) -> Announcement {
    Announcement { shard: Shard(shard), position }
}

async fn open(redis_url: Option<String>) -> Stores {
    let config = StorageConfig { database: Database::Memory, redis_url, shards: 4 };
    Stores::open(&config).await.unwrap()
}

async fn every_listener_in_the_process_hears_it(pubsub: &dyn PubSub) {
    let (mut one, mut other) = (pubsub.listen().await, pubsub.listen().await);
    let said = [announcement(1, 7), announcement(2, 9)];
    pubsub.announce(&said).await;

    for listener in [&mut one, &mut other] {
        assert_eq!(listener.recv().await.unwrap(), said[0]);
        assert_eq!(listener.recv().await.unwrap(), said[1]);
    }
}

async fn nobody_has_to_listen(pubsub: &dyn PubSub) {
    for position in 1..5_000 {
        pubsub.announce(&[announcement(0, position)]).await;
    }
    let mut listener = pubsub.listen().await;
    pubsub.announce(&[announcement(0, 5_000)]).await;
    assert_eq!(listener.recv().await.unwrap(), announcement(0, 5_000));
}

macro_rules! conformance_suite {
    ($backend:ident, $url:expr) => {
        mod $backend {
            use super::*;

            #[tokio::test]
            async fn every_listener_in_the_process_hears_it() {
                super::every_listener_in_the_process_hears_it(&*open($url).await.pubsub).await;
            }

            #[tokio::test]
            async fn nobody_has_to_listen() {
                super::nobody_has_to_listen(&*open($url).await.pubsub).await;
            }
        }
    };
}

conformance_suite!(memory, None);
#[cfg(feature = "redis")]
conformance_suite!(redis_that_is_absent, Some("redis://127.0.0.1:1".into()));
#[cfg(feature = "redis")]
conformance_suite!(redis, Some(over_redis::server()));

#[cfg(feature = "redis")]
mod over_redis {
    //! Between processes, for which two sets of stores stand in.

    use std::time::Duration;

    use tokio::io::copy_bidirectional;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::broadcast::Receiver;
    use tokio::task::JoinSet;
    use tokio::time::{interval, timeout};

    use super::*;

    /// Far more than it takes; a test that fails should still end.
    const PATIENCE: Duration = Duration::from_secs(20);

    #[expect(clippy::expect_used, reason = "says what is missing")]
    pub(super) fn server() -> String {
        std::env::var("MILLRACE_TEST_REDIS_URL")
            .expect("MILLRACE_TEST_REDIS_URL names the server to test against")
    }

    /// Announces ever later positions until the listener hears one.
    async fn announce_until_heard(from: &Stores, to: &mut Receiver<Announcement>, shard: u16) {
        let mut tick = interval(Duration::from_millis(20));
        let mut position = 0;
        let heard = async {
            loop {
                tokio::select! {
                    // Others use the same server; too much of theirs is no error.
                    heard = to.recv() => if heard.is_ok_and(|a| a.shard == Shard(shard)) { return },
                    _ = tick.tick() => {
                        position += 1;
                        from.pubsub.announce(&[announcement(shard, position)]).await;
                    }
                }
            }
        };
        timeout(PATIENCE, heard).await.unwrap();
    }

    #[tokio::test]
    async fn another_process_hears_it() {
        let (here, there) = (open(Some(server())).await, open(Some(server())).await);
        let mut listener = there.pubsub.listen().await;
        announce_until_heard(&here, &mut listener, 1001).await;
    }

    #[tokio::test]
    async fn the_own_words_are_heard_once() {
        let (here, there) = (open(Some(server())).await, open(Some(server())).await);
        let mut own = here.pubsub.listen().await;
        let mut others = there.pubsub.listen().await;
        // Both ways work now, so an echo would arrive.
        announce_until_heard(&there, &mut own, 1002).await;
        announce_until_heard(&here, &mut others, 1003).await;
        here.pubsub.announce(&[announcement(1004, 1)]).await;
        announce_until_heard(&here, &mut others, 1005).await;
        there.pubsub.announce(&[announcement(1006, 1)]).await;

        let mut echoes = 0;
        let last = async {
            loop {
                match own.recv().await.map(|heard| heard.shard) {
                    Ok(Shard(1004)) => echoes += 1,
                    Ok(Shard(1006)) => return,
                    _ => {}
                }
            }
        };
        timeout(PATIENCE, last).await.unwrap();
        assert_eq!(echoes, 1);
    }

    /// A way to Redis that can be cut and mended.
    struct Proxy {
        address: std::net::SocketAddr,
        connections: JoinSet<()>,
    }

    impl Proxy {
        async fn start(address: &str) -> Self {
            let listener = TcpListener::bind(address).await.unwrap();
            let address = listener.local_addr().unwrap();
            let mut connections = JoinSet::new();
            connections.spawn(async move {
                let mut open = JoinSet::new();
                loop {
                    let (mut client, _) = listener.accept().await.unwrap();
                    open.spawn(async move {
                        let url = server();
                        let upstream = url.trim_start_matches("redis://").trim_end_matches('/');
                        let mut redis = TcpStream::connect(upstream).await.unwrap();
                        // Ends when either side goes away, which is the point.
                        let _ = copy_bidirectional(&mut client, &mut redis).await;
                    });
                }
            });
            Self { address, connections }
        }

        fn url(&self) -> String {
            format!("redis://{}", self.address)
        }

        async fn cut(mut self) -> String {
            self.connections.shutdown().await;
            self.address.to_string()
        }
    }

    #[tokio::test]
    async fn a_listener_hears_again_after_redis_was_away() {
        let proxy = Proxy::start("127.0.0.1:0").await;
        let (here, there) = (open(Some(proxy.url())).await, open(Some(proxy.url())).await);
        let mut listener = there.pubsub.listen().await;
        announce_until_heard(&here, &mut listener, 1007).await;

        let address = proxy.cut().await;
        for position in 1..3_000 {
            here.pubsub.announce(&[announcement(1008, position)]).await;
        }
        let _mended = Proxy::start(&address).await;

        announce_until_heard(&here, &mut listener, 1009).await;
    }

    #[tokio::test]
    async fn what_was_last_said_while_redis_was_away_is_heard_when_it_is_back() {
        let proxy = Proxy::start("127.0.0.1:0").await;
        let (here, there) = (open(Some(proxy.url())).await, open(Some(server())).await);
        let mut listener = there.pubsub.listen().await;
        announce_until_heard(&here, &mut listener, 1010).await;

        let address = proxy.cut().await;
        for position in 1..3_000 {
            here.pubsub.announce(&[announcement(1011, position)]).await;
        }
        let _mended = Proxy::start(&address).await;

        let last = async {
            while !listener.recv().await.is_ok_and(|heard| heard == announcement(1011, 2_999)) {}
        };
        timeout(PATIENCE, last).await.unwrap();
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_refused_without_repeating_it() {
        let redis_url = Some("radish://user:hunter2@host".into());
        let config = StorageConfig { database: Database::Memory, redis_url, shards: 4 };
        let Err(error) = Stores::open(&config).await else { unreachable!("it was opened") };
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
