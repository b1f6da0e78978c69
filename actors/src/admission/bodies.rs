//! Places for bodies that are still on their way: so many in all, and so many for one address.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::buckets::prefix;

/// Places of one kind of callers.
#[derive(Debug)]
pub(super) struct BodyPlaces {
    free: Semaphore,
    by_address: Option<Taken>,
}

/// Places by address (IPv6: each /64). No more entries than places are taken.
#[derive(Debug)]
struct Taken {
    max: usize,
    places: Mutex<BTreeMap<IpAddr, usize>>,
}

/// Leave to wait for a body. Dropping it gives the place back.
#[derive(Debug)]
pub struct BodyPlace<'a> {
    _place: SemaphorePermit<'a>,
    _of_address: Option<AddressPlace<'a>>,
}

/// One of the places of an address.
#[derive(Debug)]
struct AddressPlace<'a> {
    taken: &'a Taken,
    address: IpAddr,
}

impl BodyPlaces {
    /// So many in all, and at most so many for each address but loopback.
    pub(super) const fn new(max: usize, of_address_max: Option<usize>) -> Self {
        let by_address = match of_address_max {
            Some(max) => Some(Taken { max, places: Mutex::new(BTreeMap::new()) }),
            None => None,
        };
        Self { free: Semaphore::const_new(max), by_address }
    }

    /// Takes a place; `None` when there is none.
    pub(super) fn take(&self, address: IpAddr) -> Option<BodyPlace<'_>> {
        let place = self.free.try_acquire().ok()?;
        let of_address = match &self.by_address {
            // What runs on this machine speaks for many, a proxy among others.
            Some(taken) if !address.to_canonical().is_loopback() => {
                Some(taken.take(prefix(address))?)
            }
            _ => None,
        };
        Some(BodyPlace { _place: place, _of_address: of_address })
    }
}

impl Taken {
    fn take(&self, address: IpAddr) -> Option<AddressPlace<'_>> {
        let mut places = self.places();
        let before = places.get(&address).copied().unwrap_or_default();
        if self.max <= before {
            return None;
        }
        places.insert(address, before.saturating_add(1));
        Some(AddressPlace { taken: self, address })
    }

    fn places(&self) -> MutexGuard<'_, BTreeMap<IpAddr, usize>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AddressPlace<'_> {
    fn drop(&mut self) {
        let mut places = self.taken.places();
        match places.get(&self.address).copied() {
            Some(2..) => {
                places.entry(self.address).and_modify(|taken| *taken = taken.saturating_sub(1));
            }
            _ => {
                places.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_cannot_take_all_places() {
        let places = BodyPlaces::new(5, Some(2));
        let (one, other) = (address("2001:db8::1"), address("192.0.2.1"));
        let first = places.take(one).unwrap();
        let _second = places.take(address("2001:db8::ffff")).unwrap();
        assert!(places.take(one).is_none(), "the same /64");
        let _third = places.take(other).unwrap();
        drop(first);
        let _fourth = places.take(one).unwrap();
        // Three are taken, and loopback may have all that are left.
        let rest: Vec<_> = (0..3).map(|_| places.take(address("::1"))).collect();
        assert_eq!(rest.iter().flatten().count(), 2);
    }

    #[test]
    fn what_was_given_back_is_not_remembered() {
        let places = BodyPlaces::new(5, Some(2));
        let taken: Vec<_> = (0..2).map(|_| places.take(address("192.0.2.1"))).collect();
        drop(taken);
        assert!(places.by_address.unwrap().places().is_empty());
    }
}
