//! Token buckets by key and by address, in bounded maps.
//!
//! A key that comes when a map is full shares the overflow bucket with all others that did, so a
//! flood of made-up addresses costs memory once and throttles itself.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dashmap::DashMap;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{Quota, RateLimiter};

use super::uptime::Uptime;

/// How fast one key may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketPolicy {
    /// Requests per second in the long run.
    pub per_second: NonZeroU32,
    /// Requests at once after a rest.
    pub burst: NonZeroU32,
}

/// Buckets of one kind.
#[derive(Debug)]
pub(super) struct Buckets<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, BoundedStore<K>, Uptime, NoOpMiddleware<Duration>>,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    pub(super) fn new(policy: BucketPolicy, keys_max: usize, uptime: Uptime) -> Self {
        let quota = Quota::per_second(policy.per_second).allow_burst(policy.burst);
        let store = BoundedStore {
            keys_max,
            keys: AtomicUsize::new(0),
            cells: DashMap::new(),
            overflow: InMemoryState::default(),
        };
        Self { limiter: RateLimiter::new(quota, store, uptime) }
    }

    /// Takes a token, or says how long until there is one.
    pub(super) fn take(&self, key: &K) -> Result<(), Duration> {
        self.limiter.check_key(key).map_err(|until| {
            let now = governor::clock::Clock::now(self.limiter.clock());
            until.wait_time_from(now)
        })
    }

    /// Forgets keys whose bucket is full again.
    pub(super) fn forget_rested(&self) {
        self.limiter.retain_recent();
    }

    #[cfg(test)]
    pub(super) fn keys(&self) -> usize {
        self.limiter.len()
    }
}

/// Cells by key, at most `keys_max` of them, and one for all the others.
#[derive(Debug)]
struct BoundedStore<K: Hash + Eq> {
    keys_max: usize,
    keys: AtomicUsize,
    cells: DashMap<K, InMemoryState>,
    overflow: InMemoryState,
}

impl<K: Hash + Eq + Clone> BoundedStore<K> {
    fn reserve(&self) -> bool {
        let order = Ordering::Relaxed;
        let more = |keys: usize| (keys < self.keys_max).then(|| keys.saturating_add(1));
        self.keys.fetch_update(order, order, more).is_ok()
    }
}

impl<K: Hash + Eq + Clone> StateStore for BoundedStore<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, judge: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        if let Some(cell) = self.cells.get(key) {
            return cell.measure_and_replace(&NotKeyed::NonKey, judge);
        }
        if !self.reserve() {
            return self.overflow.measure_and_replace(&NotKeyed::NonKey, judge);
        }
        let mut ours = false;
        let cell = self.cells.entry(key.clone()).or_insert_with(|| {
            ours = true;
            InMemoryState::default()
        });
        if !ours {
            self.keys.fetch_sub(1, Ordering::Relaxed);
        }
        cell.measure_and_replace(&NotKeyed::NonKey, judge)
    }
}

impl<K: Hash + Eq + Clone> ShrinkableKeyedStateStore<K> for BoundedStore<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        self.cells.retain(|_key, cell| {
            let keep = drop_below < arrival(cell);
            if !keep {
                self.keys.fetch_sub(1, Ordering::Relaxed);
            }
            keep
        });
    }

    fn len(&self) -> usize {
        self.keys.load(Ordering::Relaxed)
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The time that a cell holds. Its judge refuses, so reading changes nothing.
fn arrival(cell: &InMemoryState) -> Nanos {
    let read: Result<(), Nanos> =
        cell.measure_and_replace(&NotKeyed::NonKey, |at| Err(at.unwrap_or_default()));
    read.err().unwrap_or_default()
}

/// Who shares an address bucket: one IPv4 address, or the /64 that one IPv6 customer gets.
pub(super) fn prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: BucketPolicy = BucketPolicy {
        per_second: NonZeroU32::new(2).unwrap(),
        burst: NonZeroU32::new(2).unwrap(),
    };

    fn buckets(keys_max: usize) -> Buckets<u64> {
        Buckets::new(TWO, keys_max, Uptime::starting_now())
    }

    #[tokio::test(start_paused = true)]
    async fn burst_is_spent_at_once_and_comes_back_with_time() {
        let buckets = buckets(8);
        assert_eq!((buckets.take(&1), buckets.take(&1)), (Ok(()), Ok(())));
        assert_eq!(buckets.take(&1), Err(Duration::from_millis(500)));
        assert_eq!(buckets.take(&2), Ok(()), "another key has its own bucket");
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(buckets.take(&1), Ok(()));
        assert!(buckets.take(&1).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn keys_over_the_cap_share_the_overflow_bucket() {
        let buckets = buckets(2);
        assert!(buckets.take(&1).is_ok() && buckets.take(&2).is_ok());
        assert!(buckets.take(&3).is_ok() && buckets.take(&4).is_ok());
        assert!(buckets.take(&5).is_err(), "the overflow bucket is empty for everybody");
        assert_eq!(buckets.keys(), 2);
        assert!(buckets.take(&1).is_ok(), "known keys do not suffer");
    }

    #[tokio::test(start_paused = true)]
    async fn rested_keys_make_room_and_busy_ones_stay() {
        let buckets = buckets(2);
        assert!(buckets.take(&1).is_ok());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(buckets.take(&2).is_ok() && buckets.take(&2).is_ok());
        buckets.forget_rested();
        assert_eq!(buckets.keys(), 1);
        assert!(buckets.take(&2).is_err(), "its emptiness is not forgotten");
        assert!(buckets.take(&3).is_ok());
        assert_eq!(buckets.keys(), 2);
    }

    #[test]
    fn addresses_share_a_bucket_by_customer() {
        let prefix = |text: &str| prefix(text.parse().unwrap());
        assert_eq!(prefix("2001:db8:1:2:3:4:5:6"), prefix("2001:db8:1:2::1"));
        assert_ne!(prefix("2001:db8:1:2::1"), prefix("2001:db8:1:3::1"));
        assert_eq!(prefix("::ffff:192.0.2.1"), prefix("192.0.2.1"));
        assert_ne!(prefix("192.0.2.1"), prefix("192.0.2.2"));
    }
}
