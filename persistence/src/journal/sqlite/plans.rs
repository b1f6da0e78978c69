//! The journal's queries on SQLite use an index.

use super::{Fatal, SqliteJournal, append, read};
use crate::database::plans::{Access, assert_sqlite_uses_an_index};

#[tokio::test]
async fn every_query_uses_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let journal = SqliteJournal::open(&path, 4, Fatal::default()).await.unwrap();
    let statements = [
        (read::PLACES, Access::Found),
        (read::SHARD, Access::Found),
        (append::MOVE, Access::Found),
    ];
    assert_sqlite_uses_an_index(&journal.readers, &statements).await;
}
