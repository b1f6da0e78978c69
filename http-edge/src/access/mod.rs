//! Who is asking: keys are known by their hash, principals by a stable account id.

mod partner_keys;

use std::sync::Arc;

use engine::values::{CustomerId, PartnerId, PartnerKeyId};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

pub(crate) use self::partner_keys::{PartnerKeys, Standing};

/// The key that the demo ships, refused everywhere else.
pub const DEMO_KEY: &str = "secret-key-123";

/// SHA-256 of a key. Keys have enough entropy that a slow hash would only cost time.
pub type KeyHash = [u8; 32];

/// What a key allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Read the catalogue, and write it.
    Catalogue,
    /// Read and change carts.
    Carts,
    /// Place, read and call off orders.
    Orders,
    /// Move orders on, and call them off at any time before they are shipped.
    Operate,
    /// Set prices on orders, with the header x-trusted-price.
    TrustedPrice,
    /// Read the figures of the server.
    Admin,
    /// Inject faults, and read who did.
    Faults,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 7] = [
        Self::Catalogue,
        Self::Carts,
        Self::Orders,
        Self::Operate,
        Self::TrustedPrice,
        Self::Admin,
        Self::Faults,
    ];

    /// Every scope that running a shop needs.
    pub const SHOP: [Self; 6] = [
        Self::Catalogue,
        Self::Carts,
        Self::Orders,
        Self::Operate,
        Self::TrustedPrice,
        Self::Admin,
    ];

    /// Its name in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue",
            Self::Carts => "carts",
            Self::Orders => "orders",
            Self::Operate => "operate",
            Self::TrustedPrice => "trusted_price",
            Self::Admin => "admin",
            Self::Faults => "faults",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// An account that may ask, and what it may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Stable account id: never the credential, so that keys can be exchanged.
    pub account: Arc<str>,
    /// The account as a customer, for orders that name nobody else.
    pub customer: CustomerId,
    /// Whether its keys have no rate limit of their own.
    pub exempt: bool,
    /// The partner that it is, and the key that it came in with.
    pub partner: Option<(PartnerId, PartnerKeyId)>,
    scopes: u8,
}

impl Principal {
    /// An account with some scopes.
    ///
    /// # Errors
    ///
    /// When the id cannot stand for a customer.
    pub fn new(account: &str, scopes: &[Scope]) -> Result<Self, engine::values::IdError> {
        let customer = CustomerId::parse(account)?;
        let scopes = scopes.iter().fold(0, |bits, scope| bits | scope.bit());
        Ok(Self { account: account.into(), customer, exempt: false, partner: None, scopes })
    }

    /// Takes the rate limit of its keys away.
    #[must_use]
    pub fn exempt(self) -> Self {
        Self { exempt: true, ..self }
    }

    /// Whether it has a scope.
    pub const fn may(&self, scope: Scope) -> bool {
        self.scopes & scope.bit() != 0
    }
}

/// All keys that open the door. Few, so that they are compared one by one.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    known: Vec<(KeyHash, Arc<Principal>)>,
    partners: Option<Arc<PartnerKeys>>,
}

impl Keys {
    /// Lets `key` open the door for `principal`.
    #[must_use]
    pub fn with(mut self, key: &str, principal: Principal) -> Self {
        self.known.push((hash(key.as_bytes()), Arc::new(principal)));
        self
    }

    /// Lets the keys of partners open the door, too.
    #[must_use]
    pub(crate) fn with_partners(mut self, partners: Arc<PartnerKeys>) -> Self {
        self.partners = Some(partners);
        self
    }

    /// Why a key opens nothing.
    pub fn why_not(&self, presented: Option<&[u8]>) -> &'static str {
        let Some(presented) = presented else { return "no_key" };
        let judged = self.partners.as_ref().map(|keys| keys.judge(&hash(presented)));
        match judged {
            Some(Standing::Revoked) => "revoked",
            Some(Standing::Expired) => "expired",
            _ => "unknown_key",
        }
    }

    /// The account behind a key, and the beginning of the key's hash, which names its bucket;
    /// `None` for an unknown key.
    ///
    /// Hashes are compared to the last byte and to the last entry, so that time tells nothing.
    pub fn find(&self, presented: &[u8]) -> Option<(u64, Arc<Principal>)> {
        let presented = hash(presented);
        let mut found = None;
        for (known, principal) in &self.known {
            if bool::from(known.ct_eq(&presented)) {
                found = Some((beginning(&presented), Arc::clone(principal)));
            }
        }
        found.or_else(|| {
            let partner = self.partners.as_ref()?.find(&presented)?;
            Some((beginning(&presented), partner))
        })
    }
}

fn beginning(hash: &KeyHash) -> u64 {
    hash.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

pub(crate) fn hash(key: &[u8]) -> KeyHash {
    Sha256::digest(key).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_key_opens() {
        let clerk = Principal::new("clerk", &[Scope::Orders]).unwrap();
        let keys = Keys::default().with("open sesame", clerk.clone());
        assert_eq!(keys.find(b"open sesame").map(|(_, who)| (*who).clone()), Some(clerk));
        for wrong in [&b"open sesam"[..], b"open sesame ", b"OPEN SESAME", b""] {
            assert!(keys.find(wrong).is_none());
        }
    }

    #[test]
    fn an_account_has_the_scopes_that_it_was_given() {
        let clerk = Principal::new("clerk", &[Scope::Orders, Scope::Carts]).unwrap();
        let has: Vec<_> = Scope::ALL.into_iter().filter(|scope| clerk.may(*scope)).collect();
        assert_eq!(has, [Scope::Carts, Scope::Orders]);
    }
}
