//! What the contract of the read models says about the lists of any kind.

use engine::values::Moment;
use persistence::journal::StreamId;
use persistence::read_models::{Changes, EntryPage, EntryQuery, EntryRow, ReadModels};

/// A row; three in a row share a moment, so that the key has to decide.
pub(crate) fn entry(kind: &str, number: u8, status: &str, owner: Option<&str>) -> EntryRow {
    EntryRow {
        stream: StreamId::new(kind, &format!("{number:03}/ä")),
        status: status.to_owned(),
        owner: owner.map(str::to_owned),
        at: Moment::from_unix_micros(i64::from(number / 3)),
        version: u64::from(number) + 1,
    }
}

/// The first hundred rows of a kind.
pub(crate) fn of_kind(kind: &'static str) -> EntryQuery {
    EntryQuery { kind, status: None, owner: None, limit: 100, after: None, skip: 0 }
}

/// The whole list, a few rows at a time by cursor, each page being what the offset gives too.
async fn leafed_through(models: &dyn ReadModels, all: &EntryQuery) -> Vec<EntryRow> {
    let mut seen: Vec<EntryRow> = Vec::new();
    let mut after = None;
    loop {
        let page = EntryQuery { limit: 7, after, ..all.clone() };
        let EntryPage { rows, total, more } = models.list_entries(&page).await.unwrap();
        let skip = seen.len() as u64;
        let by_offset = EntryQuery { limit: 7, skip, ..all.clone() };
        let by_offset = models.list_entries(&by_offset).await.unwrap();
        assert_eq!(by_offset, EntryPage { rows: rows.clone(), total, more });
        seen.extend(rows);
        assert_eq!(more, (seen.len() as u64) < total);
        let Some(last) = seen.last().filter(|_| more) else { return seen };
        after = Some((last.at, last.stream.key().to_owned()));
    }
}

pub(crate) async fn entries_are_listed_by_kind_status_and_owner(models: &dyn ReadModels) {
    let status = |n: u8| if n.is_multiple_of(2) { "open" } else { "done" };
    let owner = |n: u8| [None, Some("ann"), Some("bob")][usize::from(n % 3)];
    let rows = (0..50).map(|n| entry("return", n, status(n), owner(n)));
    let others = [entry("import", 1, "open", Some("ann")), entry("import", 60, "open", None)];
    let entries: Vec<EntryRow> = rows.chain(others).collect();
    models.apply(&Changes { entries: entries.clone(), ..Changes::default() }).await.unwrap();

    for kind in ["return", "import", "refund"] {
        for status in [None, Some("open"), Some("lost")] {
            for owner in [None, Some("ann"), Some("eve")] {
                let (status, owner) = (status.map(str::to_owned), owner.map(str::to_owned));
                let mut wanted = entries.clone();
                wanted.retain(|row| {
                    row.stream.kind() == kind
                        && status.as_ref().is_none_or(|status| *status == row.status)
                        && owner.as_ref().is_none_or(|_| row.owner == owner)
                });
                wanted.reverse();
                let query = EntryQuery { status, owner, ..of_kind(kind) };
                assert_eq!(leafed_through(models, &query).await, wanted, "{query:?}");
            }
        }
    }
}

pub(crate) async fn an_entry_moves_within_its_list_and_leaves_it(models: &dyn ReadModels) {
    let first = [entry("return", 1, "open", Some("ann")), entry("return", 2, "open", None)];
    models.apply(&Changes { entries: first.to_vec(), ..Changes::default() }).await.unwrap();
    let moved = EntryRow { stream: first[0].stream.clone(), ..entry("return", 9, "done", None) };
    // One run may move it twice.
    let entries = vec![first[0].clone(), moved.clone()];
    models.apply(&Changes { entries, ..Changes::default() }).await.unwrap();

    let page = models.list_entries(&of_kind("return")).await.unwrap();
    assert_eq!(page.rows, [moved.clone(), first[1].clone()]);
    assert_eq!(page.total, 2);

    let gone_entries = vec![first[1].stream.clone(), StreamId::new("return", "never there")];
    models.apply(&Changes { gone_entries, ..Changes::default() }).await.unwrap();
    assert_eq!(models.list_entries(&of_kind("return")).await.unwrap().rows, [moved]);
}
