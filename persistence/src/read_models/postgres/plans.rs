//! The queries of the read models on PostgreSQL use an index.

use super::super::{entry_list, list};
use super::{HISTORIES, LIST_PRODUCTS, PRODUCTS, apply, entries, wakeups};
use crate::database::plans::{Access, assert_postgres_uses_an_index};

#[tokio::test]
async fn every_query_uses_an_index() {
    let statements = [
        (HISTORIES, Access::Found),
        (PRODUCTS, Access::Found),
        (LIST_PRODUCTS, Access::Found),
        (list::BY_OFFSET, Access::InOrder),
        (list::BY_OFFSET_OF_STATUS, Access::Found),
        (list::AFTER, Access::Found),
        (list::AFTER_OF_STATUS, Access::Found),
        (list::TOTAL_OF_STATUS, Access::Found),
        (apply::STATUSES, Access::Found),
        (apply::COUNT, Access::Found),
        (entry_list::ALL, Access::Found),
        (entry_list::OF_STATUS, Access::Found),
        (entry_list::OF_OWNER, Access::Found),
        (entry_list::OF_BOTH, Access::Found),
        (entry_list::TOTAL, Access::Found),
        (entry_list::TOTAL_OF_STATUS, Access::Found),
        (entry_list::TOTAL_OF_OWNER, Access::Found),
        (entry_list::TOTAL_OF_BOTH, Access::Found),
        (entries::DROP, Access::Found),
        (wakeups::DUE, Access::Found),
        (wakeups::DROP, Access::Found),
    ];
    assert_postgres_uses_an_index(&statements).await;
}
