//! The bytes of a checkout request, of which only the key and the product change.

use std::io::Write as _;

/// Digits of a request's number within its key.
const KEY_DIGITS: usize = 16;
/// Digits of a product's number within its id.
const PRODUCT_DIGITS: usize = 4;
/// Most products that the ids have room for.
pub(crate) const PRODUCTS_MAX: u32 = 10_000;

/// The id of a product: `bench-0000`, `bench-0001` …
pub(crate) fn product_id(number: u32) -> String {
    format!("bench-{number:0PRODUCT_DIGITS$}")
}

/// A request that is written once and then stamped for each order.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    key_at: usize,
    product_at: usize,
    first: u32,
    products: u32,
}

impl Template {
    /// A checkout of one unit, paid by card. `run` keeps the keys of two runs apart;
    /// `products` is at least one and at most [`PRODUCTS_MAX`].
    pub(crate) fn new(authority: &str, api_key: &str, run: u64, products: u32) -> Self {
        let item = r#"{"items":[{"product_id":"bench-"#;
        let rest = r#"","quantity":1}],"payment":{"method":"card","token":"tok_ok"}}"#;
        let length = item.len() + PRODUCT_DIGITS + rest.len();
        let mut text = format!(
            "POST /v1/orders HTTP/1.1\r\nHost: {authority}\r\nX-API-Key: {api_key}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\
             Idempotency-Key: bench-{run:016x}-"
        );
        let key_at = text.len();
        text.push_str("0000000000000000\r\n\r\n");
        text.push_str(item);
        let product_at = text.len();
        text.push_str("0000");
        text.push_str(rest);
        let products = products.clamp(1, PRODUCTS_MAX);
        Self { bytes: text.into_bytes(), key_at, product_at, first: 0, products }
    }

    /// The same for the products from `first` on.
    pub(crate) fn starting_at(mut self, first: u32) -> Self {
        self.first = first.min(PRODUCTS_MAX.saturating_sub(self.products));
        self
    }

    /// The product that the order with this number asks for.
    pub(crate) fn product(&self, number: u64) -> u32 {
        let drawn = scatter(number) % u64::from(self.products);
        self.first.saturating_add(u32::try_from(drawn).unwrap_or_default())
    }

    /// The request with this number: its own key, and a product drawn by the number.
    pub(crate) fn stamp(&mut self, number: u64) -> &[u8] {
        let product = self.product(number);
        // Both places were made wide enough, and writing to a slice cannot fail otherwise.
        if let Some(mut key) = self.bytes.get_mut(self.key_at..self.key_at + KEY_DIGITS) {
            let _ = write!(key, "{number:0KEY_DIGITS$x}");
        }
        let place = self.product_at..self.product_at + PRODUCT_DIGITS;
        if let Some(mut id) = self.bytes.get_mut(place) {
            let _ = write!(id, "{product:0PRODUCT_DIGITS$}");
        }
        &self.bytes
    }
}

/// Spreads consecutive numbers over the whole range (the finaliser of `SplitMix64`), so that
/// neighbours in time do not buy neighbouring products.
fn scatter(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn parts(bytes: &[u8]) -> (String, serde_json::Value) {
        let text = std::str::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
        (head.to_owned(), serde_json::from_str(body).unwrap())
    }

    #[test]
    fn a_stamped_request_is_a_checkout_of_one_unit() {
        let mut template = Template::new("127.0.0.1:8000", "secret", 7, 1);
        let (head, body) = parts(template.stamp(255));
        assert!(head.starts_with("POST /v1/orders HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n"));
        assert!(head.contains("X-API-Key: secret\r\n"));
        assert!(head.ends_with("Idempotency-Key: bench-0000000000000007-00000000000000ff"));
        assert_eq!(body["items"][0]["product_id"], product_id(0));
        assert_eq!(body["items"][0]["quantity"], 1);
        assert_eq!(body["payment"]["token"], "tok_ok");
    }

    #[test]
    fn every_number_has_a_key_of_its_own_and_all_products_are_bought() {
        let mut template = Template::new("h", "k", 1, 1_000);
        let (mut keys, mut products) = (BTreeSet::new(), BTreeSet::new());
        for number in 0..20_000 {
            let (head, body) = parts(template.stamp(number));
            keys.insert(head);
            products.insert(body["items"][0]["product_id"].as_str().unwrap().to_owned());
        }
        assert_eq!((keys.len(), products.len()), (20_000, 1_000));
        assert!(products.contains("bench-0000") && products.contains("bench-0999"));
    }

    #[test]
    fn a_range_of_products_stays_within_its_bounds() {
        let mut template = Template::new("h", "k", 1, 2).starting_at(9_999);
        for number in 0..100 {
            let (_, body) = parts(template.stamp(number));
            let id = body["items"][0]["product_id"].as_str().unwrap().to_owned();
            assert!([product_id(9_998), product_id(9_999)].contains(&id), "{id}");
            assert_eq!(id, product_id(template.product(number)));
        }
    }
}
