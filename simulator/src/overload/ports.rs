//! Addresses and ports that a crowd comes from, one after the other.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

/// Ports of each address. They are named and not left to the system: it would look for a free one
/// among those that wait for their minute to pass, which comes to take milliseconds, and it has
/// some 28,000 of them for each address only.
const PORTS: Range<u16> = 10_000..60_000;

/// Goes round the ports; a port of all addresses comes before the next port.
#[derive(Clone, Debug)]
pub(super) struct Ports {
    addresses: Vec<IpAddr>,
    address: usize,
    port: u16,
}

impl Ports {
    /// Those of some addresses.
    pub(super) fn of(addresses: &[IpAddr]) -> Self {
        Self { addresses: addresses.to_vec(), address: 0, port: PORTS.start }
    }

    /// Goes on from one of the ports, so that those that another load has just used come last.
    pub(super) fn starting_at(mut self, offset: u16) -> Self {
        self.port = PORTS.start + offset % (PORTS.end - PORTS.start);
        self
    }

    /// The next one; `None` when the system is to choose, because there are no addresses.
    pub(super) fn take(&mut self) -> Option<SocketAddr> {
        let address = *self.addresses.get(self.address)?;
        let taken = SocketAddr::new(address, self.port);
        self.address += 1;
        if self.address == self.addresses.len() {
            self.address = 0;
            self.port = if self.port + 1 < PORTS.end { self.port + 1 } else { PORTS.start };
        }
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn no_port_comes_twice_before_all_have_come() {
        let addresses = [2, 3].map(|last| IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)));
        let mut ports = Ports::of(&addresses).starting_at(49_999);
        let first = ports.take().unwrap();
        let mut seen = BTreeSet::from([first]);
        while let Some(port) = ports.take().filter(|port| seen.insert(*port)) {
            assert!(PORTS.contains(&port.port()));
        }
        assert_eq!(seen.len(), 100_000);
    }

    #[test]
    fn without_addresses_the_system_chooses() {
        assert_eq!(Ports::of(&[]).take(), None);
    }
}
