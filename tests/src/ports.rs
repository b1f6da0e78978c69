//! Ports for the servers that the suites start.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Result, bail};

/// Below the range that the kernel hands to outgoing connections, so that a client of another test
/// cannot take a port between the look and the bind, and a server can come back on its own port.
const FIRST: u16 = 12_000;
const COUNT: u16 = 18_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port on 127.0.0.1 that nobody listens on.
///
/// Processes start their search at different places, so that two tests that run side by side do
/// not look at the same port.
pub fn free() -> Result<u16> {
    let process = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap_or_default();
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let offset = (u32::from(process) * 41 + u32::from(step)) % u32::from(COUNT);
        let port = FIRST + u16::try_from(offset).unwrap_or_default();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port between {FIRST} and {}", FIRST + COUNT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ports_are_two() {
        assert_ne!(free().unwrap(), free().unwrap());
    }

    #[test]
    fn a_port_in_use_is_passed_over() {
        let taken = free().unwrap();
        let _listener = TcpListener::bind(("127.0.0.1", taken)).unwrap();
        NEXT.fetch_sub(1, Ordering::Relaxed);
        assert_ne!(free().unwrap(), taken);
    }
}
