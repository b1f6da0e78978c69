//! The journal's queries on PostgreSQL use an index.

use super::{append, read};
use crate::database::plans::{Access, assert_postgres_uses_an_index};

#[tokio::test]
async fn every_query_uses_an_index() {
    let statements = [
        (read::PLACES, Access::Found),
        (read::SHARD, Access::Found),
        (append::APPEND, Access::Found),
    ];
    assert_postgres_uses_an_index(&statements).await;
}
