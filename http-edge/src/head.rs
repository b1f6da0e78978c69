//! What the head of a request may say only once: of a header that stands twice, one reader takes the
//! first and the next one the last.

use http::header::HOST;
use http::{HeaderMap, Version};

use crate::problem::{Code, Problem};

/// Those that are read here. Others may stand as often as they like.
const STAND_ONCE: [&str; 11] = [
    "x-api-key",
    "content-type",
    "idempotency-key",
    "authorization",
    "if-match",
    "x-min-position",
    "x-trusted-price",
    "x-request-id",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
];

/// Whether a head means one thing.
///
/// # Errors
///
/// `malformed_request` without the one host that HTTP/1.1 demands, `duplicate_header` for a header
/// that is read and stands twice.
pub(crate) fn judge(version: Version, headers: &HeaderMap) -> Result<(), Problem> {
    let needs_host = version != Version::HTTP_10;
    if needs_host && !headers.contains_key(HOST) {
        return Err(Problem::new(Code::MalformedRequest, "the header Host is missing"));
    }
    // Almost no request has a header twice, and then there is nothing to look for.
    if headers.keys_len() == headers.len() {
        return Ok(());
    }
    let stands_twice = |name: &str| 1 < headers.get_all(name).iter().count();
    if stands_twice(HOST.as_str()) {
        return Err(Problem::new(Code::MalformedRequest, "the header Host stands twice"));
    }
    match STAND_ONCE.into_iter().find(|name| stands_twice(name)) {
        Some(name) => {
            Err(Problem::new(Code::DuplicateHeader, format!("the header {name} stands twice")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn judged(version: Version, lines: &[(&'static str, &'static str)]) -> Option<Code> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        judge(version, &headers).err().map(|problem| problem.code())
    }

    #[test]
    fn a_request_names_one_host() {
        let (host, malformed) = (("host", "shop"), Some(Code::MalformedRequest));
        assert_eq!(judged(Version::HTTP_11, &[host]), None);
        assert_eq!(judged(Version::HTTP_11, &[]), malformed);
        assert_eq!(judged(Version::HTTP_11, &[host, host]), malformed);
        // Older than the header.
        assert_eq!(judged(Version::HTTP_10, &[]), None);
        assert_eq!(judged(Version::HTTP_10, &[host, host]), malformed);
    }

    #[test]
    fn a_header_that_is_read_stands_once() {
        for name in STAND_ONCE {
            let lines = [("host", "shop"), (name, "a"), (name, "a")];
            assert_eq!(judged(Version::HTTP_11, &lines), Some(Code::DuplicateHeader), "{name}");
            assert_eq!(judged(Version::HTTP_11, &lines[..2]), None, "{name}");
        }
        let others = [("host", "shop"), ("accept", "a"), ("accept", "b"), ("via", "c")];
        assert_eq!(judged(Version::HTTP_11, &others), None);
    }
}
