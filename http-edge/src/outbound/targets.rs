//! Which addresses a webhook may lead to: those of the public internet, and no others.
//!
//! Whoever registers an endpoint makes this server send requests. So an address is judged when it is
//! registered, and again each time that a connection is made, after its name was resolved: a name
//! may resolve to something else by then.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;
use tokio::time::timeout;
use url::Host;

/// Longest time for looking a name up when an endpoint is registered.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(2);

/// Endings of names that mean something inside of a network only.
const INNER_NAMES: [&str; 6] = ["localhost", "local", "internal", "intranet", "lan", "home.arpa"];

/// What an address is refused with at the moment of a connection.
pub(crate) const NOT_ALLOWED: &str = "the address is not allowed";

/// The rules for targets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Targets {
    /// Lets everything pass that is HTTP: for trying out on one machine.
    pub allow_private: bool,
}

impl Targets {
    /// Judges an address as it was written.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn judge(self, text: &str) -> Result<Url, &'static str> {
        let url = Url::parse(text).map_err(|_| "not an address")?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_private => {}
            _ => return Err("not an https address"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("an address with a user or a password");
        }
        if url.fragment().is_some() {
            return Err("an address with a fragment");
        }
        match url.host() {
            None => return Err("an address without a host"),
            Some(_) if self.allow_private => {}
            Some(Host::Domain(name)) if is_inner(name) => {
                return Err("a name of an inner network");
            }
            Some(Host::Domain(_)) => {}
            Some(Host::Ipv4(address)) if is_public(address.into()) => {}
            Some(Host::Ipv6(address)) if is_public(address.into()) => {}
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => return Err("not an address of the internet"),
        }
        Ok(url)
    }

    /// Whether the name of an address resolves to nothing that is not allowed. One that does not
    /// resolve yet may do so later: it is judged again with each connection.
    pub async fn resolves_well(self, url: &Url) -> bool {
        let (Some(Host::Domain(name)), false) = (url.host(), self.allow_private) else {
            return true;
        };
        match timeout(LOOK_UP_WITHIN, lookup_host((name, 443))).await {
            Ok(Ok(mut addresses)) => addresses.all(|address| is_public(address.ip())),
            Ok(Err(_)) | Err(_) => true,
        }
    }
}

impl Resolve for Targets {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = lookup_host((name.as_str(), 0)).await?.collect();
            // One that is not allowed spoils all: the next look may choose it.
            if !allow_private && !found.iter().all(|address| is_public(address.ip())) {
                return Err(NOT_ALLOWED.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn is_inner(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    // A name without a dot is one of the machine's own network.
    !name.contains('.')
        || INNER_NAMES.iter().any(|inner| {
            name.strip_suffix(inner).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
}

/// Whether an address belongs to the public internet. What is not surely public is not.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        // Metadata services of clouds live here.
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        // Between providers and their customers.
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        // Measurements between networks.
        || (a == 198 && (b == 18 || b == 19))
        // Reserved, and broadcast.
        || 240 <= a;
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, ..] = address.segments();
    // Global unicast is 2000::/3; whatever carries another address in it is not taken for its word.
    let is_global = (0x2000..=0x3fff).contains(&a);
    let is_6to4 = a == 0x2002;
    let is_teredo_or_other_protocol = a == 0x2001 && b < 0x0200;
    let is_documentation = (a == 0x2001 && b == 0x0db8) || (a == 0x3fff && b < 0x1000);
    let is_benchmark = (a, b, c) == (0x2001, 2, 0);
    is_global && !is_6to4 && !is_teredo_or_other_protocol && !is_documentation && !is_benchmark
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: Targets = Targets { allow_private: false };

    #[test]
    fn no_spelling_of_an_inner_address_passes() {
        for address in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://127.255.255.254/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.0.0.1/",
            "https://0177.0.0.1/",
            "https://017700000001/",
            "https://0/",
            "https://0.0.0.0/",
            "https://10.0.0.1/",
            "https://10.255.255.255/",
            "https://172.16.0.1/",
            "https://172.31.255.255/",
            "https://192.168.1.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://0xa9fea9fe/",
            "https://100.64.0.1/",
            "https://100.100.100.200/",
            "https://192.0.0.192/",
            "https://198.18.0.1/",
            "https://203.0.113.7/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://１２７.０.０.１/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[::ffff:169.254.169.254]/",
            "https://[::127.0.0.1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[2001:0:7f00:1::]/",
            "https://[fe80::1]/",
            "https://[fc00::1]/",
            "https://[fd00:ec2::254]/",
            "https://[fec0::1]/",
            "https://[ff02::1]/",
            "https://[2001:db8::1]/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://shop.localhost/",
            "https://metadata.google.internal/",
            "https://printer.local/",
            "https://redis/",
            "https://redis:6379/",
        ] {
            assert!(PUBLIC.judge(address).is_err(), "{address}");
        }
    }

    #[test]
    fn what_is_no_plain_https_address_is_refused() {
        for address in [
            "",
            "shop.example/hooks",
            "http://shop.example/hooks",
            "ftp://shop.example/",
            "file:///etc/passwd",
            "gopher://shop.example/",
            "https://user@shop.example/",
            "https://user:word@shop.example/",
            "https://shop.example/#part",
            "https:///hooks",
            "https://[::1",
        ] {
            assert!(PUBLIC.judge(address).is_err(), "{address}");
        }
    }

    #[test]
    fn addresses_of_the_internet_pass() {
        for address in [
            "https://shop.example/hooks?shop=1",
            "https://shop.example:8443/hooks",
            "https://8.8.8.8/",
            "https://[2606:4700::1111]/",
            "https://localhost.example/",
            "https://xn--bcher-kva.example/",
        ] {
            assert!(PUBLIC.judge(address).is_ok(), "{address}");
        }
    }

    #[test]
    fn a_machine_of_ones_own_may_be_reached_where_that_is_allowed() {
        let own = Targets { allow_private: true };
        assert!(own.judge("http://127.0.0.1:9000/hooks").is_ok());
        assert!(own.judge("ftp://127.0.0.1/").is_err());
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_this_machine_is_not_connected_to() {
        let name = || "localhost".parse().unwrap();
        assert!(PUBLIC.resolve(name()).await.is_err());
        let own = Targets { allow_private: true };
        assert!(own.resolve(name()).await.is_ok_and(|mut found| found.next().is_some()));
        let url = Url::parse("https://localhost/").unwrap();
        assert!(!PUBLIC.resolves_well(&url).await);
    }
}
