//! Lists of rare kinds, newest first: what they are asked for, and the pages that a cursor leads through.

use actors::reads::List;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use engine::Aggregate;
use engine::values::Moment;
use http::Uri;
use persistence::read_models::{EntryQuery, EntryRow};

use crate::problem::Problem;
use crate::query::Query;

/// Entries of a page when nobody says how many.
const LIMIT: u32 = 20;
/// Most entries of a page: the history of each is read.
const LIMIT_MAX: u64 = 100;

/// What a list is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    status: Option<String>,
    owner: Option<String>,
    limit: u32,
    after: Option<(Moment, String)>,
}

impl Wanted {
    /// Reads the parameters `status`, `limit` and `cursor`, and `owner` under the name that it has in
    /// this list.
    pub(super) fn of(
        uri: &Uri,
        owner: Option<&'static str>,
        statuses: &[&'static str],
    ) -> Result<Self, Problem> {
        let known = ["status", "limit", "cursor"];
        let known: Vec<&str> = known.into_iter().chain(owner).collect();
        let mut query = Query::of(uri, &known)?;
        let status = query.read("status", &format!("one of {}", statuses.join(", ")), |text| {
            statuses.contains(&text).then(|| text.to_owned())
        });
        let owner = owner.and_then(|name| {
            query.read(name, "an id", |text| (!text.is_empty()).then(|| text.to_owned()))
        });
        let limit = query.number("limit", 1, LIMIT_MAX);
        let limit = limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(LIMIT);
        let after = query.read("cursor", "a next_cursor", after);
        query.finish()?;
        Ok(Self { status, owner, limit, after })
    }

    /// The same, of one owner only.
    pub(super) fn owned_by(self, owner: &str) -> Self {
        Self { owner: Some(owner.to_owned()), ..self }
    }

    /// The question to the read models.
    pub(super) fn query(self, kind: &'static str) -> EntryQuery {
        let Self { status, owner, limit, after } = self;
        EntryQuery { kind, status, owner, limit, after, skip: 0 }
    }
}

/// Where the page after this one starts; nothing after the last.
pub(super) fn next_cursor<A: Aggregate>(found: &List<A>) -> Option<String> {
    found.entries.last().filter(|_| found.more).map(|(row, _)| cursor(row))
}

/// A place in a list. Opaque to clients, so that its form may change.
fn cursor(row: &EntryRow) -> String {
    let at = row.at.as_unix_micros().to_be_bytes();
    let bytes: Vec<u8> = at.into_iter().chain(row.stream.key().bytes()).collect();
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn after(cursor: &str) -> Option<(Moment, String)> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (micros, key) = bytes.split_first_chunk::<8>()?;
    let key = String::from_utf8(key.to_vec()).ok().filter(|key| !key.is_empty())?;
    Some((Moment::from_unix_micros(i64::from_be_bytes(*micros)), key))
}

#[cfg(test)]
mod tests {
    use persistence::journal::StreamId;

    use super::*;

    fn wanted(query: &str) -> Result<Wanted, Problem> {
        let uri: Uri = format!("/v1/returns?{query}").parse().unwrap();
        Wanted::of(&uri, Some("customer_id"), &["OPEN", "DONE"])
    }

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        let row = EntryRow {
            stream: StreamId::new("return", "ä/3"),
            status: "OPEN".to_owned(),
            owner: None,
            at: Moment::from_unix_micros(-17),
            version: 1,
        };
        let found = wanted(&format!("cursor={}", cursor(&row))).unwrap();
        assert_eq!(found.after, Some((row.at, "ä/3".to_owned())));
        for bad in ["", "x", "AAAA", "AAAAAAAAAAA", "!!!"] {
            assert_eq!(after(bad), None, "{bad}");
        }
    }

    #[test]
    fn filters_are_words_that_the_list_knows() {
        let query = wanted("status=DONE&customer_id=alice&limit=7").unwrap().query("return");
        assert_eq!(
            (query.status.as_deref(), query.owner.as_deref()),
            (Some("DONE"), Some("alice"))
        );
        assert_eq!((query.limit, query.kind), (7, "return"));
        for bad in ["status=done", "limit=0", "limit=101", "customer_id=", "owner=alice"] {
            assert!(wanted(bad).is_err(), "{bad}");
        }
    }
}
