//! The key is the address: ids derived from (tenant, principal, Idempotency-Key).

use std::borrow::Cow;
use std::sync::Arc;

use actors::outcome::Accepted;
use axum::extract::FromRequestParts;
use engine::Aggregate;
use engine::values::{
    AdjustmentId, CartId, EndpointId, Fingerprint, ImportId, KeyedRequest, OrderId, PartnerId,
    PartnerKeyId, ProductId, ReturnId,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::call::Call;
use crate::problem::{Code, Problem};
use crate::wire::masked;

/// The header.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The only tenant of an installation; part of every derivation, so that there can be more.
const TENANT: &str = "default";

/// Longest key, in bytes.
const KEY_MAX: usize = 255;

/// What names a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    text: Arc<str>,
    origin: Origin,
}

/// Who chose a key. Texts of one origin never name what those of another do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// The client, in the header.
    Client,
    /// This process, for one request without the header.
    Minted,
    /// A route, for things that have one name for ever.
    Composed,
}

impl Origin {
    /// What stands before everything else in a derivation. Stored ids hang on it.
    const fn domain(self) -> Option<&'static str> {
        match self {
            Self::Client => None,
            Self::Minted => Some("minted"),
            Self::Composed => Some("composed"),
        }
    }
}

// Handlers take single headers; taking them all would copy the whole map.
impl<S: Sync> FromRequestParts<S> for RequestKey {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Self::of(&head.headers, Call::of(head)?.id)
    }
}

impl RequestKey {
    /// Reads the header, or mints a key for this one request.
    ///
    /// # Errors
    ///
    /// `invalid_idempotency_key` when the header is there but cannot be used.
    pub fn of(headers: &HeaderMap, request: Uuid) -> Result<Self, Problem> {
        let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(first) = values.next() else {
            return Ok(Self { text: request.to_string().into(), origin: Origin::Minted });
        };
        let bytes = first.as_bytes();
        let fits = (1..=KEY_MAX).contains(&bytes.len());
        let visible = bytes.iter().all(u8::is_ascii_graphic);
        match first.to_str() {
            Ok(text) if fits && visible && values.next().is_none() => {
                Ok(Self { text: text.into(), origin: Origin::Client })
            }
            _ => Err(Problem::new(Code::InvalidIdempotencyKey, "the key has another form")),
        }
    }

    /// A key that the edge composes itself.
    pub fn composed(text: &str) -> Self {
        Self { text: text.into(), origin: Origin::Composed }
    }

    /// Whether the client has sent it.
    pub fn is_from_client(&self) -> bool {
        self.origin == Origin::Client
    }

    /// The key as the client sent it, for the journal. What could be a card number is not kept;
    /// names are derived from the whole key all the same.
    pub fn from_client(&self) -> Option<Arc<str>> {
        self.is_from_client().then(|| match masked(&self.text) {
            Cow::Borrowed(_) => Arc::clone(&self.text),
            Cow::Owned(masked) => masked.into(),
        })
    }

    /// A request under this key of a client, for an entity that remembers what it has answered;
    /// `says` is everything that makes it another request.
    ///
    /// # Errors
    ///
    /// `internal` when `says` has no form, which derived ones always have.
    pub fn request(
        &self,
        account: &str,
        says: &impl Serialize,
    ) -> Result<Option<KeyedRequest>, Problem> {
        if !self.is_from_client() {
            return Ok(None);
        }
        let (key, fingerprint) = (self.id(&["request", TENANT, account]), fingerprint(says)?);
        Ok(Some(KeyedRequest { key, fingerprint }))
    }

    /// Whether what was accepted under this key of a client was done by an earlier request.
    pub fn replayed<A: Aggregate>(&self, accepted: &Accepted<A>) -> bool {
        self.is_from_client() && !accepted.changed
    }

    /// The order that this key names.
    pub fn order(&self, account: &str) -> OrderId {
        OrderId::new(self.id(&[TENANT, account]))
    }

    /// The cart that this key names.
    pub fn cart(&self, account: &str) -> CartId {
        CartId::new(self.id(&["cart", TENANT, account]))
    }

    /// The webhook endpoint that this key names.
    pub fn endpoint(&self, account: &str) -> EndpointId {
        EndpointId::new(self.id(&["endpoint", TENANT, account]))
    }

    /// The return that this key names.
    pub fn rma(&self, account: &str) -> ReturnId {
        ReturnId::new(self.id(&["return", TENANT, account]))
    }

    /// The id of a product that its creator did not name.
    pub fn product(&self, account: &str) -> Uuid {
        self.id(&["product", TENANT, account])
    }

    /// The change of stock that this key names.
    pub fn adjustment(&self, account: &str, product: &ProductId) -> AdjustmentId {
        AdjustmentId::new(self.id(&["adjustment", TENANT, account, product.as_str()]))
    }

    /// The feed of a partner that this key names.
    pub fn import(&self, partner: &PartnerId) -> ImportId {
        ImportId::new(self.id(&["import", TENANT, partner.as_str()]))
    }

    /// The key of a partner that this key names.
    pub fn partner_key(&self, account: &str, partner: &PartnerId) -> PartnerKeyId {
        PartnerKeyId::new(self.id(&["partner-key", TENANT, account, partner.as_str()]))
    }

    fn id(&self, parts: &[&str]) -> Uuid {
        let domain = self.origin.domain();
        let parts = domain.iter().chain(parts).copied().chain([&*self.text]);
        derive(parts)
    }
}

/// A change in the form in which its entity remembers the request; as it is without one.
pub(crate) fn remembered<C>(
    request: Option<KeyedRequest>,
    change: C,
    form: fn(KeyedRequest, Box<C>) -> C,
) -> C {
    match request {
        Some(request) => form(request, Box::new(change)),
        None => change,
    }
}

/// The first delivery of a product: there is one, whoever creates it and however often.
pub fn first_delivery(product: &ProductId) -> AdjustmentId {
    AdjustmentId::new(derive(["first-delivery", TENANT, product.as_str()]))
}

/// The names of what a row of a feed does: to the listing, and to the stock. The feed has one content
/// for ever, so its digest is what the row says.
pub fn row_of_feed(
    import: ImportId,
    row: u32,
    digest: Fingerprint,
) -> (KeyedRequest, AdjustmentId) {
    let (import, row) = (import.to_string(), row.to_string());
    let key = derive(["feed-row", TENANT, &import, &row]);
    let adjustment = AdjustmentId::new(derive(["feed-stock", TENANT, &import, &row]));
    (KeyedRequest { key, fingerprint: digest }, adjustment)
}

/// What a digest tells of what it was made of.
pub fn fingerprint_of(digest: [u8; 32]) -> Fingerprint {
    Fingerprint::from_bytes(first_half(digest))
}

/// A version-8 UUID from the first 16 bytes of SHA-256 over the parts, each with its length ahead,
/// so that no two lists of parts look alike.
fn derive<'a>(parts: impl IntoIterator<Item = &'a str>) -> Uuid {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    uuid::Builder::from_custom_bytes(first_half(hasher.finalize().into())).into_uuid()
}

/// What a request says, without its spacing and the order of its fields.
///
/// # Errors
///
/// `internal` when the body cannot be written as JSON, which a derived form always can.
pub fn fingerprint(body: &impl Serialize) -> Result<Fingerprint, Problem> {
    let canonical = serde_json::to_vec(body)
        .map_err(|_| Problem::new(Code::Internal, "the body has no canonical form"))?;
    Ok(Fingerprint::from_bytes(first_half(Sha256::digest(canonical).into())))
}

fn first_half(digest: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    half
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(value: &[u8]) -> Result<RequestKey, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_bytes(value).unwrap());
        RequestKey::of(&headers, Uuid::nil())
    }

    // Changing a derivation would make every stored order unknown to its own key.
    #[test]
    fn derivations_never_change() {
        let key = read(b"order-0001").unwrap();
        let mug = ProductId::parse("mug").unwrap();
        let acme = PartnerId::parse("acme").unwrap();
        let ids = [
            key.order("demo").to_string(),
            key.cart("demo").to_string(),
            key.product("demo").to_string(),
            key.adjustment("demo", &mug).to_string(),
            first_delivery(&mug).to_string(),
            key.endpoint("demo").to_string(),
            key.rma("demo").to_string(),
            key.import(&acme).to_string(),
            key.partner_key("demo", &acme).to_string(),
        ];
        assert_eq!(ids, GOLDEN);
    }

    const GOLDEN: [&str; 9] = [
        "146c54da-318d-894f-b2da-abcabf3d2a0e",
        "8f444855-590e-8394-bf79-46ea75c4d0d2",
        "c8688af5-963e-8d72-9f15-3c4b91fb60e7",
        "af64266e-464e-8d1e-b5f9-fcaf181acd9f",
        "1d7a11f2-6459-8d43-a9df-fee3059edf25",
        "0f38a74b-2da1-8d3f-a7d2-3a998db898b6",
        "23717984-6f36-8183-8d1a-e4ccb3b1bda5",
        "b9ffa6c6-34f3-86d1-bff1-042f134ad766",
        "a64565db-7149-8181-9f3b-de62099b28f9",
    ];

    #[test]
    fn every_part_counts() {
        let (one, other) = (read(b"a").unwrap(), read(b"b").unwrap());
        assert_ne!(one.order("demo"), other.order("demo"));
        assert_ne!(one.order("demo"), one.order("shop"));
        assert_ne!(one.order("demo").as_uuid(), one.cart("demo").as_uuid());
        assert_ne!(derive(["ab", "c"]), derive(["a", "bc"]));
        assert_eq!(one.order("demo").as_uuid().get_version_num(), 8);
    }

    #[test]
    fn no_key_of_a_client_names_what_the_server_named() {
        let minted = RequestKey::of(&HeaderMap::new(), Uuid::from_u128(1)).unwrap();
        let composed = RequestKey::composed("user:u-1");
        for own in [minted, composed] {
            let theirs = read(own.text.as_bytes()).unwrap();
            assert_ne!(own.order("demo"), theirs.order("demo"));
            assert_ne!(own.cart("demo"), theirs.cart("demo"));
            assert_ne!(own.product("demo"), theirs.product("demo"));
            // Nor does a key that imitates the derivation.
            let imitated = RequestKey { origin: Origin::Client, ..own.clone() };
            assert_ne!(own.cart("demo").as_uuid(), imitated.order("cart").as_uuid());
            assert_ne!(own.order("demo").as_uuid(), imitated.cart("demo").as_uuid());
        }
    }

    #[test]
    fn keys_are_visible_ascii_of_a_bounded_length() {
        for good in [&b"a"[..], b"550e8400-e29b-41d4-a716-446655440000", &[b'x'; 255]] {
            assert!(read(good).is_ok());
        }
        for bad in [&b""[..], b"a b", "k\u{e4}se".as_bytes(), b"tab\there", &[b'x'; 256]] {
            let problem = read(bad).unwrap_err();
            assert_eq!(problem.code(), Code::InvalidIdempotencyKey);
        }
        let mut twice = HeaderMap::new();
        twice.append(IDEMPOTENCY_KEY, HeaderValue::from_static("a"));
        twice.append(IDEMPOTENCY_KEY, HeaderValue::from_static("b"));
        assert!(RequestKey::of(&twice, Uuid::nil()).is_err());
    }

    #[test]
    fn a_key_that_could_be_a_card_number_names_something_and_is_not_kept() {
        let (key, other) =
            (read(b"4242-4242-4242-4242").unwrap(), read(b"4111111111111111").unwrap());
        assert_eq!(key.from_client().as_deref(), Some("****-****-****-****"));
        assert_ne!(key.order("demo"), other.order("demo"));
        let plain = read(b"order-17").unwrap();
        assert_eq!(plain.from_client().as_deref(), Some("order-17"));
    }

    #[test]
    fn a_request_without_a_key_gets_one_of_its_own() {
        let none = HeaderMap::new();
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let (one, two) = (RequestKey::of(&none, one).unwrap(), RequestKey::of(&none, two).unwrap());
        assert_ne!(one.order("demo"), two.order("demo"));
        assert_eq!(one.from_client(), None);
    }

    #[test]
    fn a_fingerprint_is_the_meaning_of_a_body() {
        let parse = |text| serde_json::from_str::<crate::wire::MoneyBody>(text).unwrap();
        let one = fingerprint(&parse(r#"{"minor": 1, "currency": "USD"}"#)).unwrap();
        let same = fingerprint(&parse(r#"{"currency":"USD","minor":1}"#)).unwrap();
        let other = fingerprint(&parse(r#"{"minor": 2, "currency": "USD"}"#)).unwrap();
        assert_eq!(one, same);
        assert_ne!(one, other);
    }
}
